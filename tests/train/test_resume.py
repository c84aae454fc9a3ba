"""A run that was interrupted goes on to the same bits as one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.train.conftest import examples
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import CheckpointError, Control, Stepped, TaskData, fit

pytestmark = pytest.mark.slow

DATA = TaskData(examples(64, 1), examples(32, 2), examples(32, 3))


def make_model(width: int = 8) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 2)
    )


def plans(model) -> dict[int, FreezePlan]:
    tree = ModelTree.of(model)
    return {1: FreezePlan.preset(tree, "feature-extraction"), 3: FreezePlan.preset(tree, "full")}


def train(path=None, stop_after: int | None = None, **options):
    """A run of 5 epochs of 8 batches, and what it left in the model."""
    model = make_model()
    control = Control()

    def stop(event):
        if isinstance(event, Stepped) and event.step == stop_after:
            control.stop()

    schedule = plans(model) if options.pop("gradual", False) else {}
    run = fit(
        model,
        schedule.get(1),
        DATA,
        **{"epochs": 5, "batch_size": 8, "lr": 0.02, **options},
        unfreeze=schedule,
        checkpoint=path,
        control=control,
        on_event=stop,
    )
    return run, {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@given(
    step=st.integers(1, 39),
    optimizer=st.sampled_from(["adamw", "sgd"]),
    gradual=st.booleans(),
    accumulate=st.sampled_from([1, 3]),
    cache=st.booleans(),
    patience=st.sampled_from([None, 2]),
)
@settings(max_examples=25, deadline=None)
def test_stopped_at_any_step_it_goes_on_to_the_same_bits(tmp_path_factory, step, **options):
    whole, expected = train(**options)
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    first, _ = train(path, stop_after=step, **options)
    if first.status == "stopped":
        assert path.exists()
        second, found = train(path, **options)
        assert second.notes[0] == f"Continued from step {first.steps}, where an earlier run had stopped."
    else:  # it was over before
        second, found = first, train(None, **options)[1]
    assert same(found, expected)
    assert second.curves.loss == whole.curves.loss
    assert second.curves.valid_loss == whole.curves.valid_loss
    assert second.test_accuracy == whole.test_accuracy
    assert second.best_epoch == whole.best_epoch
    assert not path.exists(), "a run that is over leaves no checkpoint"


def test_stopped_again_and_again_it_still_arrives(tmp_path):
    whole, expected = train(gradual=True)
    path = tmp_path / "checkpoint.pt"
    for step in (3, 9, 17, 30):
        run, found = train(path, stop_after=step, gradual=True)
        assert (run.status, run.steps) == ("stopped", step)
    run, found = train(path, gradual=True)
    assert run.status == "finished"
    assert same(found, expected)


PROGRAM = """
    import sys, tlwidgets, torch
    from tests.train.test_resume import DATA, make_model
    from tlwidgets.train import EpochEnded, fit

    def tell(event):
        if isinstance(event, EpochEnded):
            print("epoch", event.epoch, flush=True)
            if event.epoch == 3 and sys.argv[2] == "wait":
                sys.stdin.read()

    model = make_model()
    run = fit(model, None, DATA, epochs=5, batch_size=8, lr=0.02, checkpoint=sys.argv[1], on_event=tell)
    torch.save(model.state_dict(), sys.argv[1] + ".weights")
