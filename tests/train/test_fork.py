"""A run can be gone on with from any of its steps: in the same way to the same bits, or in another way."""

from __future__ import annotations

import copy
import gc
import math
import os
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.train.conftest import examples
from tlwidgets.core import FreezeError, FreezePlan, ModelTree
from tlwidgets.train import (
    CheckpointError,
    Control,
    ForkError,
    Run,
    Snapshots,
    Stepped,
    TaskData,
    TrainingError,
    discriminative_rates,
    fit,
    fork,
    gradual_unfreezing,
    run_digest,
)

EPOCHS, STEPS = 4, 32


def make_data() -> TaskData:
    return TaskData(examples(64, 1), examples(32, 2), examples(32, 3))


def make_model(width: int = 8) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, width),
        nn.ReLU(), nn.Linear(width, 2),
    )  # fmt: skip


def train(model, plan=None, **options) -> Run:
    options = {"epochs": EPOCHS, "batch_size": 8, "lr": 0.02, "snapshots": 5, **options}
    return fit(model, plan, options.pop("data", None) or make_data(), **options)


def make_text_model() -> nn.Module:
    torch.manual_seed(0)
    return transformers.BertForSequenceClassification(
        transformers.BertConfig(
            hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, vocab_size=40
        )
    )


def make_texts() -> TaskData:
    random = torch.Generator().manual_seed(3)
    words = torch.randint(3, 40, (48, 9), generator=random)
    lengths = torch.randint(3, 10, (48,), generator=random)
    mask = (torch.arange(9) < lengths[:, None]).long()
    part = {"input_ids": words * mask, "attention_mask": mask, "labels": (words[:, 0] > 20).long()}
    return TaskData(part, part)


