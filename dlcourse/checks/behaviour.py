"""Comparisons of what an answer is and does: its parts, its errors, what it leaves behind."""

import contextlib

import numpy as np

from .answers import TensorData, describe, entries, is_tensor
from .errors import CheckFailed, StudentError, raised, shortened
from .values import expect_close

__all__ = ["expect_raises", "expect_tensor", "expect_tuple", "expect_unchanged", "hint_if"]

CUT_OFF = ("No gradient can flow back from it: something on the way was detached, turned into a number or array, "
           "or computed under torch.no_grad().")
RECORDED = "Gradients are recorded that nobody needs: compute it under torch.no_grad(), or detach it."


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
    parts = entries(actual)
    if parts is None:
        raise CheckFailed(f"{wanted} {describe(actual)}")
    if len(parts) != len(names):
        raise CheckFailed(f"{wanted} {len(parts)} {'value' if len(parts) == 1 else 'values'}")
    return tuple(parts)


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
    if not (is_tensor(actual) or type(actual) is TensorData):
        came = "a NumPy array" if type(actual) is np.ndarray else describe(actual)
        raise CheckFailed(f"{what}: expected a PyTorch tensor, got {came}")
    if requires_grad is not None and actual.requires_grad != requires_grad:
        hint = CUT_OFF if requires_grad else RECORDED
        raise CheckFailed(f"{what}: expected requires_grad={requires_grad}, got {actual.requires_grad}", hint)


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
    hint = (f"Your function changed {what} in place. Operations such as `+=` do that. "
            "Compute a new array under a new name.")
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
        kinds, text, message = error.kinds, error.text, error.message
    except Exception as error:
        kinds, text, message = [base.__name__ for base in type(error).__mro__], str(error), raised(error)
    else:
        raise CheckFailed(f"{what}: expected {with_article(kind)}, but there was no error")
    if kind not in kinds:
        raise CheckFailed(f"{what}: expected {with_article(kind)}, but {message}")
    if mentions is not None and mentions not in text:
        raise CheckFailed(f"{what}: expected the message of the error to contain {mentions!r}, "
                          f"got {shortened(text)!r}")


def with_article(noun):
    """Put "a" or "an" before a word."""
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


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
        raise CheckFailed(f"{what}: not right yet", hint)
