"""Numbers that are no longer finite never reach a weight, and the sentence names what they came from."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.train.conftest import examples
from tlwidgets.core import FreezePlan
from tlwidgets.train import Control, Stepped, TaskData, TrainingError, fit

X, Y = examples(32, 1)


class Root(nn.Module):
    """The square root: at 0 its value is finite, and its gradient is not."""

    def forward(self, x):
        return (x * (x > 0)).sqrt()


def make_model(below: nn.Module | None = None) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 6),
        nn.BatchNorm1d(6),
        below or nn.ReLU(),
        nn.Linear(6, 6),
        nn.Dropout(0.1),
        nn.Linear(6, 2),
    )


def fails(model, data=(X, Y), **options):
    """The error of a training, after which the model is as it was before the step that failed."""
    before = {}

    def look(event):
        if isinstance(event, Stepped):
            before.update({name: tensor.clone() for name, tensor in model.state_dict().items()})

    before.update({name: tensor.clone() for name, tensor in model.state_dict().items()})
    options = {"batch_size": 8, "cache": False, **options}
    with pytest.raises(TrainingError) as caught:
        fit(model, None, data, on_event=look, **options)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor.nan_to_num(nan=-7), before[name].nan_to_num(nan=-7)), name
    assert all(weight.grad is None for weight in model.parameters())
    assert caught.value.run.status == "failed" and caught.value.run.message == str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_gradient_that_is_not_finite_stops_the_run_before_the_step(accumulate):
    message = fails(make_model(Root()), accumulate=accumulate)
    assert "The loss of step 1 is finite, but the gradient of `1.bias`" in message
    assert "(and of 3 weights before it)" in message
    assert "learning rate" not in message


def test_the_example_it_comes_from_is_named():
    class Distance(nn.Module):
        """How far a point is from a place, which one example hits."""

        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.place, self.head = nn.Parameter(X[19].clone()), nn.Linear(5, 2)

        def forward(self, x):
            return self.head(torch.cat([x, ((x - self.place) ** 2).sum(1, keepdim=True).sqrt()], 1))

    message = fails(Distance(), lr=1e-12, weight_decay=0)
    assert "the gradient of `place`" in message
    assert "Training example 19 (counted from 0)" in message


def test_a_loss_that_is_not_finite_names_example_and_layer_and_blames_no_rate_before_a_step():
    class Odd(nn.Linear):
        def forward(self, x):
            return super().forward(x) / (x[:, :1] != X[7, 0])

    message = fails(Odd(4, 2), batch_size=32)
    assert "Training example 7 (counted from 0)" in message and "learning rate" not in message
    inputs = X.clone()
    inputs[3] = 1e30
    message = fails(nn.Sequential(nn.Linear(4, 4), Square(), nn.Linear(4, 2)), (inputs, Y), batch_size=32)
    assert "The loss became nan at step 1. It began in the output of 1. Training example 3 " in message
    assert "learning rate" not in message


class Square(nn.Module):
    def forward(self, x):
        return x * x


def test_a_rate_that_is_too_high_is_still_named():
    model = nn.Sequential(nn.Linear(4, 4), Square(), nn.Linear(4, 1))
    message = fails(model, (X, X.sum(1)), optimizer="sgd", lr=1e3, schedule="constant", warmup=0, epochs=9)
    assert "try a tenth of 1000" in message


@pytest.mark.parametrize("what", [nn.Module.half, lambda model: model[5].half()])
def test_weights_in_half_precision_are_not_trained(what):
    model = make_model()
    what(model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"is float16, in which weights cannot be trained.*model.float\(\)"):
        fit(model, FreezePlan.preset(model, "feature-extraction"), (X.half(), Y))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_click_that_thaws_half_precision_ends_the_run_with_a_sentence():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    plan = FreezePlan.preset(model, "feature-extraction")
    control = Control()

    class Mixed(nn.Linear):
        def forward(self, x):
            return F.linear(x, self.weight.float(), self.bias.float())

    model[0] = Mixed(4, 4).half()

    def click(event):
        if isinstance(event, Stepped) and event.step == 2:
            control.enqueue(lambda: model.requires_grad_(True))

    with pytest.raises(TrainingError, match="`0.weight` is float16") as caught:
        fit(model, plan, (X, Y), batch_size=8, control=control, on_event=click)
    assert caught.value.run.steps == 2


def test_clipped_gradients_make_smaller_steps_and_large_ones_the_same():
    def moved(most):
        model = make_model()
        before = torch.cat([weight.detach().flatten() for weight in model.parameters()])
        options = {"optimizer": torch.optim.SGD, "lr": 1.0, "schedule": "constant"}
        run = fit(model, None, (X, Y), epochs=1, batch_size=32, warmup=0, max_grad_norm=most, **options)
        assert ("max_grad_norm" in run.config) is (most is not None)
        return float((torch.cat([w.detach().flatten() for w in model.parameters()]) - before).norm())

    assert moved(1e-3) == pytest.approx(1e-3, rel=1e-2)
    assert moved(1e3) == moved(None)


# -- a finished run is never lost ----------------------------------------------------------------------------


class Fragile(nn.Linear):
    """Fails on examples that start with a large number."""

    def forward(self, x):
        if bool((x[:, 0] > 50).any()):
            raise RuntimeError("the kernel gave up")
        return super().forward(x)


def late(part):
    """Data whose last example makes the model fail, where the look before the first step does not get to."""
    inputs = torch.cat([part[0], torch.full((1, 4), 99.0)])
    return inputs, torch.cat([part[1], torch.tensor([0])])


def test_a_test_part_that_fails_costs_only_the_test_accuracy():
    run = fit(Fragile(4, 2), None, TaskData((X, Y), None, late((X, Y))), epochs=2)
    assert run.status == "finished" and run.test_accuracy is None
    assert "The test accuracy could not be measured" in run.notes[-1]
    assert "the kernel gave up" in run.notes[-1]


def test_a_source_that_fails_later_is_noted_and_training_goes_on():
    calls = []

    def source(model):
        calls.append(1)
        if len(calls) == 2:
            raise KeyError("lost")
        return 0.5

    run = fit(Fragile(4, 2), None, (X, Y), epochs=2, source=source)
    assert run.curves.source_accuracy[::2] == [0.5, 0.5] and math.isnan(run.curves.source_accuracy[1])
    assert "The source task could not be measured after step 2 (KeyError" in run.notes[-1]


def test_a_validation_part_that_fails_hands_the_run_over():
    with pytest.raises(
        TrainingError, match="could not be measured after epoch 1 .*the kernel gave up"
    ) as caught:
        fit(Fragile(4, 2), None, TaskData((X, Y), late((X, Y))), epochs=2)
    assert caught.value.run.steps == 2
