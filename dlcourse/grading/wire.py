"""Plain data between two processes that do not trust each other.

A frame is a mark and two lengths, a JSON text, and the raw bytes of all arrays behind it.
JSON and raw numbers cannot hold code, a pickle can; so nothing here reads or writes one. Sizes,
depth, and types are checked in both directions.

What travels: None, bool, int of 64 bits, float, complex, str, list, tuple, dict, arrays and NumPy
numbers of the types in `DTYPES`, tensors, and PCG64 generators. An object of another type stays
where it is, and a `Handle` to it travels; with that of a namedtuple, what is in it.
"""

import json
import math
import struct
from dataclasses import dataclass

import numpy as np

from ..checks.answers import DTYPES, TensorData, is_tensor, tensor_array

__all__ = ["Handle", "WireError", "arrays_in", "body_sizes", "pack", "replaced", "unpack"]

HEADER = struct.Struct(">4sII")
MARK = b"DLC1"             # noise in the pipe is noticed at once
MAX_TEXT = 4 << 20          # bytes of JSON
MAX_RAW = 64 << 20          # bytes of arrays
MAX_DEPTH = 20
MAX_NODES = 100_000         # values in one frame
MAX_DICT = 1_000            # entries of one dict: keys with equal hashes cost their square
MAX_NAME = 100              # characters of a type's name


class WireError(ValueError):
    """Something that must not or cannot travel. The message says what it was."""


@dataclass(frozen=True)
class Handle:
    """Stands for an object that stays in the other process.

    Parameters
    ----------
    number : int
    kind : str
        Name of its type, for messages only.
    parts : tuple or None
        What is in it, if it is a tuple of a class of its own.
    """

    number: int
    kind: str = "object"
    parts: tuple | None = None


def pack(message, hold=None):
    """Make the frame of a message.

    Parameters
    ----------
    message : object
    hold : callable, optional
        Takes an object that cannot travel and returns its `Handle`.

    Returns
    -------
    bytes

    Raises
    ------
    WireError
        If there is something that cannot travel and no `hold`, or a limit is passed.
    """
    packer = Packer(hold)
    text = json.dumps(packer.node(message, 0), separators=(",", ":")).encode("utf-8", "replace")
    raw = b"".join(packer.raw)
    return HEADER.pack(MARK, *checked_sizes(len(text), len(raw))) + text + raw


def body_sizes(header):
    """Read the two lengths that open a frame.

    Parameters
    ----------
    header : bytes of length ``HEADER.size``

    Returns
    -------
    tuple of int
        Bytes of text and of arrays that follow.

    Raises
    ------
    WireError
        If it is no header, or they are over the limits.
    """
    mark, text, raw = HEADER.unpack(header)
    if mark != MARK:
        raise WireError("bytes that are not a message")
    return checked_sizes(text, raw)


def checked_sizes(text, raw):
    """Return both lengths if they are within the limits."""
    if text > MAX_TEXT:
        raise WireError(f"a message with {text} bytes of text; at most {MAX_TEXT} can be sent")
    if raw > MAX_RAW:
        raise WireError(f"a message with {raw} bytes of arrays; at most {MAX_RAW} can be sent")
    return text, raw


def unpack(text, raw):
    """Read the body of a frame.

    Parameters
    ----------
    text, raw : bytes

    Returns
    -------
    object
        With a `Handle` for every object that stayed behind and a `TensorData` for every tensor.

    Raises
    ------
    WireError
        If it is not what `pack` could have written.
    """
    try:
        return Unpacker(raw).value(json.loads(text), 0)
    except WireError:
        raise
    except RecursionError:
        raise WireError(f"a value nested deeper than {MAX_DEPTH} levels") from None
    except Exception as error:                    # whatever a hostile text makes json or NumPy stumble over
        raise WireError(f"not a message: {type(error).__name__}") from None


def integer(value):
    """Return an int if it is within the limits."""
    if not -(1 << 63) <= value < 1 << 64:
        raise WireError("an int of more than 64 bits cannot be sent")
    return value


class Budget:
    """Counts the values of a frame and their depth."""

    def __init__(self):
        self.nodes = 0

    def spend(self, depth):
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise WireError(f"more than {MAX_NODES} values; use an array")
        if depth > MAX_DEPTH:
            raise WireError(f"a value nested deeper than {MAX_DEPTH} levels")


