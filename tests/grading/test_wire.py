"""Plain data gets through as it was; nothing else gets through."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from dlcourse.checks.answers import DTYPES, TensorData
from dlcourse.grading import wire
from dlcourse.grading.wire import HEADER, MARK, Handle, WireError, arrays_in, body_sizes, pack, unpack

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")) | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text("abc"), inner), max_leaves=20)


def split(frame):
    text, raw = body_sizes(frame[:HEADER.size])
    assert len(frame) == HEADER.size + text + raw
    return frame[HEADER.size:HEADER.size + text], frame[HEADER.size + text:]


def through(value, hold=None):
    return unpack(*split(pack(value, hold)))


@given(PLAIN)
def test_plain_values_come_back(value):
    back = through(value)
    assert back == value
    assert type(back) is type(value)


@given(st.sampled_from(sorted(DTYPES)).flatmap(lambda name: arrays(name, array_shapes(min_dims=0, min_side=0))))
def test_arrays_come_back(array):
    back = through([array])[0]
    assert type(back) is np.ndarray
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    back[...] = 0                                 # its memory is its own


@pytest.mark.parametrize("array", [
    np.arange(12.0).reshape(3, 4).T, np.arange(12)[::-2], np.asfortranarray(np.eye(3)), np.arange(3, dtype=">i4"),
    np.broadcast_to(1.5, (2, 3)), np.array([np.nan, np.inf, -0.0]),
])
def test_arrays_of_any_layout_come_back(array):
    np.testing.assert_array_equal(through(array), array)


def test_numpy_numbers_keep_their_type():
    values = [np.float32(0.1), np.int8(-3), np.bool_(True), np.complex64(1j)]
    assert [(type(v), v) for v in through(values)] == [(type(v), v) for v in values]


def test_a_generator_draws_the_same_numbers_on_the_other_side():
    rng = np.random.default_rng(3)
    rng.integers(10, dtype=np.uint32)             # leaves half a number in its store
    there = through({"rng": rng})["rng"]
    assert there.integers(10, size=5, dtype=np.uint32).tolist() == rng.integers(10, size=5, dtype=np.uint32).tolist()
    assert there.normal() == rng.normal()


def test_tensors_travel_as_arrays():
    torch = pytest.importorskip("torch")
    back = through(torch.ones(2, 3, requires_grad=True))
    assert type(back) is TensorData
    assert back.requires_grad
    np.testing.assert_array_equal(back.array, np.ones((2, 3), np.float32))


class Subclass(np.ndarray):
    pass


@pytest.mark.parametrize("value", [
    object(), len, type, b"bytes", {1, 2}, range(3), slice(1), np.zeros(2).view(Subclass), np.dtype(float),
    type("Int", (int,), {})(3), type("List", (list,), {})([1]), type("Str", (str,), {})("x"),
])
def test_other_objects_stay_and_a_handle_travels(value):
    with pytest.raises(WireError, match="cannot be sent"):
        pack(value)
    held = []

    def hold(thing):
        held.append(thing)
        return Handle(0, type(thing).__name__)

    assert through([value], hold) == [Handle(0, type(value).__name__)]
    assert held[0] is value


@pytest.mark.parametrize(("value", "message"), [
    (np.array([None]), "array of object"),
    (np.array(["text"]), "array of <U4"),
    (np.zeros(2, np.longdouble), "cannot be sent"),
    (np.zeros(2, [("a", int)]), "cannot be sent"),
    (1 << 64, "64 bits"),
    ([0] * (wire.MAX_NODES + 1), "use an array"),
    (dict.fromkeys(range(wire.MAX_DICT + 1)), "entries"),
    (np.broadcast_to(0.0, (wire.MAX_RAW,)), "bytes of arrays"),
    ("x" * (wire.MAX_TEXT + 1), "bytes of text"),
    (np.random.Generator(np.random.MT19937(0)), "only PCG64"),
])
def test_what_cannot_be_sent_is_named(value, message):
    with pytest.raises(WireError, match=message):
        pack(value)


def test_depth_is_limited_in_both_directions():
    value = []
    for _ in range(wire.MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(WireError, match="deeper than 20"):
        pack(value)
    with pytest.raises(WireError, match="deeper than 20"):
        unpack(json.dumps(value).encode(), b"")
    with pytest.raises(WireError, match="deeper than 20"):
        unpack(b"[" * 500_000, b"")


@pytest.mark.parametrize("header", [
    HEADER.pack(MARK, wire.MAX_TEXT + 1, 0), HEADER.pack(MARK, 0, wire.MAX_RAW + 1), HEADER.pack(b"\0\0\0\0", 1, 1),
])
def test_a_header_is_believed_within_limits_only(header):
    with pytest.raises(WireError):
        body_sizes(header)


def test_a_handle_travels_with_what_is_in_it():
    for handle in (Handle(1, "x"), Handle(2, "Pair", ()), Handle(3, "Pair", (1, [Handle(4, "Inner", ("a",))]))):
        assert through(handle) == handle
    with pytest.raises(WireError, match="deeper than 20"):
        pack(object(), lambda thing: Handle(0, "x", (object(),)))


def array(name="float64", shape=(1,), start=0):
    return json.dumps({"array": [name, list(shape), start]}).encode()


@pytest.mark.parametrize(("text", "raw"), [
    (b"", b""), (b"{", b""), (b"\xff", b""), (b"nul", b""), (b"1" * 10_000, b""),
    (b'{"unknown": 1}', b""), (b'{"tuple": 5}', b""), (b'{"dict": [[1]]}', b""), (b'{"dict": [[[1], 2]]}', b""),
    (b'{"dict": {"a": 1}}', b""), (b'{"complex": ["a", 1]}', b""), (b'{"complex": [1, 2, 3]}', b""), (b"{}", b""),
    (b'{"handle": -1, "kind": "x", "parts": null}', b""), (b'{"handle": true, "kind": "x", "parts": null}', b""),
    (b'{"handle": 1, "kind": 2, "parts": null}', b""), (b'{"handle": 1, "kind": "x"}', b""),
    (b'{"handle": 1, "kind": "x", "parts": [1]}', b""), (b'{"handle": 1, "kind": "x", "parts": {"dict": []}}', b""),
    (b'{"generator": ["x", "1", "0", "0"]}', b""), (b'{"generator": []}', b""), (b'{"tensor": 1, "grad": 1}', b""),
    (b'{"array": 1}', b""), (b'{"array": []}', b""), (b'{"number": ["float64", [], 0]}', b""),
    (array(), b""), (array(shape=(-1,)), b"x" * 8), (array(shape=(1 << 70,)), b"x" * 8), (array(start=-8), b"x" * 8),
    (array(start=1), b"x" * 8), (array(start=1.5), b"x" * 16), (array(shape=(True,)), b"x" * 8),
    (array(shape=(1.0,)), b"x" * 8), (array(shape=(0, 1 << 62, 1 << 62)), b""), (array(shape=(1,) * 100), b"x" * 8),
    (array("object"), b"x" * 8), (array("O"), b"x" * 8), (array("U1"), b"x" * 8), (array("float128"), b"x" * 16),
    (array("f8"), b"x" * 8), (array([["a", "f8"]]), b"x" * 8), (array("datetime64"), b"x" * 8),
])
def test_a_forged_message_is_an_error(text, raw):
    with pytest.raises(WireError):
        unpack(text, raw)


@pytest.mark.parametrize("starts", [(0, 0), (8, 0), (0, 16)])
def test_arrays_share_no_bytes_and_leave_none_out(starts):
    nodes = b",".join(array(start=start) for start in starts)
    with pytest.raises(WireError, match="follow one another"):
        unpack(b"[" + nodes + b"]", b"x" * 24)


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_noise_is_an_error_or_plain_data(text, raw):
    try:
        value = unpack(text, raw)
    except WireError:
        return
    pack(value)                                   # what got through can travel again


def test_truth_values_are_zero_or_one():
    forged = unpack(array("bool", (3,)), b"\0\1\2")
    assert forged.view(np.uint8).tolist() == [0, 1, 1]


def test_text_that_cannot_be_written_is_mended():
    unpack(rb'"\ud800"', b"").encode("utf-8")
    assert through("\ud800") == "?"


def test_both_sides_agree_on_the_order_of_arrays():
    a, b, c = np.zeros(1), np.zeros(2), np.zeros(3)
    value = [[a, {"x": (b, 1)}], {"k": c}]
    assert [array.size for array in arrays_in(value)] == [1, 2, 3]
    assert [array.size for array in arrays_in(through(value))] == [1, 2, 3]
