"""Make the folder that an instructor publishes, and a zip of it.

It holds the built book, the chapters' notebooks, the student's version of every exercise, the
package as a wheel, the pinned versions and a README for students. Nothing else is copied. Then every
file is read again, packed ones too, and the release is refused if a line of a master, a solution, a
hidden check, a wrong answer or a test of the grader is found in it.

    make student-release

Needs the built book and the extra ``instructor``: ``pip install -e '.[instructor]'``. The same input
gives the same bytes: names are sorted and all times are one fixed time.
"""

import argparse
import base64
import functools
import gzip
import html
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import build
import nbformat
import numpy as np
import wrong

ROOT = Path(__file__).parents[2]
WHEN = 1704153600                              # 2 January 2024; a zip archive begins in 1980
LONG = 32                                      # a shorter line may stand in a chapter too, such as "optimizer.step()"
KEY = 8                                        # bytes of a line that are looked for first
DROPPED = b" \t\r\n\f\v\"'\\"                  # white space, and what a string in JSON or JavaScript adds

README = """\
Deep learning, from the perceptron up
=====================================

book/index.html   the book. Open it in a browser: its cells and sliders run there, nothing has to be installed.
chapters/         the chapters as notebooks
exercises/        a folder for each exercise: the notebook to work in, and its checks in tests/
{wheel}
                  the Python package that chapters and exercises use
constraints.txt   the versions of all packages with which everything was tested
LICENSE           MIT for code, CC BY 4.0 for text and figures


To work in the notebooks
------------------------
Python 3.11 or newer is needed, and a network for the installation. In a terminal, in this folder:

Linux, macOS:
    python3 -m venv .venv
    .venv/bin/python -m pip install -c constraints.txt './{wheel}[lab]'
    .venv/bin/jupyter lab

Windows:
    py -m venv .venv
    .venv\\Scripts\\python -m pip install -c constraints.txt ".\\{wheel}[lab]"
    .venv\\Scripts\\jupyter lab

The first two lines are needed once. On Linux PyTorch comes with NVIDIA's libraries, which are large. The smaller
build, which is enough for this course, comes with one more option in the second line:
    --extra-index-url https://download.pytorch.org/whl/cpu


To solve an exercise
--------------------
Open its notebook in JupyterLab, replace each "...", run the cell, then the cell with "check" below it. A check says
what it compared, what it expected and what came. When your work is graded, the same properties are tested with
other inputs. Keep the notebook beside its folder tests/, and hand in the notebook alone.
"""


class Leak(Exception):
    """A release that would give something away; the message says what and where."""


