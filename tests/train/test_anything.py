"""Whatever is handed in, training either works or says a sentence, and then nothing has changed."""

from __future__ import annotations

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, note, settings
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from tlwidgets.core import FreezePlan
from tlwidgets.train import Arena, Contender, TaskData, TrainingError, fit, lr_range_test

DOCUMENTED = (ValueError, TypeError, TrainingError)


class Examples(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return min(len(self.x), len(self.y))

    def __getitem__(self, place):
        return self.x[place], self.y[place]


class Stream(IterableDataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        return iter(list(zip(self.x, self.y, strict=False)))


def generated(number: int, seed: int) -> torch.Tensor:
    return torch.randn(number, 4, generator=torch.Generator().manual_seed(seed))


def a_nan(x):
    x = x.clone()
    x[: 1 if len(x) else 0, 0] = float("nan")
    return x


INPUTS = {
    "as expected": lambda x: x,
    "double": lambda x: x.double(),
    "half": lambda x: x.half(),
    "whole": lambda x: (x * 10).long(),
    "bool": lambda x: x > 0,
    "complex": lambda x: x.to(torch.complex64),
    "narrow": lambda x: x[:, :3],
    "flat": lambda x: x[:, 0],
    "deep": lambda x: x[:, None, :, None],
    "NaN": a_nan,
    "infinite": lambda x: x / 0,
    "sparse": lambda x: x.to_sparse(),
    "with a graph": lambda x: x.clone().requires_grad_(True) * 2,
    "array": lambda x: x.numpy(),
    "list": lambda x: x.tolist(),
    "text": lambda x: ["a"] * len(x),
    "uneven": lambda x: [row[: 1 + i % 3].tolist() for i, row in enumerate(x)],
    "objects": lambda x: np.array([None] * len(x)),
    "nothing": lambda x: None,
}
LABELS = {
    "classes": lambda n: torch.arange(n) % 2,
    "three classes": lambda n: torch.arange(n) % 3,
    "one class": lambda n: torch.zeros(n).long(),
    "from 1": lambda n: torch.arange(n) % 2 + 1,
    "negative": lambda n: torch.arange(n) % 2 - 1,
    "left out": lambda n: torch.full((n,), -100),
    "some left out": lambda n: torch.where(torch.arange(n) % 3 == 0, -100, torch.arange(n) % 2),
    "numbers": lambda n: torch.arange(n) / 7,
    "double": lambda n: torch.arange(n).double() / 7,
    "a column": lambda n: (torch.arange(n) % 2)[:, None],
    "a column of numbers": lambda n: torch.arange(n)[:, None] / 7,
    "one-hot": lambda n: nn.functional.one_hot(torch.arange(n) % 2, 2),
    "several": lambda n: torch.ones(n, 2),
    "several whole": lambda n: torch.arange(2 * n).reshape(n, 2),
    "too few": lambda n: torch.arange(n)[1:] % 2,
    "NaN": lambda n: torch.full((n,), float("nan")),
    "bool": lambda n: torch.arange(n) % 2 == 0,
    "text": lambda n: ["cat", "dog"] * (n // 2) + ["cat"] * (n % 2),
    "an array": lambda n: np.arange(n) % 2,
    "a list": lambda n: [i % 2 for i in range(n)],
    "small": lambda n: (torch.arange(n) % 2).to(torch.uint8),
    "complex": lambda n: torch.ones(n).to(torch.complex64),
    "huge": lambda n: torch.arange(n) * 10**12,
}
KINDS = {
    "a pair": lambda x, y: (x, y),
    "a list of two": lambda x, y: [x, y],
    "named": lambda x, y: {"input": x, "labels": y},
    "other names": lambda x, y: {"x": x, "labels": y},
    "no labels": lambda x, y: {"input": x},
    "three": lambda x, y: (x, x, y),
    "examples": lambda x, y: list(zip(x, y, strict=False)),
    "mappings": lambda x, y: [{"input": a, "labels": b} for a, b in zip(x, y, strict=False)],
    "once": lambda x, y: zip(x, y, strict=False),
    "data set": Examples,
    "tensors": lambda x, y: TensorDataset(x, y),
    "loader": lambda x, y: DataLoader(Examples(x, y), batch_size=3),
    "stream": Stream,
    "inputs": lambda x, y: x,
    "swapped": lambda x, y: (y, x),
}


@st.composite
def parts(draw):
    """One part of the data; what can't even be made is drawn again."""
    usual = st.sampled_from(["as expected", "as expected", *INPUTS])
    number, kind = draw(st.sampled_from([8, 8, 9, 7, 2, 1, 0])), draw(st.sampled_from(["a pair", *KINDS]))
    x, y = draw(usual), draw(st.sampled_from(["classes", "classes", *LABELS]))
    note(f"{number} examples, {kind}: inputs {x}, labels {y}")
    try:
        return KINDS[kind](INPUTS[x](generated(number, 0)), LABELS[y](number))
    except (TypeError, AssertionError, ValueError, IndexError, RuntimeError, AttributeError):
        return (generated(8, 0), torch.arange(8) % 2)


MODELS = {
    "linear": lambda: nn.Linear(4, 2),
    "one output": lambda: nn.Linear(4, 1),
    "BatchNorm": lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.1), nn.Linear(3, 2)),
    "embedding": lambda: nn.Sequential(nn.Embedding(9, 2), nn.Flatten(), nn.Linear(8, 2)),
}
OPTIONS = {
    "epochs": [1, 2, 0, -1, 1.5, "many", None, True],
    "batch_size": [1, 3, 8, 100, 0, -2, None, 2.0],
    "lr": [1e-2, 0, -1, float("nan"), float("inf"), "fast", {}, {"weight": 1e-3}, [1e-3]],
    "optimizer": [
        "sgd",
        "adam",
        None,
        3,
        lambda groups: None,
        torch.optim.SGD,
    ],
    "weight_decay": [0.0, 0.1, -1, "much", None, float("nan")],
    "schedule": ["constant", "cosine", "wave", None, 3],
    "warmup": [0, 0.5, 1, -0.1, None, "slow", float("nan")],
    "seed": [0, 7, -1, 2**70, "random", None, 1.5],
    "accumulate": [1, 2, 50, 0, None],
    "group_by_length": [True, False, None, "yes"],
    "precision": ["fp32", "bf16", "fp16", "double", None],
    "max_grad_norm": [1.0, 0, -1, "small", float("nan")],
    "patience": [1, 0, "long", 1.5],
    "valid_every": [1, 3, 0, None],
    "unfreeze": [{}, {1: None}, {"a": 1}, 3, "all"],
    "device": ["cpu", "abacus", 3, "cuda:99", []],
    "loss": [nn.MSELoss(), nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss(), lambda a, b: 0.0, "mse", 3],
    "cache": [True, False, None, "yes", 3],
    "augment": [lambda x: x, lambda x: None, lambda x: x[:1], "flip", 3],
    "source": [3, "task", lambda model: 0.5, lambda model: "good", (generated(4, 1), torch.arange(4) % 2)],
    "checkpoint": [3, b"", []],
    "snapshots": [2, 0, -1, "all", 1.5],
    "trace": [True, False, None],
    "trace_every": [0, 1, -1, "all", None],
    "lerning_rate": [1],
}
ONE_OPTION = st.sampled_from([(name, value) for name, values in OPTIONS.items() for value in values])


@st.composite
def calls(draw):
    """What is called: its name, the model, the data and options, most of which make sense."""
    data = draw(parts())
    if draw(st.booleans()):
        valid, test = (draw(st.one_of(st.none(), parts())) for _ in range(2))
        collate = draw(st.sampled_from([None, None, None, 3, lambda group: group, lambda group: 1 / 0]))
        data = TaskData(data, valid, test, collate)
    options = dict(draw(st.lists(ONE_OPTION, max_size=2)))
    note(f"options {options}")
    what = draw(st.sampled_from(["fit", "fit", "fit", "lr_range_test", "Arena"]))
    return what, MODELS[draw(st.sampled_from(list(MODELS)))], data, options


def call(what: str, model: nn.Module, data, options: dict) -> None:
    if what == "fit":
        fit(model, None, data, **{"epochs": 1, "batch_size": 4, **options})
    elif what == "lr_range_test":
        known = ("batch_size", "optimizer", "seed", "device")
        lr_range_test(model, None, data, **{"steps": 10, **{k: v for k, v in options.items() if k in known}})
    else:
        task = data if isinstance(data, TaskData) else TaskData(data, data, data)
        own = {name: options[name] for name in options if name not in ("epochs", "batch_size", "lr")}
        contender = Contender(
            "one", lambda seed: model, lambda tree: FreezePlan.preset(tree, "full"), (1e-3,), options=own
        )
        Arena("any", [contender], lambda examples, seed: task, [8], [0], steps=2, batch_size=4).fight()


def is_a_sentence(words: str) -> bool:
    return len(words.split()) > 4 and words.rstrip()[-1:] in ".?)'" and "\n" not in words.strip()


def check(what: str, make, data, options: dict) -> None:
    torch.manual_seed(0)
    model = make()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    random = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(what, model, data, options)
        except DOCUMENTED as error:
            assert is_a_sentence(str(error)), f"{type(error).__name__}: {error}"
            if not isinstance(error, TrainingError):
                after = model.state_dict()
                assert all(torch.equal(before[name], after[name]) for name in before), "a weight has changed"
                assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(torch.get_rng_state(), random)


# Two hundred take some ten seconds on an idle core.
QUICK = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@QUICK
@given(calls())
def test_any_call_works_or_says_a_sentence_and_has_changed_nothing(drawn):
    check(*drawn)


@pytest.mark.long
@settings(QUICK, max_examples=5000, derandomize=False)
@given(calls())
def test_many_more_calls_work_or_say_a_sentence(drawn):
    check(*drawn)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_each_value_of_each_option_works_or_says_a_sentence(name):
    for value in OPTIONS[name]:
        data = TaskData((generated(8, 0), torch.arange(8) % 2), (generated(8, 1), torch.arange(8) % 2))
        check("fit", MODELS["linear"], data, {name: value})
