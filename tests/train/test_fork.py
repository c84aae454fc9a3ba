"""A run can be gone on with from any of its steps: in the same way to the same bits, or in another way."""

from __future__ import annotations

import copy
import gc
import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.fork_tasks import (
    STEPS,
    assert_same_run,
    make_model,
    make_text_model,
    make_texts,
    same,
    state,
    stop_after,
    train,
)
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import (
    Control,
    Run,
    Snapshots,
    Stepped,
    TrainingError,
    discriminative_rates,
    fit,
    fork,
    gradual_unfreezing,
    run_digest,
)

# -- the same plan: the same bits ----------------------------------------------------------------------------


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
    plan = FreezePlan.preset(tree, "full" if start == "full" else "feature-extraction")
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
    plan = FreezePlan.preset(model, "feature-extraction")
    run = fit(model, plan, make_texts(), epochs=3, batch_size=8, snapshots=4)
    assert run.cached
    again = fork(run, model, 16)
    assert again.cached, "a pass without them would have other last bits"
    assert_same_run(again, run)


def test_clicks_during_the_run_are_part_of_it(tmp_path):
    """No replay could know of a click: a snapshot is kept at each."""
    model = make_model()
    plan = FreezePlan.preset(model, "feature-extraction")
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


# -- another plan --------------------------------------------------------------------------------------------


@given(step=st.integers(0, STEPS - 1), preset=st.sampled_from(["feature-extraction", "last"]))
@settings(max_examples=12, deadline=None)
def test_what_the_new_plan_freezes_stays_as_it_was_at_the_fork(step, preset):
    model = make_model()
    run = train(model)
    reached = make_model()
    control = Control()
    stop = stop_after(control, step)
    if step:
        train(reached, control=control, on_event=stop, snapshots=None)
    options = {"k": 1} if preset == "last" else {}
    plan = FreezePlan.preset(model, preset, **options)
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
        FreezePlan.preset(tree, "feature-extraction"),
        make_texts(),
        epochs=3,
        batch_size=8,
        snapshots=4,
    )
    fork(run, model, 9, FreezePlan.preset(tree, "last", k=2))
    now = state(model)
    moved = {name for name in now if not torch.equal(now[name], start[name])}
    assert any("layer.1." in name for name in moved) and any("layer.2." in name for name in moved)
    assert not any("layer.0." in name or "embeddings" in name for name in moved)


@pytest.mark.parametrize("schedule", ["one-cycle", "linear", "cosine", "constant"])
def test_at_another_rate_the_schedule_keeps_its_shape(schedule):
    """With plain gradient descent a run at twice the rate from the start is a fork of step 0 at twice the
    rate."""
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
    head, full = FreezePlan.preset(tree, "feature-extraction"), FreezePlan.preset(tree, "full")
    run = train(model, full)
    other = fork(run, model, 12, unfreeze={1: head, 4: full})
    at = dict(zip(other.trace.step, other.trace.gradient, strict=True))
    assert not math.isnan(at[8][0]), "the whole model learned before the fork"
    assert math.isnan(at[16][0]) and math.isnan(at[24][0]), "in epochs 2 and 3 the head alone"
    assert not math.isnan(at[32][0]), "and all of it in epoch 4"
    assert set(other.config["unfreeze"]) == {"1", "4"}


# -- what a fork leaves alone --------------------------------------------------------------------------------


def test_the_run_that_is_forked_its_model_and_its_file_are_untouched(tmp_path):
    model = make_model()
    run = train(model)
    before, record, weights = repr(run), run.save(tmp_path / "run").read_bytes(), state(model)
    other = copy.deepcopy(model)
    fork(run, other, 10, FreezePlan.preset(model, "feature-extraction"))
    assert repr(run) == before
    assert run.save(tmp_path / "again").read_bytes() == record
    assert same(state(model), weights)
    assert not same(state(other), weights)


def test_a_fork_can_be_forked_and_its_steps_before_are_those_of_the_first_run():
    model = make_model()
    tree = ModelTree.of(model)
    head = FreezePlan.preset(tree, "feature-extraction")
    run = train(model, head)
    expected_of_run = state(model)
    first = fork(run, model, 10, FreezePlan.preset(tree, "full"))
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
    stop = stop_after(control, 9)
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
    stop = stop_after(control, 20)
    other = fork(run, model, 10, control=control, on_event=stop)
    assert (other.status, other.steps) == ("stopped", 20)


# -- what is kept --------------------------------------------------------------------------------------------


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
    plan = FreezePlan.preset(model, "feature-extraction")
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
    with pytest.raises(ValueError, match="Step 12 cannot be reached"):
        fork(run, model, 12)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_dropout_goes_on_with_its_own_random_numbers():
    model = make_model()
    run = train(model, device="cuda")
    again = fork(run, model, 13)
    assert again.curves.loss == pytest.approx(run.curves.loss, abs=1e-4)
