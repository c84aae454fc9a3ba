"""Frozen means bit-identical after training, buffers included; thawed means that it learns."""

import copy
import pickle

import pytest
import torch
from torch import nn
from zoo import ODD, USUAL_PRESETS, ZOO, Specimen, loss_of, make

from tlwidgets.core import FROZEN, FreezePlan, ModelTree, apply_plan, audit, parameter_groups

EVERY = {**ZOO, **ODD}
OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=0.01),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1),
}


def snapshot(model: nn.Module) -> dict[str, bytes]:
    """The bytes of every parameter (by its first name) and of every buffer."""
    tensors = dict(model.named_parameters()) | dict(model.named_buffers(remove_duplicate=True))
    return {
        name: tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        for name, tensor in tensors.items()
    }


def train(model: nn.Module, specimen: Specimen, optimizer, steps: int = 5, clear: bool = True) -> set[str]:
    """A loop that knows nothing of freezing; returns the names of weights that got a gradient that is not
    zero.
    """
    with_gradient = set()
    torch.manual_seed(1)
    for _ in range(steps):
        model.train()
        optimizer.zero_grad(set_to_none=clear)
        loss_of(model, specimen.batch()).backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and parameter.grad.count_nonzero():
                with_gradient.add(name)
        optimizer.step()
    return with_gradient


def frozen_names(plan: FreezePlan) -> set[str]:
    """What must not move: weights that do not learn, and buffers of rows that are wholly frozen."""
    tree = plan.tree
    buffers = {name for group in tree.walk() if plan.state(group.id) == "frozen" for name in group.buffers}
    return (set(tree.parameter_names) - plan.trainable) | buffers


@pytest.mark.parametrize("clear", [True, False], ids=["grad-none", "grad-zero"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("preset", USUAL_PRESETS)
@pytest.mark.parametrize("name", EVERY)
def test_frozen_is_bit_identical_and_thawed_moves(name, preset, optimizer, clear):
    specimen = EVERY[name]
    model = make(specimen)
    tree = ModelTree.of(model)
    plan = FreezePlan.preset(tree, preset)
    if name == "sync-batch-norm":
        # One that trains needs several processes: here it is kept frozen in every plan.
        plan = plan.with_policy("backbone.1", "frozen")
    apply_plan(model, plan)
    before = snapshot(model)
    made = OPTIMIZERS[optimizer](parameter_groups(model, plan, 0.01))
    with_gradient = train(model, specimen, made, clear=clear)
    after = snapshot(model)
    assert {name for name in frozen_names(plan) if before[name] != after[name]} == set()
    assert with_gradient <= plan.trainable
    assert {name for name in with_gradient if before[name] == after[name]} == set()
    assert with_gradient, "something learned"


@pytest.mark.parametrize("name", EVERY)
def test_counts_add_up_with_tied_weights_once(name):
    model = make(EVERY[name])
    tree = ModelTree.of(model)
    assert tree.total == sum(parameter.numel() for parameter in model.parameters())
    assert sum(row.numel for row in tree.root.children) == tree.total
    for group in tree.walk():
        if group.children:
            assert sum(child.numel for child in group.children) <= group.numel


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["bert", "resnet", "chain"])
def test_freezing_in_the_middle_of_training_stops_momentum_decay_and_statistics(name, optimizer):
    specimen = ZOO[name]
    model = make(specimen)
    tree = ModelTree.of(model)
    full = FreezePlan.preset(tree, "full")
    apply_plan(model, full)
    made = OPTIMIZERS[optimizer](parameter_groups(model, full, 0.01))
    train(model, specimen, made)
    loss_of(model, specimen.batch()).backward()  # a gradient is waiting when the layers are frozen
    plan = FreezePlan.preset(tree, "feature-extraction")
    apply_plan(model, plan, made)
    before = snapshot(model)
    train(model, specimen, made, clear=False)
    after = snapshot(model)
    assert {name for name in frozen_names(plan) if before[name] != after[name]} == set()


@pytest.mark.parametrize("name", EVERY)
def test_freezing_changes_no_output_and_thawing_gives_everything_back(name):
    specimen = EVERY[name]
    model = make(specimen).eval()
    batch = specimen.batch()
    keys = list(model.state_dict())
    with torch.no_grad():
        copied = copy.deepcopy(model)
        expected = loss_of(copied, batch)
        tree = ModelTree.of(model)
        apply_plan(model, FreezePlan.preset(tree, "feature-extraction"))
        assert torch.equal(loss_of(model, batch), expected)
    assert list(model.state_dict()) == keys
    apply_plan(model, FreezePlan.preset(tree, "full"))
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not any(module._forward_pre_hooks and is_ours(module) for module in model.modules())
    model.train()
    assert all(module.training for module in model.modules())


def is_ours(module: nn.Module) -> bool:
    return any(hook.__module__ == "tlwidgets.core.hold" for hook in module._forward_pre_hooks.values())


@pytest.mark.parametrize("name", ["bert", "resnet", "max-norm"])
@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["copy", "pickle"]
)
def test_a_copy_of_a_frozen_model_is_as_frozen(name, duplicate):
    specimen = EVERY[name]
    model = make(specimen)
    plan = FreezePlan.preset(model, "feature-extraction")
    apply_plan(model, plan)
    other = duplicate(model)
    before = snapshot(other)
    train(other, specimen, OPTIMIZERS["adamw"]([{"params": list(other.parameters())}]))
    after = snapshot(other)
    assert {name for name in frozen_names(plan) if before[name] != after[name]} == set()


def test_a_frozen_embedding_with_max_norm_still_rescales_its_output():
    model = make(ODD["max-norm"])
    ids = torch.arange(40)
    expected = copy.deepcopy(model).backbone[0](ids)
    apply_plan(model, FreezePlan.preset(model, "feature-extraction"))
    assert torch.equal(model.backbone[0](ids), expected)
    assert float(expected.detach().norm(dim=1).max()) <= 0.5 + 1e-4


def test_a_weight_survives_a_forward_that_fails():
    model = make(ODD["max-norm"])
    weight = model.backbone[0].weight
    apply_plan(model, FreezePlan.preset(model, "feature-extraction"))
    with pytest.raises((IndexError, RuntimeError)):
        model.backbone[0](torch.tensor([99]))
    assert model.backbone[0].weight is weight


def test_dropout_is_off_in_what_is_frozen_and_on_in_what_learns():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    tree = ModelTree.of(model)
    apply_plan(model, FreezePlan.preset(tree, "full").with_policy("0", "frozen").with_policy("2", FROZEN))
    model.train()
    model(torch.zeros(1, 4))
    assert [model[1].training, model[3].training] == [False, True]


def test_audit_agrees_that_nothing_frozen_moved():
    specimen = ZOO["resnet"]
    model = make(specimen)
    plan = FreezePlan.preset(model, "last", k=1)
    apply_plan(model, plan)
    with audit(model, plan) as watch:
        train(model, specimen, OPTIMIZERS["adamw"](parameter_groups(model, plan, 0.01)))
    report = watch.report()
    assert report.ok
    assert set(report.moved) | set(report.unmoved) == plan.trainable
    assert "bit-identical" in str(report)
