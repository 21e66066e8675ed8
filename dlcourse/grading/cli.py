"""The command ``python -m dlcourse grade``."""

import argparse
import fcntl
import os
import secrets
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from ..progress import track
from .grade import Tests, grade
from .journal import Journal, JournalError
from .results import warnings, write_results
from .sandbox import Limits, Sandbox, SandboxError, visible_folders
from .seccomp import filter_program
from .submission import RULE, Exercise, Unreadable, find_submissions, read_submission, supersede

__all__ = ["add_arguments", "run"]

ABOUT = f"""Grade a folder of notebooks. Students' code runs in a sandbox (bubblewrap) that holds no test.

A student is named by the file up to two underscores (anna.ipynb, anna__again.ipynb) or by the
folder it lies in (anna/work.ipynb); {RULE}.
"""


def add_arguments(parser):
    """Declare the command's arguments.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    """
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = ABOUT
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS_DIR", help="folder of .ipynb files")
    parser.add_argument("--exercise", required=True, metavar="NAME", help="such as 01_perceptron, or its folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    parser.add_argument("--tests", type=Path, metavar="PRIVATE_DIR",
                        help="tests of your own; default: those that `make instructor` makes from the master")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count(), metavar="N", help="submissions at a time")
    parser.add_argument("--resume", action="store_true", help="grade only what an interrupted run left")
    parser.add_argument("--seed", type=int, metavar="N", help="of the random inputs; default: drawn, and recorded")
    parser.add_argument("--memory", type=positive, metavar="MIB", default=Limits.memory >> 20, help="of a submission")
    parser.add_argument("--call-seconds", type=float, metavar="S", default=Limits.call_seconds, help="of one call")
    parser.add_argument("--total-seconds", type=float, metavar="S", default=Limits.total_seconds,
                        help="of a submission")
    parser.add_argument("--unsafe-no-sandbox", action="store_true",
                        help="run students' code unprotected: it can then change grades and read your files")
    parser.set_defaults(run=run)


def positive(text):
    """Read a whole number above zero."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def run(options):
    """Carry the command out.

    Parameters
    ----------
    options : argparse.Namespace

    Returns
    -------
    int
        Exit status: 0; 1 if the grader failed at a submission; 2 if it could not begin.
    """
    try:
        exercise, tests, hidden = find_exercise(options.exercise, options.tests)
        protected = not options.unsafe_no_sandbox
        walls = {"protected": protected, "system calls filtered": protected and filter_program() is not None}
        for said in warnings(walls):
            print(f"WARNING: {said}", file=sys.stderr)
        limits = Limits(memory=options.memory << 20, call_seconds=options.call_seconds,
                        total_seconds=options.total_seconds)
        keep_apart({"SUBMISSIONS_DIR": options.submissions, "--out": options.out, "--tests": tests.folder}, protected)
        Sandbox(limits, protected).close()        # whether it starts is better known before a folder is made
        options.out.mkdir(parents=True, exist_ok=True)
        with open(options.out / ".lock", "w") as lock:
            only_one(lock, options.out)
            seed = secrets.randbits(63) if options.seed is None else options.seed
            about = {"exercise": exercise.name, "tests": tests.digest, **walls,
                     "hidden tests": hidden, "limits": asdict(limits), "seed": seed}
            journal = Journal(options.out / "journal", about, options.resume)
            if options.seed is not None and journal.run["seed"] != options.seed:
                raise JournalError(f"--seed: the run in {options.out} has another, {journal.run['seed']}")
            found = find_submissions(options.submissions)
            submissions = supersede([read_submission(*one, options.submissions, exercise) for one in found])
            grades = grade_all(submissions, tests, limits, journal, options.jobs)
            write_results(options.out, grades, tests, journal.run)
    except (SandboxError, JournalError, Unreadable, ValueError, OSError) as error:
        print(f"dlcourse grade: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"dlcourse grade: interrupted. What is graded is in {options.out}: go on with --resume", file=sys.stderr)
        return 130
    return report(grades, tests, options.out, journal.run)


def find_exercise(name, private):
    """Find what was given out and the tests.

    Parameters
    ----------
    name : str
        Of a folder below ``exercises``, or path of such a folder.
    private : Path or None
        Folder of tests that takes precedence, or one that holds such folders for several exercises.

    Returns
    -------
    exercise : Exercise
    tests : Tests
    hidden : bool
        Whether there are hidden tests among them.

    Raises
    ------
    ValueError
        If something is not there, or the tests give no points.
    """
    folder = Path(name) if Path(name).is_dir() else Path("exercises") / name
    name = folder.resolve().name
    notebook = folder / "student" / f"{name}.ipynb"
    if not notebook.is_file():
        raise ValueError(f"--exercise: expected a folder with student/{name}.ipynb, got {str(folder)!r}")
    if private is None:
        tests = Tests(full_tests(folder))
    else:
        choices = [private / name / "tests", private / "tests"]
        tests = Tests(next((choice for choice in choices if choice.is_dir()), private))
    if tests.total == 0:
        raise ValueError(f"--tests: {tests.folder}: these tests give no points; those that do are hidden")
    return Exercise(name, notebook), tests, any(case.hidden for question in tests.questions for case in question.cases)


def full_tests(folder):
    """Find the tests that belong to an exercise, hidden ones too.

    Parameters
    ----------
    folder : Path
        Of the exercise.

    Returns
    -------
    Path
        Its own ``tests``, else what ``make instructor`` has made from its master.

    Raises
    ------
    ValueError
        If they have not been made, or the master has changed since. It names the command that makes them.
    """
    folder = folder.resolve()
    repository = folder.parent.parent
    own, made = folder / "tests", repository / "_build" / "instructor" / folder.name / "tests"
    if own.is_dir():
        return own
    command = f"make them with `make instructor EXERCISE={folder.name}` in {repository}, or name some with --tests"
    times = [path.stat().st_mtime for path in made.glob("q*.py")]
    if not times:
        raise ValueError(f"--tests: there are none in {made}: {command}")
    master = folder / "master.ipynb"
    if master.is_file() and master.stat().st_mtime > min(times):
        raise ValueError(f"--tests: those in {made} are older than the exercise's master: {command}")
    return made


def keep_apart(folders, protected):
    """Refuse to grade where a student's code could read the tests or the other submissions, or write a result."""
    for option, folder in folders.items():
        for seen in visible_folders() if protected and folder is not None else ():
            if folder.resolve().is_relative_to(seen.resolve()):
                raise ValueError(f"{option}: {folder} lies in {seen}, which students' code may read; move it")
    if folders["--out"].resolve().is_relative_to(folders["SUBMISSIONS_DIR"].resolve()):
        raise ValueError("--out: expected a folder outside of SUBMISSIONS_DIR, where students may have left links")


