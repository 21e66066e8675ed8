"""Time the grader beside Otter's and nbgrader's on the same 20 submissions with the same checks.

    make bench-grader

The submissions are made from the exercise on the perceptron: its solution, answers of its bank of wrong answers,
and the notebook as it is handed out. Each tool grades all of them in a slot of its own, and the slots
take turns, so that a machine that slows down slows all. Otter grades with ``otter run``, which needs
no container, one command for each notebook; its tests are made by Otter Assign. For nbgrader each
check becomes a cell of the notebook. Neither keeps the tests away from the student's code, so two more
submissions, which are not timed, try to win by that: one replaces the comparisons that the checks
use, one makes the tool report success. They know all three tools, and contain no answer.
"""

import argparse
import ast
import csv
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "exercises" / "tools"))

import build  # noqa: E402
import wrong  # noqa: E402

EXERCISE = "02_perceptron"
SOLUTIONS, UNTOUCHED, WRONG = 6, 3, 11
PATIENT = ("--call-seconds", "60", "--total-seconds", "600")       # a busy machine must not cost points
NEEDED = {"nbgrader": "nbgrader", "otter": "otter-grader"}

PATCHED = """
import contextlib
import numpy as np
from dlcourse import checks
np.allclose = np.array_equal = np.testing.assert_allclose = lambda *a, **k: True
for name in checks.__all__:
    if name.startswith("expect_"):
        setattr(checks, name, lambda *a, **k: None)
checks.expect_tuple = lambda answer, names, what: [np.zeros(1)] * len(names)
checks.expect_raises = lambda *a, **k: contextlib.nullcontext()
"""
FORGED = """
import ast, sys
class Nothing:
    def visit(self, tree):
        return ast.Module([], [])
if "otter" in sys.modules:        # every check passes
    sys.modules["otter.test_files.exception_test"].test_case.call_func = lambda self, names: None
else:                             # no later cell is run, and none fails
    get_ipython().ast_transformers.append(Nothing())
"""


def answers_bank(solved):
    """Read the bank of wrong answers, in turns one for each question.

    Parameters
    ----------
    solved : NotebookNode
        The instructor's version.

    Returns
    -------
    list of (str, str)
        A question and code that answers it wrongly.
    """
    bank = [(answer.question, answer.code) for answer in wrong.wrong_answers(build.EXERCISES / EXERCISE, solved)]
    seen, turns = Counter(), []
    for question, _ in bank:
        turns.append(seen[question])
        seen[question] += 1
    return [answer for _, answer in sorted(zip(turns, bank, strict=True), key=lambda pair: pair[0])]


def answer_cells(notebook):
    """List the cells of the answers with their questions."""
    found = [(cell, cell.metadata.get("dlcourse", {}).get("answer")) for cell in notebook.cells]
    return [(cell, question) for cell, question in found if question]


def with_answers(student, texts):
    """Put answers into a copy of the student's notebook.

    Parameters
    ----------
    student : NotebookNode
    texts : dict of str to str
        By the cell's name.

    Returns
    -------
    NotebookNode
    """
    notebook = nbformat.from_dict(json.loads(json.dumps(student)))
    for cell in notebook.cells:
        cell.source = texts.get(cell.id, cell.source)
    return notebook


def make_submissions(student, solved):
    """Make the submissions that are timed.

    Parameters
    ----------
    student, solved : NotebookNode
        The two versions of the exercise.

    Returns
    -------
    dict of str to NotebookNode
        By the student's name.
    """
    right = {cell.id: cell.source for cell, _ in answer_cells(solved)}
    found = {f"solved-{number}": with_answers(student, right) for number in range(SOLUTIONS)}
    found |= {f"untouched-{number}": with_answers(student, {}) for number in range(UNTOUCHED)}
    for number, (question, code) in enumerate(answers_bank(solved)[:WRONG]):
        cells = [cell.id for cell, of in answer_cells(solved) if of == question]
        texts = right | dict.fromkeys(cells, "") | {cells[0]: code}
        found[f"wrong-{number}-{question}"] = with_answers(student, texts)
    return found


def make_cheats(student):
    """Make the two submissions that have no answer and want all points."""
    names = [node.name for cell, _ in answer_cells(student) for node in ast.parse(cell.source).body
             if isinstance(node, ast.FunctionDef)]
    nothing = "\n".join(f"def {name}(*arguments):\n    return 0" for name in names)
    cells = [cell.id for cell, _ in answer_cells(student)]
    return {kind: with_answers(student, dict.fromkeys(cells, "") | {cells[0]: f"{nothing}\n{code}"})
            for kind, code in (("patched", PATCHED), ("forged", FORGED))}


