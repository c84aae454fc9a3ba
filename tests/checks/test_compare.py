"""The comparator accepts equal values within tolerance, and says what differs otherwise."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graders.checks import CheckFailed
from graders.checks.compare import same


class AlwaysEqual:
    def __eq__(self, other):
        return True

    __hash__ = None


values = st.recursive(
    st.integers() | st.text() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
def test_a_value_is_the_same_as_itself(value):
    same(value, value, "it")


@pytest.mark.parametrize(
    ("found", "expected", "message"),
    [
        (AlwaysEqual(), 3, "a AlwaysEqual, and a int"),
        (True, 1, "a bool, and a int"),
        (1, 1.0, "a int, and a float"),
        (float("nan"), 1.0, "finite number"),
        (1.1, 1.0, "is 1.1, and 1 was expected"),
        ([1], [1, 2], "has 1 items"),
        ({"a": 1}, {"b": 1}, "has the keys"),
        ({"a": [1, 2]}, {"a": [1, 3]}, r"\['a'\], item 1 is 2, and 3"),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64), "dtype"),
        (torch.zeros(0), torch.zeros(2), "shape"),
        (torch.full((2,), torch.nan), torch.zeros(2), "NaN"),
        (torch.tensor([0.0, 1.0]), torch.zeros(2), "differs in 1 of 2"),
    ],
)
def test_what_differs_is_said(found, expected, message):
    with pytest.raises(CheckFailed, match=message):
        same(found, expected, "it")
