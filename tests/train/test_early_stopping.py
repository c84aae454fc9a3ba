"""With `patience`, a run ends in the best epoch: every weight and buffer, whatever was thawed since."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.train.conftest import examples
from tlwidgets.core import FreezePlan, ModelTree, apply_plan
from tlwidgets.train import Control, EpochEnded, Stepped, TaskData, fit, fork

EPOCHS, STEPS = 6, 4  # steps of an epoch
ROWS = ("0", "1", "3")
NOISE = torch.randint(0, 2, (32,), generator=torch.Generator().manual_seed(1))
DATA = TaskData(examples(32, 1), (examples(32, 2)[0], NOISE), examples(32, 3))


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def plan_of(tree: ModelTree, rows: frozenset[str]) -> FreezePlan:
    plan = FreezePlan.preset(tree, "full")
    for row in ROWS:
        plan = plan if row in rows else plan.with_policy(row, "frozen")
    return plan


learning = st.frozensets(st.sampled_from(ROWS), min_size=1)


@dataclass
class Watch:
    """Stops a run or changes its plan after a step, and remembers how each epoch ended."""

    model: nn.Module
    tree: ModelTree
    clicks: dict[int, frozenset[str]] = field(default_factory=dict)
    stop_after: int = -1
    control: Control = field(default_factory=Control)
    ends: dict[int, dict[str, torch.Tensor]] = field(default_factory=dict)

    def __call__(self, event) -> None:
        if isinstance(event, EpochEnded):
            self.ends[event.epoch] = {name: t.clone() for name, t in self.model.state_dict().items()}
        elif isinstance(event, Stepped):
            if event.step in self.clicks:
                plan = plan_of(self.tree, self.clicks[event.step])
                self.control.enqueue(lambda: apply_plan(self.model, plan))
            if event.step == self.stop_after:
                self.control.stop()


@pytest.mark.slow
@given(
    first=learning,
    schedule=st.dictionaries(st.integers(2, EPOCHS), learning, max_size=3),
    clicks=st.dictionaries(st.integers(1, EPOCHS * STEPS), learning, max_size=2),
    patience=st.sampled_from([1, 2, EPOCHS]),
    cache=st.booleans(),
    way=st.sampled_from(["uninterrupted", "resumed", "forked"]),
    step=st.integers(1, EPOCHS * STEPS - 1),
)
@settings(deadline=None, max_examples=20)
def test_the_model_ends_as_it_was_after_the_best_epoch(
    first, schedule, clicks, patience, cache, way, step, tmp_path_factory
):
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt" if way == "resumed" else None

    def train(stop_after=-1):
        model = make_model()
        tree = ModelTree.of(model)
        watch = Watch(model, tree, clicks if way == "uninterrupted" else {}, stop_after)
        run = fit(
            model,
            plan_of(tree, first),
            DATA,
            epochs=EPOCHS,
            batch_size=8,
            lr=0.1,
            schedule="constant",
            warmup=0,
            patience=patience,
            cache=cache,
            unfreeze={epoch: plan_of(tree, rows) for epoch, rows in schedule.items()},
            checkpoint=path,
            snapshots=5 if way == "forked" else None,
            control=watch.control,
            on_event=watch,
        )
        return run, watch

    run, watch = train(step if way == "resumed" else -1)
    ends = watch.ends
    if run.status == "stopped":
        run, watch = train()
        ends |= watch.ends
    if way == "forked":
        model = make_model()
        watch = Watch(model, ModelTree.of(model))
        run = fork(run, model, min(step, run.steps - 1), on_event=watch)
        ends |= watch.ends
    assert run.best_epoch == run.curves.valid_loss.index(min(run.curves.valid_loss)) + 1
    for name, tensor in watch.model.state_dict().items():
        assert torch.equal(tensor, ends[run.best_epoch][name]), name
    with torch.no_grad():
        right = watch.model(DATA.test[0]).argmax(1) == DATA.test[1]
    assert run.test_accuracy == pytest.approx(float(right.float().mean()))


def test_a_run_that_stops_early_says_which_epoch_s_weights_it_left():
    model = make_model()
    data = TaskData(DATA.train, DATA.valid)
    run = fit(model, None, data, epochs=60, lr=0.1, schedule="constant", patience=3)
    assert len(run.curves.valid_loss) == run.best_epoch + 3 < 60
    assert f"The weights are those of epoch {run.best_epoch}." in run.notes[-1]


@pytest.mark.parametrize("bad", [1, 3])  # the first epoch whose validation loss is
def test_a_validation_loss_that_is_nan_is_never_the_best(bad):
    model = make_model()
    epochs = []

    def loss(outputs, labels):
        value = nn.functional.cross_entropy(outputs, labels)
        return value if torch.is_grad_enabled() or len(epochs) + 1 < bad else value * math.nan

    data = TaskData(DATA.train, examples(32, 2))
    watch = Watch(model, ModelTree.of(model))

    def look(event):
        watch(event)
        epochs.extend([event.epoch] if isinstance(event, EpochEnded) else [])

    run = fit(model, None, data, epochs=6, lr=1e-3, loss=loss, patience=2, on_event=look)
    assert math.isnan(run.curves.valid_loss[-1]) and len(run.curves.valid_loss) == bad
    best = min(range(bad - 1), key=run.curves.valid_loss.__getitem__, default=-1) + 1
    assert run.best_epoch == best
    assert f"Stopped after epoch {bad}: the validation loss is nan" in run.notes[-1]
    left = watch.ends[best or 1]
    assert "counted from 0" not in run.notes[-1], "every example has such a loss"
    assert all(torch.equal(tensor, left[name]) for name, tensor in model.state_dict().items())


def test_the_validation_example_whose_loss_is_nan_is_named():
    inputs, labels = examples(32, 2)

    class Odd(nn.Linear):
        def forward(self, x):
            return super().forward(x) / (x[:, :1] != inputs[21, 0])

    data = TaskData(DATA.train, (inputs, labels))
    run = fit(Odd(4, 2), None, data, epochs=6, patience=2, cache=False)
    assert "the validation loss is nan (that of example 21, counted from 0)" in run.notes[-1]
    assert run.status == "finished" and len(run.curves.valid_loss) == 1
