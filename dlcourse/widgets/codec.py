"""How numbers travel from ``compute`` to the picture: as raw bytes, not as text."""

import base64
import math
import numbers

import numpy as np

__all__ = ["encode", "to_json"]

# The kinds of number that a browser has typed arrays for; others are widened to one of these.
TYPED = {"float32", "float64", "int8", "uint8", "int16", "int32"}


def pack(array):
    """Describe an array: its shape, its dtype and its bytes in C order.

    Parameters
    ----------
    array : ndarray
        Of booleans, integers below 2**31, or real numbers.

    Returns
    -------
    dict
        ``shape`` (list of int), ``dtype`` (str) and ``data`` (bytes).
    """
    if array.dtype == bool:
        array = array.astype(np.uint8)
    elif array.dtype.kind in "iu" and array.dtype.name not in TYPED:
        array = array.astype(np.int32)
    elif array.dtype.name not in TYPED:
        array = array.astype(np.float64)
    return {"shape": list(array.shape), "dtype": array.dtype.name, "data": np.ascontiguousarray(array).tobytes()}


def encode(value):
    """Make a result fit to be sent: arrays packed, everything else plain.

    Parameters
    ----------
    value : dict, list, tuple, ndarray, str, bool, number or None

    Returns
    -------
    The same structure. JSON knows no infinity, so a number that is not finite is packed like an array.

    Raises
    ------
    TypeError
        If there is anything else in it.
    """
    if isinstance(value, dict):
        return {str(key): encode(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [encode(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return pack(value)
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else pack(np.array(float(value)))
    raise TypeError(f"value: expected arrays, numbers, texts, lists or dicts of them, got {type(value).__name__}")


def to_json(value):
    """Replace the bytes in an encoded value by base64, for a page that is stored as text.

    Parameters
    ----------
    value : object
        What `encode` returned.

    Returns
    -------
    The same structure, of JSON types only.
    """
    if isinstance(value, dict):
        return {key: to_json(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [to_json(entry) for entry in value]
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
