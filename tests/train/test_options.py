"""What one may have measured, be told of, and leave open: metrics, callbacks, rates, weight decay."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.train.conftest import examples
from tests.train.feature_tasks import bert, texts
from tlwidgets.core import FreezePlan
from tlwidgets.train import EpochEnded, Finished, TaskData, fit, gradual_unfreezing
from tlwidgets.train.optim import spare_norms_and_biases

DATA = TaskData(examples(32, 1), examples(40, 2), examples(24, 3))


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 2))


class Share:
    """Accuracy in the manner of torchmetrics."""

    def __init__(self) -> None:
        self.right = self.all = 0

    def reset(self) -> None:
        self.__init__()

    def update(self, outputs, labels) -> None:
        self.right += int((outputs.argmax(1) == labels).sum())
        self.all += len(labels)

    def compute(self) -> torch.Tensor:
        return torch.tensor(self.right / self.all)


def share(outputs, labels):
    return (outputs.argmax(1) == labels).float().mean()


def test_metrics_see_all_examples_at_once_or_batch_by_batch():
    told = []
    run = fit(
        make_model(),
        None,
        DATA,
        epochs=3,
        lr=0.05,
        metrics={"function": share, "object": Share()},
        callbacks=[lambda event: told.append(event) if isinstance(event, EpochEnded) else None],
    )
    for name in ("function", "object"):
        assert run.metrics[name] == pytest.approx(run.curves.valid_accuracy)
        assert run.test_metrics[name] == pytest.approx(run.test_accuracy)
        assert [event.metrics[name] for event in told] == run.metrics[name]


def test_a_function_gets_the_examples_in_their_order_and_labels_as_padding_where_texts_end():
    valid, got = texts(40, seed=1), []
    valid["labels"] = valid["input_ids"].masked_fill(valid["attention_mask"] == 0, -100)

    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(40, 4), nn.Linear(4, 40)

        def forward(self, input_ids, attention_mask):
            return self.head(self.embed(input_ids))

    def loss(outputs, labels):
        return nn.functional.cross_entropy(outputs.flatten(0, 1), labels.flatten())

    def keep(outputs, labels):
        got.append(labels)
        return len(outputs)

    run = fit(Words(), None, TaskData(valid, valid), epochs=1, loss=loss, metrics={"texts": keep})
    assert torch.equal(got[0], valid["labels"][:, : got[0].shape[1]]) and run.metrics["texts"] == [40]


def test_metrics_are_saved_with_a_run_and_survive_a_stop(tmp_path):
    run = fit(make_model(), None, DATA, epochs=2, metrics={"share": share})
    assert type(run).load(run.save(tmp_path / "run")) == run


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"metrics": share}, TypeError, "metrics is a function. Expected a mapping from names"),
        ({"metrics": {"f1": 3}}, TypeError, "The metric 'f1' is 3. Expected a function"),
        ({"callbacks": share}, TypeError, "Expected a list of functions of an event"),
        ({"max_grad_norm": 0}, ValueError, "max_grad_norm is 0. Expected a number above 0"),
    ],
)
def test_what_can_not_be_is_refused(options, error, sentence):
    with pytest.raises(error, match=sentence):
        fit(make_model(), None, DATA, **options)


def test_callbacks_are_told_each_event_after_on_event():
    one, other, order = [], [], []
    fit(
        make_model(),
        None,
        DATA,
        epochs=2,
        on_event=lambda event: (one.append(event), order.append("on_event")),
        callbacks=[lambda event: (other.append(event), order.append("callback"))],
    )
    assert one == other and isinstance(one[-1], Finished) and order[:2] == ["on_event", "callback"]


@pytest.mark.parametrize(
    "plan, unfreeze, rate",
    [("feature-extraction", False, 1e-3), ("full", False, 5e-5), ("feature-extraction", True, 5e-5)],
)
def test_a_rate_that_is_left_open_is_chosen_by_what_learns_and_said(plan, unfreeze, rate):
    model = bert()
    schedule = gradual_unfreezing(model) if unfreeze else None
    plan = FreezePlan.preset(model, plan)
    run = fit(model, plan, texts(16), epochs=1, lr=None, unfreeze=schedule)
    assert run.config["lr"] == rate
    assert any(f"so the learning rate is {rate:g}" in note for note in run.notes)


def test_norms_and_biases_may_be_left_out_of_weight_decay():
    model = make_model()
    groups = [{"name": "all", "params": list(model.parameters()), "lr": 0.1}]
    decayed, spared = spare_norms_and_biases(model, groups)
    names = {id(weight): name for name, weight in model.named_parameters()}
    assert [names[id(weight)] for weight in decayed["params"]] == ["0.weight", "3.weight"]
    assert spared["weight_decay"] == 0.0 and len(spared["params"]) == 4

    def norm_weight(**options):
        model = make_model()
        options |= {"optimizer": "sgd", "lr": 0.1, "weight_decay": 0.5, "schedule": "constant", "warmup": 0}
        run = fit(model, None, DATA, epochs=1, **options)
        return float(model[1].weight.detach().mean()), run.config

    (decayed, config), (spared, other) = norm_weight(), norm_weight(decay_norms_and_biases=False)
    assert decayed < 0.95 < spared
    assert "decay_norms_and_biases" not in config and other["decay_norms_and_biases"] is False
