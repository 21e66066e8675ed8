"""The command: what it writes, what it refuses, and that a killed run is continued."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dlcourse.__main__ import main
from dlcourse.checks import (
    CheckFailed,
    StudentError,
    expect_close,
    expect_equal,
    expect_tensor,
    expect_tuple,
    expect_unchanged,
)
from dlcourse.checks.answers import AS_LEFT
from dlcourse.grading import cli, results, sandbox
from dlcourse.grading import grade as grade_module
from dlcourse.grading.grade import Grade
from dlcourse.grading.proxies import Session
from dlcourse.grading.results import UNFILTERED, UNPROTECTED
from dlcourse.grading.sandbox import Limits, Sandbox, SandboxError
from dlcourse.grading.text import file_name, harmless, printable

from .common import FOLDER, HONEST, SHORT, TESTS, grade_cells, limits, notebook, public, public_tests, write_notebook

ROOT = Path(__file__).parents[2]
HALF = "def relu_gradient(x):\n    return -1.0 * (x > 0)"
ANGRY = "def relu_gradient(x):\n    raise ValueError('<script>alert(1)</script>')"
HIDDEN = ("random inputs", "refuses text", "many steps", "expect_raises")


def grade_folder(folder, out, *options):
    arguments = [str(folder), "--exercise", str(FOLDER), "--out", str(out), "--jobs", "2", "--seed", "5"]
    return main(["grade", *arguments, *options])


def table(out):
    with open(out / "grades.csv", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


@pytest.fixture
def folder(tmp_path):
    """Some submissions."""
    folder = tmp_path / "in"
    write_notebook(folder / "anna.ipynb")
    write_notebook(folder / "ben.ipynb", notebook(HALF, "answer = ..."))
    write_notebook(folder / "angry.ipynb", notebook(ANGRY))
    write_notebook(folder / "untouched.ipynb", json.loads((FOLDER / "student" / "exercise.ipynb").read_text()))
    (folder / "broken.ipynb").write_text("{")
    (folder / "=cmd().zip").write_bytes(b"PK\x03\x04")
    return folder


def test_a_folder_becomes_a_gradebook(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert grade_folder(folder, out) == 0
    rows = table(out)
    assert list(rows["anna.ipynb"]) == ["student", "file", "q1", "q2", "score", "max", "seconds", "note"]
    scores = {file: (row["q1"], row["q2"], row["score"], row["max"]) for file, row in rows.items()}
    assert scores == {"anna.ipynb": ("4", "2", "6", "6"), "ben.ipynb": ("1", "0", "1", "6"),
                      "angry.ipynb": ("0", "2", "2", "6"), "untouched.ipynb": ("0", "0", "0", "6"),
                      "broken.ipynb": ("0", "0", "0", "6"), "'=cmd().zip": ("0", "0", "0", "6")}
    assert "truncated" in rows["broken.ipynb"]["note"]
    said = capsys.readouterr().out
    assert "4 graded, 2 refused" in said
    assert "refused: broken.ipynb: truncated" in said
    everything = json.loads((out / "grades.json").read_text())
    assert everything["run"]["seed"] == 5
    students = {one["student"] for one in everything["submissions"]}
    assert students == {"anna", "ben", "angry", "untouched", "broken", "=cmd()"}
    assert len({one["seed"] for one in everything["submissions"]}) == 6


def test_feedback_shows_no_hidden_test_and_runs_no_script(folder, tmp_path):
    out = tmp_path / "out"
    grade_folder(folder, out)
    pages = {path.stem: path.read_text() for path in (out / "feedback").iterdir()}
    assert set(pages) == {file_name(name) for name in ("anna", "ben", "angry", "untouched", "broken", "=cmd()")}
    for page in pages.values():
        assert not any(word in page for word in HIDDEN)
        assert "<script" not in page
        assert "default-src 'none'" in page
    assert "Every value has the wrong sign" in pages["ben"]
    assert "&lt;script&gt;" in pages["angry"]
    assert "truncated" in pages["broken"]
    assert "hand that file in" in pages["broken"]
    for name in ("anna", "ben"):
        assert "more tests than are shown" in pages[name]
        assert "hand that file in" not in pages[name]
    assert [line for line in re.findall("<h2>(.*?)</h2>", pages["ben"]) if "points" in line] == [
        f"{name}: {earned} of {most} points" for name, earned, most in
        re.findall('row">(.*?)</th>.*?number">(.*?)</td><td class="number">(.*?)</td>', pages["ben"])]


def test_feedback_says_the_same_message_once():
    messages = ("no idea", "no idea", "", "", "another", "no idea")
    listed = [{"question": "q1", "hidden": False, "passed": not message, "test": f"t{i}", "message": message}
              for i, message in enumerate(messages)]
    grade = SimpleNamespace(results=listed, score_of={"q1": 1.0}.get)
    page = results.public_tests(grade, "q1", SimpleNamespace(points={"q1": 3.0}.get))
    assert re.findall("<pre>(.*?)</pre>", page) == [
        "no idea", "The same message as above.", "another", "The same message as above."]
    assert "<h2>q1: 1 of 3 points</h2>" in page


def test_names_cells_and_files_of_students_do_no_harm(tmp_path, capsys):
    """Markup, formulas, paths, links, and half surrogate pairs, in everything that a student can name."""
    folder, out, evil = tmp_path / "in", tmp_path / "out", "<img src=x onerror=alert(1)>"
    names = [evil, "=1+1;@SUM(1)", "-2+3", "x..", "a\x1b[2Jb", "a\u202eb", "' onload='x", "&amp;"]
    for name in names:
        content = notebook("def relu_gradient(x):\n    raise ValueError('\ud800" + evil + "')", "text = '\ud800'\n1/0")
        content["cells"][1]["id"] = content["cells"][3]["id"] = f"{evil}\ud800=1"
        write_notebook(folder / f"{name}.ipynb", content)
    canary = tmp_path / "canary"
    canary.write_text("unharmed")
    (out / "feedback").mkdir(parents=True)
    (out / "feedback" / f"{file_name('-2+3')}.html").symlink_to(canary)
    assert grade_folder(folder, out) == 0
    said = capsys.readouterr().out
    assert re.sub(r"\n", "", said).isprintable()
    assert canary.read_text() == "unharmed"
    pages = list((out / "feedback").iterdir())
    assert len(pages) == len(list((out / "gradescope").iterdir())) == len(names)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not page.is_symlink()
        assert "<img" not in text
        assert "&lt;img src=x onerror=alert(1)&gt;" in text
        assert "is there twice" in text
    for row in table(out).values():
        for cell in row.values():
            assert not re.match(r"[=+@-]", cell)
            assert not re.search(r"[;,|] ?[=+@-]", cell)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["canary", "in", "out"]


def test_gradescope_hides_hidden_tests(folder, tmp_path):
    out = tmp_path / "out"
    grade_folder(folder, out)
    result = json.loads((out / "gradescope" / "anna.json").read_text())
    assert result["score"] == sum(test["score"] for test in result["tests"]) == 6
    visible = {test["name"]: test["visibility"] for test in result["tests"]}
    assert visible["q1: an example"] == "visible"
    assert visible["q1: random inputs"] == "hidden"


def test_public_tests_alone_are_said_to_be_so(folder, tmp_path, capsys):
    tests = public_tests(tmp_path / "tests")
    assert grade_folder(folder, tmp_path / "out", "--tests", str(tests)) == 0
    assert "these tests are all public" in capsys.readouterr().out
    assert table(tmp_path / "out")["anna.ipynb"]["max"] == "4"


@pytest.mark.parametrize(("machine", "options", "warning"), [
    ("x86_64", ["--unsafe-no-sandbox"], UNPROTECTED), ("riscv64", [], UNFILTERED),
])
def test_what_protection_was_missing_is_said_in_every_output(
        folder, tmp_path, capsys, monkeypatch, machine, options, warning):
    monkeypatch.setattr("platform.machine", lambda: machine)
    out = tmp_path / "out"
    assert grade_folder(folder, out, *options) == 0
    said = capsys.readouterr()
    assert f"WARNING: {warning}" in said.out
    assert f"WARNING: {warning}" in said.err
    assert all(warning in row["note"] for row in table(out).values())
    assert table(out)["anna.ipynb"]["score"] == "6"
    assert json.loads((out / "grades.json").read_text())["warnings"] == [warning]
    pages = [*(out / "feedback").iterdir(), *(out / "gradescope").iterdir()]
    assert len(pages) == 12
    for path in pages:
        assert warning in path.read_text().replace("&#x27;", "'")


def test_with_all_protection_no_output_warns(folder, tmp_path, capsys):
    grade_folder(folder, tmp_path / "out")
    said = capsys.readouterr()
    assert "WARNING" not in said.out + said.err
    assert json.loads((tmp_path / "out" / "grades.json").read_text())["warnings"] == []


def test_a_missing_bubblewrap_is_said_with_the_install_line(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert grade_folder(folder, tmp_path / "out") == 2
    assert "apt install bubblewrap" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_bubblewrap_that_fails_is_said_with_its_reason(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(broken))
    with pytest.raises(SandboxError) as refused:
        Sandbox(Limits())
    for words in ("No permissions to create new namespace", "sudo apt install bubblewrap",
                  "sysctl kernel.apparmor_restrict_unprivileged_userns=0", "/etc/apparmor.d/bwrap"):
        assert words in str(refused.value)


def test_a_sandbox_that_fails_later_is_no_zero_and_is_tried_again(folder, tmp_path, capsys, monkeypatch):
    out, start = tmp_path / "out", Sandbox.launch
    started = []

    def launch(self):
        started.append(1)
        if len(started) > 1:                      # the first is the command's own attempt
            raise OSError("no memory")
        start(self)

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "launch", launch)
        assert grade_folder(folder, out) == 1
    row = table(out)["anna.ipynb"]
    assert (row["score"], row["q1"]) == ("", "")
    assert "grader error, not the student's" in row["note"]
    assert not (out / "gradescope" / "anna.json").exists()
    assert "not been graded yet" in (out / "feedback" / "anna.html").read_text()
    assert "--resume" in capsys.readouterr().out
    assert grade_folder(folder, out, "--resume") == 0
    assert table(out)["anna.ipynb"]["score"] == "6"


def test_a_sandbox_that_fails_between_two_tests_is_no_zero(monkeypatch):
    start, started = Sandbox.launch, []

    def launch(self):
        started.append(1)
        if len(started) > 1:
            raise OSError("no memory")
        start(self)

    monkeypatch.setattr(Sandbox, "launch", launch)
    result = grade_cells((HONEST[0], "import os\ndef relu_gradient(x):\n    os._exit(0)", HONEST[2]))
    assert (result.status, result.score) == ("grader error", None)


def test_a_test_that_cannot_be_run_is_a_grader_error(monkeypatch):
    def broken(*arguments, **named):
        raise ZeroDivisionError("in a test file")

    monkeypatch.setattr(grade_module, "judge", broken)
    result = grade_cells(HONEST)
    assert result.status == "grader error"
    assert "ZeroDivisionError: in a test file" in result.notes[0]


@pytest.mark.parametrize(("options", "message"), [
    (["--exercise", "nowhere"], "--exercise: expected a folder"),
    (["--tests", "/nowhere"], "expected test files"),
])
def test_bad_arguments_are_named(folder, tmp_path, capsys, options, message):
    assert grade_folder(folder, tmp_path / "out", *options) == 2
    assert message in capsys.readouterr().err


def test_tests_without_points_are_refused(folder, tmp_path, capsys):
    source = public((FOLDER / "tests" / "q2.py").read_text())
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "q2.py").write_text(source.replace("points = 2", "points = 0"))
    assert grade_folder(folder, tmp_path / "out", "--tests", str(tmp_path)) == 2
    assert "these tests give no points" in capsys.readouterr().err


def test_tests_where_students_could_read_them_are_refused(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("dlcourse.grading.cli.visible_folders", lambda: [tmp_path])
    assert grade_folder(folder, tmp_path / "out") == 2
    assert "which students' code may read" in capsys.readouterr().err


def test_results_beside_the_submissions_are_refused(folder, capsys):
    """Where a student's archive may have left a link in their place."""
    assert grade_folder(folder, folder / "out") == 2
    assert "--out: expected a folder outside of SUBMISSIONS_DIR" in capsys.readouterr().err


