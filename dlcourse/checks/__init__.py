"""Checks of a learner's answers, with messages that say what to do next.

A question's checks are one file in Otter's exception-style format. The same file runs in the page,
in JupyterLab (`check`), under pytest and in the grader (`run`), and says the same in all of them.

An answer may be hostile: the grader runs checks in a process that a submission must not get into.
So no method of an answer is called, and an answer is neither indexed, iterated nor compared, before
`plain` has made an array of it. `plain` accepts a short list of exact types, and tuples of any class,
such as namedtuples, whose entries Python's own tuple tells.

What a check may do with an answer: call it with plain data, and hand what it returns to an
``expect_...`` function. An array argument that a function has changed in place is seen as changed by
the ``expect_...`` functions, in the grader as here.
"""

from .answers import TensorData, plain
from .behaviour import expect_raises, expect_tensor, expect_tuple, expect_unchanged, hint_if
from .display import Report, check, report
from .errors import CheckFailed, StudentError
from .questions import Case, Question, load
from .running import Result, generator, run
from .values import expect_close, expect_equal, expect_shape

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
