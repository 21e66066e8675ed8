"""Checks of a learner's answers, with messages that say what to do next.

A question's checks are one file in Otter's exception-style format. The same file runs in the page,
in JupyterLab (`check`), under pytest and in the grader (`run`), and says the same in all of them.

An answer may be hostile: the grader runs checks in a process that a submission must not get into.
So no method of an answer is called, and an answer is neither indexed, iterated nor compared, before
`plain` has made an array of it, and `plain` accepts a short list of exact types only.

What a check may do with an answer: call it with plain data, and hand what it returns to an
``expect_...`` function. An array argument that a function has changed in place is seen as changed by
the ``expect_...`` functions, in the grader as here.
"""

import builtins
import contextlib
import contextvars
import html
import inspect
import linecache
import os
import sys
import traceback
import types
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .validation import shape_matches, shape_text

__all__ = [
    "Case",
    "CheckFailed",
    "Question",
    "Report",
    "Result",
    "StudentError",
    "TensorData",
    "check",
    "expect_close",
    "expect_equal",
    "expect_raises",
    "expect_shape",
    "expect_tensor",
    "expect_tuple",
    "expect_unchanged",
    "generator",
    "hint_if",
    "load",
    "plain",
    "report",
    "run",
]

SEED_VARIABLE = "DLCOURSE_CHECKS_SEED"
SEED = contextvars.ContextVar("seed of the checks", default=None)

# Numbers whose conversion runs no code of an answer: exact types, never subclasses.
NUMBERS = {bool, int, float, complex, np.bool_, np.float16, np.float32, np.float64, np.complex64, np.complex128}
NUMBERS |= {np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64}
NUMBERS |= {np.intc, np.longlong, np.uintc, np.ulonglong}      # names of the same sizes on some systems
DEEPEST = 32

# Mark, word and colour of a result: JupyterLab's own colour where there is one.
PASSED = ("✓", "passed", "var(--jp-success-color1, #1a7f37)")
FAILED = ("✗", "failed", "var(--jp-error-color1, #c9302c)")


class CheckFailed(AssertionError):
    """An answer is not as expected.

    Parameters
    ----------
    message : str
        What was compared, what was expected and what came.
    hint : str, optional
        The typical mistake behind it, where it was recognized.
    """

    def __init__(self, message, hint=None):
        super().__init__(message)
        self.message, self.hint = message, hint


class StudentError(Exception):
    """An error inside a learner's code, told in words: what a proxy of the grader raises.

    Parameters
    ----------
    message : str
    kinds : tuple of str
        Names of the error's class and of the classes it derives from, such as
        ``("ZeroDivisionError", "ArithmeticError")``.
    """

    def __init__(self, message, kinds=()):
        super().__init__(message)
        self.message, self.kinds = message, kinds


@dataclass(frozen=True)
class TensorData:
    """A PyTorch tensor as it comes from a process in which the learner's code runs.

    Parameters
    ----------
    array : ndarray
    requires_grad : bool
    """

    array: np.ndarray
    requires_grad: bool = False


@dataclass(frozen=True)
class Case:
    """One check of a question.

    Parameters
    ----------
    name : str
    points : float
    hidden : bool
        Whether it stays with the instructor.
    success_message : str or None
    failure_message : str or None
        The hint for a mistake that the check itself does not recognize.
    function : callable
        Its arguments are the names of the answers it looks at.
    """

    name: str
    points: float
    hidden: bool
    success_message: str | None
    failure_message: str | None
    function: Callable


@dataclass(frozen=True)
class Question:
    """The checks of one question.

    Parameters
    ----------
    name : str
    cases : list of Case
    """

    name: str
    cases: list = field(default_factory=list)


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


class TestCase:
    """Stand-in for Otter's decorator ``test_case``, which a learner need not have installed."""

    def __init__(self, name=None, points=None, hidden=False, success_message=None, failure_message=None):
        self.name, self.points, self.hidden = name, points, hidden
        self.success_message, self.failure_message = success_message, failure_message

    def __call__(self, function):
        self.function = function
        return self


OTTER = types.ModuleType("otter.test_files")
OTTER.test_case = TestCase


