"""Checks of arguments, with messages that a learner can act on.

Every message names the argument, says what was expected and what came:

>>> import numpy as np
>>> check_array(np.zeros((3, 5)), "x", shape=("N", 4))
Traceback (most recent call last):
    ...
ValueError: x: expected shape (N, 4), got (3, 5)

A wrong *kind* of thing is a `TypeError`, a wrong *value* a `ValueError`.
"""

import math
import numbers

import numpy as np

__all__ = [
    "check_array",
    "check_choice",
    "check_finite",
    "check_integer",
    "check_labels",
    "check_number",
    "check_rng",
    "check_same_length",
]


def describe(value):
    """Name the type of ``value`` as an error message should.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        ``"an array of float32, shape (3, 4)"`` for an array, else the type and the value.
    """
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"


def check_array(x, name, *, shape=None, dtype=None, kind="float", empty=True):
    """Check that ``x`` is an array of the expected shape and type.

    Parameters
    ----------
    x : object
        The argument to check.
    name : str
        Its name, for the message.
    shape : tuple, optional
        Each entry is a size, or a string that names a free size (``"N"``). A leading ``...``
        stands for any number of further axes.
    dtype : numpy.dtype, optional
        Required type, where one is already settled (by a layer's weights, say).
    kind : {"float", "int", "bool"}
        Required kind where ``dtype`` is not given. Float means float32 or float64.
    empty : bool
        Whether an array without a single element is legal.

    Returns
    -------
    ndarray
        ``x`` itself.

    Raises
    ------
    TypeError
        If ``x`` is not an array, or of the wrong type.
    ValueError
        If the shape differs, or ``x`` is empty and must not be.
    """
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {describe(x)}")
    if dtype is not None and x.dtype != np.dtype(dtype):
        raise TypeError(f"{name}: expected dtype {np.dtype(dtype)}, got {x.dtype}")
    allowed = {
        "float": x.dtype in (np.float32, np.float64),
        "int": np.issubdtype(x.dtype, np.integer),
        "bool": x.dtype == np.bool_,
    }
    if dtype is None and not allowed[kind]:
        wanted = {"float": "float32 or float64", "int": "an integer type", "bool": "bool"}[kind]
        raise TypeError(f"{name}: expected dtype {wanted}, got {x.dtype}")
    if shape is not None and not shape_matches(x.shape, shape):
        raise ValueError(f"{name}: expected shape {shape_text(shape)}, got {x.shape}")
    if not empty and x.size == 0:
        raise ValueError(f"{name}: expected at least one element, got an empty array, shape {x.shape}")
    return x


def shape_matches(actual, expected):
    """Compare a shape with a pattern of sizes, names and a leading ``...``.

    Parameters
    ----------
    actual : tuple of int
    expected : tuple of int, str or Ellipsis

    Returns
    -------
    bool
    """
    if expected and expected[0] is ...:
        expected = expected[1:]
        if len(actual) < len(expected):
            return False
        actual = actual[len(actual) - len(expected):]
    if len(actual) != len(expected):
        return False
    return all(isinstance(want, str) or have == want for have, want in zip(actual, expected, strict=True))


def shape_text(shape):
    """Write a shape pattern as it is spoken of in docstrings.

    Parameters
    ----------
    shape : tuple of int, str or Ellipsis

    Returns
    -------
    str
    """
    parts = ["..." if size is ... else str(size) for size in shape]
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def check_finite(x, name):
    """Check that no element of ``x`` is NaN or infinite.

    Parameters
    ----------
    x : ndarray
    name : str

    Returns
    -------
    ndarray
        ``x`` itself.

    Raises
    ------
    ValueError
        With the index of the first bad element.
    """
    bad = ~np.isfinite(x)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        value, at = (x, "") if x.ndim == 0 else (x[where], f" at index {where}")
        raise ValueError(f"{name}: expected finite numbers, got {value}{at}")
    return x


def check_labels(target, name, *, num_classes, length=None):
    """Check integer class labels.

    Parameters
    ----------
    target : ndarray of int, shape (N,)
    name : str
    num_classes : int
        Labels must lie in ``0 .. num_classes - 1``.
    length : int, optional
        Required number of labels.

    Returns
    -------
    ndarray
        ``target`` itself.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there are too few or too many, or one lies outside the range.
    """
    check_array(target, name, kind="int", shape=("N" if length is None else length,))
    outside = (target < 0) | (target >= num_classes)
    if outside.any():
        index = int(np.argmax(outside))
        raise ValueError(
            f"{name}: expected labels from 0 to {num_classes - 1}, got {target[index]} at index {index}"
        )
    return target


def check_number(value, name, *, low=-math.inf, high=math.inf, low_open=False, high_open=False):
    """Check that ``value`` is a finite real number inside an interval.

    Parameters
    ----------
    value : object
    name : str
    low, high : float
        Ends of the interval.
    low_open, high_open : bool
        Whether an end itself is excluded.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If ``value`` is not a real number (a bool is not one).
    ValueError
        If it lies outside the interval, or is NaN or infinite.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, got {describe(value)}")
    value = float(value)
    above = value > low if low_open else value >= low
    below = value < high if high_open else value <= high
    if not (math.isfinite(value) and above and below):
        left, right = "(" if low_open or low == -math.inf else "[", ")" if high_open or high == math.inf else "]"
        raise ValueError(f"{name}: expected a number in {left}{low:g}, {high:g}{right}, got {value}")
    return value


def check_integer(value, name, *, low=None, high=None):
    """Check that ``value`` is an integer, optionally inside a closed range.

    Parameters
    ----------
    value : object
    name : str
    low, high : int, optional

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If ``value`` is not an integer (a bool is not one).
    ValueError
        If it lies outside the range.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected an integer, got {describe(value)}")
    value = int(value)
    if (low is not None and value < low) or (high is not None and value > high):
        if high is None:
            wanted = f"at least {low}"
        elif low is None:
            wanted = f"at most {high}"
        else:
            wanted = f"from {low} to {high}"
        raise ValueError(f"{name}: expected an integer {wanted}, got {value}")
    return value


def check_choice(value, name, choices):
    """Check that ``value`` is one of a few named choices.

    Parameters
    ----------
    value : object
    name : str
    choices : sequence

    Returns
    -------
    object
        ``value`` itself.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def check_rng(rng, name="rng"):
    """Check that a random generator was passed, not a seed.

    Parameters
    ----------
    rng : object
    name : str

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    TypeError
        If ``rng`` is anything else.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{name}: expected a numpy.random.Generator such as np.random.default_rng(0), got {describe(rng)}"
        )
    return rng


def check_same_length(**arrays):
    """Check that the arrays given by name have as many rows as one another.

    Parameters
    ----------
    **arrays : ndarray

    Returns
    -------
    int
        The common number of rows.

    Raises
    ------
    ValueError
        If two of them differ.
    """
    (first, reference), *rest = arrays.items()
    for name, array in rest:
        if len(array) != len(reference):
            raise ValueError(
                f"{name}: expected as many rows as {first} ({len(reference)}), got {len(array)}"
            )
    return len(reference)
