"""A score of gradual unfreezing: whatever is moved, it stays a schedule that can be trained, and its code does the same."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.core.zoo import ZOO
from tlwidgets.core import FreezeError, FreezePlan, ModelTree, NothingTrainableError, apply_plan
from tlwidgets.train import Unfreezing, fit, gradual_unfreezing
from tlwidgets.train.unfreezing import PRESETS, rows_of

EPOCHS = 4
TREES = {name: ModelTree.of(specimen.make()) for name, specimen in ZOO.items()}
moves = st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(1, EPOCHS)), min_size=1, max_size=12)


def moved(tree: ModelTree, changes) -> Unfreezing:
    """Everything from the start, then these moves, as far as each is allowed."""
    score = Unfreezing.preset("all", tree, EPOCHS)
    rows = list(score.starts)
    for place, start in changes:
        try:
            score = score.with_start(rows[place % len(rows)], start)
        except FreezeError as error:
            assert str(error).endswith(".")
    return score


@given(st.sampled_from(sorted(TREES)), moves)
@settings(max_examples=60, deadline=None)
def test_any_moves_give_a_schedule_that_can_be_trained(name, changes):
    tree = TREES[name]
    score = moved(tree, changes)
    schedule = score.schedule
    assert min(schedule) == 1 and max(schedule) <= EPOCHS
    learned = frozenset()
    for plan in schedule.values():
        assert plan.trainable, "something learns in each epoch"
        assert learned <= plan.trainable, "what was thawed stays so"
        learned = plan.trainable
    for row, start in score.starts.items():
        for other in score.together(row):
            assert score.starts[other] == start
    assert Unfreezing.from_schedule(tree, EPOCHS, schedule) == score
    assert Unfreezing.from_dict(tree, json.loads(json.dumps(score.to_dict()))) == score


@given(st.sampled_from(sorted(TREES)), moves)
@settings(max_examples=40, deadline=None)
def test_its_code_freezes_and_thaws_as_the_schedule_does(name, changes):
    torch.manual_seed(0)
    model = ZOO[name].make()
    score = moved(TREES[name], changes)
    space = {"model": model, "torch": torch}
    exec(score.code(), space)
    planned = ZOO[name].make()
    for epoch in range(1, EPOCHS + 1):
        space["begin_epoch"](epoch)
        apply_plan(score.plan(epoch), planned)
        planned.train()
        learns = {key for key, weight in model.named_parameters() if weight.requires_grad}
        assert learns == {key for key, weight in planned.named_parameters() if weight.requires_grad}
        modes = {key: each.training for key, each in model.named_modules() if not [*each.children()]}
        assert modes == {
            key: each.training for key, each in held(planned).named_modules() if not [*each.children()]
        }


def held(model: nn.Module) -> nn.Module:
    """What a forward pass would see: modules that a plan holds go to `eval` before their own."""
    for module in model.modules():
        for hook in list(module._forward_pre_hooks.values()):
            if hook.__module__ == "tlwidgets.core.hold":
                hook(module, ())
    return model


@pytest.mark.parametrize("name", ["bert", "gpt2", "resnet"])
@pytest.mark.parametrize("every", [1, 2])
def test_gradual_is_gradual_unfreezing(name, every):
    tree = TREES[name]
    plans = gradual_unfreezing(tree, every=every)
    score = Unfreezing.preset("gradual", tree, max(plans), every=every)
    assert score == Unfreezing.from_schedule(tree, max(plans), plans)
    assert {epoch: plan.trainable for epoch, plan in score.schedule.items()} == {
        epoch: plan.trainable for epoch, plan in plans.items()
    }
    short = Unfreezing.preset("gradual", tree, 2, every=every)
    assert None in short.starts.values(), "what its turn does not come to never learns"


@pytest.mark.parametrize(
    ("preset", "options", "plan"),
    [
        ("all", {}, ("full", {})),
        ("head", {}, ("feature-extraction", {})),
        ("last", {"k": 1}, ("last", {"k": 1})),
    ],
)
def test_presets_of_one_plan_are_that_plan(preset, options, plan):
    tree = TREES["bert"]
    score = Unfreezing.preset(preset, tree, 3, **options)
    assert score.schedule == {1: FreezePlan.preset(plan[0], tree, **plan[1])}
    assert set(PRESETS) == {"all", "head", "gradual", "last"}


def test_tied_weights_move_together():
    score = Unfreezing.preset("gradual", TREES["gpt2"], 6)
    assert score.together("lm_head") == ("transformer.wte", "lm_head")
    later = score.with_start("transformer.h.2", 1).with_start("lm_head", 5)
    assert later.starts["transformer.wte"] == later.starts["lm_head"] == 5


def test_it_trains(data, make_model):
    model = make_model()
    score = Unfreezing.preset("gradual", ModelTree.of(model), 3)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    run = fit(model, score.schedule[1], data, epochs=3, unfreeze=score.with_start("0", None).schedule)
    assert run.status == "finished"
    assert torch.equal(model.state_dict()["0.weight"], start["0.weight"])
    assert not torch.equal(model.state_dict()["1.weight"], start["1.weight"])


def test_a_bar_need_not_follow_the_order_of_the_layers():
    score = Unfreezing.preset("head", TREES["bert"], 4).with_start("bert.embeddings", 2)
    assert score.plan(2).state("bert.embeddings") == "trained"
    assert score.plan(2).state("bert.encoder.layer.2") == "frozen"


# -- what can't be ---------------------------------------------------------------------------------------------------


def test_everything_frozen_in_the_first_epoch_is_refused():
    score = Unfreezing.preset("head", TREES["bert"], 4)
    for start in (2, None):
        with pytest.raises(
            NothingTrainableError, match="Nothing would learn in epoch 1.*begin in epoch 1 first"
        ):
            score.with_start("classifier", start)
    assert score.with_start("bert.pooler", 1).with_start("classifier", 2).starts["classifier"] == 2


@pytest.mark.parametrize("start", [0, 5, -1, 1.5, True, "2"])
def test_a_start_that_is_no_epoch_is_refused(start):
    with pytest.raises(FreezeError, match="no epoch to begin with. Expected a whole number from 1 to 4"):
        Unfreezing.preset("all", TREES["bert"], 4).with_start("classifier", start)


def test_other_wrong_uses_are_sentences():
    tree = TREES["bert"]
    score = Unfreezing.preset("all", tree, 4)
    with pytest.raises(FreezeError, match="no group 'clasifier'"):
        score.with_start("clasifier", 1)
    with pytest.raises(FreezeError, match="is no row of the score"):
        score.with_start("bert.encoder.layer.0.attention", 1)
    with pytest.raises(FreezeError, match="no schedule 'slow'. Expected one of 'all'"):
        Unfreezing.preset("slow", tree, 4)
    with pytest.raises(FreezeError, match="no option 'every'. Its options: k"):
        Unfreezing.preset("last", tree, 4, every=2)
    for epochs in (0, 2.5, None):
        with pytest.raises(ValueError, match="epochs is .*Expected a whole number"):
            Unfreezing.preset("all", tree, epochs)


def test_schedules_that_are_no_score_are_refused():
    tree = TREES["bert"]
    head, full = FreezePlan.preset("feature-extraction", tree), FreezePlan.preset("full", tree)
    with pytest.raises(FreezeError, match="no plan for epoch 1"):
        Unfreezing.from_schedule(tree, 3, {2: full})
    with pytest.raises(FreezeError, match="learns from epoch 1 on and is frozen again in epoch 3"):
        Unfreezing.from_schedule(tree, 3, {1: full, 3: head})
    with pytest.raises(FreezeError, match="a part of .* learns, and a part stays frozen"):
        Unfreezing.from_schedule(tree, 3, {1: FreezePlan.preset("norms-and-biases", tree)})


def test_dicts_that_dont_fit_are_refused():
    tree = TREES["bert"]
    good = Unfreezing.preset("all", tree, 4).to_dict()
    for data, sentence in [
        ([], "no schedule"),
        ({}, "no schedule"),
        ({**good, "schema": 2}, "has version 2"),
        (Unfreezing.preset("all", TREES["gpt2"], 4).to_dict(), "of another model"),
        ({**good, "starts": {**good["starts"], "classifier": 9}}, "9 is no epoch"),
        ({**good, "starts": dict.fromkeys(good["starts"], 2)}, "Nothing would learn in epoch 1"),
    ]:
        with pytest.raises(FreezeError, match=sentence):
            Unfreezing.from_dict(tree, data)
    tied = Unfreezing.preset("all", TREES["gpt2"], 4).to_dict()
    tied["starts"]["lm_head"] = 3
    with pytest.raises(FreezeError, match="share weights"):
        Unfreezing.from_dict(TREES["gpt2"], tied)


@given(st.sampled_from(sorted(TREES)))
@settings(max_examples=20, deadline=None)
def test_every_architecture_has_rows_that_cover_it(name):
    tree = TREES[name]
    mask = 0
    for row in rows_of(tree):
        mask |= tree.masks(row.id).parameters
    assume(not tree.fixed)
    assert mask == (1 << len(tree.parameter_names)) - 1