def import_for_checks(name, *arguments, **named):
    """Import a module, and the stand-in where a check file asks for Otter."""
    return OTTER if name == "otter.test_files" else builtins.__import__(name, *arguments, **named)


def share_points(total, points):
    """Give each case its points by Otter's rule: cases without any share what the others leave."""
    if isinstance(total, list):
        if len(total) != len(points):
            raise ValueError(f"points: expected one number for each of the {len(points)} checks, got {total}")
        return total
    given, missing = sum(p or 0 for p in points), points.count(None)
    if total is None:
        total = given or 1
    if given > total:
        raise ValueError(f"points: the checks have {given} in all, the question only {total}")
    return [(total - given) / missing if p is None else p for p in points]


def load(source, path="<checks>"):
    """Read a question's checks.

    Parameters
    ----------
    source : str
        Text of a file in Otter's exception-style format.
    path : str
        Its name, for messages.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        If the file names no question or holds no check.
    """
    namespace = {"__name__": "checks", "__builtins__": {**vars(builtins), "__import__": import_for_checks}}
    exec(compile(source, path, "exec"), namespace)
    found = {key: value for key, value in namespace.items() if isinstance(value, TestCase)}
    if "name" not in namespace or not found:
        raise ValueError(f"{path}: expected a name and at least one function with @test_case")
    points = share_points(namespace.get("points"), [case.points for case in found.values()])
    cases = [
        Case(case.name or key.removeprefix("test_").replace("_", " "), worth, case.hidden,
             case.success_message, case.failure_message, case.function)
        for (key, case), worth in zip(found.items(), points, strict=True)
    ]
    return Question(namespace["name"], cases)


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
        cases = [case for case in question.cases if hidden or not case.hidden]
        failures = [failure(case, get, path) for case in cases]
    finally:
        SEED.reset(token)
    return [
        Result(question.name, case.name, case.points, case.hidden, message is None,
               (case.success_message or "") if message is None else message)
        for case, message in zip(cases, failures, strict=True)
    ]


def failure(case, get, path):
    """Run one check; return what to tell the learner if it fails, else None."""
    hint = case.failure_message
    try:
        answers = [get(name) for name in inspect.signature(case.function).parameters]
    except NameError as error:
        return f"{error}. Has its cell been run?"
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


def raised_by_answer(error, path):
    """List the frames and lines of an error that belong to the learner's own code."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)
              if frame.f_code.co_filename not in (path, __file__) and frame.f_globals.get("__name__") != __name__]
    return [(frame, line) for frame, line in frames if frame.f_globals is frames[0][0].f_globals]


def explain(error, path):
    """Tell which error a learner's code raised, and on which line."""
    kind, text = type(error).__name__, str(error)
    said = f"{kind}: {text}" if text else kind
    frames = raised_by_answer(error, path)
    if not frames:
        if isinstance(error, ModuleNotFoundError):
            return f"this check needs {error.name}, which is not installed here: try it in JupyterLab"
        if isinstance(error, AssertionError):
            return text or "the answer is not as expected"
        return f"the answer cannot be used here ({said})"
    frame, line = frames[-1]
    code = linecache.getline(frame.f_code.co_filename, line).strip()
    where = f"line {line} of {frame.f_code.co_name}" + (f", `{code}`" if code else "")
    return f"your code raised {said}\n  in {where}"


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


def describe(value):
    """Name a value without calling any of its methods."""
    if value is None:
        return "None (does the function end with `return`?)"
    if value is ...:
        return "... (not solved yet)"
    if isinstance(value, types.FunctionType):
        return "a function (are the brackets of a call missing?)"
    return f"an object of type {type(value).__name__}"


# In the grader the student's code changes its own copy of an argument. What is set here finds that copy,
# so that ``expect_unchanged`` sees it; expected values are still computed from the test's own array.
AS_LEFT = contextvars.ContextVar("as_left", default=lambda value: value)