class Packer(Budget):
    """Turns values into what JSON can hold, and collects the bytes of arrays."""

    def __init__(self, hold):
        super().__init__()
        self.hold, self.raw, self.length = hold, [], 0

    def node(self, value, depth):
        self.spend(depth)
        kind = type(value)                        # exact types: a subclass may be anything
        if value is None or kind in (bool, float, str):
            return value
        if kind is int:
            return integer(value)
        if kind is list:
            return [self.node(item, depth + 1) for item in value]
        if kind is tuple:
            return {"tuple": [self.node(item, depth + 1) for item in value]}
        if kind is dict:
            if len(value) > MAX_DICT:
                raise WireError(f"a dict with {len(value)} entries; at most {MAX_DICT} can be sent")
            return {"dict": [[self.node(k, depth + 1), self.node(v, depth + 1)] for k, v in value.items()]}
        if kind is complex:
            return {"complex": [value.real, value.imag]}
        if kind is np.ndarray:
            return {"array": self.array(value)}
        if isinstance(value, np.generic):
            return {"number": self.array(np.asarray(value))}
        if kind is TensorData:
            return {"tensor": self.array(value.array), "grad": bool(value.requires_grad)}
        if kind is Handle:
            parts = self.node(value.parts, depth + 1)
            return {"handle": value.number, "kind": str(value.kind)[:MAX_NAME], "parts": parts}
        if kind is np.random.Generator:
            return {"generator": generator_state(value)}
        if is_tensor(value):
            return self.node(TensorData(tensor_array(value), value.requires_grad), depth)
        if self.hold is None:
            raise WireError(f"an object of type {kind.__name__} cannot be sent")
        return self.node(self.hold(value), depth)

    def array(self, value):
        """Keep an array's bytes; return its type, shape and place among them."""
        if value.dtype.name not in DTYPES:
            raise WireError(f"an array of {value.dtype} cannot be sent, only numbers and truth values")
        start, self.length = self.length, self.length + value.nbytes
        checked_sizes(0, self.length)             # before a copy of it is made
        self.raw.append(value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes())
        return [value.dtype.name, list(value.shape), start]


class Unpacker(Budget):
    """Turns JSON back into values. Trusts nothing in it."""

    def __init__(self, raw):
        super().__init__()
        self.raw, self.used = raw, 0

    def value(self, node, depth):
        self.spend(depth)
        if type(node) is int:
            return integer(node)
        if type(node) is str:
            return node.encode("utf-8", "replace").decode()     # half a surrogate pair could not be written
        if type(node) is list:
            return [self.value(item, depth + 1) for item in node]
        if type(node) is not dict:
            return node
        if len(node) == 1:
            (kind, content), = node.items()
            if kind == "tuple":
                return tuple(self.value(item, depth + 1) for item in content)
            if kind == "dict":
                return self.mapping(content, depth)
            if kind == "complex":
                return complex(*map(float, content))
            if kind == "array":
                return self.array(content)
            if kind == "number":
                return self.array([content[0], [], content[2]])[()]
            if kind == "generator":
                return generator_from(content)
        elif set(node) == {"tensor", "grad"}:
            return TensorData(self.array(node["tensor"]), node["grad"] is True)
        elif set(node) == {"handle", "kind", "parts"}:
            return self.handle(node["handle"], node["kind"], self.value(node["parts"], depth + 1))
        raise WireError("not a message: unknown kind of value")

    def mapping(self, pairs, depth):
        if len(pairs) > MAX_DICT:
            raise WireError(f"a dict with {len(pairs)} entries; at most {MAX_DICT} can be received")
        return {self.value(key, depth + 1): self.value(value, depth + 1) for key, value in pairs}

    def handle(self, number, kind, parts):
        if type(number) is not int or number < 0 or type(kind) is not str or type(parts) not in (tuple, type(None)):
            raise WireError("not a message: a bad handle")
        return Handle(integer(number), self.value(kind[:MAX_NAME], 0), parts)

    def array(self, content):
        """Make an array that owns its memory from bytes that are all there."""
        name, shape, start = content
        if name not in DTYPES:
            raise WireError("not a message: an array of a type that cannot be sent")
        if type(start) is not int or start < 0 or len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
            raise WireError("not a message: an array of impossible shape")
        count, stored = math.prod(shape), np.dtype("uint8" if name == "bool" else name).newbyteorder("<")
        if start + count * stored.itemsize > len(self.raw):
            raise WireError("not a message: an array longer than its bytes")
        if start != self.used:                    # each byte counts once: many arrays of the same bytes are a bomb
            raise WireError("not a message: arrays that do not follow one another")
        self.used += count * stored.itemsize
        flat = np.frombuffer(self.raw, stored, count, start)
        # A truth value is one byte that may only be 0 or 1; NumPy would believe a 2.
        flat = flat != 0 if name == "bool" else flat.astype(name)
        return flat.reshape(shape)


def generator_state(generator):
    """Write the state of a PCG64 generator as numbers in text, since they have 128 bits."""
    state = generator.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise WireError(f"a generator of kind {state['bit_generator']} cannot be sent, only PCG64")
    return [str(n) for n in (*state["state"].values(), state["has_uint32"], state["uinteger"])]


def generator_from(numbers):
    """Make the generator of a state."""
    state, inc, has_uint32, uinteger = map(int, numbers)
    bits = np.random.PCG64(0)
    bits.state = {"bit_generator": "PCG64", "state": {"state": state, "inc": inc},
                  "has_uint32": has_uint32, "uinteger": uinteger}
    return np.random.Generator(bits)


def replaced(value, other):
    """Put something in the place of a value, or of each value inside a list, tuple or dict.

    Parameters
    ----------
    value : object
    other : callable
        Takes a value that is no container and returns what to put there.

    Returns
    -------
    object
    """
    if type(value) in (list, tuple):
        return type(value)(replaced(item, other) for item in value)
    if type(value) is dict:
        return {key: replaced(item, other) for key, item in value.items()}
    return other(value)


def arrays_in(value):
    """List the arrays and tensors of some arguments, in an order that both processes agree on.

    Parameters
    ----------
    value : object

    Returns
    -------
    list of ndarray, torch.Tensor or TensorData
    """
    found = []

    def look(item):
        if type(item) in (np.ndarray, TensorData) or is_tensor(item):
            found.append(item)

    replaced(value, look)
    return found
