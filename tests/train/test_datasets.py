"""Data that are read while training: the same examples in the same order give the same bits as tensors do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as t
from tokenizers import Tokenizer, models
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from tlwidgets.train import (
    Arena,
    ArenaError,
    Contender,
    Control,
    FeatureCache,
    Started,
    Stepped,
    TaskData,
    TrainingError,
    datasets,
    fit,
    fork,
    lr_range_test,
    streams,
)

X = torch.randn(33, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(33) % 2
TENSORS = (X, Y)


class Pairs(Dataset):
    """Indexable and sized; `change` is what happens to an example on its way."""

    def __init__(self, change=lambda x: x, size=33):
        self.change, self.size = change, size

    def __len__(self):
        return self.size

    def __getitem__(self, place):
        return self.change(X[place % len(X)]), Y[place % len(X)]


class Stream(IterableDataset):
    def __init__(self, size=33):
        self.size, self.passes = size, 0

    def __iter__(self):
        self.passes += 1
        return ((X[i], Y[i]) for i in range(self.size))


class Columns:
    """What is asked of a data set of the package `datasets`: rows as plain lists, among them text."""

    column_names = ("input", "label", "text")

    def __len__(self):
        return len(X)

    def __getitem__(self, place):
        return {"input": X[place].tolist(), "label": int(Y[place]), "text": "a word"}

    def __getitems__(self, places):
        return [self[place] for place in places]


@pytest.fixture(params=["held", "read while training"])
def held(request, monkeypatch):
    if request.param != "held":
        monkeypatch.setattr(datasets, "HELD_BYTES", 0)


def make(frozen=False) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 2))
    model[0].requires_grad_(not frozen)
    return model


def trained(data, frozen=False, **options):
    model = make(frozen)
    run = fit(model, None, data, **{"epochs": 2, "batch_size": 8, **options})
    return run, [weight.detach().clone() for weight in model.parameters()]


def same(one, other) -> bool:
    return one[0].curves.loss == other[0].curves.loss and all(map(torch.equal, one[1], other[1]))


@pytest.mark.parametrize(
    "data", [TensorDataset(X, Y), Pairs(), Columns()], ids=["tensors", "pairs", "columns"]
)
@pytest.mark.parametrize("frozen", [False, True])
def test_a_data_set_of_tensors_trains_to_the_bits_of_the_tensors(held, data, frozen):
    one = trained(TaskData(data, data, data), frozen)
    other = trained(TaskData(TENSORS, TENSORS, TENSORS), frozen)
    assert same(one, other)
    assert one[0].curves.valid_loss == other[0].curves.valid_loss
    assert one[0].test_accuracy == other[0].test_accuracy
    assert one[0].cached is other[0].cached is frozen


def test_a_list_of_examples_with_a_collate_is_batched_in_the_same_order():
    examples = [{"x": x, "y": y} for x, y in zip(X, Y, strict=True)]

    def collate(group):
        return torch.stack([each["x"] for each in group]), torch.stack([each["y"] for each in group])

    one = trained(TaskData(examples, collate=collate))
    assert same(one, trained(TENSORS))
    assert (
        trained(TaskData(examples, collate=collate), True)[0]
        .cache[0]["why"]
        .startswith("a function of yours")
    )


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: x + 0.1 * torch.randn(4),
        lambda x: x + float(np.random.normal()),
        lambda x: x + (torch.rand(()) < 1e-6),  # seldom, but drawn each time
    ],
)
def test_examples_that_are_augmented_are_never_kept_and_the_reason_is_said(held, draw):
    run, _ = trained(Pairs(draw), frozen=True, epochs=3)
    assert not run.cached
    assert "change from pass to pass" in run.cache[0]["why"]
    assert len(set(run.curves.loss[::5])) == 3


def test_looking_at_augmented_examples_draws_nothing_from_the_callers_random_numbers():
    torch.manual_seed(3)
    np.random.seed(3)
    expected = torch.rand(2), np.random.rand()
    torch.manual_seed(3)
    np.random.seed(3)
    datasets.split_of(
        Pairs(lambda x: x + float(np.random.rand()) + torch.rand(4)), "training", torch.device("cpu")
    )
    assert torch.equal(torch.rand(2), expected[0])
    assert np.random.rand() == expected[1]


# -- loaders and streams -------------------------------------------------------------------------------------

LOADERS = {
    "in order": lambda: DataLoader(TensorDataset(X, Y), batch_size=8),
    "shuffled": lambda: DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True),
    "augmented": lambda: DataLoader(Pairs(lambda x: x + torch.rand(4)), batch_size=8, shuffle=True),
    "all but the rest": lambda: DataLoader(TensorDataset(X, Y), batch_size=8, drop_last=True),
    "its own collate": lambda: DataLoader(
        TensorDataset(X, Y),
        batch_size=8,
        collate_fn=lambda g: {
            "input": torch.stack([e[0] for e in g]),
            "labels": torch.stack([e[1] for e in g]),
        },
    ),
    "a stream": Stream,
    "a loader of a stream": lambda: DataLoader(Stream(), batch_size=8),
}


@pytest.mark.parametrize("kind", LOADERS)
def test_batches_come_as_the_loader_makes_them_and_the_same_seed_gives_the_same_bits(kind):
    seen, events = [], []
    model = make()
    model.register_forward_pre_hook(
        lambda m, a: (
            seen.append(len((*a, *m.buffers())[0])) if a and m.training and torch.is_grad_enabled() else None
        )
    )
    run = fit(model, None, LOADERS[kind](), epochs=2, batch_size=8, on_event=events.append, cache=False)
    sizes = [8] * 4 if kind == "all but the rest" else [8] * 4 + [1]
    assert kind == "its own collate" or seen == sizes * 2
    assert next(e for e in events if isinstance(e, Started)).steps == run.steps == 2 * len(sizes)
    assert run.config["examples"] == sum(sizes)
    assert same(trained(LOADERS[kind]()), trained(LOADERS[kind]()))
    other = trained(LOADERS[kind](), seed=1)
    assert not same(trained(LOADERS[kind]()), other)


def test_a_loader_with_workers_gives_what_it_gives_without():
    one, other = (
        trained(DataLoader(Pairs(), batch_size=8, shuffle=True, num_workers=n), epochs=1) for n in (0, 1)
    )
    assert same(one, other)


@pytest.mark.parametrize("kind", ["shuffled", "augmented", "a stream", "in order"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_run_that_is_stopped_in_the_middle_of_a_stream_goes_on_to_the_same_bits(kind, accumulate, tmp_path):
    whole = trained(LOADERS[kind](), accumulate=accumulate)
    model, control = make(), Control()

    def stop(event):
        if isinstance(event, Stepped) and event.step == 4:
            control.stop()

    options = {"epochs": 2, "batch_size": 8, "accumulate": accumulate, "checkpoint": tmp_path / "c.pt"}
    assert fit(model, None, LOADERS[kind](), control=control, on_event=stop, **options).status == "stopped"
    again = make()
    run = fit(again, None, LOADERS[kind](), **options)
    assert run.curves.loss == whole[0].curves.loss
    assert all(map(torch.equal, again.parameters(), whole[1]))


def test_features_are_off_on_streams_with_the_reason():
    run, _ = trained(DataLoader(TensorDataset(X, Y), batch_size=8), frozen=True)
    assert run.cache[0]["used"] is False
    assert "stream" in run.cache[0]["why"]
    beside = trained(TaskData(TENSORS, DataLoader(TensorDataset(X, Y), batch_size=8)), frozen=True)[0]
    assert beside.cached
    assert beside.curves.valid_loss == pytest.approx(
        trained(TaskData(TENSORS, TENSORS), frozen=True)[0].curves.valid_loss
    )


def test_a_stream_that_says_its_length_is_not_counted():
    class Sized(Stream):
        def __len__(self):
            return self.size

    counted, sized = Stream(), Sized()
    trained(counted, epochs=1), trained(sized, epochs=1)
    assert counted.passes == sized.passes + 1


def test_an_endless_stream_is_refused_with_a_way_out(monkeypatch):
    class Endless(IterableDataset):
        def __iter__(self):
            while True:
                yield X[0], Y[0]

    monkeypatch.setattr(streams, "COUNTED", 100)
    with pytest.raises(ValueError, match="not ended after 100 examples.*give its class `__len__`"):
        fit(make(), None, Endless())


# -- text ----------------------------------------------------------------------------------------------------


class Texts(Dataset):
    def __len__(self):
        return 24

    def __getitem__(self, place):
        return {"input_ids": list(range(3, 5 + place % 5)), "text": "word", "label": place % 2}


def tokenizer():
    words = models.WordLevel({"[PAD]": 0, "[UNK]": 1}, unk_token="[UNK]")
    return t.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(words), pad_token="[PAD]", unk_token="[UNK]")


def bert():
    torch.manual_seed(0)
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    return t.BertForSequenceClassification(t.BertConfig(**small, vocab_size=20))


def test_texts_of_different_length_are_padded_by_a_tokenizer_or_its_collator():
    model, other = bert(), bert()
    one = fit(model, None, TaskData(Texts(), Texts(), collate=tokenizer()), epochs=1, batch_size=8)
    two = fit(
        other, None, TaskData(Texts(), collate=t.DataCollatorWithPadding(tokenizer())), epochs=1, batch_size=8
    )
    assert one.curves.loss == two.curves.loss
    with pytest.raises(
        ValueError, match=r"shape \(2,\) in example 0 and \(3,\) in example 1.*collate=function"
    ):
        fit(bert(), None, Texts())


# -- what goes with data -------------------------------------------------------------------------------------


def test_a_rate_is_found_on_any_kind_and_a_run_on_a_data_set_can_be_forked(held):
    found = {lr_range_test(make(), None, data, steps=12, batch_size=8).losses for data in (TENSORS, Pairs())}
    assert len(found) == 1
    assert lr_range_test(make(), None, LOADERS["shuffled"](), steps=12).rates
    model = make()
    run = fit(model, None, Pairs(), epochs=2, batch_size=8, snapshots=3)
    assert fork(run, model, 5).curves.loss == run.curves.loss
    for data in (Stream(), Pairs(lambda x: x + torch.rand(4))):
        with pytest.raises(ValueError, match="cannot be repeated.*where snapshots are kept"):
            fit(make(), None, data, snapshots=3)


def arena(data) -> Arena:
    fighter = Contender("all", lambda seed: make(), lambda tree: tree_plan(tree), (0.01,))
    return Arena("test", [fighter], lambda examples, seed: TaskData(data, data, data), [33], [0], steps=5)


def tree_plan(tree):
    from tlwidgets.core import FreezePlan

    return FreezePlan.preset(tree, "full")


def test_an_arena_tells_data_sets_apart_by_what_is_in_them(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "HELD_BYTES", 0)
    first = arena(Pairs()).fight(tmp_path)
    assert arena(Pairs()).fight(tmp_path).bouts[0].wall_s == first.bouts[0].wall_s
    other = arena(Pairs(lambda x: x + 1)).fight(tmp_path)
    assert other.bouts[0].losses != first.bouts[0].losses
    with pytest.raises(ArenaError, match="cannot be found again.*leave out the folder"):
        arena(Stream()).fight(tmp_path)
    assert arena(Stream()).fight().bouts


# -- faults --------------------------------------------------------------------------------------------------


class Broken(Pairs):
    def __getitem__(self, place):
        if place == 20:
            raise KeyError("lost")
        return super().__getitem__(place)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (Broken(), "of the training data cannot be read: KeyError"),
        (Pairs(size=0), "training data are empty"),
        (Pairs(lambda x: x[:2]), r"cannot take the training data"),
        (DataLoader(TensorDataset(X), batch_size=8), "list of 1. Expected a mapping"),
        (DataLoader(Pairs(size=0), batch_size=8), "training data are empty"),
        (
            TaskData(Pairs(), collate=lambda group: group[7000]),
            "`collate` of the training data failed.*IndexError",
        ),
        (TaskData(Pairs(), collate=3), "collate is a int"),
        (TaskData(TENSORS, Pairs(lambda x: x[:2])), r"cannot take the validation data"),
        (
            TaskData(TENSORS, DataLoader(Pairs(lambda x: x[:2]), batch_size=4)),
            r"cannot take the validation data",
        ),
    ],
)
def test_what_cannot_be_read_is_said_before_the_first_step(held, data, sentence):
    model = make()
    before = [weight.detach().clone() for weight in model.parameters()]
    with pytest.raises((ValueError, TypeError), match=sentence):
        fit(model, None, data, epochs=1)
    assert all(map(torch.equal, before, model.parameters()))


class Rows(Dataset):
    """Rows that are computed when they are read."""

    def __init__(self, size, width):
        self.size, self.width = size, width

    def __len__(self):
        return self.size

    def __getitem__(self, place):
        return torch.arange(self.width) * (place + 1) % 17 / 17.0, place % 2


def trained_on_rows(size: int, width: int, features: int, cache, on_event=None):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(width, features), nn.ReLU(), nn.Linear(features, 2))
    model[0].requires_grad_(False)
    run = fit(
        model, None, Rows(size, width), epochs=2, batch_size=512, cache=cache, lr=1e-3, on_event=on_event
    )
    return run, [weight.detach().clone() for weight in model.parameters()]


def test_features_of_many_rows_go_to_files_and_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "HELD_BYTES", 0)
    cache = FeatureCache(tmp_path, memory_bytes=2**20)
    (run, weights), (plain, others) = (trained_on_rows(3000, 16, 128, each) for each in (cache, False))
    assert run.cached
    assert run.cache[0]["on_disk"]
    assert run.curves.loss == pytest.approx(plain.curves.loss, rel=1e-5)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(weights, others, strict=True))
    warm, _ = trained_on_rows(3000, 16, 128, FeatureCache(tmp_path, memory_bytes=2**20))
    assert warm.cache[0]["warm"]


def anonymous_bytes() -> int:
    """Memory of this process that is not a file's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1)) * 1024


