"""A small task and models, trained with snapshots, to fork."""

from __future__ import annotations

import torch
import transformers
from torch import nn

from tests.train.conftest import examples
from tlwidgets.train import Control, Run, Stepped, TaskData, fit

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


def stop_after(control: Control, step: int):
    """For `on_event`: ends the run after this step."""
    return lambda event: control.stop() if isinstance(event, Stepped) and event.step == step else None


def state(model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def assert_same_run(one: Run, other: Run) -> None:
    assert repr(one.curves) == repr(other.curves)  # repr: NaN is NaN
    assert one.test_accuracy == other.test_accuracy
    assert one.best_epoch == other.best_epoch
    assert repr(one.trace) == repr(other.trace)
