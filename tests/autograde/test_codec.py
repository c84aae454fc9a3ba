"""Plain values come back as they were, whatever they are; other objects come back inert; no bytes do harm."""

import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from graders.autograde.codec import Caps, CodecError, Extension, Foreign, decode, encode

NUMPY = scalar_dtypes().filter(
    lambda dtype: dtype.kind in "biufc" and dtype.itemsize <= 16 and dtype.str[1:] != "f16"
)
ARRAYS = NUMPY.flatmap(lambda dtype: arrays(dtype.newbyteorder("<"), array_shapes(min_dims=0, min_side=0)))
TENSORS = ARRAYS.filter(lambda a: a.dtype.kind != "u" or a.dtype.itemsize == 1).map(
    lambda a: torch.from_numpy(np.array(a))
)
KEYS = (
    st.integers() | st.text() | st.binary() | st.booleans() | st.tuples(st.integers(), st.text()) | st.none()
)
LEAVES = (
    KEYS | st.floats() | st.complex_numbers() | ARRAYS | TENSORS | st.sets(KEYS) | st.frozensets(KEYS)
    | st.builds(slice, st.integers() | st.none(), st.integers())
    | st.builds(range, st.integers(), st.integers())
    | st.sampled_from([torch.float32, torch.int64, torch.Size((2, 0))])
    | NUMPY.map(lambda dtype: dtype.type(1))
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner) | st.lists(inner).map(tuple),
    max_leaves=12,
)


def alike(one, other) -> bool:
    """Equal in type, and in every bit of the values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and alike(one.numpy(), other.numpy())
    if isinstance(one, (np.ndarray, np.generic)):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(alike, one.values(), other.values()))
    if isinstance(one, float):
        return (
            one == other and math.copysign(1, one) == math.copysign(1, other) or one != one and other != other
        )
    return repr(one) == repr(other) if isinstance(one, complex) else one == other


@settings(deadline=None)
@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    assert alike(decode(encode(value)), value)


@settings(deadline=None, max_examples=400)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_a_value_or_are_refused(data):
    try:
        value = decode(data)
    except CodecError:
        return
    encode(value)


@settings(deadline=None, max_examples=300)
@given(VALUES, st.data())
def test_damaged_bytes_are_a_value_or_are_refused(value, data):
    whole = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(1, len(whole))) :]
    try:
        decode(bytes(whole))
    except CodecError:
        return


class AlwaysEqual(int):
    def __eq__(self, other):
        return True

    __hash__ = None


class Tensorish(torch.Tensor):
    pass


@pytest.mark.parametrize(
    "thing",
    [AlwaysEqual(3), type("Text", (str,), {})("a"), type("Dict", (dict,), {})(), lambda: 3, int, math,
     object(),
     torch.zeros(2).as_subclass(Tensorish), np.array(["a"]), np.array([object()]), torch.zeros(2).to_sparse(),
     np.ma.masked_array([1]), torch.nn.Linear(1, 1)],
    ids=lambda thing: type(thing).__name__,
)  # fmt: skip
def test_whatever_is_not_a_plain_value_arrives_inert_with_its_name(thing):
    found = decode(encode([thing]))[0]
    assert isinstance(found, Foreign)
    assert type(found).__name__ == type(thing).__name__
    assert found != thing and found != found
    assert not hasattr(found, "__dict__")


def test_a_type_with_an_odd_name_can_say_nothing():
    odd = type("<script>alert('right answer')</script>" * 9, (), {})()
    name = type(decode(encode(odd))).__name__
    assert name.isidentifier() and len(name) <= 40


def test_what_the_two_ends_agree_on_is_asked_of_them():
    sent = encode([object()], lambda thing: Extension("thing", 7))
    assert decode(sent, lambda kind, payload: (kind, payload)) == [("thing", 7)]
    with pytest.raises(CodecError, match="plain values"):
        decode(sent)


def nested(depth: int) -> list:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    ("value", "message"),
    [(nested(100), "deep"), ([0] * 20, "elements"), ("a" * 2000, "MiB"), (10**60_000, "digits"),
     (torch.zeros(1).expand(10**9), "MiB"), (np.broadcast_to(np.zeros(1), 10**9), "MiB")],
    ids=["deep", "many", "large", "digits", "tensor", "array"],
)  # fmt: skip
def test_what_is_too_large_is_not_sent(value, message):
    small = Caps(frame_bytes=1000, elements=10 if message == "elements" else 1000)
    with pytest.raises(CodecError, match=message):
        encode(value, caps=small)


@pytest.mark.parametrize(
    "data",
    [
        b"l\xff\xff\xff\xff",
        b"s\xff\xff\xff\xff",
        b"l\x01\0\0\0" * 10_000,
        b"x" + b"\7\0\0\0float32\0\2" + b"\xff" * 16 + b"\0" * 4,
        b"a" + b"\3\0\0\0<f8\2" + b"\0" * 8 + b"\xff" * 8 + b"\0" * 4,
    ],
    ids=["length", "text", "depth", "shape", "empty-but-wide"],
)
def test_a_claimed_size_is_not_believed(data):
    with pytest.raises(CodecError):
        decode(data)


def test_keys_made_to_collide_do_not_take_quadratic_time():
    count = 50_000
    keys = b"".join(encode(number * (2**61 - 1)) for number in range(count))
    start = time.process_time()
    with pytest.raises(CodecError, match="same hash"):
        decode(b"S" + count.to_bytes(4, "little") + keys)
    assert time.process_time() - start < 5
