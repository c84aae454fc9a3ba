"""A run is steered from another thread, between two steps, and frozen layers stay frozen."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from tlwidgets.core import FreezePlan, ModelTree, apply_plan
from tlwidgets.train import Control, Paused, PlanChanged, Resumed, Stepped, TaskData, fit

PATIENCE = 120  # seconds until a test that hangs fails


class Training:
    """A `fit` in a thread that waits for `allow()` before each step is told, so that a test sets the pace."""

    def __init__(self, model, data, plan=None, **options):
        self.control, self.events = Control(), []
        self._stepped, self._allowed = threading.Semaphore(0), threading.Semaphore(0)
        self.paused, self.resumed, self.changed = threading.Event(), threading.Event(), threading.Event()
        self.run = None

        def train():
            self.run = fit(model, plan, data, control=self.control, on_event=self._on_event, **options)

        self._thread = threading.Thread(target=train, daemon=True)
        self._thread.start()

    def _on_event(self, event):
        self.events.append(event)
        for kind, flag in ((Paused, self.paused), (Resumed, self.resumed), (PlanChanged, self.changed)):
            if isinstance(event, kind):
                flag.set()
        if isinstance(event, Stepped):
            self._stepped.release()
            assert self._allowed.acquire(timeout=PATIENCE)

    def after_step(self):
        """Wait until a step was made; the next one waits for `allow`."""
        assert self._stepped.acquire(timeout=PATIENCE)

    def allow(self, steps: int = 1):
        self._allowed.release(steps)

    def end(self):
        self.allow(10_000)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.run

    @property
    def steps(self) -> int:
        return sum(isinstance(event, Stepped) for event in self.events)


def test_stop_makes_the_step_in_hand_the_last(make_model, data):
    training = Training(make_model(), data, epochs=50)
    for _ in range(3):
        training.after_step()
        if training.steps < 3:
            training.allow()
    training.control.stop()
    run = training.end()
    assert run.status == "stopped"
    assert run.steps == 3
    assert run.test_accuracy is not None


def test_a_run_stopped_before_it_began_makes_no_step(make_model, data):
    control = Control()
    control.stop()
    run = fit(make_model(), None, data, control=control)
    assert (run.status, run.steps) == ("stopped", 0)


def test_no_step_passes_while_paused_and_resume_goes_on_to_the_same_bits(make_model, data):
    whole, halted = make_model(), make_model()
    fit(whole, None, data, epochs=2)
    training = Training(halted, data, epochs=2)
    training.after_step()
    training.control.pause()
    training.allow(10_000)
    assert training.paused.wait(PATIENCE)
    weights = [parameter.clone() for parameter in halted.parameters()]
    # Commands are run while paused: ten of them pass through the waiting thread, and no step with them.
    for _ in range(10):
        passed = threading.Event()
        training.control.enqueue(passed.set)
        assert passed.wait(PATIENCE)
    assert training.steps == 1
    assert all(torch.equal(old, new) for old, new in zip(weights, halted.parameters(), strict=True))
    assert training.control.paused
    training.control.resume()
    run = training.end()
    assert training.resumed.is_set()
    assert (run.status, run.steps) == ("finished", 8)
    assert all(
        torch.equal(one, other) for one, other in zip(whole.parameters(), halted.parameters(), strict=True)
    )


def test_stop_ends_a_paused_run(make_model, data):
    training = Training(make_model(), data, epochs=50)
    training.after_step()
    training.control.pause()
    training.allow()
    assert training.paused.wait(PATIENCE)
    training.control.stop()
    run = training.end()
    assert (run.status, run.steps) == ("stopped", 1)
    assert not training.resumed.is_set()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_layers_frozen_between_steps_keep_their_bits_from_then_on(make_model, data, optimizer):
    model = make_model()
    tree = ModelTree.of(model)
    full, head = FreezePlan.preset(tree, "full"), FreezePlan.preset(tree, "feature-extraction")
    training = Training(model, data, full, epochs=4, lr=0.05, optimizer=optimizer)
    training.after_step()
    at_change = {}

    def freeze():
        apply_plan(model, head)
        at_change.update({name: tensor.clone() for name, tensor in model.state_dict().items()})

    training.control.enqueue(freeze)
    run = training.end()
    after = model.state_dict()
    for name, before in at_change.items():
        assert torch.equal(before, after[name]) is not (name in head.trainable), name
    assert run.costs.trainable == sum(model.get_parameter(name).numel() for name in head.trainable)
    told = [event for event in training.events if isinstance(event, PlanChanged)]
    assert [(event.step, event.trainable) for event in told] == [(1, run.costs.trainable)]


def test_layers_thawed_between_steps_learn_from_then_on(make_model, data):
    model = make_model()
    tree = ModelTree.of(model)
    full, head = FreezePlan.preset(tree, "full"), FreezePlan.preset(tree, "feature-extraction")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    training = Training(model, data, head, epochs=4, lr=0.05)
    training.after_step()
    assert torch.equal(before["0.weight"], model[0].weight)
    training.control.enqueue(lambda: apply_plan(model, full))
    training.end()
    for name, tensor in model.state_dict().items():
        assert not torch.equal(before[name], tensor), name


def test_commands_run_in_order_in_the_training_thread(make_model, data):
    control, seen = Control(), []
    for number in range(5):
        control.enqueue(lambda number=number: seen.append((number, threading.current_thread())))
    fit(make_model(), None, data, epochs=1, control=control)
    assert seen == [(number, threading.current_thread()) for number in range(5)]


def test_a_pause_in_the_last_step_does_not_hold_up_the_end(data):
    control = Control()

    def on_event(event):
        if isinstance(event, Stepped) and event.step == 4:
            control.pause()

    run = fit(nn.Linear(4, 2), None, TaskData(data.train), epochs=1, control=control, on_event=on_event)
    assert (run.status, run.steps) == ("finished", 4)
