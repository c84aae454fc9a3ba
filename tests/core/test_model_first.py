"""The model comes first in every call; one line freezes; calls in the old order still work, and say the new
one.
"""

import inspect
import warnings

import pytest
import torch
from torch import nn
from zoo import ZOO, make

import tlwidgets.core as core
from tlwidgets.core import (
    FreezeError,
    FreezePlan,
    ModelTree,
    OptimizerError,
    apply_plan,
    audit,
    estimate_cost,
    freeze,
    parameter_groups,
)
from tlwidgets.train import discriminative_rates, gradual_unfreezing


@pytest.fixture
def model():
    return make(ZOO["bert"])


@pytest.mark.parametrize("preset, options", [("feature-extraction", {}), ("last", {"k": 1}), ("full", {})])
def test_one_line_freezes_and_gives_the_plan_that_everything_else_takes(model, preset, options):
    plan = freeze(model, preset, **options)
    assert plan == FreezePlan.preset(model, preset, **options) == FreezePlan.from_model(model)
    assert audit(model, plan).report().ok
    assert estimate_cost(model, plan) == estimate_cost(ModelTree.of(model), plan)
    assert preset in str(plan) and "parameters learn" in str(plan)


def test_without_a_name_it_freezes_all_but_the_head(model):
    assert freeze(model).trainable == {"classifier.weight", "classifier.bias"}


def test_freezing_in_one_line_clears_what_the_optimizer_kept(model):
    freeze(model, "full")
    optimizer = torch.optim.AdamW(parameter_groups(model))
    model(**ZOO["bert"].batch()).logits.sum().backward()
    optimizer.step()
    freeze(model, optimizer=optimizer)
    assert len(optimizer.state) == 2
    with pytest.raises(OptimizerError):
        freeze(model, "full", optimizer=torch.optim.SGD(model.classifier.parameters(), lr=0.1))


def test_one_line_refuses_what_it_can_not_do_and_passes_warnings_on(model):
    with pytest.raises(FreezeError, match="There is no preset 'half'"):
        freeze(model, "half")
    with pytest.raises(TypeError, match="torch.nn.Module was expected"):
        freeze("bert-base-uncased", "full")
    freeze(model, "full")
    with pytest.warns(UserWarning, match="LBFGS"):
        freeze(model, optimizer=torch.optim.LBFGS(list(model.parameters())))


def test_a_model_does_where_its_tree_does(model):
    tree = ModelTree.of(model)
    assert ModelTree.of(tree) is tree
    plan = FreezePlan.preset(tree, "last", k=1)
    assert FreezePlan.preset(model, "last", k=1) == plan
    assert FreezePlan.from_dict(model, plan.to_dict()) == plan
    assert discriminative_rates(model, 1e-3) == discriminative_rates(tree, 1e-3)
    assert gradual_unfreezing(model) == gradual_unfreezing(tree)
    names = [group["name"] for group in parameter_groups(model, plan)]
    assert (
        names
        == [group["name"] for group in parameter_groups(model)]
        == [row.id for row in tree.root.children]
    )


OLD = {
    "apply_plan": lambda model, tree, plan: apply_plan(plan, model),
    "parameter_groups": lambda model, tree, plan: parameter_groups(plan, model, 0.01),
    "FreezePlan.preset": lambda model, tree, plan: FreezePlan.preset("last", tree, k=2),
    "FreezePlan.from_model": lambda model, tree, plan: FreezePlan.from_model(tree, model),
}


@pytest.mark.parametrize("name", OLD)
def test_the_old_order_still_works_and_says_the_new_one_where_it_was_called(model, name):
    tree = ModelTree.of(model)
    plan = freeze(model, "last", k=1)
    with pytest.warns(FutureWarning, match=rf"model comes first now: write {name}\(model") as caught:
        found = OLD[name](model, tree, plan)
    assert [warning.filename for warning in caught] == [__file__]
    expected = {
        "apply_plan": lambda: not found,  # applied before: nothing left to change
        "parameter_groups": lambda: found == parameter_groups(model, plan, 0.01),
        "FreezePlan.preset": lambda: found == FreezePlan.preset(tree, "last", k=2),
        "FreezePlan.from_model": lambda: found == plan,
    }
    assert expected[name]()


def test_keywords_and_the_new_order_give_no_warning(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = ModelTree.of(model)
        plan = FreezePlan.preset(name="full", model=model)
        apply_plan(plan=plan, model=model)
        parameter_groups(plan_or_tree=tree, model=model)
        FreezePlan.from_model(tree=tree, model=model)


def test_each_public_function_that_takes_a_model_takes_it_first():
    for name in core.__all__:
        value = getattr(core, name)
        if inspect.isfunction(value):
            parameters = list(inspect.signature(value).parameters)
            assert "model" not in parameters[1:], name


def test_what_is_neither_a_model_nor_a_plan_gets_a_sentence(model):
    plan = FreezePlan.preset(model, "full")
    with pytest.raises(TypeError, match="torch.nn.Module was expected"):
        apply_plan(nn.Linear, plan)