def test_results_are_not_overwritten_by_another_run(folder, tmp_path, capsys):
    out = tmp_path / "out"
    grade_folder(folder, out)
    before = (out / "grades.csv").read_text()
    assert grade_folder(folder, out) == 2
    assert "add --resume" in capsys.readouterr().err
    assert grade_folder(folder, out, "--resume", "--memory", "999") == 2
    assert "another limits" in capsys.readouterr().err
    assert main(["grade", str(folder), "--exercise", str(FOLDER), "--out", str(out), "--resume", "--seed", "6"]) == 2
    assert (out / "grades.csv").read_text() == before


def test_a_changed_submission_is_graded_again_and_no_other(folder, tmp_path):
    out = tmp_path / "out"
    grade_folder(folder, out)
    records = {path: path.stat().st_mtime_ns for path in (out / "journal").iterdir()}
    write_notebook(folder / "ben.ipynb")
    write_notebook(folder / "carl.ipynb")
    assert grade_folder(folder, out, "--resume") == 0
    assert table(out)["ben.ipynb"]["score"] == table(out)["carl.ipynb"]["score"] == "6"
    assert {path: path.stat().st_mtime_ns for path in records} == records
    assert len(list((out / "journal").iterdir())) == len(records) + 2


def test_tables_hold_no_formulas_and_file_names_no_paths():
    texts = {"=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "a\n=1": "a =1", "fine": "fine", "a-b": "a-b",
             "a;=1": "a;'=1", "＝1": "'＝1", "a, +1": "a, '+1", "\t=1": "'=1"}
    assert {text: harmless(text) for text in texts} == texts
    names = [file_name(student) for student in ("anna", "../x", "a/b", "a b", ".", "..", "é", "e" * 300)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w-][\w.-]{0,99}", name) for name in names), names