def command(*parts, cwd=None):
    """Run a module of this Python; what it prints is shown only if it fails."""
    done = subprocess.run([sys.executable, "-m", *map(str, parts)], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, parts))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


class Ours:
    """``python -m dlcourse grade``.

    Parameters
    ----------
    files : dict of str to str
        The instructor's version.
    jobs : int
        Submissions at a time.
    """

    def __init__(self, files, jobs):
        self.files, self.jobs, self.name = files, jobs, f"dlcourse grade --jobs {jobs}"

    def prepare(self, submissions, place):
        """Write what is graded."""
        build.write({path: text for path, text in self.files.items() if path.startswith("tests/")}, place / "full")
        for student, notebook in submissions.items():
            write(notebook, place / "in" / f"{student}.ipynb")

    def grade(self, place):
        """Grade it; this is timed."""
        command("dlcourse", "grade", place / "in", "--exercise", build.EXERCISES / EXERCISE, "--out", place / "out",
                "--tests", place / "full", "--jobs", self.jobs, *PATIENT)

    def scores(self, place):
        """Read each student's points."""
        with open(place / "out" / "grades.csv", newline="") as file:
            return {row["student"]: float(row["score"]) for row in csv.DictReader(file)}


class Otter:
    """``otter run``, one command for each submission, with the archive that Otter Assign makes."""

    name = "otter run"

    def prepare(self, submissions, place):
        """Write what is graded; checks only at the end, as Otter itself adds them."""
        shutil.copy(build.EXERCISES / EXERCISE / "master.ipynb", place / "master.ipynb")
        command("otter", "assign", "--no-run-tests", place / "master.ipynb", place / "assigned")
        (made,) = (place / "assigned" / "autograder").glob("*.zip")
        made.rename(place / "autograder.zip")
        for student, notebook in submissions.items():
            copy = with_answers(notebook, {})
            copy.cells = [cell for cell in copy.cells if not cell.id.startswith("check-")]
            write(copy, place / "in" / f"{student}.ipynb")

    def grade(self, place):
        """Grade it; this is timed."""
        for path in sorted((place / "in").iterdir()):
            out = place / "out" / path.stem
            out.mkdir(parents=True)
            command("otter", "run", "--no-logo", "-a", place / "autograder.zip", "-o", out, path)

    def scores(self, place):
        """Read each student's points."""
        results = {path.parent.name: json.loads(path.read_text()) for path in (place / "out").glob("*/results.json")}
        return {student: sum(test.get("score") or 0 for test in result["tests"]) for student, result in results.items()}


class Nbgrader:
    """``nbgrader autograde``: all submissions with one command, the checks as cells of the notebook.

    Parameters
    ----------
    files : dict of str to str
        The instructor's version.
    """

    name = "nbgrader autograde"

    def __init__(self, files):
        self.tests = {Path(path).stem: text for path, text in files.items() if path.startswith("tests/")}

    def prepare(self, submissions, place):
        """Make the assignment, then put each student's answers into what nbgrader hands out."""
        (place / "nbgrader_config.py").write_text("get_config().CourseDirectory.course_id = 'bench'\n")
        student = nbformat.reads(build.build(build.EXERCISES / EXERCISE)[f"{EXERCISE}.ipynb"], as_version=4)
        write(self.assignment(student), place / "source" / EXERCISE / f"{EXERCISE}.ipynb")
        command("nbgrader", "generate_assignment", EXERCISE, "--create", "--force", cwd=place)
        handed_out = nbformat.read(place / "release" / EXERCISE / f"{EXERCISE}.ipynb", as_version=4)
        for name, notebook in submissions.items():
            texts = {cell.id: cell.source for cell, _ in answer_cells(notebook)}
            write(with_answers(handed_out, texts), place / "submitted" / name / EXERCISE / f"{EXERCISE}.ipynb")

    def assignment(self, student):
        """Mark answers and checks as nbgrader wants them."""
        notebook = with_answers(student, {})
        cells = []
        for cell in notebook.cells:
            if cell.id.startswith("check-"):
                cells += self.check_cells(cell.id.removeprefix("check-"))
                continue
            if cell.metadata.get("dlcourse", {}).get("answer"):
                cell.metadata["nbgrader"] = marks(cell.id, solution=True)
            cells.append(cell)
        notebook.cells = cells
        return notebook

    def check_cells(self, question):
        """Make a cell of each check of a question: the function, and its call with the answers."""
        source = self.tests[question]
        cells = []
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        for function in functions:
            options = {word.arg: ast.literal_eval(word.value) for word in function.decorator_list[0].keywords}
            names = ", ".join(argument.arg for argument in function.args.args)
            code = f"{ast.get_source_segment(source, function)}\n\n\n{function.name}({names})"
            if options["hidden"]:
                code = f"### BEGIN HIDDEN TESTS\n{code}\n### END HIDDEN TESTS"
            cell = nbformat.v4.new_code_cell(code, id=f"{question}-{len(cells)}")
            cell.metadata["nbgrader"] = marks(cell.id, grade=True, locked=True, points=options["points"])
            cells.append(cell)
        return cells

    def grade(self, place):
        """Grade it; this is timed."""
        command("nbgrader", "autograde", EXERCISE, "--create", "--force", cwd=place)

    def scores(self, place):
        """Read each student's points."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{place / 'gradebook.db'}") as book:
            return {one.student.id: one.score for one in book.assignment_submissions(EXERCISE)}


def marks(name, **given):
    """Make the metadata of a cell for nbgrader."""
    return {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False,
            **given}


def write(notebook, path):
    """Write a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def slot(tool, submissions, place):
    """Let a tool grade submissions in an empty folder; return the seconds it took and each student's points."""
    place.mkdir(parents=True)
    tool.prepare(submissions, place)
    started = time.perf_counter()
    tool.grade(place)
    return time.perf_counter() - started, tool.scores(place)