def only_one(lock, folder):
    """Refuse a second grader in the same folder. A killed one leaves no lock behind."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JournalError(f"--out: another grader is at work in {folder}") from None


def grade_all(submissions, tests, limits, journal, jobs):
    """Grade what the journal does not hold yet, several at a time; again and alone what met a limit of time.

    Parameters
    ----------
    submissions : list of Submission
    tests : Tests
    limits : Limits
    journal : Journal
    jobs : int

    Returns
    -------
    list of Grade
        In the order of the submissions.
    """
    # What is not graded costs nothing to find out again, and may have changed since.
    grades = {one.key: grade(one, tests, limits, 0) if one.refused else journal.read(one) for one in submissions}
    todo = [one for one in submissions if grades[one.key] is None]
    stopped = threading.Event()

    def work(one, alone):
        """Grade one; keep the grade, unless the submission's neighbours may have taken its time."""
        if not stopped.is_set():
            result = grade(one, tests, limits, journal.run["seed"], journal.run["protected"])
            if alone or not result.slow:
                journal.write(one, result)
            return one, result

    def work_on(todo, jobs, label):
        """Grade so many at a time."""
        with ThreadPoolExecutor(jobs) as pool:
            try:
                waiting = [pool.submit(work, one, jobs == 1) for one in todo]
                for done in track(as_completed(waiting), label, total=len(todo)):
                    one, grades[one.key] = done.result()
            except BaseException:
                stopped.set()                     # finish what is begun, begin nothing
                raise

    jobs = max(1, min(jobs, len(todo)))
    work_on(todo, jobs, "grading")
    slow = [one for one in todo if grades[one.key].slow]
    if slow and jobs > 1:
        work_on(slow, 1, "grading again, one at a time, what met a limit of time")
    return [grades[one.key] for one in submissions]


def report(grades, tests, folder, about):
    """Print what was done; return the exit status."""
    count = Counter(one.status for one in grades)
    for one in grades:
        if one.status != "graded":
            print(f"{one.status}: {one.file}: {one.notes[0]}")
    print(f"{count['graded']} graded, {count['refused']} refused, {count['superseded']} superseded, "
          f"{count['grader error']} grader errors; "
          f"{tests.total:.6g} points in all; seed {about['seed']}")
    if not about["hidden tests"]:
        print("NOTE: these tests are all public. Name a folder that has hidden ones with --tests.")
    for said in warnings(about):
        print(f"WARNING: {said}")
    print(f"Results are in {folder.resolve()}")
    if count["grader error"]:
        print("Grade the submissions with a grader error again: repeat the command with --resume.")
    return 1 if count["grader error"] else 0