def test_arguments_changed_in_place_are_noticed_without_spoiling_the_expected_values():
    in_place = "def relu_gradient(x):\n    x[...] = x > 0\n    return x.astype(float)"
    results = {r["test"]: r for r in grade_cells((HONEST[0], in_place, HONEST[2])).results}
    assert results["an example"]["passed"]
    assert results["random inputs"]["passed"]
    assert "changed its argument x" in results["leaves its argument alone"]["message"]


def test_tensors_travel_and_their_changes_are_noticed():
    torch = pytest.importorskip("torch")
    code = """import torch
def halve(line, keep):
    assert type(line) is torch.Tensor and line.requires_grad == keep
    with torch.no_grad():
        if not keep: line /= 2
    return line if not keep else line / 2"""
    with Session([code], limits()) as session:
        halve = session.get("halve")
        kept, lost = torch.ones(3, requires_grad=True), torch.ones(3)
        answers = [halve(kept, True), halve(lost, keep=False)]
        for answer, grad in zip(answers, (True, False), strict=True):
            expect_tensor(answer, "halve", requires_grad=grad)
            expect_close(answer, np.full(3, 0.5), "halve")
        token = AS_LEFT.set(session.left)
        expect_unchanged(np.ones(3), kept, "line")
        with pytest.raises(CheckFailed, match="changed its argument"):
            expect_unchanged(np.ones(3), lost, "line")
        AS_LEFT.reset(token)
        assert lost.tolist() == [1, 1, 1]         # the test's own is as it was