def plain(value, what, depth=0):
    """Make an array of an answer, without running code of it.

    Parameters
    ----------
    value : object
        An exact ndarray, number, list or tuple of them, or a PyTorch tensor.
    what : str
        What it is, for the message.

    Returns
    -------
    ndarray
        Of numbers or truth values.

    Raises
    ------
    CheckFailed
        If it is anything else.
    """
    value = AS_LEFT.get()(value)
    torch = sys.modules.get("torch")                           # there only if somebody imported it
    if type(value) is TensorData:
        value = value.array
    elif torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter):
        value = value.detach().cpu().numpy()
    if type(value) in NUMBERS:
        return np.asarray(value)
    if type(value) is np.ndarray:
        if value.dtype.kind not in "biufc":
            raise CheckFailed(f"{what}: expected numbers, got an array of {value.dtype}")
        return np.array(value)
    if type(value) in (list, tuple) and depth < DEEPEST:
        items = [plain(item, what, depth + 1) for item in value]
        if len({item.shape for item in items}) > 1:
            raise CheckFailed(f"{what}: expected rows of one length, got shapes {[item.shape for item in items]}")
        return np.array(items)
    raise CheckFailed(f"{what}: expected numbers, got {describe(value)}")


def same(a, b, rtol, atol):
    """Whether two arrays agree in shape and, within tolerance, in every value."""
    return a.shape == b.shape and bool(np.isclose(a, b, rtol=rtol, atol=atol).all())


def recognize(actual, expected, mistakes, rtol, atol):
    """Find the mistake that gives exactly this answer: a named one first, then those that anyone can make."""
    for hint, wrong in (mistakes or {}).items():
        if same(actual, np.asarray(wrong), rtol, atol):
            return hint
    if same(actual, -expected, rtol, atol):
        return "Every value has the wrong sign."
    if expected.ndim > 1 and same(actual, expected.T, rtol, atol):
        return "This is the transpose of what is expected."
    if actual.size and actual.size == expected.size and same(actual.ravel(), expected.ravel(), rtol, atol):
        return "The values are right, only their arrangement is not."
    if actual.shape == expected.shape and actual.size > 1 and expected.all():
        ratio = actual / expected
        if np.isfinite(ratio).all() and same(ratio, np.full_like(ratio, ratio.flat[0]), rtol, atol):
            return f"Every value is {ratio.flat[0]:.6g} times the expected one: look for a missing or extra factor."
    return None


def position(index):
    """Write where in an array a value stands; nothing for a single number."""
    return "" if index == () else f" at index {index[0] if len(index) == 1 else index}"


def digits(*numbers):
    """Write numbers with as many digits as it takes to tell them apart."""
    short = [f"{number:.6g}" for number in numbers]
    return short if len(set(short)) == len(numbers) else [f"{number:.17g}" for number in numbers]


def expect_close(actual, expected, what, *, rtol=1e-6, atol=1e-9, dtype=None, mistakes=None):
    """Check that an answer's numbers are the expected ones.

    Parameters
    ----------
    actual : object
        The answer, or what it returned.
    expected : array_like
    what : str
        What is compared, such as ``"score(w, b, x)"``.
    rtol, atol : float
        Relative and absolute tolerance.
    dtype : numpy.dtype, optional
        Required type.
    mistakes : dict of str to array_like, optional
        For each hint, the answer that its mistake would give on the same inputs.

    Raises
    ------
    CheckFailed
        With the shapes, or the first value that differs and the largest difference, and the hint.
    """
    got, wanted = plain(actual, what), np.asarray(expected)
    with np.errstate(all="ignore"):
        numeric = complex if "c" in got.dtype.kind + wanted.dtype.kind else float
        values, targets = got.astype(numeric), wanted.astype(numeric)
        hint = recognize(values, targets, mistakes, rtol, atol)
        if got.shape != wanted.shape:
            raise CheckFailed(f"{what}: expected shape {wanted.shape}, got shape {got.shape}", hint)
        wrong = ~np.isclose(values, targets, rtol=rtol, atol=atol)
        if wrong.any():
            index = tuple(int(i) for i in np.argwhere(wrong)[0])
            want, have = digits(targets[index], values[index])
            message = f"{what}: expected {want}, got {have}{position(index)}"
            if got.size > 1:
                largest = np.abs(values - targets)[wrong].max()
                message += f"\n  {wrong.sum()} of {got.size} values differ, by up to {largest:.3g}"
            raise CheckFailed(message, hint)
    if dtype is not None and got.dtype != np.dtype(dtype):
        raise CheckFailed(f"{what}: expected dtype {np.dtype(dtype)}, got {got.dtype}")


