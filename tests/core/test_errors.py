"""Bad input gets a sentence, and changes nothing."""

import pytest
import torch
from torch import nn
from zoo import ZOO, make

from tlwidgets.core import (
    FreezeError,
    FreezePlan,
    ModelTree,
    NoParametersError,
    NothingTrainableError,
    OptimizerError,
    StructureChangedError,
    UnknownGroupError,
    apply_plan,
    parameter_groups,
)


@pytest.fixture
def model():
    return make(ZOO["bert"])


def state_of(model):
    return [
        (
            name,
            module.training,
            len(module._forward_pre_hooks),
            [p.requires_grad for p in module.parameters()],
        )
        for name, module in model.named_modules()
    ]


def test_not_a_module_and_no_parameters():
    with pytest.raises(TypeError, match="this is a str"):
        ModelTree.of("bert-base-uncased")
    with pytest.raises(NoParametersError, match="has no parameters"):
        ModelTree.of(nn.Sequential(nn.ReLU()))
    with pytest.raises(NoParametersError, match="has no shape yet"):
        ModelTree.of(nn.Sequential(nn.LazyLinear(3)))


def test_unknown_group_names_the_nearest(model):
    plan = FreezePlan.preset(model, "full")
    with pytest.raises(UnknownGroupError, match="'bert.encoder.layer.1'"):
        plan.with_policy("bert.encoder.layers.1", "frozen")
    with pytest.raises(UnknownGroupError):
        plan.with_policy(3, "frozen")
    with pytest.raises(FreezeError, match="is not a policy"):
        plan.with_policy("classifier", "melted")


def test_everything_frozen_is_explained_and_refused(model):
    before = state_of(model)
    plan = FreezePlan.preset(model, "full").with_policy("", "frozen")
    with pytest.raises(NothingTrainableError, match="freezes everything"):
        apply_plan(model, plan)
    assert state_of(model) == before


@pytest.mark.parametrize("k", [0, -1, 4, True, 1.5, "2"])
def test_k_out_of_range(model, k):
    with pytest.raises(
        FreezeError, match="k must be a whole number between 1 and 3, the number of layers; got "
    ):
        FreezePlan.preset(model, "last", k=k)


def test_unknown_preset_and_option(model):
    tree = ModelTree.of(model)
    with pytest.raises(FreezeError, match="There is no preset 'half'"):
        FreezePlan.preset(tree, "half")
    with pytest.raises(FreezeError, match="has no option 'k'"):
        FreezePlan.preset(tree, "full", k=2)


def test_weights_that_are_not_floating_point_numbers():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    model[0].weight = nn.Parameter(torch.ones(4, 4, dtype=torch.int8), requires_grad=False)
    model[0].bias = None
    tree = ModelTree.of(model)
    assert "int8" in tree.group("0").fixed
    plan = FreezePlan.preset(tree, "full")
    assert plan.trainable == {"1.weight", "1.bias"}
    with pytest.raises(NothingTrainableError, match="int8 weights have no gradient"):
        plan.with_policy("0", "trained")
    apply_plan(model, plan)
    assert [group["name"] for group in parameter_groups(model, plan)] == ["1"]


def test_a_plan_of_another_model_and_a_module_added_later(model):
    plan = FreezePlan.preset(model, "feature-extraction")
    other = make(ZOO["distilbert"])
    before = state_of(other)
    with pytest.raises(StructureChangedError, match="Make the tree again"):
        apply_plan(other, plan)
    assert state_of(other) == before
    model.extra = nn.Linear(2, 2)
    with pytest.raises(StructureChangedError, match="`extra.weight`"):
        apply_plan(model, plan)


def test_an_optimizer_without_the_weights_to_train(model):
    before = state_of(model)
    plan = FreezePlan.preset(model, "full")
    optimizer = torch.optim.SGD(model.classifier.parameters(), lr=0.1)
    with pytest.raises(OptimizerError, match="lacks"):
        apply_plan(model, plan, optimizer)
    assert state_of(model) == before


def test_learning_rates_for_groups(model):
    tree = ModelTree.of(model)
    rates = {row.id: 10.0**-place for place, row in enumerate(tree.root.children)}
    groups = parameter_groups(model, tree, rates)
    assert {group["name"]: group["lr"] for group in groups} == rates
    assert sum(p.numel() for group in groups for p in group["params"]) == tree.total
    with pytest.raises(OptimizerError, match="No learning rate for the group 'classifier'"):
        parameter_groups(model, tree, {id: rate for id, rate in rates.items() if id != "classifier"})


@pytest.mark.parametrize(
    "data", [None, {}, {"trained": []}, {"schema": 2, "trained": []}, {"schema": 1, "trained": ["x"]}]
)
def test_what_is_not_a_plan(model, data):
    with pytest.raises(FreezeError):
        FreezePlan.from_dict(ModelTree.of(model), data)