def test_a_namedtuple_is_the_tuple_it_is_and_comes_back_as_itself():
    code = """
from typing import NamedTuple
import numpy as np
class State(NamedTuple):
    h: np.ndarray
    steps: int
begin = State(np.zeros(2), 0)
def step(state):
    return State(state.h + 1, steps=state.steps + 1)
def both(state):
    return state, np.zeros((2, 3)).shape
"""
    with Session([code], limits()) as session:
        step = session.get("step")
        state = step(step(session.get("begin")))
        h, steps = expect_tuple(state, ["h", "steps"], "step")
        expect_close(h, np.full(2, 2.0), "h")
        assert steps == state.steps == 2
        (h, steps), shape = session.get("both")(state)
        assert (h.tolist(), steps, shape) == ([2, 2], 2, (2, 3))
        with pytest.raises(StudentError, match="has no attribute 'missing'"):
            _ = state.missing


def test_errors_are_told_as_in_the_notebook():
    code = "def helper(x):\n    return x.missing\n\ndef relu_gradient(x):\n    return helper(x)"
    message = grade_cells((HONEST[0], code)).results[0]["message"]
    assert message.startswith("your code raised AttributeError: 'numpy.ndarray' object has no attribute 'missing'\n"
                              "  in line 2 of helper, `return x.missing`")
    absent = grade_cells((HONEST[0],)).results[0]["message"]
    assert absent.startswith("relu_gradient is not defined. Is it spelled like this")


