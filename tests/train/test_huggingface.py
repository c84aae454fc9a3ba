"""`Trainer` trains under the same plans: frozen means bit-identical there, too."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import IterableDataset
from transformers import Trainer, TrainerCallback, TrainingArguments

from tests.train.feature_tasks import bert, texts
from tlwidgets.core import FreezePlan, ModelTree, OptimizerError
from tlwidgets.train import discriminative_rates, gradual_unfreezing
from tlwidgets.train.huggingface import FreezeCallback, trainer_optimizer


def rows():
    data = texts()
    return [{name: tensor[i] for name, tensor in data.items()} for i in range(64)]


class Stream(IterableDataset):
    """The rows in their order, `passes` times over; its length is not known."""

    def __init__(self, passes=1):
        self.passes = passes

    def __iter__(self):
        for _ in range(self.passes):
            yield from rows()


def train(folder, model, *callbacks, optimizer=None, epochs=2, data=None, resume=None, **options):
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=16,
        learning_rate=1e-2,
        weight_decay=0.1,
        use_cpu=True,
        report_to=[],
        logging_strategy="no",
        disable_tqdm=True,
        **{"save_strategy": "no", **options},
    )
    Trainer(
        model=model,
        args=arguments,
        train_dataset=data or rows(),
        callbacks=list(callbacks),
        optimizers=(optimizer, None),
    ).train(resume_from_checkpoint=resume)


@pytest.mark.parametrize(
    "preset, options", [("feature-extraction", {}), ("last", {"k": 2}), ("norms-and-biases", {})]
)
def test_frozen_means_bit_identical_under_trainer(tmp_path, preset, options):
    model = bert()
    plan = FreezePlan.preset(model, preset, **options)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    train(tmp_path, model, FreezeCallback(plan))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]) == (name not in plan.trainable), name


def test_what_is_frozen_stays_in_eval_while_trainer_trains(tmp_path):
    model = bert()
    plan = FreezePlan.preset(model, "last", k=1)
    modes = []
    dropouts = [model.bert.encoder.layer[number].output.dropout for number in (0, 3)]
    for dropout in dropouts:
        dropout.register_forward_hook(
            lambda module, *_: modes.append((module is dropouts[1], module.training))
        )
    train(tmp_path, model, FreezeCallback(plan), epochs=1)
    assert set(modes) == {(False, False), (True, True)}


class Look(TrainerCallback):
    """Notes what has moved at the end of each epoch."""

    def __init__(self, model) -> None:
        self.start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        self.moved: list[set[str]] = []

    def on_epoch_end(self, args, state, control, model=None, **kwargs):
        self.moved.append(
            {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, self.start[name])}
        )


def test_a_schedule_of_plans_is_kept_with_a_rate_for_each_layer(tmp_path):
    model = bert()
    tree = ModelTree.of(model)
    schedule = gradual_unfreezing(tree)
    rates = discriminative_rates(tree, 1e-2)
    optimizer = trainer_optimizer(model, schedule[1], rates)
    look = Look(model)
    train(tmp_path, model, FreezeCallback(schedule[1], schedule), look, optimizer=optimizer, epochs=3)
    assert [moved <= set(schedule[epoch].trainable) for epoch, moved in enumerate(look.moved, 1)] == [
        True
    ] * 3
    assert look.moved[0] < look.moved[1] < look.moved[2]
    # Trainer's schedule scales what each group was given.
    lr = {group["name"]: group["initial_lr"] for group in optimizer.param_groups}
    assert lr == pytest.approx(rates)


def test_trainer_s_own_optimizer_can_not_thaw_later_and_that_is_said(tmp_path):
    model = bert()
    schedule = gradual_unfreezing(ModelTree.of(model))
    model.requires_grad_(False)
    model.classifier.requires_grad_(True)
    with pytest.raises(OptimizerError, match="lacks .* of the weights that the plan trains"):
        train(tmp_path, model, FreezeCallback(schedule[1], schedule))


class StopAt(TrainerCallback):
    """Interrupts a training after so many steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = control.should_save = state.global_step >= self.step


