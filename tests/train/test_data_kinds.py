"""Whatever holds the same numbers trains to the same bits as tensors do; what holds none gets a sentence."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import transformers as t
from torch import nn

from tlwidgets.train import TaskData, fit
from tlwidgets.train.reading import read_examples

X = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(12) % 2


def make() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 2))


def trained(data, model=None, **options) -> tuple[list[torch.Tensor], list[float], list[str]]:
    model = make() if model is None else model
    run = fit(model, None, data, epochs=2, batch_size=5, **options)
    return [weight.detach().clone() for weight in model.parameters()], run.curves.loss, run.notes


def same(one, other) -> bool:
    return one[1] == other[1] and all(torch.equal(a, b) for a, b in zip(one[0], other[0], strict=True))


class Frame:
    """As much of a data frame's interface as is needed."""

    iloc = None

    def __init__(self, columns):
        self.columns, self._columns = list(columns), columns

    def __iter__(self):
        return iter(self.columns)

    def __contains__(self, name):
        return name in self.columns

    def __getitem__(self, name):
        return self._columns[name]


class Series:
    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._values, dtype)


frozen = X.numpy().copy()
frozen.flags.writeable = False


@pytest.mark.parametrize(
    "data",
    [
        (X.numpy(), Y.numpy()),
        (X.tolist(), Y.tolist()),
        [X.numpy(), Y.tolist()],
        (list(X), list(Y)),
        (frozen, Y.to(torch.uint8)),
        (X.numpy()[::-1][::-1], Y.numpy().astype(np.uint16)),
        (X.numpy().astype(">f4"), Y.bool()),
        (Series(X.numpy()), Series(np.asarray(Y.tolist(), dtype=object))),
        list(zip(X, Y, strict=True)),
        [(x, int(y)) for x, y in zip(X.numpy(), Y, strict=True)],
        [{"input": x, "label": y} for x, y in zip(X, Y, strict=True)],
        {"input": X.tolist(), "labels": Y.tolist()},
        {"input": X.numpy(), "label": Y.numpy()},
        {"input": X, "label_ids": Y},
        Frame({"input": X.numpy(), "labels": Series(Y.numpy())}),
        t.BatchEncoding({"input": X, "labels": Y}),
        (X.clone().requires_grad_(True), Y),
    ],
)
def test_every_container_of_the_same_numbers_trains_to_the_same_bits(data):
    assert same(trained(data), trained((X, Y)))


def test_numbers_of_another_precision_are_converted_to_the_weights_and_a_note_says_so():
    doubles = trained(TaskData((X.double(), Y), (X.double().numpy(), Y)))
    assert same(doubles, trained(TaskData((X, Y), (X, Y))))
    assert sum("is of type torch.float64" in note for note in doubles[2]) == 2
    model = nn.Linear(4, 2).double()
    assert fit(model, None, (X.double(), Y), epochs=1).notes == []


def test_features_with_a_graph_are_taken_as_they_are_and_what_made_them_does_not_learn():
    body = nn.Linear(4, 4)
    features = body(X)
    run = trained((features, Y))
    assert same(run, trained((features.detach(), Y)))
    assert body.weight.grad is None
    assert ["modules that computed it are not trained here" in note for note in run[2]] == [True]


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_a_caller_who_has_switched_gradients_off_can_train(off):
    model = make()
    expected = trained((X, Y))
    with off():
        assert same(trained((X, Y), model), expected)
        assert not torch.is_grad_enabled()


def test_a_model_made_for_inference_is_refused_and_its_copy_trains():
    with torch.inference_mode():
        model = make()
    with pytest.raises(ValueError, match=r"torch.inference_mode.*copy.deepcopy\(model\)"):
        trained((X, Y), model, optimizer="sgd")
    assert same(trained((X, Y), copy.deepcopy(model)), trained((X, Y)))


NAMES = ["cat", "dog"] * 6


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        ((X, NAMES), TypeError, r"labels of the training data are text \('cat'.*names.index\(label\)"),
        ((X, np.array(NAMES)), TypeError, "labels of the training data are text"),
        ((X, np.array(NAMES, dtype=object)), TypeError, "labels of the training data are text"),
        ({"text": NAMES, "labels": Y}, TypeError, "'text' of the training data is text.*a tokenizer makes"),
        ((X, [None] * 12), TypeError, "'labels' of the training data holds None. Expected numbers"),
        ((X, np.array(["2020-01-01"] * 12, "datetime64[D]")), TypeError, "values of type datetime64"),
        ((X.to_sparse(), Y), TypeError, r"sparse tensor.*\.to_dense\(\) makes one"),
        ((X.to("meta"), Y), TypeError, "on the 'meta' device, which holds no numbers"),
        (
            ([[1.0, 2.0], [3.0]], [0, 1]),
            ValueError,
            r"shape \(2,\) in example 0 and \(1,\) in example 1.*collate",
        ),
        (
            (list(X[:2]) + [X[0, :2]], [0, 1, 0]),
            ValueError,
            r"shape \(4,\) in example 0 and \(2,\) in example 2",
        ),
        (
            [{"a": 1, "labels": 0}, {"b": 1, "labels": 1}],
            ValueError,
            "Example 1 of the training data has 'b'",
        ),
        (((X, Y), (X, Y)), TypeError, r"a pair of pairs.*TaskData\(train=\(inputs, labels\), valid="),
        ((X, X, Y), TypeError, r"a tuple of 3.*TaskData\(train, valid, test\)"),
        (zip(X, Y, strict=True), TypeError, r"which can be read only once.*list\(...\) keeps them"),
        ((X, open), TypeError, "'labels' of the training data is a builtin_function_or_method"),
        ((X[0], Y[0]), ValueError, "is a single number"),
        ([], TypeError, "training data are a list of 0"),
    ],
)
def test_what_holds_no_numbers_gets_a_sentence_with_a_way_out(data, error, sentence):
    with pytest.raises(error, match=sentence):
        read_examples(data, "training")
