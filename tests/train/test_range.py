"""A range test finds a rate that trains, and leaves no trace."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tests.train.conftest import examples
from tlwidgets.core import FreezePlan, apply_plan
from tlwidgets.figures.range_test import range_test_picture
from tlwidgets.train import RangeTest, TaskData, fit, lr_range_test

DATA = TaskData(examples(96, 1), examples(64, 2), examples(64, 3))


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))


@pytest.mark.parametrize("preset", ["feature-extraction", "full"])
def test_everything_is_put_back_to_the_same_bits(preset):
    model = net().eval()
    model(DATA.train[0]).sum().backward()
    apply_plan(model, FreezePlan.preset(model, "full").with_policy("0", "frozen"))
    state = {
        name: (
            weight.grad if weight.grad is None else weight.grad.clone(),
            weight.requires_grad,
            weight.data_ptr(),
        )
        for name, weight in model.named_parameters()
    }
    hooks = [list(module._forward_pre_hooks) for module in model.modules()]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    lr_range_test(model, FreezePlan.preset(model, preset), DATA)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module.training for module in model.modules())
    assert hooks == [list(module._forward_pre_hooks) for module in model.modules()]
    for name, weight in model.named_parameters():
        gradient, learns, place = state[name]
        assert (weight.requires_grad, weight.data_ptr()) == (learns, place)
        assert (weight.grad is None) if gradient is None else torch.equal(weight.grad, gradient)


def test_rates_grow_by_a_factor_over_the_whole_range():
    result = lr_range_test(net(), None, DATA, low=1e-5, high=1e-1, steps=40)
    assert len(result.rates) == len(result.losses) == len(result.smooth) == 40
    assert result.rates[0] == 1e-5 and result.rates[-1] == pytest.approx(1e-1)
    factors = [after / before for before, after in zip(result.rates, result.rates[1:], strict=False)]
    assert factors == pytest.approx([factors[0]] * 39)


def test_the_suggested_rate_trains_better_than_the_ends_of_the_range():
    suggestion = lr_range_test(net(), None, DATA).suggestion

    def loss(rate):
        return fit(net(), None, DATA, epochs=3, lr=rate, schedule="constant", warmup=0).curves.valid_loss[-1]

    assert 1e-4 < suggestion < 0.5
    assert loss(suggestion) < loss(1e-6)


def test_it_ends_when_the_loss_explodes():
    result = lr_range_test(net(), None, DATA, high=1e6, steps=200, optimizer="sgd")
    assert len(result.rates) < 200
    assert all(map(math.isfinite, result.smooth))


def test_where_nothing_falls_it_says_so():
    result = lr_range_test(net(), None, DATA, low=1e-12, high=1e-11, steps=12)
    assert "never fell clearly" in result.words or result.suggestion < 1e-10


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"low": 0.1, "high": 0.01}, "The range goes from 0.1 to 0.01. Expected two numbers above 0"),
        ({"low": 0}, "The range goes from 0"),
        ({"steps": 3}, "steps is 3. Expected a whole number of at least 10"),
    ],
)
def test_a_range_that_is_none_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        lr_range_test(net(), None, DATA, **options)


def test_the_picture_says_what_it_shows():
    shown = range_test_picture(lr_range_test(net(), None, DATA))
    assert "a learning rate that grows from 1e-06 to" in shown.alt
    assert "falls fastest at a rate of" in shown.alt
    with pytest.raises(ValueError, match="has no step to draw"):
        range_test_picture(RangeTest((), (), (), 1e-6, ""))
