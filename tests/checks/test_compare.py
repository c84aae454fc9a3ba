"""The comparator accepts equal values within tolerance, trusts no foreign object, and says what differs."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from graders.checks import CheckFailed, evidence
from graders.checks.compare import difference, same


class AlwaysEqual:
    def __eq__(self, other):
        return True

    __hash__ = None


class Liar:
    """Says that it is an int, and that it equals everything."""

    __class__ = int

    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("a")

    def __repr__(self):
        raise RuntimeError("nobody should ask")


class Grudge(type):
    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return hash(int)

    @property
    def __name__(cls):
        raise RuntimeError("nobody should ask")


class Foreign(metaclass=Grudge):
    pass


class MyFloat(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class MyTensor(Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.tensor(True)


class MyList(list):
    def __len__(self):
        return 1


def shadowed() -> Tensor:
    tensor = torch.zeros(2)
    tensor.detach = lambda: torch.ones(2)
    return tensor


def cyclic() -> list:
    loop: list = [1]
    loop.append({"self": loop})
    return loop


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


ODD = (
    AlwaysEqual(), Liar(), Foreign(), MyFloat(1.0), torch.ones(2).as_subclass(MyTensor), MyList([1, 2]),
    shadowed(),
    cyclic(), nested(5_000), 10**6_000, "x" * 100_000, "\x1b[31m\ud800", {Liar(): 1}, {Liar(), "a"},
    [Liar()] * 1_000,
    {(Liar(),): 1}, np.array([Liar(), None], dtype=object), np.zeros(2, dtype="f4,i8"), np.array(["a"]),
    np.void(b"12"),
    np.datetime64("NaT"), np.ma.masked_array([1.0], [True]), torch.empty(2, device="meta"),
    torch.ones(2).to_sparse(),
    torch.full((2, 2), torch.nan), torch.ones(2, dtype=torch.float8_e4m3fn), torch.ones(2) + 1j,
    nn.Parameter(torch.ones(2)),
    torch.nested.nested_tensor([torch.ones(1), torch.ones(2)], layout=torch.jagged), type, NotImplemented,
    lambda: 1,
    complex("nan"), float("inf"), range(3), b"\x00", frozenset({1}), (), torch.float32,
)  # fmt: skip

numbers = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False)
plain = st.none() | numbers | st.text() | st.binary()
keys = st.integers() | st.text() | st.booleans() | st.tuples(st.integers(), st.text())
shapes = st.lists(st.integers(0, 3), max_size=3)
dtypes = st.sampled_from(
    [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.complex64]
)
tensors = st.builds(
    lambda shape, dtype, seed: torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype),
    shapes, dtypes, st.integers(0, 99),
)  # fmt: skip
arrays = tensors.filter(lambda tensor: tensor.dtype is not torch.bfloat16).map(lambda tensor: tensor.numpy())
values = st.recursive(
    plain | tensors | arrays | st.builds(np.float32, st.floats(-9, 9)) | st.builds(np.int16,
    st.integers(-9, 9)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4) | st.tuples(inner, inner)
        | st.sets(keys, max_size=4) | st.frozensets(keys, max_size=4)
    ),
    max_leaves=8,
)  # fmt: skip


@given(values)
def test_a_value_is_the_same_as_itself_and_as_a_copy(value):
    same(value, value, "it")
    same(copy.deepcopy(value), value, "it")


@given(values, values | st.sampled_from(ODD))
def test_whatever_is_found_nothing_but_a_short_sentence_is_raised(expected, found):
    for one in (found, [found], {"a": found}, (found, {1: [found]})):
        message = difference(one, [expected] if type(one) is list else expected, "it" * 500)
        assert len(message) <= 700
        assert message.isprintable()


@pytest.mark.parametrize("expected", [1, 1.0, "a", [1, 2], {"a": 1}, {"a"}, torch.ones(2), np.ones(2), None])
@pytest.mark.parametrize("place", range(len(ODD)))
def test_no_odd_object_is_taken_for_an_answer(place, expected):
    found = ODD[place]
    fine = type(found) is nn.Parameter and type(expected) is Tensor
    assert bool(difference(found, expected, "it")) is not fine


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.floats(-1e3, 1e3),
    st.sampled_from([1e-3, -1e-3, float("nan"), float("inf")]),
    st.data(),
)
def test_one_changed_number_is_found_and_named(shape, centre, change, data):
    expected = centre + torch.randn(shape, dtype=torch.float64)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    found = expected.clone()
    found[place] += change * max(1.0, float(expected[place].abs()))
    for one, other in ((found, expected), (found.numpy(), expected.numpy())):
        message = difference(one, other, "it", rtol=1e-5, atol=1e-5)
        assert str(list(place)) in message or expected.numel() == 1 and message
    lists = [tensor.flatten().tolist() for tensor in (found, expected)]
    assert "item " in difference(*lists, "it", rtol=1e-5, atol=1e-5)


@given(tensors.filter(lambda tensor: tensor.numel() and not tensor.is_floating_point()), st.data())
def test_whole_numbers_have_no_tolerance(expected, data):
    if expected.is_complex():
        return
    place = data.draw(st.integers(0, expected.numel() - 1))
    found = expected.clone().flatten()
    found[place] = ~found[place] if found.dtype is torch.bool else found[place] + 1
    assert difference(found.reshape(expected.shape), expected, "it", rtol=1.0, atol=10.0)


@settings(max_examples=50)
@given(st.floats(-1e6, 1e6))
def test_a_number_within_tolerance_is_accepted(value):
    for one, other in (
        (value * (1 + 9e-6), value),
        (torch.tensor(value).double() * (1 - 9e-6), torch.tensor(value).double()),
    ):
        assert difference(one, other, "it") == ""


DIFFERENCES = (
        (AlwaysEqual(), 3, "an AlwaysEqual, and an int"),
        (Liar(), 3, "a Liar, and an int"),
        (MyFloat(1.0), 1.0, "a MyFloat, and a float"),
        (True, 1, "a bool, and an int"),
        (1, 1.0, "an int, and a float"),
        (np.float64(1.0), 1.0, "a float64, and a float"),
        (float("nan"), 1.0, "is nan, and a finite number"),
        (float("nan"), float("nan"), "is nan"),
        (1.1, 1.0, "is 1.1, and 1 was expected"),
            ([1], [1, 2], "has 1 items"),
        ({"a": 1}, {"b": 1}, "has the keys"),
        ({True: 1}, {1: 1}, r"keys \[True\], and \[1\]"),
        ({"a": [1, 2]}, {"a": [1, 3]}, r"\['a'\], item 1 is 2, and 3"),
        ({1, 2}, {1, 3}, r"lacks \[3\]"),
        ({1, 2}, {1}, r"has \[2\], which was not expected"),
        ({1}, {True}, r"lacks \[True\]"),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64), "dtype"),
        (torch.zeros(0), torch.zeros(2), "shape .* no values at all"),
        (torch.zeros(0, 3), torch.zeros(2, 3), "shape .* no values at all"),
        (torch.full((2,), torch.nan), torch.zeros(2), "NaN or infinite values .2 of 2"),
        (torch.tensor([torch.inf]), torch.tensor([-torch.inf]), "NaN or infinite"),
        (torch.tensor([0.0, 1.0]), torch.zeros(2),
        r"differs in 1 of 2 values, by up to 1. The first is \[1\]"),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), r"\[1\]: 2, and 3"),
        (torch.tensor([True]), torch.tensor([False]), "is True, and False"),
        (np.zeros((2, 1)), np.zeros((1, 2)), "shape"),
        (np.zeros(2, "f4"), np.zeros(2), "dtype float32"),
        (np.array(["a", "b"]), np.array(["a", "c"]), r"\[1\]: 'b', and 'c'"),
        (torch.zeros(2), np.zeros(2), "a Tensor, and a ndarray"),
        (torch.empty(2, device="meta"), torch.zeros(2), "meta device"),
)  # fmt: skip


@pytest.mark.parametrize("place", range(len(DIFFERENCES)))
def test_what_differs_is_said(place):
    found, expected, message = DIFFERENCES[place]
    with pytest.raises(CheckFailed, match=message):
        same(found, expected, "it")


def test_two_numbers_are_written_with_as_many_digits_as_tell_them_apart():
    assert "is 1.0000001, and 1.0 was" in difference(1.0000001, 1.0, "it", rtol=1e-9, atol=0.0)


def test_nan_is_accepted_only_where_it_is_allowed_and_expected():
    for value in (float("nan"), torch.tensor([1.0, torch.nan]), np.array([np.nan]), [complex("nan")]):
        assert difference(value, value, "it")
        same(value, copy.deepcopy(value), "it", allow_nan=True)
    assert difference(torch.tensor([torch.nan]), torch.tensor([1.0]), "it", allow_nan=True)
    assert difference(torch.tensor([1.0]), torch.tensor([torch.nan]), "it", allow_nan=True)


def test_an_infinity_is_accepted_where_the_same_one_was_expected():
    mask = torch.tensor([0.0, -torch.inf])
    same(mask.clone(), mask, "it")
    assert difference(torch.tensor([0.0, -1e30]), mask, "it")


def test_gradients_parameters_and_the_order_of_keys_do_not_count():
    same(torch.ones(2, requires_grad=True), torch.ones(2), "it")
    same(nn.Parameter(torch.ones(2)), torch.ones(2), "it")
    same({"a": 1, "b": 2}, {"b": 2, "a": 1}, "it")


def test_what_contains_itself_can_be_compared():
    same(cyclic(), cyclic(), "it")
    other = cyclic()
    other[0] = 2
    assert difference(other, cyclic(), "it")


def test_an_author_who_expects_what_can_t_be_compared_is_told():
    for expected in (AlwaysEqual(), object(), MyTensor, np.ma.masked_array([1.0])):
        with pytest.raises(TypeError, match="cannot be compared"):
            same(expected, expected, "it")


def test_each_comparison_that_holds_is_counted_once():
    evidence.begin()
    same([1, [2.0, torch.ones(2)]], [1, [2.0, torch.ones(2)]], "it")
    same(1, 1, "it")
    with pytest.raises(CheckFailed):
        same([1, 2], [1, 3], "it")
    assert difference(1, 1, "it") == ""
    assert evidence.comparisons_so_far() == 2
    evidence.begin()
    assert evidence.comparisons_so_far() == 0
