"""What an instructor publishes: complete, installable, the same each time, and giving nothing away."""

import base64
import functools
import gzip
import html
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest

from dlcourse.__main__ import main as dlcourse

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "exercises" / "tools"))

import build  # noqa: E402
import release  # noqa: E402
import wrong  # noqa: E402

BOOK = ROOT / "_build" / "html"
EXERCISE = ROOT / "exercises" / "02_perceptron"
EVERY = build.exercises


def full():
    return release.versions(EXERCISE)[0]


def public():
    return release.versions(EXERCISE)[1]


@functools.cache
def forbidden():
    """What one exercise and the grader's tests keep secret."""
    return release.secrets()


@pytest.fixture(scope="module", autouse=True)
def one_exercise():
    """One exercise stands for all: to make both versions takes seconds for each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "exercises", lambda: [EXERCISE])
        yield


@pytest.fixture(scope="module")
def published(tmp_path_factory, one_exercise):
    """A release of a small book, which is quicker to make than that of the whole one."""
    book = tmp_path_factory.mktemp("book")
    (book / "index.html").write_text("<p>A book.</p>")
    (book / ".buildinfo").write_text("not for students")
    out = tmp_path_factory.mktemp("release") / "student-release"
    release.make(book, out)
    return out


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def awkward(lines):
    """The longest line with a character that is written otherwise in a page or a script."""
    return max((line for line in lines if re.search(r"[<>&\"']", line)), key=len)


def secret_lines():
    """A line of each kind that must not be published."""
    master = nbformat.read(EXERCISE / "master.ipynb", as_version=4)
    solved = nbformat.reads(full()[f"{EXERCISE.name}.ipynb"], as_version=4)
    code = "\n".join(cell.source for cell in master.cells if cell.cell_type == "code")
    solution = build.solution_lines(master)
    answer = next(answer for answer in wrong.wrong_answers(EXERCISE, solved) if "np.append" in answer.code)
    return {
        "solution": awkward(line for line in solution if line in code),
        "without comment": awkward(line.partition("  #")[0] for line in solution if line in code and "  #" in line),
        "explanation": max((line for line in solution if line not in code), key=len),
        "hidden check": awkward(build.hidden_lines(full(), public())),
        "wrong answer": next(line for line in answer.code.splitlines() if "np.append" in line).strip(),
        "master": "# BEGIN TEST CONFIG",
        "grading test": awkward((ROOT / "tests" / "grading" / "attacks.py").read_text().splitlines()).strip(),
    }


@pytest.fixture(scope="module")
def lines():
    return secret_lines()


def test_a_release_holds_what_a_student_needs(published):
    found = files(published)
    assert {"README.txt", "LICENSE", "constraints.txt", "book/index.html"} <= found
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "chapters").rglob("*.ipynb")
            if ".ipynb_checkpoints" not in path.parts} <= found
    assert {f"exercises/{EXERCISE.name}/{path}" for path in public()} <= found
    (wheel,) = published.glob("*.whl")
    readme = (published / "README.txt").read_text()
    assert f"'./{wheel.name}[lab]'" in readme
    places = {name for name in re.findall(r"^(\S+)(?:  | *$)", readme, re.M) if "." in name or "/" in name}
    assert places == {"book/index.html", "chapters/", "exercises/", wheel.name, "constraints.txt"}
    assert all((published / name).exists() for name in places)
    assert not [path for path in found if Path(path).name.startswith(".")]
    with zipfile.ZipFile(wheel) as packed:
        sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dlcourse").rglob("*")
                   if path.is_file() and "__pycache__" not in path.parts}
        assert sources <= set(packed.namelist())


def test_a_release_gives_nothing_away(published, lines):
    """Independently of the tool's way to search: by plain text, in every file and in the wheel."""
    texts = {path: (published / path).read_bytes() for path in files(published)}
    (wheel,) = published.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        texts |= {name: packed.read(name) for name in packed.namelist()}
    for kind, line in lines.items():
        assert [path for path, text in texts.items() if line.encode() in text] == [], kind