def make(book, out):
    """Make the release: ``out``, and ``out.zip`` beside it.

    Parameters
    ----------
    book : Path
        The built book.
    out : Path
        Folder to write, in place of what is there.

    Raises
    ------
    FileNotFoundError
        If there is no book.
    Leak
        If something would be given away, or a student's version is not what its master gives. Nothing
        is left then that could be published by mistake.
    """
    if not (book / "index.html").is_file():
        raise FileNotFoundError(f"there is no book in {book}: run `make book`")
    archive = out.with_name(f"{out.name}.zip")
    shutil.rmtree(out, ignore_errors=True)
    archive.unlink(missing_ok=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as place:
        folder = Path(place) / out.name
        fill(folder, book)
        if found := leaks(folder, secrets()):
            raise Leak("\n".join(["the release would give something away:", *found]))
        folder.rename(out)
    pack(out, archive)


def fill(folder, book):
    """Copy what a student gets.

    Parameters
    ----------
    folder : Path
        Of the release; does not exist yet.
    book : Path
    """
    copy_tree(book, folder / "book")
    for path in sorted((ROOT / "chapters").rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            put(folder / path.relative_to(ROOT), path.read_bytes())
    for exercise in build.exercises():
        _, files = versions(exercise)
        if differing := build.differences(files, exercise / "student"):
            raise Leak(f"{exercise.name}/student is not what the master gives ({', '.join(differing)}): "
                       "run `make exercises`")
        for path, text in files.items():
            put(folder / "exercises" / exercise.name / path, text.encode())
    for name in ("LICENSE", "constraints.txt"):
        put(folder / name, (ROOT / name).read_bytes())
    name, data = wheel()
    put(folder / name, data)
    put(folder / "README.txt", README.format(wheel=name).encode())


@functools.cache
def versions(exercise):
    """Make the instructor's and the student's files of an exercise, once."""
    return build.versions(exercise)


def put(path, data):
    """Write one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o644)


def copy_tree(source, target):
    """Copy a folder without what begins with a dot, such as a cache."""
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            put(target / inside, path.read_bytes())


def wheel():
    """Build the package with the setuptools that are installed.

    Returns
    -------
    name : str
    data : bytes
    """
    with tempfile.TemporaryDirectory() as place:
        # From a copy: setuptools would leave its folder `build` in the repository, and pack what an
        # older build has left there.
        source, out = Path(place) / "source", Path(place) / "out"
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            put(source / name, (ROOT / name).read_bytes())
        for path in sorted((ROOT / "dlcourse").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                put(source / path.relative_to(ROOT), path.read_bytes())
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--no-build-isolation", "--wheel-dir", str(out), str(source)]
        subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": str(WHEN)})
        (made,) = out.iterdir()
        return made.name, made.read_bytes()


def pack(folder, archive):
    """Zip a folder; the same files give the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if path.is_file():
                name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                entry = zipfile.ZipInfo(name, (2024, 1, 2, 0, 0, 0))
                entry.create_system, entry.external_attr = 3, 0o100644 << 16      # as on Linux, whatever made it
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, path.read_bytes())


def secrets():
    """Collect what may be nowhere in the release.

    Returns
    -------
    dict of bytes to str
        Each line as `bare` makes it, and what it is.
    """
    everyone = [path.read_text(encoding="utf-8") for path in public_sources()]
    everyone += [text for exercise in build.exercises() for text in versions(exercise)[1].values()]
    public = bare("\n".join(everyone))
    found = {}
    for exercise in build.exercises():
        known = bare("\n".join(versions(exercise)[1].values()))
        for kind, lines in exercise_lines(exercise).items():
            # A line of code gives as much away without the comment behind it.
            for line in map(bare, [*lines, *(line.partition("  #")[0] for line in lines)]):
                if len(line) >= build.LEAST and line not in known and (len(line) >= LONG or line not in public):
                    found.setdefault(line, f"{exercise.name}: a {kind}")
    # Lines of the grader itself, and of checks in general, stand in its tests as well.
    for path in sorted((ROOT / "tests" / "grading").rglob("*.py")):
        for line in map(bare, path.read_text(encoding="utf-8").splitlines()):
            if len(line) >= LONG and line not in public:
                found.setdefault(line, f"{path.relative_to(ROOT)}: a grading test")
    return found


def exercise_lines(exercise):
    """Collect the lines that a student must not get, in a list for each kind."""
    full, public = versions(exercise)
    master = nbformat.read(exercise / "master.ipynb", as_version=4)
    solved = nbformat.reads(full[f"{exercise.name}.ipynb"], as_version=4)
    answers = wrong.wrong_answers(exercise, solved)
    return {
        "solution": build.solution_lines(master),
        "hidden check": build.hidden_lines(full, public),
        "wrong answer": [line for answer in answers for line in answer.code.splitlines() if build.telling(line)],
        "line of the master": [line for cell in master.cells if cell.cell_type != "markdown"
                               for line in cell.source.splitlines() if build.telling(line)],
    }


def public_sources():
    """List the sources that everybody may read: the package and the chapters."""
    package, chapters = (ROOT / "dlcourse").rglob("*.py"), (ROOT / "chapters").rglob("*")
    return [*sorted(package), *sorted(path for path in chapters if path.suffix in (".ipynb", ".md"))]


def bare(data):
    r"""Reduce code or text to what is the same in a file, a page, a notebook and a script.

    Parameters
    ----------
    data : bytes or str

    Returns
    -------
    bytes
        Without white space, quotes and backslashes, and with A for ``\u0041``.
    """
    data = data.encode() if isinstance(data, str) else data
    if rb"\u" in data:
        data = re.sub(rb"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)).encode("utf-8", "replace"), data)
    return data.translate(None, DROPPED)


def readings(place, data):
    """Read a file in every way in which it could hold text.

    Parameters
    ----------
    place : str
        Its name.
    data : bytes

    Yields
    ------
    place : str
        The name, followed by that of the file inside it.
    text : bytes
    """
    if data.startswith(b"\x1f\x8b"):
        yield from readings(place, gzip.decompress(data))
    elif data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield from readings(f"{place}: {name}", packed.read(name))
    elif data.startswith(b"# Sphinx inventory"):
        yield place, zlib.decompress(data.split(b"\n", 4)[4])
    elif inside := re.match(rb'dlbookFiles\[[^]]*\]\("([A-Za-z0-9+/=]*)"\)', data):
        yield from readings(place, base64.b64decode(inside[1]))
    else:
        yield place, data
        if place.endswith((".html", ".svg", ".xml")):
            text = data.decode("utf-8", "replace")
            yield place, html.unescape(text).encode()                                  # attributes and scripts
            yield place, html.unescape(re.sub(r"<[^>]*>", "", text)).encode()          # coloured code


def leaks(folder, forbidden):
    """List what a release gives away.

    Parameters
    ----------
    folder : Path
    forbidden : dict of bytes to str
        As from `secrets`.

    Returns
    -------
    list of str
        A line for each finding: where, what, and the text.
    """
    by_key = {}
    for line in forbidden:
        by_key.setdefault(int.from_bytes(line[:KEY], "little"), []).append(line)
    keys = np.array(sorted(by_key), dtype=np.uint64)
    found, seen = [], set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for place, data in readings(path.relative_to(folder).as_posix(), path.read_bytes()):
            text = bare(data)
            if hash(text) in seen:                             # the same file is in several places
                continue
            seen.add(hash(text))
            for key in keys_within(keys, text):
                found += [f"  {place}: {forbidden[line]}: {line.decode()}" for line in by_key[key] if line in text]
    return list(dict.fromkeys(found))


def keys_within(keys, text):
    """Say which of some first eight bytes stand in a text: far quicker than to look for each line.

    Parameters
    ----------
    keys : ndarray of uint64, sorted
    text : bytes

    Returns
    -------
    list of int
    """
    found = set()
    for start in range(min(KEY, max(0, len(text) - KEY + 1))):
        windows = np.frombuffer(text, dtype="<u8", offset=start, count=(len(text) - start) // KEY)
        nearest = keys[np.searchsorted(keys, windows).clip(max=len(keys) - 1)]
        found |= set(nearest[nearest == windows].tolist())
    return sorted(found)


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional

    Returns
    -------
    int
        Zero if the release was made.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--book", type=Path, metavar="FOLDER", default=ROOT / "_build" / "html")
    parser.add_argument("--out", type=Path, metavar="FOLDER", default=ROOT / "_build" / "student-release")
    options = parser.parse_args(arguments)
    try:
        make(options.book, options.out)
    except (Leak, build.Refused, wrong.Unusable, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The release is in {options.out.resolve()}, packed in {options.out.name}.zip beside it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