def expect_shape(actual, shape, what):
    """Check the shape of an answer.

    Parameters
    ----------
    actual : object
    shape : tuple of int or str
        A string stands for any size.
    what : str

    Raises
    ------
    CheckFailed
    """
    got = plain(actual, what)
    if not shape_matches(got.shape, shape):
        raise CheckFailed(f"{what}: expected shape {shape_text(shape)}, got shape {got.shape}")


def expect_equal(actual, expected, what, *, mistakes=None):
    """Check that an answer is exactly a string, a truth value, None, or integers.

    Parameters
    ----------
    actual : object
    expected : str, bool, None, or array_like of int
    what : str
    mistakes : dict of str to object, optional
        For each hint, the answer that its mistake would give.

    Raises
    ------
    CheckFailed
    """
    if expected is not None and not isinstance(expected, str):
        expect_close(actual, expected, what, rtol=0, atol=0, mistakes=mistakes)
        if isinstance(expected, bool) and plain(actual, what).dtype != bool:
            raise CheckFailed(f"{what}: expected {expected}, got the number {plain(actual, what)}")
    elif type(actual) is not type(expected):
        raise CheckFailed(f"{what}: expected {expected!r}, got {describe(actual)}")
    elif actual != expected:
        hint = next((hint for hint, wrong in (mistakes or {}).items() if wrong == actual), None)
        raise CheckFailed(f"{what}: expected {expected!r}, got {actual!r}", hint)


def expect_tuple(actual, names, what):
    """Check that an answer has several parts, and return them.

    Parameters
    ----------
    actual : object
    names : sequence of str
        What the parts are called.
    what : str

    Returns
    -------
    tuple
        The parts, not yet checked.

    Raises
    ------
    CheckFailed
        If it is not a tuple or list of so many parts.
    """
    wanted = f"{what}: expected {len(names)} values ({', '.join(names)}), got"
    if type(actual) not in (tuple, list):
        raise CheckFailed(f"{wanted} {'one array' if type(actual) is np.ndarray else describe(actual)}")
    if len(actual) != len(names):
        raise CheckFailed(f"{wanted} {len(actual)}")
    return tuple(actual)


def expect_tensor(actual, what, *, requires_grad=None):
    """Check that an answer is a PyTorch tensor.

    Parameters
    ----------
    actual : object
    what : str
    requires_grad : bool, optional
        Whether gradients must flow back from it.

    Raises
    ------
    CheckFailed
    """
    torch = sys.modules.get("torch")
    tensors = (TensorData,) if torch is None else (TensorData, torch.Tensor, torch.nn.Parameter)
    if type(actual) not in tensors:
        came = "a NumPy array" if type(actual) is np.ndarray else describe(actual)
        raise CheckFailed(f"{what}: expected a PyTorch tensor, got {came}")
    if requires_grad is not None and actual.requires_grad != requires_grad:
        raise CheckFailed(f"{what}: expected requires_grad={requires_grad}, got {actual.requires_grad}")


def expect_unchanged(before, after, what):
    """Check that a function left its argument as it was.

    Parameters
    ----------
    before : ndarray
        A copy made before the call.
    after : ndarray
        The argument itself, after the call.
    what : str
        Name of the argument.

    Raises
    ------
    CheckFailed
    """
    hint = f"Work on a copy: `{what} = {what} + step` makes a new array, `{what} += step` changes the caller's."
    try:
        expect_close(after, before, f"{what}, after the call", rtol=0, atol=0)
    except CheckFailed as error:
        raise CheckFailed(f"the function changed its argument {what}\n  {error.message}", hint) from None


@contextlib.contextmanager
def expect_raises(kind, what, *, mentions=None):
    """Check that the code inside raises an error of some kind.

    Parameters
    ----------
    kind : str
        Name of the error's class, such as ``"ValueError"``.
    what : str
        What should raise it.
    mentions : str, optional
        Text that the message must contain.

    Raises
    ------
    CheckFailed
        If there is no error, another one, or one whose message does not tell.
    """
    try:
        yield
    except CheckFailed:
        raise
    except StudentError as error:
        kinds, text = error.kinds, error.message
    except Exception as error:
        kinds, text = [base.__name__ for base in type(error).__mro__], str(error)
    else:
        raise CheckFailed(f"{what}: expected a {kind}, but there was no error")
    if kind not in kinds:
        raise CheckFailed(f"{what}: expected a {kind}, got {text if not kinds else f'{kinds[0]}: {text}'}")
    if mentions is not None and mentions not in text:
        raise CheckFailed(f"{what}: expected a message with {mentions!r}, got {text!r}")


