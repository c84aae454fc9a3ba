"""Plans: what `with_policy` sets, `state` says; they survive JSON and a trip through a model."""

import json
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo import ODD, USUAL_PRESETS, ZOO, make

from tlwidgets.core import FreezePlan, ModelTree, apply_plan, plan_code
from tlwidgets.core.hold import is_held

EVERY = {**ZOO, **ODD}


@cache
def tree_of(name: str) -> ModelTree:
    return ModelTree.of(make(EVERY[name]))


def groups(name: str) -> list[str]:
    return [group.id for group in tree_of(name).walk()]


@st.composite
def edited(draw, names=("bert", "t5", "chain", "resnet")):
    """A preset with a few groups frozen or thawed."""
    name = draw(st.sampled_from(names))
    plan = FreezePlan.preset(tree_of(name), draw(st.sampled_from(list(USUAL_PRESETS))))
    for group in draw(st.lists(st.sampled_from(groups(name)), max_size=4)):
        plan = plan.with_policy(group, draw(st.sampled_from(["frozen", "trained"])))
    return name, plan


@given(edited(), st.data())
def test_a_group_is_in_the_state_it_was_put_in(drawn, data):
    name, plan = drawn
    group = data.draw(st.sampled_from(groups(name)))
    policy = data.draw(st.sampled_from(["frozen", "trained"]))
    assert plan.with_policy(group, policy).state(group) == policy


@given(edited())
def test_a_plan_survives_json(drawn):
    name, plan = drawn
    again = FreezePlan.from_dict(tree_of(name), json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert (again.name, hash(again)) == (plan.name, hash(plan))


@given(edited(), st.data())
def test_groups_that_share_nothing_can_be_set_in_any_order(drawn, data):
    name, plan = drawn
    tree = tree_of(name)
    rows = [row.id for row in tree.root.children if not row.tied_to]
    first, second = data.draw(st.lists(st.sampled_from(rows), min_size=2, max_size=2, unique=True))
    one = plan.with_policy(first, "frozen").with_policy(second, "trained")
    other = plan.with_policy(second, "trained").with_policy(first, "frozen")
    assert one.trainable == other.trainable


@settings(max_examples=40, deadline=None)
@given(edited(), edited(names=("bert",)))
def test_a_model_tells_the_plan_that_was_applied_and_a_second_time_changes_nothing(drawn, second):
    name, plan = drawn
    if plan.trains_nothing:
        return
    model = make(EVERY[name]).train()
    plan = FreezePlan.from_dict(ModelTree.of(model), plan.to_dict())
    apply_plan(model, plan)
    assert FreezePlan.from_model(model, plan.tree) == plan
    assert not apply_plan(model, plan)
    full = FreezePlan.preset(plan.tree, "full")
    apply_plan(model, full)
    assert FreezePlan.from_model(model, plan.tree) == full


@pytest.mark.parametrize("preset", USUAL_PRESETS)
@pytest.mark.parametrize("name", [name for name in EVERY if name != "sync-batch-norm"])
def test_the_code_shown_has_the_same_effect(name, preset):
    specimen = EVERY[name]
    ours, theirs = make(specimen), make(specimen)
    plan = FreezePlan.preset(ours, preset)
    apply_plan(ours, plan)
    names = {"model": theirs, "torch": torch}
    code = plan_code(plan)
    exec(compile(code, "shown", "exec"), names)
    assert [p.requires_grad for p in theirs.parameters()] == [p.requires_grad for p in ours.parameters()]
    assert len(code.splitlines()) <= 45
    names["train_mode"](theirs)
    # What counts is what running statistics and dropout do: ours are put back in `eval` when they are called.
    for (name, module), other in zip(ours.named_modules(), theirs.modules(), strict=True):
        if list(module.buffers(recurse=False)) or "Dropout" in type(module).__name__:
            assert other.training is not is_held(module), name


def test_a_diff_reads_like_a_sentence():
    model = make(ZOO["bert"])
    diff = apply_plan(model, FreezePlan.preset(model, "feature-extraction"))
    assert "Embeddings: trained -> frozen" in str(diff)
    assert "stay in eval mode" in str(diff)


def test_a_tied_weight_is_one_control_with_an_explanation():
    tree = tree_of("gpt2")
    plan = FreezePlan.preset(tree, "full").with_policy("lm_head", "frozen")
    assert plan.state("transformer.wte") == plan.state("lm_head") == "frozen"
    assert tree.group("lm_head").tied_to == "transformer.wte"
    assert "tied" in tree.tied[0].explanation