def test_magics_are_left_out():
    cells = ("%matplotlib inline\n!ls\nimport numpy as np", *HONEST[1:], "text = '''\n%kept\n'''")
    result = grade_cells(cells)
    assert (result.score, result.cell_errors) == (TESTS.total, [])


@pytest.mark.parametrize("cell", [
    "%%time\nx = 1", "%%capture out\nx = 1", "%%timeit -n 1\nx = 1", "%%prun\n%matplotlib inline\nx = 1",
    "for _ in range(2):\n    %timeit 1 + 1\nx = 1", "files = !ls\nx = len(files) + 1",
    "len?\nx = 1", "x = 1\nlen??\n?len",
    "help(len)\nget_ipython().run_line_magic('matplotlib', 'inline')\nx = 1\nexit()\nquit()",
    "x = 1 + len(input('? '))",
    "from dlcourse.checks import check\nassert check('q3')\nx = 1", "import asyncio\nawait asyncio.sleep(0)\nx = 1",
    "import dlcourse.checks\nx = 1\ndlcourse.checks.check('q3').summary",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('a.png')\nplt.show()\nx = 1",
    "from tqdm import tqdm\nx = sum(tqdm([0, 1]))", "from tqdm.notebook import trange\nx = sum(trange(2))",
    "import pickle\nclass A: x = 1\nx = pickle.loads(pickle.dumps(A())).x",
    "import multiprocessing\ndef f(x): return x\nwith multiprocessing.Pool(2) as pool: x = sum(pool.map(f, [0, 1]))",
    "import dlcourse.checks as checks\nif not checks.check('q3', tests='tests'): 1 / 0\nx = 1",
])
def test_what_works_in_a_notebook_works_here(cell):
    with Session([cell], limits()) as session:
        assert session.cell_errors == {}
        assert session.get("x") == 1


def test_what_works_in_a_notebook_with_pytorch_works_here():
    pytest.importorskip("torch")
    code = """
import torch
from torch.utils.data import DataLoader, Dataset
torch.set_num_threads(4)

class Rows(Dataset):
    def __len__(self): return 40
    def __getitem__(self, i): return torch.full((3,), float(i)), i

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 1)
    def forward(self, x): return self.linear(x)

net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
loader = DataLoader(Rows(), batch_size=4, shuffle=True, num_workers=2, persistent_workers=True)
rows = 0
for epoch in range(2):
    for x, i in loader:
        optimizer.zero_grad()
        net(x).mean().backward()
        optimizer.step()
        rows += len(i)

torch.save(net, "net.pt")
again = torch.load("net.pt", weights_only=False)
def total(): return sum(int(i.sum()) for x, i in loader)
largest, where = torch.eye(3).max(dim=0), torch.eye(3).shape
"""
    with Session([code], limits()) as session:
        assert session.cell_errors == {}
        assert session.get("rows") == 80
        assert session.get("total")() == sum(range(40))        # a test may make the loader work too
        values, _ = expect_tuple(session.get("largest"), ["values", "indices"], "largest")
        expect_close(values, np.ones(3), "values")
        expect_equal(session.get("where"), [3, 3], "where")
        assert session.starts == 1


