"""Grade one submission: run every question's tests on proxies of the student's objects."""

import hashlib
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import checks
from ..checks.answers import AS_LEFT
from ..checks.errors import shortened
from ..checks.running import SEED, judge
from .proxies import Session
from .sandbox import SandboxError
from .text import visible

__all__ = ["Grade", "Tests", "grade", "seed_for"]


class Tests:
    """The tests of an exercise.

    Parameters
    ----------
    folder : path-like
        With one file ``q….py`` for each question.

    Raises
    ------
    ValueError
        If there are none, or one cannot be read.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        paths = sorted(Path(folder).glob("q*.py"), key=natural)
        self.files = {path: path.read_text(encoding="utf-8") for path in paths}
        if not self.files:
            raise ValueError(f"{folder}: expected test files q*.py, found none")
        self.questions = [checks.load(source, str(path)) for path, source in self.files.items()]
        self.names = [question.name for question in self.questions]
        contents = repr([(path.name, text) for path, text in self.files.items()])
        self.digest = hashlib.sha256(contents.encode()).hexdigest()

    def points(self, question):
        """Add up what a question is worth."""
        return sum(case.points for each in self.questions if each.name == question for case in each.cases)

    @property
    def total(self):
        """Points of all questions."""
        return sum(map(self.points, self.names))


@dataclass
class Grade:
    """What one submission is worth, and why.

    Parameters
    ----------
    student, file, digest : str
    status : str
        ``"graded"``; ``"refused"``: the submission is at fault, its score is 0; ``"superseded"``: another one of the
        student's counts; ``"grader error"``: the grader is at fault, and ``--resume`` tries again.
    seed : int
        From which the tests drew their inputs.
    results : list of dict
        As `dlcourse.checks.Result`.
    cell_errors : list
        Number and message of every cell that ended in an error.
    notes : list of str
    seconds : float
    slow : bool
        Whether a limit of time was met.
    """

    student: str
    file: str
    digest: str
    status: str
    seed: int
    results: list = field(default_factory=list)
    cell_errors: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    seconds: float = 0.0
    slow: bool = False

    @property
    def score(self):
        """Points earned; None where there is no score, which is not a zero."""
        if self.status in ("superseded", "grader error"):
            return None
        return sum(result["points"] for result in self.results if result["passed"])

    def score_of(self, question):
        """Points earned for one question; None where there is no score."""
        if self.score is None:
            return None
        return sum(r["points"] for r in self.results if r["passed"] and r["question"] == question)


def natural(path):
    """Sort q2 before q10."""
    digits = "".join(letter for letter in path.stem if letter.isdigit())
    return (int(digits or 0), path.stem)


def seed_for(run_seed, submission):
    """Derive a submission's seed, so that a run that is resumed draws the same numbers.

    Parameters
    ----------
    run_seed : int
    submission : Submission

    Returns
    -------
    int
        Below 2**63.
    """
    return int.from_bytes(hashlib.sha256(f"{run_seed}\n{submission.key}".encode()).digest()[:8], "big") >> 1


def run_tests(session, tests, seed):
    """Run the public tests of all questions, then the hidden ones: no answer can tell in a message what it saw there.

    Parameters
    ----------
    session : Session
    tests : Tests
    seed : int

    Returns
    -------
    list of dict
        As `dlcourse.checks.Result`, in the order of the files.
    """
    # Loaded anew: what one submission's tests leave in their module is not there for the next.
    loaded = {path: checks.load(source, str(path)) for path, source in tests.files.items()}
    found = {path: {} for path in loaded}
    # The checks draw from this seed, and see arguments as the student's code left them.
    tokens = [(SEED, SEED.set(seed)), (AS_LEFT, AS_LEFT.set(session.left))]
    try:
        for hidden in (False, True):
            for path, question in loaded.items():
                session.begin_question(question.name)
                for number, case in enumerate(question.cases):
                    if case.hidden == hidden:
                        found[path][number] = judge(question, case, session.get, str(path))
    finally:
        for variable, token in tokens:
            variable.reset(token)
    return [asdict(results[number]) for results in found.values() for number in sorted(results)]


def begin_of(cell):
    """Return a cell's first line."""
    return visible(shortened(cell.strip().partition("\n")[0], 100))


def grade(submission, tests, limits, run_seed, protected=True):
    """Grade a submission.

    Parameters
    ----------
    submission : Submission
    tests : Tests
    limits : Limits
    run_seed : int
    protected : bool
        Whether in the sandbox.

    Returns
    -------
    Grade
    """
    result = Grade(submission.student, submission.file, submission.digest, "graded", seed_for(run_seed, submission),
                   notes=list(submission.notes))
    if submission.refused:
        result.status = "superseded" if submission.superseded else "refused"
        result.notes.insert(0, submission.refused)
        return result
    started = time.perf_counter()
    try:
        with Session(submission.cells, limits, protected) as session:
            result.results = run_tests(session, tests, result.seed)
            trouble, result.slow = session.trouble, session.slow
            result.cell_errors = [(number, f"{said}\n  in the cell `{begin_of(submission.cells[number - 1])}`")
                                  for number, said in sorted(session.cell_errors.items())]
    except SandboxError as error:
        trouble = str(error)
    except Exception as error:                     # a fault in the grader or a test file must not end the run
        trouble = f"{type(error).__name__}: {error}"
    if trouble is not None:
        result.status, result.results = "grader error", []
        result.notes.insert(0, f"grader error, not the student's: {trouble}")
    result.seconds = round(time.perf_counter() - started, 3)
    return result