@pytest.mark.long
def test_features_of_a_hundred_thousand_rows_take_bounded_memory(tmp_path):
    most, before = 0, anonymous_bytes()

    def note(event):
        nonlocal most
        most = max(most, anonymous_bytes())

    cache = FeatureCache(tmp_path, memory_bytes=2**26)
    run, _ = trained_on_rows(100_000, 256, 1024, cache, note)
    assert run.cached
    assert run.cache[0]["nbytes"] > 4e8
    assert most - before < 2e8


@pytest.mark.parametrize(
    "change",
    [lambda x: x[:2], lambda x: 1 / 0],
    ids=["another width", "an error"],
)
def test_a_batch_that_goes_wrong_later_ends_the_run_with_its_record(change, monkeypatch):
    monkeypatch.setattr(datasets, "HELD_BYTES", 0)
    monkeypatch.setattr(datasets, "LOOKED_AT", 2)

    class Late(Pairs):
        def __getitem__(self, place):
            x, y = super().__getitem__(place)
            return (change(x) if place in (13, 14) else x), y

    for data in (Late(), DataLoader(Late(), batch_size=8)):
        with pytest.raises((TrainingError, ValueError), match="training data") as caught:
            fit(make(), None, data, epochs=1, batch_size=1 if data.__class__ is Late else 8, seed=1)
        if isinstance(caught.value, TrainingError):
            assert caught.value.run.status == "failed"
            assert caught.value.run.steps > 0
