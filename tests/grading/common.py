"""What the tests of the grader share: a tiny exercise, honest answers, ways to grade cells and to find processes."""

import ast
import hashlib
import json
import os
import time
from pathlib import Path

from dlcourse.grading.grade import Tests, grade
from dlcourse.grading.sandbox import Limits
from dlcourse.grading.submission import Exercise, Submission

FOLDER = Path(__file__).parent / "exercise"
TESTS = Tests(FOLDER / "tests")
EXERCISE = Exercise("exercise", FOLDER / "student" / "exercise.ipynb")

SETUP = "import numpy as np"
GOOD_1 = "def relu_gradient(x):\n    return (x > 0).astype(float)"
GOOD_2 = """
class Counter:
    def __init__(self, total):
        self.total = total

    def add(self, number):
        self.total += number
        return self.total

answer = 42
"""
BAD_1 = "def relu_gradient(x):\n    return np.full(np.shape(x), 7.0)"
HONEST = (SETUP, GOOD_1, GOOD_2)
POINTS_1, POINTS_2 = 4, 2
# On a busy machine a limit of time ends only what a test wants it to end.
PATIENT = {"cell_seconds": 200, "call_seconds": 200, "total_seconds": 1000, "start_seconds": 200}
SHORT = {"call_seconds": 0.3}                    # for calls that never return


def public(source):
    """Drop the hidden cases of a test file: what a student gets."""
    tree = ast.parse(source)
    tree.body = [part for part in tree.body
                 if not any("hidden=True" in ast.unparse(mark) for mark in getattr(part, "decorator_list", ()))]
    return ast.unparse(tree)


def public_tests(folder):
    """Write the public half of the tests into a new folder."""
    folder.mkdir(parents=True)
    for path, source in TESTS.files.items():
        (folder / path.name).write_text(public(source))
    return folder


def processes_with(mark):
    """List the processes with a text in their command line or, where that may be read, their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes()
            if os.geteuid() == 0:
                text += (process / "environ").read_bytes()
        except OSError:                           # it has just ended
            continue
        if mark.encode() in text and int(process.name) != os.getpid():
            found.append((process.name, text[:200]))
    return found


def limits(**given):
    """Make the limits of a submission, patient where nothing else is asked for."""
    return Limits(**PATIENT | given)


def soon(condition, seconds=200):
    """Wait until something is true; tell whether it has become so."""
    end = time.monotonic() + seconds
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return true


def submission_of(cells, student="student"):
    """Make a submission without a file."""
    return Submission(student, f"{student}.ipynb", hashlib.sha256(repr(cells).encode()).hexdigest(), cells=list(cells))


def grade_cells(cells, protected=True, seed=1, **given):
    """Grade the sources of some cells."""
    return grade(submission_of(cells), TESTS, limits(**given), seed, protected)


def notebook(q1=GOOD_1, q2=GOOD_2):
    """Make the student notebook with answers in it, as a dict."""
    content = json.loads((FOLDER / "student" / "exercise.ipynb").read_text())
    for cell in content["cells"]:
        cell["source"] = {"q1-answer": q1, "q2-answer": q2}.get(cell["id"], cell["source"])
    return content


def write_notebook(path, content=None):
    """Write a notebook to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook() if content is None else content))
    return path
