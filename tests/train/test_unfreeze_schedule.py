"""A schedule of gradual unfreezing: whatever is moved, it stays a schedule that can be trained, and its code
does the same."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.core.zoo import ZOO
from tlwidgets.core import PRESETS, FreezeError, FreezePlan, ModelTree, NothingTrainableError, apply_plan
from tlwidgets.train import UnfreezeSchedule, fit, gradual_unfreezing
from tlwidgets.train.unfreeze_schedule import schedule_presets

EPOCHS = 4
TREES = {name: ModelTree.of(specimen.make()) for name, specimen in ZOO.items()}
moves = st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(1, EPOCHS)), min_size=1, max_size=12)


def moved(tree: ModelTree, changes) -> UnfreezeSchedule:
    """Everything from the start, then these moves, as far as each is allowed."""
    unfreezing = UnfreezeSchedule.preset(tree, "full", EPOCHS)
    rows = list(unfreezing.starts)
    for place, start in changes:
        try:
            unfreezing = unfreezing.with_start(rows[place % len(rows)], start)
        except FreezeError as error:
            assert str(error).endswith(".")
    return unfreezing


@given(st.sampled_from(sorted(TREES)), moves)
@settings(max_examples=60, deadline=None)
def test_any_moves_give_a_schedule_that_can_be_trained(name, changes):
    tree = TREES[name]
    unfreezing = moved(tree, changes)
    schedule = unfreezing.schedule
    assert min(schedule) == 1 and max(schedule) <= EPOCHS
    learned = frozenset()
    for plan in schedule.values():
        assert plan.trainable, "something learns in each epoch"
        assert learned <= plan.trainable, "what was thawed stays so"
        learned = plan.trainable
    for row, start in unfreezing.starts.items():
        for other in unfreezing.together(row):
            assert unfreezing.starts[other] == start
    assert UnfreezeSchedule.from_schedule(tree, EPOCHS, schedule) == unfreezing
    assert UnfreezeSchedule.from_dict(tree, json.loads(json.dumps(unfreezing.to_dict()))) == unfreezing


@given(st.sampled_from(sorted(TREES)), moves)
@settings(max_examples=40, deadline=None)
def test_its_code_freezes_and_thaws_as_the_schedule_does(name, changes):
    torch.manual_seed(0)
    model = ZOO[name].make()
    unfreezing = moved(TREES[name], changes)
    space = {"model": model, "torch": torch}
    exec(unfreezing.code(), space)
    planned = ZOO[name].make()
    for epoch in range(1, EPOCHS + 1):
        space["begin_epoch"](epoch)
        apply_plan(planned, unfreezing.plan(epoch))
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
    unfreezing = UnfreezeSchedule.preset(tree, "gradual", max(plans), every=every)
    assert unfreezing == UnfreezeSchedule.from_schedule(tree, max(plans), plans)
    assert {epoch: plan.trainable for epoch, plan in unfreezing.schedule.items()} == {
        epoch: plan.trainable for epoch, plan in plans.items()
    }
    short = UnfreezeSchedule.preset(tree, "gradual", 2, every=every)
    assert None in short.starts.values(), "what its turn does not come to never learns"


@pytest.mark.parametrize(
    ("preset", "options", "plan"),
    [
        ("full", {}, ("full", {})),
        ("feature-extraction", {}, ("feature-extraction", {})),
        ("last", {"k": 1}, ("last", {"k": 1})),
    ],
)
def test_presets_of_one_plan_are_that_plan(preset, options, plan):
    tree = TREES["bert"]
    unfreezing = UnfreezeSchedule.preset(tree, preset, 3, **options)
    assert unfreezing.schedule == {1: FreezePlan.preset(tree, plan[0], **plan[1])}


@pytest.mark.parametrize("name", sorted(TREES))
def test_the_usual_schedules_are_the_plans_presets_that_thaw_whole_rows_and_gradual(name):
    presets = schedule_presets(TREES[name])
    assert list(presets) == ["feature-extraction", "last", "full", "gradual"]
    for plan in set(presets) - {"gradual"}:
        assert (presets[plan].title, presets[plan].description) == (
            PRESETS[plan].title,
            PRESETS[plan].description,
        )
    assert presets["last"].options["k"] == min(2, max(map(len, TREES[name].towers), default=1))


@pytest.mark.parametrize(("old", "new"), [("all", "full"), ("head", "feature-extraction")])
def test_the_names_and_the_order_of_before_still_work_and_say_the_new_ones(old, new):
    tree = TREES["bert"]
    with pytest.warns(FutureWarning, match=f"'{old}' is now called '{new}'"):
        assert UnfreezeSchedule.preset(tree, old, 3) == UnfreezeSchedule.preset(tree, new, 3)
    with pytest.warns(FutureWarning, match=r"write UnfreezeSchedule.preset\(model, name, epochs\)"):
        assert UnfreezeSchedule.preset(new, tree, 3) == UnfreezeSchedule.preset(tree, new, 3)


def test_tied_weights_move_together():
    unfreezing = UnfreezeSchedule.preset(TREES["gpt2"], "gradual", 6)
    assert unfreezing.together("lm_head") == ("transformer.wte", "lm_head")
    later = unfreezing.with_start("transformer.h.2", 1).with_start("lm_head", 5)
    assert later.starts["transformer.wte"] == later.starts["lm_head"] == 5


def test_it_trains(data, make_model):
    model = make_model()
    unfreezing = UnfreezeSchedule.preset(ModelTree.of(model), "gradual", 3)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    run = fit(
        model, unfreezing.schedule[1], data, epochs=3, unfreeze=unfreezing.with_start("0", None).schedule
    )
    assert run.status == "finished"
    assert torch.equal(model.state_dict()["0.weight"], start["0.weight"])
    assert not torch.equal(model.state_dict()["1.weight"], start["1.weight"])


def test_a_bar_need_not_follow_the_order_of_the_layers():
    unfreezing = UnfreezeSchedule.preset(TREES["bert"], "feature-extraction", 4).with_start(
        "bert.embeddings", 2
    )
    assert unfreezing.plan(2).state("bert.embeddings") == "trained"
    assert unfreezing.plan(2).state("bert.encoder.layer.2") == "frozen"


# -- what is rejected ----------------------------------------------------------------------------------------


def test_everything_frozen_in_the_first_epoch_is_refused():
    unfreezing = UnfreezeSchedule.preset(TREES["bert"], "feature-extraction", 4)
    for start in (2, None):
        with pytest.raises(
            NothingTrainableError, match="Nothing would learn in epoch 1.*start in epoch 1 first"
        ):
            unfreezing.with_start("classifier", start)
    assert unfreezing.with_start("bert.pooler", 1).with_start("classifier", 2).starts["classifier"] == 2


@pytest.mark.parametrize("start", [0, 5, -1, 1.5, True, "2"])
def test_a_start_that_is_not_an_epoch_is_refused(start):
    with pytest.raises(FreezeError, match="starts to learn in an epoch from 1 to 4, or never .None.; got"):
        UnfreezeSchedule.preset(TREES["bert"], "full", 4).with_start("classifier", start)


def test_other_wrong_uses_are_sentences():
    tree = TREES["bert"]
    unfreezing = UnfreezeSchedule.preset(tree, "full", 4)
    with pytest.raises(FreezeError, match="no group 'clasifier'"):
        unfreezing.with_start("clasifier", 1)
    with pytest.raises(
        FreezeError, match="is not a row of the schedule. Expected one of its rows, such as .*'classifier'"
    ):
        unfreezing.with_start("bert.encoder.layer.0.attention", 1)
    with pytest.raises(
        FreezeError,
        match="no schedule 'slow'. Expected one of 'feature-extraction', 'last', 'full', 'gradual'",
    ):
        UnfreezeSchedule.preset(tree, "slow", 4)
    with pytest.raises(FreezeError, match="no option 'k'. Its options: every"):
        UnfreezeSchedule.preset(tree, "gradual", 4, k=2)
    with pytest.raises(FreezeError, match="no option 'every'. Its options: k"):
        UnfreezeSchedule.preset(tree, "last", 4, every=2)
    for epochs in (0, 2.5, None):
        with pytest.raises(ValueError, match="epochs is .*Expected a whole number"):
            UnfreezeSchedule.preset(tree, "full", epochs)


def test_invalid_schedules_are_rejected():
    tree = TREES["bert"]
    head, full = FreezePlan.preset(tree, "feature-extraction"), FreezePlan.preset(tree, "full")
    with pytest.raises(FreezeError, match="no plan for epoch 1"):
        UnfreezeSchedule.from_schedule(tree, 3, {2: full})
    with pytest.raises(FreezeError, match="learns from epoch 1 on and is frozen again in epoch 3"):
        UnfreezeSchedule.from_schedule(tree, 3, {1: full, 3: head})
    with pytest.raises(FreezeError, match="a part of .* learns, and a part stays frozen"):
        UnfreezeSchedule.from_schedule(tree, 3, {1: FreezePlan.preset(tree, "norms-and-biases")})


def test_dicts_that_dont_fit_are_refused():
    tree = TREES["bert"]
    good = UnfreezeSchedule.preset(tree, "full", 4).to_dict()
    for data, sentence in [
        ([], "not a schedule"),
        ({}, "not a schedule"),
        ({**good, "schema": 2}, "has version 2"),
        (UnfreezeSchedule.preset(TREES["gpt2"], "full", 4).to_dict(), "of another model"),
        ({**good, "starts": {**good["starts"], "classifier": 9}}, "an epoch from 1 to 4.*got 9"),
        ({**good, "starts": dict.fromkeys(good["starts"], 2)}, "Nothing would learn in epoch 1"),
    ]:
        with pytest.raises(FreezeError, match=sentence):
            UnfreezeSchedule.from_dict(tree, data)
    tied = UnfreezeSchedule.preset(TREES["gpt2"], "full", 4).to_dict()
    tied["starts"]["lm_head"] = 3
    with pytest.raises(FreezeError, match="share weights"):
        UnfreezeSchedule.from_dict(TREES["gpt2"], tied)


@given(st.sampled_from(sorted(TREES)))
@settings(max_examples=20, deadline=None)
def test_every_architecture_has_rows_that_cover_it(name):
    tree = TREES[name]
    assume(not any(group.fixed for group in tree.walk()))
    assert {name for row in tree.unfolded_rows for name in row.parameters} == set(tree.parameter_names)