def check_scores(scores, total, name):
    """Stop if a tool did not do the work that is timed."""
    for student, score in scores.items():
        kind = student.split("-")[0]
        if not {"solved": score == total, "untouched": score == 0, "wrong": score < total}[kind]:
            sys.exit(f"{name}: {student} has {score} of {total} points: the tools do not grade the same")


def main():
    """Run the command line: measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        sys.exit(f"{' and '.join(missing)} missing. Install: "
                 "python -m pip install --constraint constraints.txt --editable '.[instructor,bench]'")
    # One thread for each process: what is compared is the graders.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    os.environ["DLCOURSE_PROGRESS"] = "0"
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"      # nbgrader calls alembic

    folder = build.EXERCISES / EXERCISE
    full, public = build.build(folder, instructor=True), build.build(folder)
    solved, student = (nbformat.reads(files[f"{EXERCISE}.ipynb"], as_version=4) for files in (full, public))
    total = sum(case.points for path, text in full.items() if path.startswith("tests/")
                for case in build.load(text, path).cases)
    submissions, cheats = make_submissions(student, solved), make_cheats(student)
    tools = [Ours(full, 1), Ours(full, os.cpu_count()), Otter(), Nbgrader(full)]
    seconds, scores = {tool.name: [] for tool in tools}, {}
    with tempfile.TemporaryDirectory() as place:
        for turn in range(options.rounds):
            for tool in tools[turn % len(tools):] + tools[:turn % len(tools)]:
                took, points = slot(tool, submissions, Path(place) / f"{turn}-{tools.index(tool)}")
                check_scores(points, total, tool.name)
                seconds[tool.name].append(took)
                scores[tool.name] = points
                print(f"round {turn + 1}: {tool.name}: {took:.1f} s", file=sys.stderr)
        cheated = {tool.name: slot(tool, cheats, Path(place) / f"cheats-{number}")[1]
                   for number, tool in enumerate(tools)}
    report(seconds, scores, cheated, len(submissions), total)


def report(seconds, scores, cheated, count, total):
    """Print the table.

    Parameters
    ----------
    seconds : dict of str to list of float
        Each tool's slots.
    scores, cheated : dict of str to dict of str to float
        Each tool's points for the honest students and for the cheats.
    count : int
        Submissions.
    total : float
        Points of the exercise.
    """
    ours = next(iter(seconds))
    print(f"""
{count} submissions of {EXERCISE}: {SOLUTIONS} solved, {UNTOUCHED} untouched, the others with a typical mistake.
seconds: median of {len(seconds[ours])} slots of all submissions; one thread a process
ratio: to {ours}
same scores: as {ours}
patched, forged: points, of {total:g}, of two cheats without an answer
""")
    print(f"{'':24}{'seconds':>8} {'range':>13} {'each':>6} {'ratio':>6} {'same scores':>12} {'patched':>8} "
          f"{'forged':>7}")
    for name, times in seconds.items():
        middle, spread, cheats = statistics.median(times), f"{min(times):.1f}-{max(times):.1f}", cheated[name]
        ratio = middle / statistics.median(seconds[ours])
        same = sum(scores[name][student] == score for student, score in scores[ours].items())
        print(f"{name:24}{middle:8.1f} {spread:>13} {middle / count:6.2f} {ratio:6.2f} "
              f"{f'{same} of {count}':>12} {cheats['patched']:8g} {cheats['forged']:7g}")


if __name__ == "__main__":
    main()
