"""Find submissions in a folder and read them. Every file here was written by somebody who may mean harm.

Which student a file belongs to, and which of several counts
------------------------------------------------------------
- ``folder/anna.ipynb`` and ``folder/anna__second-try.ipynb`` are both by *anna*: the name up to two underscores.
- ``folder/anna/anything.ipynb`` is by *anna* too.
- Of several by one student the newest (by the file's time; among equals the last by name) that can be read
  counts. The others are listed as superseded, with no score.
"""

import hashlib
import json
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .text import printable

__all__ = ["Exercise", "Submission", "Unreadable", "find_submissions", "read_notebook", "supersede"]

MAX_BYTES = 20 << 20
MAX_CELLS = 2_000
MAX_SOURCE = 1 << 20           # characters of all code cells
KEPT_MAGICS = {"%%time", "%%timeit", "%%capture", "%%prun"}      # what is below them is Python
MAX_NOTES = 10                 # on changed cells
RULE = "of several submissions by one student, the newest that can be read counts"
CHECK_LINE = re.compile(r"\s*(#.*|check\([^()]*\);?\s*|grader\.check[^()]*\([^()]*\)\s*|)")


class Unreadable(ValueError):
    """A submission that cannot be graded. The message says why, to the student."""


@dataclass
class Submission:
    """A file and what became of reading it.

    Parameters
    ----------
    student : str
    file : str
        Path below the folder of submissions, made safe to print.
    digest : str
        SHA-256 of the content; of the name alone where it could not be read.
    changed : float
        The file's time, in seconds.
    cells : list of str
        Sources of the code cells; empty for one that only checks or is not Python.
    notes : list of str
        What was found, such as a deleted cell.
    refused : str
        Why it is not graded, else empty.
    superseded : bool
        Whether another one of the student's counts.
    """

    student: str
    file: str
    digest: str
    changed: float = 0.0
    cells: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    refused: str = ""
    superseded: bool = False

    @property
    def key(self):
        """Name of its record: of this content by this student in this file."""
        return hashlib.sha256("\n".join([self.student, self.file, self.digest]).encode()).hexdigest()[:32]


class Exercise:
    """What a submission is compared with: the student notebook that was given out.

    Parameters
    ----------
    name : str
        Such as ``"01_perceptron"``.
    notebook : path-like
    """

    def __init__(self, name, notebook):
        self.name = name
        content = parse(Path(notebook).read_bytes())
        self.cells = code_cells(content)
        self.titles = [title for title, _ in self.cells]
        self.sources = dict(self.cells)
        self.mark = mark_of(content)

    def check_belongs(self, content, cells):
        """Refuse a notebook of another exercise; return notes."""
        mark = mark_of(content)
        if mark and self.mark and mark != self.mark:
            raise Unreadable(f"wrong exercise: this is {printable(mark)!r}, not {self.mark!r}")
        known = {source.strip() for source in self.sources.values()} | set(self.titles)
        if not self.cells or any(title in known or source.strip() in known for title, source in cells):
            return []
        if mark and mark == self.mark:
            return [f"no cell of {self.name!r} is in it; graded because the notebook says that it is this exercise"]
        raise Unreadable(f"wrong exercise: no cell of {self.name!r} is in it")

    def differences(self, cells):
        """Tell how a submission's cells differ from those given out.

        Parameters
        ----------
        cells : list of tuple
            Name and source of every code cell.

        Returns
        -------
        list of str
            One sentence for each cell that was renamed or deleted, and for a changed order; of many the first.
        """
        titles = [title for title, _ in cells]
        doubled = sorted(title for title, times in Counter(titles).items() if title and times > 1)
        notes = [f"cell {printable(title)!r} is there twice" for title in doubled]
        there = set(titles)
        strangers = {source.strip(): title for title, source in cells if title not in self.sources}
        for title in self.titles:
            if title not in there:
                source = self.sources[title].strip()
                if source in strangers:
                    notes.append(f"cell {title!r} was renamed to {printable(strangers[source])!r}")
                else:
                    notes.append(f"cell {title!r} was deleted or renamed")
        order = [title for title in dict.fromkeys(titles) if title in self.sources]
        expected = [title for title in self.titles if title in there]
        if order != expected:
            first = next(title for title, other in zip(order, expected, strict=True) if title != other)
            notes.append(f"cells were reordered, from {first!r} on")
        return cut(notes)