"""


def test_a_killed_process_goes_on_from_its_last_epoch(tmp_path):
    path = tmp_path / "checkpoint.pt"
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path)]
    # One thread, as this process may have another number: sums in another order have other last bits.
    options = {"cwd": os.getcwd(), "env": {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}}
    first = subprocess.Popen([*command, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
    for line in first.stdout:
        if line.strip() == b"epoch 3":
            break
    first.send_signal(signal.SIGKILL)
    first.communicate()
    again = subprocess.run([*command, "go"], stdin=subprocess.DEVNULL, capture_output=True, **options)
    assert again.returncode == 0, again.stderr
    assert again.stdout.split(b"\n")[0] == b"epoch 3", "the third epoch was not saved yet, the second was"
    undisturbed = subprocess.run(
        [*command[:-1], str(tmp_path / "other.pt"), "go"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        **options,
    )
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert same(torch.load(f"{path}.weights"), torch.load(tmp_path / "other.pt.weights"))


# -- checkpoints that don't fit ------------------------------------------------------------------------------


@pytest.fixture
def stopped(tmp_path):
    path = tmp_path / "checkpoint.pt"
    train(path, stop_after=10)
    return path


def refused(path, sentence, model=None, **options):
    """The call is refused with this sentence, and neither the model nor the file has changed."""
    model = model or make_model()
    before, content = {n: t.clone() for n, t in model.state_dict().items()}, path.read_bytes()
    with pytest.raises(CheckpointError, match=sentence):
        fit(
            model,
            None,
            options.pop("data", DATA),
            **{"epochs": 5, "batch_size": 8, "lr": 0.02, "unfreeze": {}, **options},
            checkpoint=path,
        )
    assert same(before, model.state_dict())
    assert path.read_bytes() == content


def test_a_checkpoint_of_another_model_is_refused(stopped):
    refused(stopped, "is a checkpoint of another model: 0.weight was .8, 4. and is .9, 4.", make_model(9))


def test_a_checkpoint_of_a_run_with_other_options_is_refused(stopped):
    refused(stopped, "with other options: lr was 0.02 and is 0.01", lr=0.01)


def scaled(factor):
    def loss(outputs, labels):
        return nn.functional.cross_entropy(outputs, labels) * factor

    return loss


def counting(outputs, labels, seen=[]):  # noqa: B006  # it remembers
    seen.append(len(labels))
    return nn.functional.cross_entropy(outputs, labels)


def another(outputs, labels):
    return nn.functional.cross_entropy(outputs, labels)


def shifted(inputs):
    return inputs + 0.1


def shifted_more(inputs):
    return inputs + 0.2


def test_a_checkpoint_of_another_loss_augmentation_or_data_is_refused_and_the_same_are_not(tmp_path):
    def begin(**options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.pt"
        train(path, stop_after=10, **options)
        return path

    path = begin(loss=scaled(2.0))
    refused(path, "something that the loss `scaled.<locals>.loss` uses has changed", loss=scaled(3.0))
    refused(path, "the loss was `scaled.<locals>.loss` and is `another`", loss=another)
    refused(path, "the loss was `scaled.<locals>.loss` and is the default")
    assert train(path, loss=scaled(2.0))[0].status == "finished"
    path = begin(augment=shifted)
    refused(path, "the augmentation was `shifted` and is `shifted_more`", augment=shifted_more)
    shifted_more.__qualname__ = "shifted"
    refused(path, "the code of the augmentation `shifted` has changed", augment=shifted_more)
    for part, words in (("train", "the training data are not"), ("valid", "the validation data are not")):
        inputs = getattr(DATA, part)[0].clone()
        inputs[3, 1] += 1e-3
        other = replace(DATA, **{part: (inputs, getattr(DATA, part)[1])})
        refused(path, words, augment=shifted, data=other)
    refused(
        path, "there were test data, and now there are none", augment=shifted, data=replace(DATA, test=None)
    )
    assert train(path, augment=shifted)[0].status == "finished"
    assert train(begin(loss=counting), loss=counting)[0].status == "finished"


def test_a_checkpoint_on_top_of_other_frozen_weights_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"

    def frozen():
        model = make_model()
        model[0].requires_grad_(False)
        return model

    control = Control()
    fit(
        frozen(),
        None,
        DATA,
        epochs=5,
        batch_size=8,
        lr=0.02,
        unfreeze={},
        checkpoint=path,
        control=control,
        on_event=lambda event: control.stop() if isinstance(event, Stepped) else None,
    )
    other = frozen()
    with torch.no_grad():
        other[0].weight[0, 0] += 1e-3
    refused(path, "The frozen weights of this model are not those", other)


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_a_damaged_checkpoint_is_refused(stopped, damage):
    content = stopped.read_bytes()
    stopped.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "text": b"hello"}[damage])
    refused(stopped, "holds no whole checkpoint.*remove it to start anew")


def test_a_crash_while_writing_keeps_the_older_checkpoint(stopped, monkeypatch):
    content = stopped.read_bytes()

    def crash(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="No space left"):
        train(stopped, stop_after=12)
    assert stopped.read_bytes() == content
