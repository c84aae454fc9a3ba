"""`Trainer` trains under the same plans: frozen means bit-identical there, too."""

from __future__ import annotations

import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from tests.train.test_features import bert, texts
from tlwidgets.core import FreezePlan, ModelTree, OptimizerError
from tlwidgets.train import discriminative_rates, gradual_unfreezing
from tlwidgets.train.huggingface import FreezeCallback, trainer_optimizer


def rows():
    data = texts()
    return [{name: tensor[i] for name, tensor in data.items()} for i in range(64)]


def train(folder, model, *callbacks, optimizer=None, epochs=2):
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=16,
        learning_rate=1e-2,
        weight_decay=0.1,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    Trainer(
        model=model,
        args=arguments,
        train_dataset=rows(),
        callbacks=list(callbacks),
        optimizers=(optimizer, None),
    ).train()


@pytest.mark.parametrize(
    "preset, options", [("feature-extraction", {}), ("last", {"k": 2}), ("norms-and-biases", {})]
)
def test_frozen_means_bit_identical_under_trainer(tmp_path, preset, options):
    model = bert()
    plan = FreezePlan.preset(preset, ModelTree.of(model), **options)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    train(tmp_path, model, FreezeCallback(plan))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]) == (name not in plan.trainable), name


def test_what_is_frozen_stays_in_eval_while_trainer_trains(tmp_path):
    model = bert()
    plan = FreezePlan.preset("last", ModelTree.of(model), k=1)
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
    with pytest.raises(OptimizerError, match="does not hold .* of the weights that the plan trains"):
        train(tmp_path, model, FreezeCallback(schedule[1], schedule))