def test_what_a_cell_has_defined_before_its_time_was_over_stays(monkeypatch):
    cell = "import time\n" + HONEST[1] + "\nstarts = globals().get('starts', 0) + 1\ntime.sleep(1000)"
    ask = Sandbox.ask                             # the worker's own clock is the subject
    monkeypatch.setattr(Sandbox, "ask", lambda self, request, seconds: ask(self, request, 200))
    with Session([HONEST[0], cell], limits(cell_seconds=2)) as session:
        assert session.get("relu_gradient")(np.ones(2)).tolist() == [1, 1]
        assert "took more than 1.9 seconds" in session.cell_errors[2]
        assert (session.starts, session.slow) == (1, True)


def test_a_page_begins_with_the_cells_that_ended_in_an_error(tmp_path):
    write_notebook(tmp_path / "in" / "anna.ipynb", notebook(HONEST[1] + "\n1/0"))
    assert grade_folder(tmp_path / "in", tmp_path / "out") == 0
    page = (tmp_path / "out" / "feedback" / "anna.html").read_text()
    assert "in the cell `def relu_gradient(x):`" in page
    assert page.index("Cells that ended in an error") < page.index("<table>")


def test_a_note_of_the_table_is_short_enough_for_every_reader(tmp_path):
    content = notebook()
    for number in range(1900):
        content["cells"].append({"cell_type": "code", "id": f"{number // 2:050}", "metadata": {}, "source": ""})
    write_notebook(tmp_path / "in" / "anna.ipynb", content)
    assert grade_folder(tmp_path / "in", tmp_path / "out") == 0
    note = table(tmp_path / "out")["anna.ipynb"]["note"]
    assert "and 940 more" in note
    grades = [Grade("ben", "ben.ipynb", "", "refused", 1, notes=["x" * 200_000])]
    run = {"protected": True, "system calls filtered": True}
    assert len(results.table(grades, TESTS, run)) < 1_200


def test_no_page_takes_the_place_of_another(tmp_path, monkeypatch):
    names = ["öpfer", file_name("öpfer")]
    for name in names:
        write_notebook(tmp_path / "in" / f"{name}.ipynb")
    assert grade_folder(tmp_path / "in", tmp_path / "out") == 0
    assert len(list((tmp_path / "out" / "feedback").iterdir())) == 2
    assert len({printable(name) for name in ("a\n", printable("a\n"))}) == 2
    monkeypatch.setattr(results, "file_name", lambda student: "same")
    assert grade_folder(tmp_path / "in", tmp_path / "out", "--resume") == 0
    for kind, ending in (("feedback", "html"), ("gradescope", "json")):
        assert {f"same.{ending}", f"same-again.{ending}"} < {file.name for file in (tmp_path / "out" / kind).iterdir()}


def test_public_tests_see_nothing_that_a_hidden_one_has_sent():
    code = """
import numpy as np
seen = []
def relu_gradient(x):
    seen.append(x)
    raise ValueError(f"seen {len(seen)}")
class Counter:
    def __init__(self, total): raise ValueError(f"seen {len(seen)}")
"""
    result = grade_cells([code])
    said = {one["test"]: one["message"] for one in result.results}
    assert list(said) == [case.name for question in TESTS.questions for case in question.cases]
    assert "seen 2" in said["one step"]           # the two public tests of q1
    assert "seen 3" in said["random inputs"]


