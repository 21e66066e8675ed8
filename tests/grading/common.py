"""What the tests of the grader share: a tiny exercise, honest answers, and a way to grade cells."""

import hashlib
import json
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
# A loaded machine must not fail an honest answer, so what ends by a limit ends by a small one only where it loops.
SHORT = {"call_seconds": 0.4}


def submission_of(cells, student="student"):
    """Make a submission without a file."""
    return Submission(student, f"{student}.ipynb", hashlib.sha256(repr(cells).encode()).hexdigest(), cells=list(cells))


def grade_cells(cells, protected=True, seed=1, **limits):
    """Grade the sources of some cells."""
    return grade(submission_of(cells), TESTS, Limits(**limits), seed, protected)


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
