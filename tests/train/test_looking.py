"""Everything is looked at before the first step: each part of the data, on a model that is left as it was."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from tlwidgets.train import Started, TaskData, TrainingError, engine, fit, looking

X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(32) % 2
GOOD = (X, Y)


class Model(nn.Module):
    """With running statistics, dropout, a buffer that moves, and a named input."""

    def __init__(self):
        super().__init__()
        self.body, self.norm, self.drop = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.3)
        self.head = nn.Linear(6, 2)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.head(self.drop(self.norm(self.body(x))))


def make() -> Model:
    torch.manual_seed(0)
    return Model()


def parts(name: str, part) -> tuple[TaskData, dict]:
    """Good data but for one part."""
    if name == "source":
        return TaskData(GOOD), {"source": part}
    given = {"train": GOOD, "valid": GOOD, "test": GOOD, name: part}
    return TaskData(**given), {}


def with_nan(x: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[9, 1] = float("nan")
    return x


FAULTS = {
    "classes beyond the head": ((X, Y + 1), "go up to class 2.*2 logits, for classes 0 to 1.*start at 1"),
    "a negative class": ((X, Y - 1), "A label is -1"),
    "nothing that counts": ((X, torch.full_like(Y, -100)), "All labels of the .* data are -100"),
    "NaN": ((with_nan(X), Y), r"NaN or infinite in 1 of 32 examples \(the first is example 9\)"),
    "infinite": ((with_nan(X).nan_to_num(nan=float("inf")), Y), "NaN or infinite in 1 of 32"),
    "another width": ((X[:, :3], Y), r"cannot take the .* data.*\(examples, 3\)"),
    "an axis too many": ((X, Y[:, None]), r"\(32, 1\).*squeeze\(1\)"),
    "no examples": ((X[:0], Y[:0]), "data are empty"),
    "other names": ({"x": X, "y": X, "labels": Y}, "'y'"),
    "another number of labels": ((X, Y[:5]), "5 labels and 32 examples"),
    "whole numbers": (((X * 100).long(), Y), r"inputs.*type torch.int64.*float\(\)"),
}


@pytest.mark.parametrize("name", ["train", "valid", "test", "source"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_part_is_said_before_the_first_step_and_changes_nothing(name, fault):
    part, sentence = FAULTS[fault]
    data, options = parts(name, part)
    model, events = make(), []
    before = {key: value.clone() for key, value in model.state_dict().items()}
    random = torch.get_rng_state()
    with pytest.raises((ValueError, TypeError), match=sentence):
        fit(model, None, data, epochs=1, on_event=events.append, **options)
    assert not events
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_looking_leaves_the_run_as_it_would_have_been(monkeypatch):
    def trained():
        model = make()
        run = fit(model, None, TaskData(GOOD, GOOD, GOOD), epochs=2, cache=False)
        return run.curves, {key: value.clone() for key, value in model.state_dict().items()}

    curves, state = trained()
    # Looked at on a copy, the model can't have been changed.
    tried = looking.try_out
    monkeypatch.setattr(engine, "try_out", lambda model, *rest: tried(copy.deepcopy(model), *rest))
    monkeypatch.setattr(engine, "needs_two", lambda *_: "")
    unseen, other = trained()
    assert curves == unseen
    assert all(torch.equal(state[key], other[key]) for key in state)


def test_labels_of_another_type_than_in_training_are_refused():
    for train, valid in ((Y, Y.float()), (torch.rand(32, 2), Y)):
        with pytest.raises(
            TypeError, match="labels of the validation data are of type.*same kind in all parts"
        ):
            fit(make(), None, TaskData((X, train), (X, valid)))


def test_a_class_that_training_lacks_is_noted():
    few = (X[Y == 0][:4].repeat(2, 1), torch.tensor([0, 1] * 4))
    model = nn.Linear(4, 3)
    run = fit(model, None, TaskData(few, (X, Y), (X, Y + (X[:, 0] > 0))), epochs=1)
    assert ["No training example has class 2, which the test data have" in note for note in run.notes] == [
        True
    ]


def test_nan_where_the_model_does_not_use_it_is_no_fault():
    class Fills(nn.Linear):
        def forward(self, x):
            return super().forward(x.nan_to_num())

    assert fit(Fills(4, 2), None, (with_nan(X), Y), epochs=1).status == "finished"


@pytest.mark.parametrize("by_length", [False, True])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_last_batch_of_one_under_batch_norm_is_joined_to_its_neighbour_and_said(by_length, accumulate):
    sizes, model = [], make()
    model.norm.register_forward_pre_hook(
        lambda module, args: (
            sizes.append(len(args[0])) if module.training and torch.is_grad_enabled() else None
        )
    )
    events = []
    run = fit(
        model,
        None,
        (X[:9], Y[:9]),
        epochs=2,
        batch_size=4,
        accumulate=accumulate,
        group_by_length=by_length,
        on_event=events.append,
    )
    assert sorted(sizes[:2]) == [4, 5]
    assert next(e for e in events if isinstance(e, Started)).steps == run.steps == 4 // accumulate
    assert any("joined to the batch before it" in note for note in run.notes)
    assert fit(nn.Linear(4, 2), None, (X[:9], Y[:9]), epochs=1, batch_size=4).steps == 3


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(X[:9], Y[:9], strict=True))


NINE = TensorDataset(X[:9], Y[:9])


@pytest.mark.parametrize(
    "data",
    [DataLoader(NINE, batch_size=4), Stream(), DataLoader(Stream(), batch_size=4)],
)
def test_the_last_batch_of_a_stream_is_joined_too(data):
    model, plain = make(), make()
    run = fit(model, None, data, epochs=2, batch_size=4)
    assert run.steps == 4
    assert any("joined to the batch before it" in note for note in run.notes)
    assert fit(nn.Linear(4, 2), None, data, epochs=2, batch_size=4).steps == 6
    joined = [(X[:4], Y[:4]), (X[4:9], Y[4:9])]
    assert fit(plain, None, DataLoader(joined, batch_size=None), epochs=2).curves.loss == run.curves.loss


def test_batches_of_one_under_batch_norm_are_refused():
    with pytest.raises(ValueError, match="BatchNorm needs batches of at least two"):
        fit(make(), None, DataLoader(TensorDataset(X, Y), batch_size=1))
    with pytest.raises(ValueError, match="'norm' .BatchNorm. needs batches of at least two"):
        fit(make(), None, GOOD, batch_size=1)


@pytest.mark.parametrize(
    ("model", "inputs", "remedy"),
    [
        (nn.Embedding(9, 2), torch.ones(32), r"\.long\(\) makes it"),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
            torch.ones(32, 4, 4),
            r"unsqueeze\(1\)",
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), torch.ones(32, 4, 4).long(), r"\.float\(\) makes it"),
        (nn.Linear(16, 2), torch.ones(32, 4, 4), r"flatten\(1\) makes it"),
        (
            nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(18, 2)),
            torch.ones(32, 5, 5, 3),
            r"permute\(0, 3, 1, 2\) makes it",
        ),
    ],
)
def test_a_remedy_that_is_named_was_tried(model, inputs, remedy):
    with pytest.raises(ValueError, match=remedy):
        fit(model, None, (inputs, Y))


@pytest.mark.parametrize(
    ("labels", "loss", "sentence"),
    [
        (
            Y,
            nn.BCEWithLogitsLoss(),
            r"outputs of shape \(examples, 1\).*labels.unsqueeze\(1\).float\(\) does",
        ),
        (Y.float(), nn.BCEWithLogitsLoss(), r"labels.unsqueeze\(1\) does"),
        (Y, lambda outputs, labels: outputs.repeat(2, 1), "The loss gave a Tensor of shape .* single number"),
        (Y, lambda outputs, labels: 0.5, "The loss gave a float 0.5"),
    ],
)
@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_loss_that_does_not_fit_is_explained_and_moves_nothing(labels, loss, sentence, part):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 1))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    train = (X, labels if part == "train" else labels.float()[:, None])
    if part == "valid":
        good = nn.BCEWithLogitsLoss()
        own = loss

        def loss(outputs, given):
            return good(outputs, given) if given.dim() == 2 else own(outputs, given)

    with pytest.raises((ValueError, TypeError), match=sentence):
        fit(model, None, TaskData(train, (X, labels)), loss=loss)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_users_loss_meets_each_training_example_only_in_steps():
    counted = []

    def loss(outputs, labels):
        counted.append(len(labels))
        return nn.functional.cross_entropy(outputs, labels)

    fit(make(), None, GOOD, epochs=1, loss=loss, batch_size=8)
    assert counted == [8] * 4


def test_memory_that_runs_out_while_looking_is_said_at_the_step():
    class Greedy(nn.Linear):
        def forward(self, x):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(TrainingError, match="ran out of memory at step 1"):
        fit(nn.Sequential(Greedy(4, 2)), None, GOOD)