def state(model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def assert_same_run(one: Run, other: Run) -> None:
    assert repr(one.curves) == repr(other.curves)  # repr: NaN is NaN
    assert one.test_accuracy == other.test_accuracy
    assert one.best_epoch == other.best_epoch
    assert repr(one.trace) == repr(other.trace)


# -- the same plan: the same bits ------------------------------------------------------------------------------------


@given(
    step=st.integers(0, STEPS - 1),
    every=st.integers(1, 20),
    optimizer=st.sampled_from(["adamw", "sgd"]),
    schedule=st.sampled_from(["one-cycle", "linear"]),
    start=st.sampled_from(["full", "head", "gradual"]),
    cache=st.booleans(),
    patience=st.sampled_from([None, 1]),
    fresh=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_forked_at_any_step_without_a_change_it_ends_in_the_same_bits(
    step, every, start, fresh, patience, **options
):
    model = make_model()
    tree = ModelTree.of(model)
    if start == "gradual":
        options["unfreeze"] = gradual_unfreezing(tree)
    plan = FreezePlan.preset("full" if start == "full" else "feature-extraction", tree)
    run = train(model, plan, snapshots=every, patience=patience, **options)
    expected, step = state(model), min(step, run.steps - 1)
    other = make_model() if fresh else model
    again = fork(run, other, step)
    assert same(state(other), expected)
    assert_same_run(again, run)
    assert again.config["fork"] == {"run": run_digest(run), "step": step, "changed": []}


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("step", [0, 5, 12, 13, 17])
def test_a_text_model_with_dropout_and_padding_ends_in_the_same_bits(step, cache):
    model = make_text_model()
    tree = ModelTree.of(model)
    schedule = gradual_unfreezing(tree)
    run = fit(
        model, schedule[1], make_texts(), epochs=3, batch_size=8, unfreeze=schedule, cache=cache, snapshots=4
    )
    assert run.cache[0]["used"] is cache
    expected = state(model)
    again = fork(run, model, step)
    assert same(state(model), expected)
    assert_same_run(again, run)


def test_in_the_last_epoch_features_are_read_where_the_run_read_them():
    model = make_text_model()
    plan = FreezePlan.preset("feature-extraction", ModelTree.of(model))
    run = fit(model, plan, make_texts(), epochs=3, batch_size=8, snapshots=4)
    assert run.cached
    again = fork(run, model, 16)
    assert again.cached, "a pass without them would have other last bits"
    assert_same_run(again, run)


def test_clicks_during_the_run_are_part_of_it(tmp_path):
    """No replay could know of a click: a snapshot is kept at each."""
    model = make_model()
    plan = FreezePlan.preset("feature-extraction", ModelTree.of(model))
    control = Control()

    def click(event):
        if isinstance(event, Stepped) and event.step == 11:
            control.enqueue(lambda: model[4].requires_grad_(True))

    run = train(model, plan, snapshots=1000, control=control, on_event=click)
    assert run.snapshots.steps == [0, 11]
    expected = state(model)
    for step in (3, 11, 20):
        again = fork(run, model, step)
        assert_same_run(again, run) if step >= 11 else None
        assert same(state(model), expected) is (step >= 11), "a fork before the click goes on without it"


# -- another plan ----------------------------------------------------------------------------------------------------


@given(step=st.integers(0, STEPS - 1), preset=st.sampled_from(["feature-extraction", "last"]))
@settings(max_examples=12, deadline=None)
def test_what_the_new_plan_freezes_stays_as_it_was_at_the_fork(step, preset):
    model = make_model()
    run = train(model)
    reached = make_model()
    control = Control()
    stop = lambda event: control.stop() if isinstance(event, Stepped) and event.step == step else None  # noqa: E731
    if step:
        train(reached, control=control, on_event=stop, snapshots=None)
    options = {"k": 1} if preset == "last" else {}
    plan = FreezePlan.preset(preset, ModelTree.of(model), **options)
    other = fork(run, model, step, plan)
    frozen = [name for name, _ in model.named_parameters() if name not in plan.trainable]
    frozen += [name for name, _ in model.named_buffers()]
    assert frozen
    before, after = state(reached), state(model)
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert other.curves.loss[:step] == run.curves.loss[:step]
    assert other.curves.loss != run.curves.loss
    assert other.curves.step == list(range(1, STEPS + 1))
    assert other.config["fork"]["changed"] == ["plan"]
    assert other.config["plan"] == plan.to_dict()


def test_thawing_two_layers_from_a_step_on_moves_them_from_there():
    model = make_text_model()
    tree = ModelTree.of(model)
    start = state(model)
    run = fit(
        model,
        FreezePlan.preset("feature-extraction", tree),
        make_texts(),
        epochs=3,
        batch_size=8,
        snapshots=4,
    )
    fork(run, model, 9, FreezePlan.preset("last", tree, k=2))
    now = state(model)
    moved = {name for name in now if not torch.equal(now[name], start[name])}
    assert any("layer.1." in name for name in moved) and any("layer.2." in name for name in moved)
    assert not any("layer.0." in name or "embeddings" in name for name in moved)


@pytest.mark.parametrize("schedule", ["one-cycle", "linear", "cosine", "constant"])
def test_at_another_rate_the_schedule_keeps_its_shape(schedule):
    """With plain gradient descent a run at twice the rate from the start is a fork of step 0 at twice the rate."""
    model = make_model()
    options = {"optimizer": "sgd", "schedule": schedule, "weight_decay": 0.0}
    run = train(model, **options)
    twice = train(make_model(), lr=0.04, **options)
    assert fork(run, model, 0, lr=0.04).curves.loss == pytest.approx(twice.curves.loss, abs=1e-5)


def test_rates_by_row_and_a_fork_of_that_fork():
    model = make_model()
    run = train(model)
    rates = discriminative_rates(ModelTree.of(model), 0.03, 0.5)
    first = fork(run, model, 7, lr=rates)
    expected = state(model)
    assert first.config["lr"] == rates
    assert run.curves.loss[:7] == first.curves.loss[:7] and run.curves.loss[8] != first.curves.loss[8]
    again = fork(first, model, 19)
    assert_same_run(again, first)
    assert same(state(model), expected)


def test_a_schedule_of_plans_from_a_step_on():
    model = make_model()
    tree = ModelTree.of(model)
    head, full = FreezePlan.preset("feature-extraction", tree), FreezePlan.preset("full", tree)
    run = train(model, full)
    other = fork(run, model, 12, unfreeze={1: head, 4: full})
    at = dict(zip(other.trace.step, other.trace.gradient, strict=True))
    assert not math.isnan(at[8][0]), "the whole model learned before the fork"
    assert math.isnan(at[16][0]) and math.isnan(at[24][0]), "in epochs 2 and 3 the head alone"
    assert not math.isnan(at[32][0]), "and all of it in epoch 4"
    assert set(other.config["unfreeze"]) == {"1", "4"}


# -- what a fork leaves alone -----------------------------------------------------------------------------------------


def test_the_run_that_is_forked_its_model_and_its_file_are_untouched(tmp_path):
    model = make_model()
    run = train(model)
    before, record, weights = repr(run), run.save(tmp_path / "run").read_bytes(), state(model)
    other = copy.deepcopy(model)
    fork(run, other, 10, FreezePlan.preset("feature-extraction", ModelTree.of(model)))
    assert repr(run) == before
    assert run.save(tmp_path / "again").read_bytes() == record
    assert same(state(model), weights)
    assert not same(state(other), weights)


def test_a_fork_can_be_forked_and_its_steps_before_are_those_of_the_first_run():
    model = make_model()
    tree = ModelTree.of(model)
    head = FreezePlan.preset("feature-extraction", tree)
    run = train(model, head)
    expected_of_run = state(model)
    first = fork(run, model, 10, FreezePlan.preset("full", tree))
    expected_of_first = state(model)
    assert first.snapshots.steps[0] == 10
    second = fork(first, model, 21)
    assert same(state(model), expected_of_first)
    assert_same_run(second, first)
    third = fork(second, model, 25, head)
    assert third.curves.loss[:25] == first.curves.loss[:25]
    assert third.config["fork"]["run"] == run_digest(second)
    back = fork(third, model, 4)  # before all of the forks
    assert same(state(model), expected_of_run)
    assert_same_run(back, run)
    assert back.config["fork"]["run"] == run_digest(run)


def test_a_record_of_a_fork_can_be_saved_and_read(tmp_path):
    model = make_model()
    run = train(model)
    other = fork(run, model, 3, lr=1e-4)
    read = Run.load(other.save(tmp_path / "fork"))
    assert read.config["fork"] == {"run": run_digest(run), "step": 3, "changed": ["lr"]}
    assert f"Forked after step 3 of the run {run_digest(run)}" in read.notes[0]


def test_a_stopped_run_can_be_gone_on_with_and_a_failed_one_from_before_it_broke():
    model = make_model()
    control = Control()
    stop = lambda event: control.stop() if isinstance(event, Stepped) and event.step == 9 else None  # noqa: E731
    stopped = train(model, control=control, on_event=stop)
    whole = train(make_model())
    assert fork(stopped, model, 9).curves.loss == whole.curves.loss

    broken = make_model()
    with pytest.raises(TrainingError) as raised:
        train(broken, lr=1e30, optimizer="sgd", schedule="constant", warmup=0.0)
    failed = raised.value.run
    saved = fork(failed, broken, 0, lr=0.01)
    assert saved.status == "finished" and all(map(math.isfinite, saved.curves.loss))


def test_a_fork_hears_stop():
    model = make_model()
    run = train(model)
    control = Control()
    stop = lambda event: control.stop() if isinstance(event, Stepped) and event.step == 20 else None  # noqa: E731
    other = fork(run, model, 10, control=control, on_event=stop)
    assert (other.status, other.steps) == ("stopped", 20)


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_snapshots_cost_the_run_nothing_that_can_be_seen_in_it():
    with_, without = make_model(), make_model()
    assert_same_run(train(with_), train(without, snapshots=None))
    assert same(state(with_), state(without))


def test_they_are_bounded_thinned_and_it_is_said():
    model = make_model()
    free = train(model, snapshots=Snapshots(1))
    assert free.snapshots.steps == list(range(STEPS)) and not free.notes
    bound = free.snapshots.nbytes // 3
    tight = train(make_model(), snapshots=Snapshots(1, disk_bytes=bound))
    assert tight.snapshots.nbytes <= bound
    assert tight.snapshots.steps[0] == 0 and len(tight.snapshots.steps) >= 4
    assert tight.notes == tight.snapshots.notes
    assert "Snapshots are kept every 4 steps, not every 1" in tight.notes[0]
    assert_same_run(fork(tight, make_model(), 27), free)


def test_their_files_are_where_they_were_asked_to_be_and_go_with_the_run(tmp_path):
    run = train(make_model(), snapshots=Snapshots(8, tmp_path / "here"))
    files = list((tmp_path / "here").rglob("*.pt"))
    assert len(files) == len(run.snapshots.steps) == 4
    del run
    gc.collect()
    assert not list((tmp_path / "here").iterdir())


def test_only_what_learned_is_written():
    model = make_text_model()
    plan = FreezePlan.preset("feature-extraction", ModelTree.of(model))
    run = fit(model, plan, make_texts(), epochs=1, batch_size=8, snapshots=100)
    whole = sum(tensor.nbytes for tensor in model.state_dict().values())
    assert run.snapshots.nbytes < whole / 2


def test_a_disk_that_is_full_ends_the_snapshots_not_the_training(monkeypatch):
    replace, written = os.replace, []

    def crash(source, target):
        written.append(target)
        if len(written) > 2:
            raise OSError("No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", crash)
    model = make_model()
    run = train(model, snapshots=5)
    assert run.status == "finished"
    assert "The snapshot of step 10 could not be written (No space left on device)" in run.notes[0]
    with pytest.raises(ValueError, match="Step 12 can't be reached"):
        fork(run, model, 12)


# -- what can't be ----------------------------------------------------------------------------------------------------


def refused(sentence, run, model, *arguments, error=ForkError, **options):
    """The fork is refused with this sentence, and the model is as it was."""
    before = state(model)
    flags = [parameter.requires_grad for parameter in model.parameters()]
    with pytest.raises(error, match=sentence):
        fork(run, model, *arguments, **options)
    assert same(before, state(model))
    assert flags == [parameter.requires_grad for parameter in model.parameters()]


@pytest.mark.parametrize("step", [-1, STEPS, 1.5, True, "3", None])
def test_a_step_that_is_none_is_refused(step):
    model = make_model()
    refused("There is no step .* to fork at: the run made 32 steps.*to 31", train(model), model, step)


def test_a_run_without_snapshots_is_refused(tmp_path):
    model = make_model()
    run = train(model, snapshots=None)
    refused("This run kept no snapshots.*fit.*snapshots=25", run, model, 3)
    kept = train(make_model())
    refused("This run kept no snapshots", Run.load(kept.save(tmp_path / "run")), make_model(), 3)
    refused("is a dict. Expected the Run", {}, make_model(), 3)


def test_a_model_of_another_shape_or_with_other_frozen_weights_is_refused():
    model = make_model()
    tree = ModelTree.of(model)
    head = FreezePlan.preset("feature-extraction", tree)
    run = train(model, head)
    refused("another shape.*0.weight was .8, 4. and is .9, 4.", run, make_model(9), 3)
    fork(run, model, 3, FreezePlan.preset("full", tree))
    refused("weights that stayed frozen in the run are other ones.*another fork", run, model, 3)


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_data_that_were_changed_since_are_refused(part):
    data = make_data()
    model = make_model()
    run = train(model, data=data)
    getattr(data, part)[0][0, 0] += 1
    named = {"train": "training", "valid": "validation"}.get(part, part)
    refused(f"The {named} data were changed since the run", run, model, 3)


def test_plans_and_rates_that_cant_be_are_refused():
    model = make_model()
    tree = ModelTree.of(model)
    run = train(model)
    other = FreezePlan.preset("full", ModelTree.of(nn.Linear(4, 2)))
    refused("made for another shape", run, model, 3, other, error=FreezeError)
    nothing = FreezePlan(tree, "custom", 0, 0, 0)
    refused("freezes everything", run, model, 3, nothing)
    refused("freezes everything", run, model, 3, unfreeze={2: nothing})
    refused("learning rate is -1", run, model, 3, lr=-1, error=ValueError)
    refused("No learning rate for the group", run, model, 3, lr={"0": 0.1}, error=FreezeError)


@pytest.mark.parametrize("bad", [0, -5, 2.5, True, "25"])
def test_snapshots_of_a_strange_number_are_refused(bad):
    with pytest.raises(ValueError, match="every is .*Expected a whole number"):
        Snapshots(bad)


def test_snapshots_are_of_one_run_and_go_with_no_checkpoint(tmp_path):
    used = Snapshots(5)
    train(make_model(), snapshots=used)
    with pytest.raises(ValueError, match="belong to another run.*new ones for each run"):
        train(make_model(), snapshots=used)
    with pytest.raises(ValueError, match="Leave out one of `checkpoint` and `snapshots`"):
        train(make_model(), checkpoint=tmp_path / "run.pt")


def test_a_damaged_snapshot_is_told_as_a_sentence():
    model = make_model()
    run = train(model)
    file = Path(run.snapshots._home.name) / "00000010.pt"
    file.write_bytes(file.read_bytes()[:100])
    refused("holds no whole checkpoint", run, model, 12, error=CheckpointError)
    assert fork(run, model, 9).status == "finished"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_dropout_goes_on_with_its_own_random_numbers():
    model = make_model()
    run = train(model, device="cuda")
    again = fork(run, model, 13)
    assert again.curves.loss == pytest.approx(run.curves.loss, abs=1e-4)
