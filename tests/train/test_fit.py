"""`fit` trains what the plan lets learn, nothing else, and the same way each time."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification
from transformers.utils import ModelOutput

from tlwidgets.core import FreezePlan, ModelTree, StructureChangedError, audit
from tlwidgets.train import EpochEnded, Finished, Started, Stepped, TaskData, Traced, TrainingError, fit


def state_of(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same_bits(first: dict, second: dict) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(make_model, data):
    results = []
    for seed in (3, 3, 4):
        model = make_model()
        run = fit(model, None, data, epochs=2, seed=seed)
        results.append((state_of(model), run.curves))
    assert same_bits(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    assert not same_bits(results[0][0], results[2][0])


def test_the_callers_random_numbers_go_on_as_if_nothing_had_been_drawn(make_model, data):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    fit(make_model(), None, data, epochs=1, seed=5)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("trained", [["4"], ["0", "4"]])
def test_what_is_frozen_keeps_its_bits_and_what_learns_moves(make_model, data, optimizer, trained):
    model = make_model()
    tree = ModelTree.of(model)
    plan = FreezePlan.preset(tree, "full")
    frozen = [group for group in ("0", "1", "4") if group not in trained]
    for group in frozen:
        plan = plan.with_policy(group, "frozen")
    before, watch = state_of(model), audit(model, plan)
    fit(model, plan, data, epochs=2, lr=0.05, optimizer=optimizer)
    after = model.state_dict()
    for name in before:
        kept = name.split(".")[0] in frozen
        assert torch.equal(before[name], after[name]) is kept, name
    assert watch.report().ok


def test_running_statistics_move_where_nothing_is_frozen(make_model, data):
    model = make_model()
    before = state_of(model)
    fit(model, None, data, epochs=1)
    assert not torch.equal(before["1.running_mean"], model.state_dict()["1.running_mean"])


def test_training_learns_the_task_and_the_record_says_so(make_model, data):
    run = fit(make_model(), None, data, epochs=15, lr=0.02)
    assert run.status == "finished"
    assert run.test_accuracy > 0.85
    assert run.curves.step == list(range(1, run.steps + 1))
    assert len(run.curves.loss) == len(run.curves.accuracy) == run.steps == 15 * 4
    assert run.curves.epoch == list(range(1, 16))
    assert run.curves.valid_loss[-1] < run.curves.valid_loss[0]
    assert run.costs.trainable == run.costs.total == 4 * 8 + 8 + 16 + 8 * 2 + 2
    assert run.costs.wall_s > 0
    assert run.costs.peak_bytes > 0


def test_the_model_is_left_ready_to_be_used(make_model, data):
    model = make_model()
    fit(model, None, TaskData(data.train), epochs=1)
    assert not any(module.training for module in model.modules())


def test_events_tell_the_run_in_order(make_model, data):
    events = []
    run = fit(make_model(), None, data, epochs=2, on_event=events.append)
    kinds = [type(event) for event in events]
    # Layers are measured at the first step and at the last of each epoch, and told before the step is.
    first = [Traced, Stepped, Stepped, Stepped, Traced, Stepped, EpochEnded]
    second = [Stepped, Stepped, Stepped, Traced, Stepped, EpochEnded]
    assert kinds == [Started, *first, *second, Finished]
    assert [event.loss for event in events if isinstance(event, Stepped)] == run.curves.loss
    assert events[0].steps == 8
    assert events[-1].status == "finished"


def test_a_transformers_model_is_called_by_names_and_gives_logits():
    config = BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=12,
        num_labels=3,
    )
    model = BertForSequenceClassification(config)
    draw = torch.Generator().manual_seed(0)
    part = {
        "input_ids": torch.randint(1, 20, (12, 6), generator=draw),
        "attention_mask": torch.ones(12, 6, dtype=torch.long),
        "labels": torch.arange(12) % 3,
    }
    plan = FreezePlan.preset(model, "feature-extraction")
    before = state_of(model)
    run = fit(model, plan, TaskData(part, part, part), epochs=1, batch_size=4)
    moved = {name for name in before if not torch.equal(before[name], model.state_dict()[name])}
    assert run.steps == 3
    assert moved
    assert moved <= plan.trainable


@pytest.mark.parametrize(
    "wrap", [lambda scores: (scores,), lambda scores: {"logits": scores}, lambda s: ModelOutput(logits=s)]
)
def test_scores_are_found_in_what_the_model_returns(data, wrap):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 2)

        def forward(self, inputs):
            return wrap(self.head(inputs))

    assert fit(Wrapped(), None, data, epochs=1).steps == 4


def test_a_model_without_scores_is_told_what_is_missing(data):
    class Mute(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 2)

        def forward(self, inputs):
            return {"hidden": self.head(inputs)}

    with pytest.raises(TypeError, match="without `logits`.*put a head on the backbone"):
        fit(Mute(), None, data, epochs=1)


def test_numbers_as_labels_are_learned_by_squared_error():
    inputs = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    part = (inputs, inputs.sum(1))
    run = fit(nn.Linear(4, 1), None, TaskData(part, part, part), epochs=30, lr=0.1)
    assert run.curves.loss[-1] < 0.05 * run.curves.loss[0]
    assert run.test_accuracy is None


@pytest.mark.parametrize("kind", [torch.bool, torch.int32, torch.uint8])
def test_class_numbers_of_any_whole_type_are_taken(make_model, data, kind):
    inputs, labels = data.train
    assert fit(make_model(), None, TaskData((inputs, labels.to(kind))), epochs=1).steps == 4


def test_a_loss_of_ones_own_is_used(data):
    inputs, labels = data.train
    several = torch.stack([labels, 1 - labels], 1)
    loss = nn.functional.binary_cross_entropy_with_logits
    run = fit(
        nn.Linear(4, 2), None, TaskData((inputs, several)), epochs=1, loss=lambda out, y: loss(out, y.float())
    )
    assert run.steps == 4


def test_an_optimizer_of_ones_own_gets_every_parameter(make_model, data):
    got = []

    def make(groups):
        got.extend(parameter for group in groups for parameter in group["params"])
        return torch.optim.SGD(groups, lr=0.1)

    model = make_model()
    fit(model, FreezePlan.preset(model, "feature-extraction"), data, epochs=1, optimizer=make)
    assert {id(parameter) for parameter in got} == {id(parameter) for parameter in model.parameters()}


def test_a_loss_that_explodes_ends_the_run_with_a_sentence_and_its_record(data):
    class Overflows(nn.Linear):
        def forward(self, inputs):
            return super().forward(inputs) / (inputs[:, :1] != poisoned)

    poisoned = data.train[0][40, 0]
    events = []
    with pytest.raises(TrainingError, match=r"The loss became nan at step \d.*try a tenth of 0.5") as caught:
        fit(Overflows(4, 2), None, data, lr=0.5, on_event=events.append)
    run = caught.value.run
    assert run.status == "failed"
    assert run.message == str(caught.value)
    assert 1 <= run.steps <= 4
    assert events[-1] == Finished(run.steps, "failed", run.message)


def points(number):
    return torch.zeros(number, 4)


GOOD = torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("part", "error", "sentence"),
    [
        ((points(0), GOOD[:0]), ValueError, "training data are empty. Expected at least one example"),
        ((points(4), torch.ones(4).long()), ValueError, r"All 4 training examples have the same label \(1\)"),
        ((points(3), GOOD), ValueError, "4 labels and 3 examples.*one label for each example"),
        ({"x": points(4)}, ValueError, "no 'labels'.*it has 'x'"),
        ({}, ValueError, "no 'labels'.*it has nothing"),
        ({"labels": GOOD}, ValueError, "have labels but no inputs"),
        ((points(4), GOOD - 1), ValueError, "A label is -1. Expected class numbers from 0 up"),
        ((points(4), GOOD + 4), ValueError, "labels go up to class 5.*as wide as there are classes"),
        ((points(4), GOOD[:, None]), ValueError, r"whole numbers of shape \(4, 1\)"),
        (
            (points(4), torch.rand(4, 3)),
            ValueError,
            r"outputs of shape \(4, 2\) for labels of shape \(4, 3\)",
        ),
        ((points(4), torch.tensor(1)), ValueError, "is a single number"),
        (([["a"] * 4] * 4, GOOD), TypeError, "is text .'a', .*Expected numbers"),
        (points(4), TypeError, "training data are a Tensor. Expected a mapping"),
        (None, TypeError, "training data are a NoneType"),
    ],
)
def test_data_that_cannot_be_learned_from_get_a_sentence_and_move_no_weight(
    make_model, part, error, sentence
):
    model = make_model()
    weights = [parameter.clone() for parameter in model.parameters()]
    with pytest.raises(error, match=sentence):
        fit(model, None, TaskData(part))
    assert all(torch.equal(old, new) for old, new in zip(weights, model.parameters(), strict=True))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0. Expected a whole number of at least 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"epochs": True}, "epochs is True"),
        ({"lr": 0}, "learning rate is 0. Expected a number above 0"),
        ({"lr": float("nan")}, "learning rate is nan"),
        ({"lr": "fast"}, "learning rate is 'fast'"),
        ({"optimizer": "adam"}, "Unknown optimizer 'adam'. Expected one of adamw, sgd"),
        (
            {"schedule": "wave"},
            "Unknown schedule 'wave'. Expected one of one-cycle, linear, cosine, constant",
        ),
    ],
)
def test_options_that_mean_nothing_are_refused_before_anything_is_changed(
    make_model, data, options, sentence
):
    model = make_model()
    plan = FreezePlan.preset(model, "feature-extraction")
    with pytest.raises(ValueError, match=sentence):
        fit(model, plan, data, **options)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_model_that_is_frozen_altogether_is_refused(make_model, data):
    model = make_model().requires_grad_(False)
    with pytest.raises(ValueError, match="Every weight of this model is frozen.*Thaw at least one group"):
        fit(model, None, data)


def test_a_plan_of_another_model_is_refused(make_model, data):
    plan = FreezePlan.preset(ModelTree.of(nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2))), "full")
    with pytest.raises(StructureChangedError):
        fit(make_model(), plan, data)
