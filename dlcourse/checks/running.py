"""Run a question's checks on a learner's answers."""

import contextvars
import inspect
import os
import zlib
from dataclasses import dataclass

import numpy as np

from .errors import CheckFailed, StudentError, frames, raised, shortened
from .questions import load

__all__ = ["SEED_VARIABLE", "Result", "generator", "run"]

SEED_VARIABLE = "DLCOURSE_CHECKS_SEED"
PACKAGE = __name__.rpartition(".")[0] + "."
SEED = contextvars.ContextVar("seed of the checks", default=None)


@dataclass(frozen=True)
class Result:
    """What came of one check.

    Parameters
    ----------
    question : str
    test : str
    points : float
        What the check is worth, passed or not.
    hidden : bool
    passed : bool
    message : str
        Of a failed check: what was expected, what came, the hint.
    """

    question: str
    test: str
    points: float
    hidden: bool
    passed: bool
    message: str


def run(source, get, path="<checks>", hidden=False, seed=None):
    """Run a question's checks.

    Parameters
    ----------
    source : str
        Text of the check file.
    get : callable
        Takes a name and returns the learner's object; raises `NameError` if there is none.
    path : str
        Name of the file, for messages.
    hidden : bool
        Whether to run the hidden checks too.
    seed : int, optional
        For `generator`. Default: the environment variable ``DLCOURSE_CHECKS_SEED``, or 0.

    Returns
    -------
    list of Result
    """
    question = load(source, path)
    token = SEED.set(seed)
    try:
        return [judge(question, case, get, path) for case in question.cases if hidden or not case.hidden]
    finally:
        SEED.reset(token)


def judge(question, case, get, path):
    """Run one check; return its `Result`."""
    message = failure(case, get, path)
    said = (case.success_message or "") if message is None else message
    return Result(question.name, case.name, case.points, case.hidden, message is None, said)


def failure(case, get, path):
    """Run one check; return what to tell the learner if it fails, else None."""
    hint = case.failure_message
    try:
        answers = [get(name) for name in inspect.signature(case.function).parameters]
    except NameError as error:
        return f"{error}. Is it spelled like this, and has its cell been run?"
    try:
        case.function(*answers)
        return None
    except CheckFailed as error:
        message, hint = error.message, error.hint or hint
    except StudentError as error:
        message = error.message
    except (Exception, SystemExit) as error:
        message = explain(error, path)
    return f"{message}\nHint: {hint}" if hint else message


def innermost(error, path):
    """Return the frame of a learner's own code in which an error arose, and the line; None where there is none."""
    found = [(frame, line) for frame, line in frames(error)
             if frame.f_code.co_filename != path and not str(frame.f_globals.get("__name__")).startswith(PACKAGE)]
    # What the answer called, such as NumPy, is not the learner's own.
    own = [(frame, line) for frame, line in found if frame.f_globals is found[0][0].f_globals]
    return own[-1] if own else None


def explain(error, path):
    """Tell which error a learner's code raised, and on which line."""
    where = innermost(error, path)
    if where is not None:
        return raised(error, *where)
    if isinstance(error, ModuleNotFoundError):
        return f"this check needs {error.name}, which is not installed here: try it in JupyterLab"
    if isinstance(error, AssertionError):
        return str(error) or "the answer is not as expected"
    said = shortened(f"{type(error).__name__}: {error}")
    if said.endswith("object is not callable"):
        return f"this answer cannot be called ({said}): is it a function, and has nothing else taken its name?"
    return f"this answer cannot be checked ({said}): does it return what the text asks for?"


def generator(name):
    """Return a random generator for the inputs of a check.

    The same numbers come in every run of a learner; the grader draws a fresh seed.

    Parameters
    ----------
    name : str
        Of the check, so that two checks draw different numbers.

    Returns
    -------
    numpy.random.Generator
    """
    seed = SEED.get()
    if seed is None:
        seed = int(os.environ.get(SEED_VARIABLE, "0"))
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
