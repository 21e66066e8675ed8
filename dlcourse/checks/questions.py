"""The file of a question's checks, in Otter's exception-style format."""

import builtins
import types
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Case", "Question", "load"]


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
