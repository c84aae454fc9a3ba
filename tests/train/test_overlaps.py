"""Two parameters over one memory are frozen together or not at all."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.train.conftest import examples
from tlwidgets.core import FreezePlan, apply_plan
from tlwidgets.train import Control, Stepped, TrainingError, fit
from tlwidgets.train.overlaps import overlapping_weights

DATA = examples(16, 1)


@st.composite
def views(draw):
    """Two views of a square of 36 numbers."""

    def one():
        rows, columns = draw(st.integers(0, 4)), draw(st.integers(0, 4))
        height, width = draw(st.integers(1, 6 - rows)), draw(st.integers(1, 6 - columns))
        step = draw(st.integers(1, 2))
        return lambda square: square[rows : rows + height : step, columns : columns + width]

    first, second = one(), one()
    return first, (lambda square: second(square).t()) if draw(st.booleans()) else second


@given(views())
def test_parameters_overlap_where_writing_to_one_changes_the_other(pair):
    square = torch.zeros(6, 6)
    model = nn.ParameterList([nn.Parameter(view(square)) for view in pair])
    with torch.no_grad():
        model[0].fill_(1.0)
        assert bool(overlapping_weights(model)) == bool(model[1].any())


def shared() -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    model[2].weight.data = model[0].weight.data
    return model


def plans(model):
    full = FreezePlan.preset(model, "full")
    return full, full.with_policy("0", "frozen"), full.with_policy("0", "frozen").with_policy("2", "frozen")


def test_one_frozen_and_one_trained_is_refused_before_the_first_step():
    model = shared()
    full, half, frozen = plans(model)
    sentence = "`0.weight` is frozen and `2.weight` is trained, but they share their memory"
    before = model[0].weight.clone()
    with pytest.raises(ValueError, match=sentence):
        fit(model, half, DATA, epochs=2)
    with pytest.raises(ValueError, match=sentence):
        fit(model, full, DATA, epochs=2, unfreeze={2: half})
    fit(model, frozen, DATA, epochs=2)
    assert torch.equal(model[0].weight, before)
    run = fit(model, full, DATA, epochs=2)
    assert "`0.weight` and `2.weight` share their memory" in run.notes[0]
    assert not torch.equal(model[0].weight, before)


def test_a_click_that_freezes_one_ends_the_run_before_the_next_step():
    model = shared()
    full, half, _ = plans(model)
    control, seen = Control(), []

    def click(event):
        if isinstance(event, Stepped):
            seen.append(model[0].weight.clone())
            control.enqueue(lambda: apply_plan(model, half))

    with pytest.raises(TrainingError, match="share their memory"):
        fit(model, full, DATA, epochs=2, control=control, on_event=click)
    assert len(seen) == 1 and torch.equal(seen[0], model[0].weight)


def test_tied_weights_and_the_parts_of_one_buffer_are_none():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    assert not overlapping_weights(model) and not overlapping_weights(nn.LSTM(4, 4))
    flat = torch.zeros(32)
    assert not overlapping_weights(nn.ParameterList([nn.Parameter(flat[:16]), nn.Parameter(flat[16:])]))