def test_what_met_a_limit_of_time_beside_others_is_graded_again_alone(tmp_path, monkeypatch):
    meeting, calls, pools = threading.Barrier(2), [], []

    def crowded(one, *arguments):
        calls.append(one.student)
        crowd = len(calls) <= 2
        if crowd:
            meeting.wait(200)                     # two are at work at once
        return Grade(one.student, one.file, one.digest, "graded", 1, slow=crowd or one.student == "slow")

    monkeypatch.setattr(cli, "grade", crowded)
    monkeypatch.setattr(cli, "ThreadPoolExecutor", lambda jobs: pools.append(jobs) or ThreadPoolExecutor(jobs))
    for name in ("anna", "ben", "slow"):
        write_notebook(tmp_path / "in" / f"{name}.ipynb")
    assert grade_folder(tmp_path / "in", tmp_path / "out") == 0
    submissions = json.loads((tmp_path / "out" / "grades.json").read_text())["submissions"]
    kept = {one["student"]: one["slow"] for one in submissions}
    assert kept == {"anna": False, "ben": False, "slow": True}
    assert pools == [2, 1]
    assert sorted(calls) == ["anna", "anna", "ben", "ben", "slow", "slow"]
    assert len(list((tmp_path / "out" / "journal").iterdir())) == 4


def test_a_limit_of_time_is_noticed_and_no_other_trouble_is():
    loop = "def relu_gradient(x):\n    while True: pass"
    assert grade_cells((HONEST[0], loop), **SHORT).slow
    assert not grade_cells((HONEST[0], "import os\ndef relu_gradient(x): os._exit(0)")).slow


def test_all_processes_together_compute_no_longer_than_a_submission_may_take():
    code = """
import os, time
def burn():
    for _ in range(20):
        if os.fork() == 0:
            while True: pass
    time.sleep(1000)
"""
    with Session([code], limits()) as session:
        session.sandbox.limits = limits(total_seconds=1)
        with pytest.raises(StudentError, match="more than 1 seconds of processor time"):
            session.get("burn")()


def command(folder, out):
    return [sys.executable, "-m", "dlcourse", "grade", str(folder), "--exercise", str(FOLDER), "--out", str(out),
            "--jobs", "2", "--seed", "5"]


def without_times(out):
    rows = table(out)
    for row in rows.values():
        row.pop("seconds")
    submissions = json.loads((out / "grades.json").read_text())["submissions"]
    for one in submissions:
        one.pop("seconds")
    return rows, submissions


def kill_and_resume(tmp_path, count, kills, choose):
    """Grade a folder twice, once undisturbed, once killed again and again; return both outcomes."""
    folder, calm, rough = tmp_path / "in", tmp_path / "calm", tmp_path / "rough"
    for number in range(count):
        write_notebook(folder / f"student{number:03}.ipynb", notebook(HALF if number % 3 else HONEST[1]))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DLCOURSE_PROGRESS": "0"}
    subprocess.run(command(folder, calm), check=True, env=environment, capture_output=True, cwd=tmp_path)

    def records():
        return {path: path.stat().st_ino for path in (rough / "journal").glob("*.json")}

    resume, died = [], 0
    for _ in range(kills):
        grader = subprocess.Popen([*command(folder, rough), *resume], env=environment, cwd=tmp_path,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = records()
        enough = len(before) + choose()
        while len(records()) < enough and grader.poll() is None:
            time.sleep(0.001)
        time.sleep(random.random() * 0.05)        # at any point of the next one
        died += grader.poll() is None
        grader.send_signal(signal.SIGKILL)
        grader.wait()
        assert {path: records()[path] for path in before} == before       # nothing was graded a second time
        resume = ["--resume"] if (rough / "journal" / "run.json").exists() else []
    subprocess.run([*command(folder, rough), *resume], check=True, env=environment, capture_output=True, cwd=tmp_path)
    assert len(records()) == count + 1
    assert died > 0
    return without_times(calm), without_times(rough)


def test_a_killed_run_is_continued(tmp_path):
    choices = iter([0, 2, 1, 3])
    calm, rough = kill_and_resume(tmp_path, 12, 4, lambda: next(choices))
    assert rough == calm


if __name__ == "__main__":                        # the long form: python -m tests.grading.test_cli FOLDER
    numbers = random.Random(0)
    calm, rough = kill_and_resume(Path(sys.argv[1]), 200, 20, lambda: numbers.randrange(12))
    assert calm == rough
    print(len(calm[1]), "submissions, 20 kills, equal results")
