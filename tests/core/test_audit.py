"""`audit` names who moved what a naive loop believed frozen."""

import pytest
import torch
from torch import nn
from zoo import ODD, ZOO, Specimen, loss_of, make

from tlwidgets.core import FreezeError, FreezePlan, ModelTree, audit


def naive(model: nn.Module, plan: FreezePlan) -> None:
    """What is often done: flags alone."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name in plan.trainable


def steps(model: nn.Module, specimen: Specimen, optimizer, count: int = 3) -> None:
    for _ in range(count):
        model.train()
        optimizer.zero_grad(set_to_none=False)
        loss_of(model, specimen.batch()).backward()
        optimizer.step()


def culprits(name: str, *, naive_flags=True, prepare=None, optimizer=None, specimens=None) -> dict[str, str]:
    specimen = (specimens or {**ZOO, **ODD})[name]
    model = make(specimen)
    plan = FreezePlan.preset(model, "feature-extraction")
    made = (optimizer or (lambda p: torch.optim.AdamW(p, lr=0.01)))(list(model.parameters()))
    if prepare:
        prepare(model, specimen, made)
    if naive_flags:
        naive(model, plan)
    watch = audit(model, plan, made)
    steps(model, specimen, made)
    report = watch.report()
    for violation in report.violations:
        assert violation.change > 0
        assert violation.explanation.endswith(".") and violation.remedy.endswith(".")
        assert f"`{violation.name}`" in str(report) or "more" in str(report)
    return {violation.name: violation.culprit for violation in report.violations}


def test_batch_norm_drift():
    found = culprits("resnet")
    assert set(found.values()) == {"batch-norm-drift"}
    assert any(name.endswith("running_mean") for name in found)


def test_momentum_of_gradients_from_before():
    found = culprits(
        "bert",
        prepare=lambda model, specimen, optimizer: steps(model, specimen, optimizer),
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
    )
    assert set(found.values()) == {"momentum"}


def test_weight_decay_through_a_gradient_of_zeros():
    def leave_zeros(model, specimen, optimizer):
        loss_of(model, specimen.batch()).backward()
        optimizer.zero_grad(set_to_none=False)

    found = culprits(
        "bert",
        prepare=leave_zeros,
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.05, weight_decay=0.1),
    )
    assert set(found.values()) == {"weight-decay"}


def test_a_tied_weight_thawed_under_its_other_name():
    specimen = ZOO["gpt2"]
    model = make(specimen)
    tree = ModelTree.of(model)
    plan = FreezePlan.preset(tree, "last", k=1)
    naive(model, plan)
    model.lm_head.requires_grad_(True)
    watch = audit(model, plan)
    steps(model, specimen, torch.optim.AdamW(model.parameters(), lr=0.01))
    assert {(v.name, v.culprit) for v in watch.report().violations} == {
        ("transformer.wte.weight", "tied-weight")
    }


@pytest.mark.parametrize("name", ["max-norm", "max-norm-bag"])
def test_max_norm(name):
    assert culprits(name) == {"backbone.0.weight": "max-norm"}


@pytest.mark.parametrize("name", ["spectral-norm", "old-spectral-norm"])
def test_spectral_norm(name):
    assert set(culprits(name).values()) == {"spectral-norm"}


def test_not_frozen_at_all():
    assert set(culprits("bert", naive_flags=False).values()) == {"not-frozen"}


def test_written_by_hand():
    specimen = ZOO["bert"]
    model = make(specimen)
    plan = FreezePlan.preset(model, "feature-extraction")
    naive(model, plan)
    watch = audit(model, plan)
    with torch.no_grad():
        model.bert.pooler.dense.weight.add_(0.5)
    (violation,) = watch.report().violations
    assert (violation.culprit, violation.group, violation.change) == (
        "written",
        "bert.pooler",
        pytest.approx(0.5),
    )


def test_a_nan_that_stays_is_no_change():
    model = make(ZOO["chain"])
    plan = FreezePlan.preset(model, "feature-extraction")
    with torch.no_grad():
        model[0].weight.fill_(torch.nan)
    assert audit(model, plan).report().ok


def test_a_model_without_values_is_refused():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with pytest.raises(FreezeError, match="meta device"):
        audit(model, FreezePlan.preset(model, "full"))
