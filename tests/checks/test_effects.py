"""Frozen is told by bytes after training, and a result by the weights that were handed in."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from graders.checks import CheckFailed, evidence
from graders.checks.effects import frozen_by_effect, held_out_accuracy, moved_by


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        OrderedDict(backbone=nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), head=nn.Linear(4, 2))
    )


def trainer(model: nn.Module, training: bool = True, momentum: float = 0.9):
    """One step of a loop with momentum and decay, whose optimizer has every parameter."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=momentum, weight_decay=0.1)

    def step(model):
        model.train()
        model.backbone.train(training)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(2, (8,))).backward()
        optimizer.step()

    return step


def test_what_is_frozen_and_at_rest_is_frozen():
    model = network()
    model.backbone.requires_grad_(False)
    evidence.begin()
    frozen_by_effect(model, trainer(model, training=False), frozen=("backbone",), learns=("head",))
    assert evidence.comparisons_so_far() == 2


@pytest.mark.parametrize(
    ("freeze", "training", "message"),
    [
        (lambda model: None, False, r"weights such as 'backbone.0.weight'"),
        (lambda model: setattr(model.backbone, "requires_grad", False), False, "weights such as"),
        (
            lambda model: model.backbone.requires_grad_(False),
            True,
            "buffers .* such as 'backbone.1.running_mean'",
        ),
        (
            lambda model: model.requires_grad_(False).head.bias.requires_grad_(True),
            False,
            "'head.weight' .* still the same",
        ),
    ],
)
def test_what_only_looks_frozen_is_found(freeze, training, message):
    model = network()
    freeze(model)
    with pytest.raises(CheckFailed, match=message):
        frozen_by_effect(model, trainer(model, training), frozen=("backbone",), learns=("head",))


def test_a_gradient_left_over_is_found_though_every_flag_is_off():
    model = network()
    step = trainer(model, training=False)
    step(model)
    model.backbone.requires_grad_(False)  # the optimizer still has momentum for it

    def stale(model):
        for parameter in model.backbone.parameters():
            parameter.grad = torch.zeros_like(parameter)
        step_without_clearing(model)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)

    def step_without_clearing(model):
        optimizer.step()

    with pytest.raises(CheckFailed, match="weights such as"):
        frozen_by_effect(model, stale, frozen=("backbone",))


def test_bytes_tell_apart_what_compares_equal():
    model = nn.Linear(1, 1)
    model.register_buffer("zero", torch.zeros(1))
    model.register_buffer("lost", torch.full((1,), torch.nan), persistent=False)
    assert moved_by(model, lambda model: None) == frozenset()
    assert moved_by(model, lambda model: model.zero.neg_()) == {"zero"}
    assert moved_by(model, lambda model: model.lost.zero_()) == {"lost"}


def test_parts_that_were_added_or_removed_count_as_moved():
    model = network()
    assert moved_by(model, lambda model: setattr(model, "head", nn.Identity())) == {
        "head.weight",
        "head.bias",
    }


def test_a_prefix_that_fits_nothing_is_the_author_s_mistake():
    with pytest.raises(ValueError, match=r"nothing under \['back'\]"):
        frozen_by_effect(network(), lambda model: None, frozen=("back",))


def separated() -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(100) % 2
    return torch.stack([labels * 2.0 - 1, torch.zeros(100)], 1), labels


GOOD = {"weight": torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), "bias": torch.zeros(2)}


def build() -> nn.Linear:
    return nn.Linear(2, 2)


@pytest.mark.parametrize(
    "weights", [GOOD, OrderedDict(GOOD), {name: nn.Parameter(one) for name, one in GOOD.items()}]
)
def test_weights_that_reach_it_pass(weights):
    evidence.begin()
    assert held_out_accuracy(weights, build, separated(), 0.9) == 1.0
    assert evidence.comparisons_so_far() == 1


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({**GOOD, "weight": -GOOD["weight"]}, "gets 0.0% of 100 held-out examples right, and at least 90.0%"),
        (0.99, "weights are a float, and a dict"),
        ({"weight": GOOD["weight"]}, r"has the keys \['weight'\]"),
        ({**GOOD, "bias": [0.0, 0.0]}, "'bias' is a list"),
        ({**GOOD, "bias": torch.zeros(3)}, r"shape \(3,\), and .* \(2,\)"),
        ({**GOOD, "bias": torch.zeros(2).double()}, "float64"),
        ({**GOOD, "bias": torch.tensor([0.0, torch.nan])}, "NaN"),
    ],
)
def test_weights_that_do_not_are_told_why(weights, message):
    with pytest.raises(CheckFailed, match=message):
        held_out_accuracy(weights, build, separated(), 0.9)


def test_inputs_may_be_a_tuple_or_a_mapping():
    inputs, labels = separated()
    assert held_out_accuracy(GOOD, build, ((inputs,), labels), 0.9) == 1.0
    assert held_out_accuracy(GOOD, build, ({"input": inputs}, labels), 0.9) == 1.0