def test_the_same_input_gives_the_same_bytes(published, tmp_path):
    out = tmp_path / "student-release"
    release.make(published / "book", out)
    ours, again = published.with_name("student-release.zip"), tmp_path / "student-release.zip"
    assert ours.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(again) as packed:
        names = packed.namelist()
        assert names == sorted(names)
        assert set(names) == {f"student-release/{name}" for name in files(out)}
        assert {entry.date_time for entry in packed.infolist()} == {(2024, 1, 2, 0, 0, 0)}


def test_a_student_can_install_a_release(published, tmp_path):
    """Into an environment of its own; what the package needs is lent by this one, since there may be no network."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    (wheel,) = published.glob("*.whl")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps",
                    "-c", "constraints.txt", f"{wheel}[lab]"], cwd=published, env=environment, check=True)
    # A .pth file puts them after its own packages: dlcourse itself must come from the wheel.
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    folder = published / "exercises" / EXERCISE.name
    code = ("import dlcourse; from dlcourse.checks import check; print(dlcourse.__file__); "
            "train = lambda x, y, max_epochs: None; print(bool(check('q1', namespace=globals())))")
    done = subprocess.run([python, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith(str(site))
    assert "0 of 3 checks pass" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"


def highlighted(line):
    """Colour a line of code as Sphinx does, in spans."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return f"<html><body>{highlight(line, PythonLexer(), HtmlFormatter())}</body></html>".encode()