def find_submissions(folder):
    """List every file in a folder of submissions, and whose it is.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    list of tuple
        Student and path, sorted. Hidden files are left out.

    Raises
    ------
    Unreadable
        If it is not a folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise Unreadable(f"{folder}: expected a folder of submissions")
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        inside = path.is_dir() and not path.is_symlink() and path.suffix != ".ipynb"
        if not inside:
            found.append((printable(path.stem.partition("__")[0]), path))
            continue
        files = [file for file in sorted(path.iterdir()) if not file.name.startswith(".")]
        found += [(printable(path.name), file) for file in files or [path]]
    return found


def read_submission(student, path, folder, exercise):
    """Read one submission; whatever is wrong with it is written into it.

    Parameters
    ----------
    student : str
    path, folder : Path
    exercise : Exercise

    Returns
    -------
    Submission
    """
    name = printable(str(path.relative_to(folder)))
    found = Submission(student, name, hashlib.sha256(os.fsencode(path)).hexdigest())
    try:
        data, found.changed = read_bytes(path)
        found.digest = hashlib.sha256(data).hexdigest()
        content = parse(data)
        cells = code_cells(content)
        found.notes = exercise.check_belongs(content, cells) or exercise.differences(cells)
        found.notes += foreign_cells(cells)
        found.cells = ["" if only_checks(source) or foreign(source) else source for _, source in cells]
    except Unreadable as error:
        found.refused = str(error)
    except OSError as error:
        found.refused = f"cannot be read: {error.strerror}"
    return found


def read_notebook(path):
    """Read a notebook's code cells.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of tuple
        Name and source of every code cell.

    Raises
    ------
    Unreadable
    """
    return code_cells(parse(read_bytes(Path(path))[0]))


def read_bytes(path):
    """Read a plain file that is not too large; never follow a link, never wait at a pipe."""
    kind = os.lstat(path).st_mode
    if stat.S_ISLNK(kind):
        raise Unreadable("a link, not a file")
    if stat.S_ISDIR(kind):
        raise Unreadable("a folder, not a notebook" if path.suffix == ".ipynb" else "an empty or nested folder")
    if not stat.S_ISREG(kind):
        raise Unreadable("not a plain file")
    if path.suffix != ".ipynb":
        raise Unreadable(f"expected a file that ends in .ipynb, got {printable(path.suffix) or 'no ending'}")
    # Between the look and the opening the file may have been replaced: hence the flags and the second look.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("not a plain file")
        if status.st_size > MAX_BYTES:
            raise Unreadable(f"{status.st_size >> 20} MiB; a notebook may have {MAX_BYTES >> 20}. Clear its outputs")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unreadable(f"a notebook may have {MAX_BYTES >> 20} MiB")
    return data, status.st_mtime


def parse(data):
    """Read a notebook's bytes as JSON."""
    if not data.strip(b" \t\r\n\0"):
        raise Unreadable("an empty file")
    if data.startswith(b"PK\x03\x04"):
        raise Unreadable("a zip archive, not a notebook")
    if data.startswith((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")):
        raise Unreadable("an archive, not a notebook")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("not a notebook: not text in UTF-8") from None
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg
        what = "truncated" if cut else "not a notebook: not JSON"
        raise Unreadable(f"{what} (line {error.lineno}, column {error.colno})") from None
    except (RecursionError, ValueError):
        raise Unreadable("not a notebook: JSON nested too deep, or with a number too long") from None
    if type(content) is not dict or type(content.get("cells")) is not list:
        raise Unreadable("not a notebook: it has no list of cells")
    if content.get("nbformat") != 4:
        raise Unreadable(f"notebook format {printable(str(content.get('nbformat')))}; expected 4")
    return content


def code_cells(content):
    """List name and source of every code cell."""
    cells, size = [], 0
    if len(content["cells"]) > MAX_CELLS:
        raise Unreadable(f"{len(content['cells'])} cells; a notebook may have {MAX_CELLS}")
    for number, cell in enumerate(content["cells"], 1):
        if type(cell) is not dict:
            raise Unreadable(f"not a notebook: cell {number} is no cell")
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        if type(source) is list and all(type(line) is str for line in source):
            source = "".join(source)
        if type(source) is not str:
            raise Unreadable(f"not a notebook: cell {number} has no source")
        size += len(source)
        if size > MAX_SOURCE:
            raise Unreadable(f"more than {MAX_SOURCE} characters of code")
        cells.append((title_of(cell), source))
    return cells


def title_of(cell):
    """Return a cell's id; Colab keeps it in the metadata."""
    metadata = cell.get("metadata")
    title = cell.get("id") or (metadata.get("id") if type(metadata) is dict else None)
    return title if type(title) is str else ""


def mark_of(content):
    """Return the name of the exercise that a notebook says it is of, as ``exercises/tools/build.py`` wrote it."""
    metadata = content.get("metadata")
    ours = metadata.get("dlcourse") if type(metadata) is dict else None
    mark = ours.get("exercise") if type(ours) is dict else None
    return mark if type(mark) is str else ""


def only_checks(source):
    """Tell whether a cell does nothing but run public checks: the sandbox has none."""
    return bool(source.strip()) and all(CHECK_LINE.fullmatch(line) for line in source.splitlines())


def foreign(source):
    """Return the magic of a cell that IPython gives to something else than Python, such as ``"%%bash"``; else ""."""
    magic = next(iter(source.split(maxsplit=1)), "")
    return magic if magic.startswith("%%") and magic not in KEPT_MAGICS else ""


def foreign_cells(cells):
    """Tell which cells are left out because they are not Python; of many the first."""
    found = [f"code cell {number} was not run: {printable(foreign(source))} is not Python"
             for number, (_, source) in enumerate(cells, 1) if foreign(source)]
    return cut(found)


def cut(notes):
    """Shorten a list of notes."""
    more = len(notes) - MAX_NOTES
    return [*notes[:MAX_NOTES], f"and {more} more"] if more > 0 else notes


def supersede(submissions):
    """Mark all but one submission of each student as superseded.

    Parameters
    ----------
    submissions : list of Submission

    Returns
    -------
    list of Submission
        The same ones.
    """
    of_student = {}
    for one in submissions:
        of_student.setdefault(one.student, []).append(one)
    for theirs in of_student.values():
        if len(theirs) > 1:
            counts = max(theirs, key=lambda one: (not one.refused, one.changed, one.file))
            for one in theirs:
                if one is not counts:
                    reason = f"; this one: {one.refused}" if one.refused else ""
                    one.refused, one.superseded = f"superseded by {counts.file} ({RULE}){reason}", True
            counts.notes.append(f"one of {len(theirs)} submissions: {RULE}")
    return submissions
