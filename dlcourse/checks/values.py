"""Comparisons of an answer's values, with the first that differs and the typical mistake behind it."""

import numpy as np

from ..validation import shape_matches, shape_text
from .answers import describe, plain
from .errors import CheckFailed, shortened

__all__ = ["expect_close", "expect_equal", "expect_shape"]

NAN = "Your own function returned nan here. Find out where it comes from first."


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
    if actual.any() and np.array_equal(actual, np.trunc(expected.real)):       # a denormal is no integer
        return "The fractions are cut off: look for // or for an array of integers."
    if np.isfinite(expected).all() and np.isnan(actual).any():
        return "There is a nan: look for 0/0, inf - inf, or the root or logarithm of a negative number."
    if np.isfinite(expected).all() and np.isinf(actual).any():
        return "There is an infinite value: look for a division by 0, the logarithm of 0, or an exp that overflows."
    if actual.shape == expected.shape and actual.size > 1 and expected.all() and actual.all():
        ratio = actual / expected
        if np.isfinite(ratio).all() and same(ratio, np.full_like(ratio, ratio.flat[0]), rtol, atol):
            return f"Every value is {ratio.flat[0]:.6g} times the expected one: look for a missing or extra factor."
    return None


def shape_of(array):
    """Write an array's shape."""
    return f"shape {array.shape}" if array.ndim else "a single number"


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
    if got.size > 100 * max(1, wanted.size):   # no typical mistake, and too large to be copied as float64
        raise CheckFailed(f"{what}: expected {shape_of(wanted)}, got {shape_of(got)}")
    with np.errstate(all="ignore"):
        numeric = complex if "c" in got.dtype.kind + wanted.dtype.kind else float
        values, targets = got.astype(numeric), wanted.astype(numeric)
        if np.isnan(targets).any():            # a check that compares an answer with itself
            raise CheckFailed(f"{what}: there is nothing to compare it with", NAN)
        hint = recognize(values, targets, mistakes, rtol, atol)
        if got.shape != wanted.shape:
            raise CheckFailed(f"{what}: expected {shape_of(wanted)}, got {shape_of(got)}", hint)
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
        wanted = f"shape {shape_text(shape)}" if shape else "a single number"
        raise CheckFailed(f"{what}: expected {wanted}, got {shape_of(got)}")


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
        if hint is None and actual.strip().casefold() == expected.strip().casefold():
            hint = "Only spaces or capital letters differ."
        raise CheckFailed(f"{what}: expected {expected!r}, got {shortened(actual)!r}", hint)