def archive(line):
    """Put a line into a zip archive in another one, as the packed package of the live pages is."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("dlcourse/module.py", f"def f():\n    {line}\n")
    with zipfile.ZipFile(outer, "w") as packed:
        packed.writestr("package.zip", inner.getvalue())
    return outer.getvalue()


def notebook(line):
    cell = nbformat.v4.new_code_cell(f"if True:\n    {line}\n")
    return nbformat.writes(nbformat.v4.new_notebook(cells=[cell])).encode()


PLACES = {
    "page.html": highlighted,
    "widget.html": lambda line: f'<div data-code="{html.escape(json.dumps(line))}"></div>'.encode(),
    "script.html": lambda line: f"<script>{json.dumps(line).replace('<', chr(92) + 'u003c')}</script>".encode(),
    "searchindex.js": lambda line: b"Search.setIndex(" + json.dumps({"titles": [f"a\n{line}"]}).encode() + b")",
    "_sources/chapter.ipynb": notebook,
    "wheel.whl": archive,
    "course.packed": lambda line: gzip.compress(archive(line)),
    "course.packed.js":
        lambda line: b'dlbookFiles["course"]("' + base64.b64encode(gzip.compress(archive(line))) + b'");\n',
    "picture.png": lambda line: b"\x89PNG\r\n\x1a\n" + bytes(1001) + line.encode() + bytes(7),
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.replace(".", " "))
@pytest.mark.parametrize("kind", ["solution", "without comment", "explanation", "hidden check", "wrong answer",
                                  "master", "grading test"])
def test_a_planted_line_is_found(place, kind, lines, tmp_path):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PLACES[place]("x = 1"))
    assert release.leaks(tmp_path, forbidden()) == []
    path.write_bytes(PLACES[place](lines[kind]))
    found = release.leaks(tmp_path, forbidden())
    assert found, f"{kind} in {place} is not found"
    assert found[0].startswith(f"  {place}")


def test_a_line_in_a_built_page_stops_the_release(lines, tmp_path):
    book, out = tmp_path / "book", tmp_path / "student-release"
    (book / "chapters").mkdir(parents=True)
    (book / "index.html").write_text("<p>A book.</p>")
    out.mkdir()
    (out / "old.txt").write_text("a release made earlier")
    (book / "chapters" / "02.html").write_bytes(highlighted(lines["solution"]))
    with pytest.raises(release.Leak, match=r"book/chapters/02\.html: 02_perceptron: a solution"):
        release.make(book, out)
    assert not out.exists()
    assert not out.with_name("student-release.zip").exists()
    assert list(tmp_path.iterdir()) == [book]


def test_every_solution_and_hidden_check_is_looked_for():
    """All but the short lines that a chapter or the package has too."""
    master = nbformat.read(EXERCISE / "master.ipynb", as_version=4)
    wanted = build.solution_lines(master) + build.hidden_lines(full(), public())
    left_out = [line for line in wanted if release.bare(line) not in forbidden()]
    assert len(wanted) > 50
    assert all(len(release.bare(line)) < release.LONG for line in left_out)
    assert len(left_out) < len(wanted) / 10


def test_the_quick_search_agrees_with_a_slow_one():
    rng = np.random.default_rng(0)
    text = bytes(rng.integers(97, 100, 5000, dtype=np.uint8))
    words = [bytes(rng.integers(97, 100, 8, dtype=np.uint8)) for _ in range(300)] + [text[:8], text[-8:], b"zzzzzzzz"]
    keys = np.array(sorted({int.from_bytes(word, "little") for word in words}), dtype=np.uint64)
    for part in (text, text[:8], text[:7], b""):
        slow = {int.from_bytes(word, "little") for word in words if word in part}
        assert set(release.keys_within(keys, part)) == slow
    assert 10 < len(release.keys_within(keys, text)) < 300


def test_a_student_version_that_is_not_the_masters_stops_the_release(monkeypatch, tmp_path):
    (tmp_path / "index.html").write_text("<p>A book.</p>")
    monkeypatch.setattr(build, "differences", lambda *arguments: ["tests/q1.py"])
    with pytest.raises(release.Leak, match=r"tests/q1\.py.*make exercises"):
        release.make(tmp_path, tmp_path / "out")


def test_without_a_book_it_says_what_to_do(tmp_path, capsys):
    assert release.main(["--book", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "make book" in capsys.readouterr().err


def test_the_built_book_gives_nothing_of_any_exercise_away(monkeypatch):
    monkeypatch.setattr(build, "exercises", EVERY)
    assert (BOOK / "_static").is_dir()
    assert release.leaks(BOOK, release.secrets()) == []


# The grader's tests, without --tests.

@pytest.fixture
def repository(tmp_path):
    """A folder in which an exercise lies as in the repository, and a submission of its solution."""
    folder = tmp_path / "exercises" / EXERCISE.name
    build.write(public(), folder / "student")
    (folder / "master.ipynb").write_bytes((EXERCISE / "master.ipynb").read_bytes())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "anna.ipynb").write_text(full()[f"{EXERCISE.name}.ipynb"])
    return tmp_path


def grade(repository):
    return dlcourse(["grade", str(repository / "in"), "--exercise", str(repository / "exercises" / EXERCISE.name),
                     "--out", str(repository / "out"), "--jobs", "1"])


def test_without_full_tests_the_command_that_makes_them_is_named(repository, capsys):
    assert grade(repository) == 2
    assert f"make instructor EXERCISE={EXERCISE.name}" in capsys.readouterr().err


def test_full_tests_that_were_made_are_used(repository, capsys):
    build.write(full(), repository / "_build" / "instructor" / EXERCISE.name)
    assert grade(repository) == 0
    (row,) = (repository / "out" / "grades.csv").read_text().splitlines()[1:]
    assert row.startswith("anna,anna.ipynb,2,3,3,8,8,")


def test_full_tests_older_than_the_master_are_refused(repository, capsys):
    made = repository / "_build" / "instructor" / EXERCISE.name
    build.write(full(), made)
    os.utime(made / "tests" / "q2.py", (1, 1))
    assert grade(repository) == 2
    said = capsys.readouterr().err
    assert "older than the exercise's master" in said
    assert "make instructor" in said