def hint_if(condition, hint, what="the answer"):
    """Fail with a hint where a typical mistake is recognized.

    Parameters
    ----------
    condition : bool
        Computed from plain data, never from an answer itself.
    hint : str
    what : str

    Raises
    ------
    CheckFailed
    """
    if condition:
        raise CheckFailed(f"{what}: a typical mistake", hint)


@dataclass(frozen=True)
class Report:
    """The results of a question, as a learner sees them. True if all checks passed.

    Parameters
    ----------
    question : str
    results : list of Result
    """

    question: str
    results: list

    def __bool__(self):
        return all(result.passed for result in self.results)

    @property
    def summary(self):
        """One line: how many checks passed."""
        passed = sum(result.passed for result in self.results)
        if self:
            return f"{self.question}: all {passed} checks pass. Grading repeats them with other inputs."
        return f"{self.question}: {passed} of {len(self.results)} checks pass"

    def __repr__(self):
        lines = [self.summary]
        for result in self.results:
            lines.append(f"  {'✓' if result.passed else '✗'} {result.test}")
            lines += [f"      {line}" for line in result.message.splitlines()]
        return "\n".join(lines)

    def _repr_html_(self):
        parts = []
        for result in self.results:
            mark, word, color = PASSED if result.passed else FAILED
            message = html.escape(result.message).replace("\n", "<br>")
            parts.append(f'<li class="{word}" style="border-left: 3px solid {color}; padding-left: 0.7em; '
                         f'margin: 0.5em 0"><strong><span role="img" aria-label="{word}">{mark}</span> '
                         f'{html.escape(result.test)}</strong><div>{message}</div></li>')
        return (f'<div class="dlcourse-report" role="status"><p>{html.escape(self.summary)}</p>'
                f'<ul style="list-style: none; padding-left: 0">{"".join(parts)}</ul></div>')

    def as_dict(self):
        """Return plain data for a page.

        Returns
        -------
        dict
            ``question``, ``passed``, ``summary`` and ``results``, a list of dict with ``test``,
            ``passed`` and ``message``.
        """
        results = [{"test": r.test, "passed": r.passed, "message": r.message} for r in self.results]
        return {"question": self.question, "passed": bool(self), "summary": self.summary, "results": results}


def report(source, namespace, path="<checks>"):
    """Run a question's public checks on the names of a notebook or page.

    Parameters
    ----------
    source : str
        Text of the check file.
    namespace : dict
        The learner's names.
    path : str
        Name of the file, for messages.

    Returns
    -------
    Report
    """
    def get(name):
        if name not in namespace:
            raise NameError(f"{name} is not defined")
        return namespace[name]

    results = run(source, get, path)
    return Report(results[0].question if results else load(source, path).name, results)


def check(question, tests="tests", namespace=None):
    """Check the answer to a question, in a notebook.

    Parameters
    ----------
    question : str
        Such as ``"q1"``.
    tests : str or Path
        Folder of the check files, beside the notebook.
    namespace : dict, optional
        Names of the answers. Default: those of the caller.

    Returns
    -------
    Report
        True if all checks passed. A notebook displays it; a script gets it printed.

    Raises
    ------
    FileNotFoundError
        If there is no such question.
    """
    if namespace is None:
        namespace = sys._getframe(1).f_globals
    path = Path(tests) / f"{question}.py"
    if not path.is_file():
        known = sorted(file.stem for file in Path(tests).glob("q*.py"))
        raise FileNotFoundError(f"question: expected one of {known}, got {question!r} ({path.resolve()} is missing)")
    found = report(path.read_text(encoding="utf-8"), namespace, str(path))
    if "__IPYTHON__" not in vars(builtins) and not hasattr(sys, "ps1"):    # nothing displays what is returned
        print(found)
    return found
