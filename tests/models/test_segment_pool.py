"""Pooling over segments keeps what came first apart from what came later, whatever the length."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.models import mean_pool, segment_pool

pytestmark = pytest.mark.slow


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    segments=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_the_mean_of_the_segments_is_the_mean_and_what_follows_the_end_does_not_count(
    lengths, segments, seed
):
    hidden = torch.randn(len(lengths), 40, 3, generator=torch.Generator().manual_seed(seed))
    pooled = segment_pool(hidden, lengths, segments=segments)
    assert pooled.shape == (len(lengths), segments * 3)
    mask = torch.arange(40) < torch.tensor(lengths)[:, None]
    means = pooled.reshape(len(lengths), segments, 3).mean(1)
    assert torch.allclose(means, mean_pool(hidden, mask), atol=1e-5)
    other = torch.where(mask[..., None], hidden, 1e6)
    assert torch.allclose(segment_pool(other, lengths, segments=segments), pooled, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(whole=st.integers(1, 6), segments=st.integers(1, 6))
def test_segments_of_whole_steps_are_their_plain_means(whole, segments):
    hidden = torch.randn(2, whole * segments, 4)
    plain = hidden.reshape(2, segments, whole, 4).mean(2).flatten(1)
    assert torch.allclose(segment_pool(hidden, segments=segments), plain, atol=1e-5)


def test_backwards_is_another_sound_though_its_mean_is_the_same():
    hidden = torch.arange(12.0).reshape(1, 12, 1)
    assert segment_pool(hidden, segments=3).tolist() == [[1.5, 5.5, 9.5]]
    assert segment_pool(hidden.flip(1), segments=3).tolist() == [[9.5, 5.5, 1.5]]


def test_fewer_steps_than_segments_are_stretched():
    assert segment_pool(torch.tensor([[[1.0], [3.0]]]), segments=4).tolist() == [[1, 1, 3, 3]]
    uneven = segment_pool(torch.tensor([[[1.0], [4.0]]]), segments=3)
    assert torch.allclose(uneven, torch.tensor([[1, 2.5, 4]]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"segments": 0}, "segments=0 should be"),
        ({"segments": 2, "lengths": [3]}, "2 numbers of steps from 1 to 5"),
        ({"segments": 2, "lengths": [3, 6]}, "2 numbers of steps from 1 to 5"),
        ({"segments": 2, "lengths": [0, 5]}, "2 numbers of steps from 1 to 5"),
    ],
)
def test_what_cannot_be_pooled_is_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        segment_pool(torch.zeros(2, 5, 3), **arguments)


def test_another_shape_is_told():
    with pytest.raises(ValueError, match=r"shape \(5, 3\); \(sequences, steps, width\)"):
        segment_pool(torch.zeros(5, 3), segments=2)
