"""From an answer to a plain array, without running code of it."""

import contextvars
import sys
from dataclasses import dataclass

import numpy as np

from .errors import CheckFailed, shortened

__all__ = ["AS_LEFT", "DTYPES", "TensorData", "describe", "entries", "is_tensor", "plain", "tensor_array"]

# Numbers whose conversion runs no code of an answer: exact types, never subclasses.
NUMBERS = {bool, int, float, complex, np.bool_, np.float16, np.float32, np.float64, np.complex64, np.complex128}
NUMBERS |= {np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64}
NUMBERS |= {np.intc, np.longlong, np.uintc, np.ulonglong}      # names of the same sizes on some systems
DTYPES = {np.dtype(kind).name for kind in NUMBERS}
DEEPEST = 32

# What is said of types that a learner meets by mistake. By name: in the grader a proxy has the name alone.
MEETINGS = {
    "NoneType": "None (does the function end with `return`?)",
    "ellipsis": "... (not solved yet)",
    **dict.fromkeys(("function", "method", "builtin_function_or_method"),
                    "a function (are the brackets of a call missing?)"),
    "type": "a class (are the brackets of a call missing?)",
    **{name: f"an object of type {name} (make a list or an array of its values)"
       for name in ("generator", "map", "zip", "filter", "range", "dict_keys", "dict_values", "set")},
}

# In the grader the student's code changes its own copy of an argument. What is set here finds that copy,
# so that ``expect_unchanged`` sees it; expected values are still computed from the test's own array.
AS_LEFT = contextvars.ContextVar("as_left", default=lambda value: value)


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


def is_tensor(value):
    """Tell whether a value is a tensor or a parameter of PyTorch, and no subclass, without importing PyTorch."""
    torch = sys.modules.get("torch")                           # there only if somebody imported it
    # Another thread may be in the middle of importing it: then neither class exists yet.
    kinds = (getattr(torch, "Tensor", None), getattr(getattr(torch, "nn", None), "Parameter", None))
    return type(value) in kinds


def tensor_array(tensor):
    """Return the array of a tensor, wherever it lies."""
    return tensor.detach().cpu().numpy()


def entries(value):
    """List what is in a list or tuple, and in a namedtuple too, without calling any of its methods.

    Parameters
    ----------
    value : object

    Returns
    -------
    list or None
        None for anything else.
    """
    if type(value) is list:
        return value
    # What a tuple holds is fixed when it is made: however its class hides it, Python's own method tells.
    return list(tuple.__iter__(value)) if issubclass(type(value), tuple) else None


def describe(value):
    """Name a value without calling any of its methods."""
    if type(value) is str:
        return f"the text {shortened(value)!r}"
    if type(value) in NUMBERS:
        return f"the number {value}"
    if type(value) is np.ndarray:
        return f"an array of shape {value.shape}"
    if is_tensor(value) or type(value) is TensorData:
        return "a PyTorch tensor"
    if type(value) in (list, dict):
        return f"a {type(value).__name__} of length {len(value)}"
    if issubclass(type(value), tuple):
        return f"a tuple of length {tuple.__len__(value)}"
    name = type(value).__name__
    return MEETINGS.get(name, f"an object of type {name}")


def plain(value, what, depth=0):
    """Make an array of an answer, without running code of it.

    Parameters
    ----------
    value : object
        An exact ndarray, number, list of them, tuple of any class, or a PyTorch tensor.
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
    if type(value) is TensorData:
        value = value.array
    elif is_tensor(value):
        value = tensor_array(value)
    if type(value) in NUMBERS:
        return np.asarray(value)
    if type(value) is np.ndarray:
        if value.dtype.kind not in "biufc":
            why = " (are its rows of different lengths, or is there a None?)" if value.dtype == object else ""
            raise CheckFailed(f"{what}: expected numbers, got an array of dtype {value.dtype}{why}")
        return np.array(value)
    if (found := entries(value)) is not None and depth < DEEPEST:
        rows = [plain(item, what, depth + 1) for item in found]
        for number, row in enumerate(rows):
            if row.shape != rows[0].shape:
                raise CheckFailed(f"{what}: expected entries of one shape, got entry 0 of shape {rows[0].shape} "
                                  f"and entry {number} of shape {row.shape}")
        return np.array(rows)
    raise CheckFailed(f"{what}: expected numbers, got {describe(value)}")