class WithoutEpochs(FreezeCallback):
    """What a `Trainer` of one's own does that never says when an epoch begins."""

    def on_epoch_begin(self, *args, **kwargs):
        pass


SITUATIONS = {
    "epochs": {"epochs": 4},
    "accumulated": {"epochs": 4, "gradient_accumulation_steps": 3},
    "no epoch begins": {"epochs": 4, "callback": WithoutEpochs},
    "refrozen": {"epochs": 4, "refreeze": True},
    "an endless stream": {"data": Stream(9), "max_steps": 16, "steps_per_epoch": 4},
    "a stream, accumulated": {
        "data": Stream(9), "max_steps": 8, "steps_per_epoch": 2, "gradient_accumulation_steps": 2,
    },
    "a stream in passes": {"data": Stream(), "max_steps": 16, "stops": [4, 8, 12]},
}  # fmt: skip


def scheduled(folder, *more, callback=FreezeCallback, refreeze=False, steps_per_epoch=None, **options):
    """A bert with dropout after a training in which something more is thawed at each of three epochs."""
    model = bert()
    tree = ModelTree.of(model)
    head, last = (FreezePlan.preset(tree, name) for name in ("feature-extraction", "last"))
    schedule = {1: head, 2: last, 3: FreezePlan.preset(tree, "full")} | ({4: head} if refreeze else {})
    train(
        folder,
        model,
        callback(head, schedule, steps_per_epoch=steps_per_epoch),
        *more,
        optimizer=trainer_optimizer(model, head, 1e-2),
        **options,
    )
    return model.state_dict()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_run_that_is_stopped_anywhere_and_resumed_ends_in_the_same_weights(tmp_path, situation):
    options = dict(SITUATIONS[situation])
    per_epoch = 2 if "accum" in situation else 4
    stops = options.pop("stops", [per_epoch - 1, per_epoch, 2 * per_epoch + 1, 3 * per_epoch])
    whole = scheduled(tmp_path / "whole", **options)
    for stop in stops:
        folder = tmp_path / str(stop)
        scheduled(folder, StopAt(stop), save_strategy="epoch" if "epochs" in options else "steps", **options)
        again = scheduled(folder, resume=str(folder / f"checkpoint-{stop}"), **options)
        assert differences(whole, again) == [], stop


def differences(some, others):
    return [name for name, weight in some.items() if not torch.equal(weight, others[name])]


def test_a_run_can_be_stopped_again_and_again(tmp_path):
    options = {"data": Stream(), "max_steps": 16, "save_strategy": "steps"}
    whole = scheduled(tmp_path / "whole", **options)
    before = None
    for stop in (4, 8, 12, 16):
        again = scheduled(tmp_path, StopAt(stop), resume=before, **options)
        before = str(tmp_path / f"checkpoint-{stop}")
    assert differences(whole, again) == []


def test_a_pass_over_a_stream_is_an_epoch(tmp_path):
    model = bert()
    schedule = gradual_unfreezing(ModelTree.of(model))
    look = Look(model)
    train(
        tmp_path, model, FreezeCallback(schedule[1], schedule), look,
        optimizer=trainer_optimizer(model, schedule[1], 1e-2), data=Stream(), max_steps=10,
    )  # fmt: skip
    assert look.moved == [set(schedule[epoch].trainable) for epoch in (1, 2, 3)]


def test_plans_that_a_stream_does_not_reach_are_spoken_of(tmp_path):
    with pytest.warns(
        UserWarning, match="epoch 2 was never applied: .*pass 1 of its stream.*steps_per_epoch"
    ):
        scheduled(tmp_path, data=Stream(9), max_steps=3)
    with pytest.raises(ValueError, match="steps_per_epoch is 0"):
        FreezeCallback(FreezePlan.preset(bert(), "full"), steps_per_epoch=0)
