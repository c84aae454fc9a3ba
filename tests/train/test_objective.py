"""Batches count for what their loss averages over: in a step that gathers several, and when measured."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from tlwidgets.train import TaskData, fit, next_token_loss, perplexity

WORDS = 7


class Reader(nn.Module):
    """Scores for each word of a text, or for the text."""

    def __init__(self, pooled: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head, self.pooled = nn.Embedding(WORDS, 6), nn.Linear(6, WORDS), pooled

    def forward(self, input_ids, attention_mask):
        scores = self.head(self.embed(input_ids).tanh())
        mask = attention_mask[..., None]
        return (scores * mask).sum(1) / mask.sum(1) if self.pooled else scores


def each_word(reduction="mean"):
    return lambda scores, labels: F.cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction=reduction)


def own_next_token(scores, labels):
    return F.cross_entropy(scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def each_text(scores, labels):
    return F.cross_entropy(scores, labels, reduction="none")


CLASSES = torch.linspace(0.5, 4, WORDS)
WORD_LOSSES = [next_token_loss, own_next_token, each_word(), each_word("none")]
TEXT_LOSSES = [
    None,
    each_text,
    F.cross_entropy,
    nn.CrossEntropyLoss(weight=CLASSES),
    nn.CrossEntropyLoss(reduction="none"),
    nn.CrossEntropyLoss(reduction="sum"),
    partial(F.cross_entropy, weight=CLASSES),
    lambda scores, labels: F.mse_loss(scores[:, 0], labels.float()),
]


def texts(lengths: list[int], seed: int, pooled: bool, left: bool = False):
    draw = torch.Generator().manual_seed(seed)
    mask = (torch.arange(6) < torch.tensor(lengths)[:, None]).long()
    mask = mask.flip(1) if left else mask
    ids = torch.randint(0, WORDS, mask.shape, generator=draw)
    labels = torch.randint(0, WORDS, mask.shape, generator=draw).masked_fill(mask == 0, -100)
    if pooled:
        labels = torch.arange(len(mask)) % WORDS
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def whole_loss(model, loss, data):
    """The loss of all of it in one uncut batch, by hand."""
    value = (loss or F.cross_entropy)(model(data["input_ids"], data["attention_mask"]), data["labels"])
    return value if value.dim() == 0 else value.sum() / (data["labels"] != -100).sum()


@given(
    lengths=st.lists(st.integers(2, 6), min_size=4, max_size=9),
    loss=st.sampled_from([(False, each) for each in WORD_LOSSES] + [(True, each) for each in TEXT_LOSSES]),
    batch_size=st.integers(1, 4),
    seed=st.integers(0, 9),
    left=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_gathered_batches_make_the_step_of_one_batch(lengths, loss, batch_size, seed, left):
    pooled, loss = loss
    data = texts(lengths, seed, pooled, left)
    model, expected = Reader(pooled), Reader(pooled)
    run = fit(
        model,
        None,
        data,
        epochs=1,
        batch_size=batch_size,
        accumulate=math.ceil(len(lengths) / batch_size),
        loss=loss,
        optimizer="sgd",
        lr=0.5,
        schedule="constant",
        warmup=0,
        weight_decay=0,
    )
    value = whole_loss(expected, loss, data)
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.5)
    value.backward()
    optimizer.step()
    assert run.curves.loss == [pytest.approx(value.item(), rel=1e-5)]
    for one, other in zip(model.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@given(
    lengths=st.lists(st.integers(2, 6), min_size=1, max_size=40),
    loss=st.sampled_from(
        [(False, each) for each in WORD_LOSSES] + [(True, each) for each in TEXT_LOSSES[:-3]]
    ),
    seed=st.integers(0, 9),
)
@settings(deadline=None, max_examples=30)
def test_the_validation_loss_is_the_mean_over_all_that_counts(lengths, loss, seed):
    pooled, loss = loss
    valid = texts(lengths, seed, pooled)
    model = Reader(pooled)
    data = TaskData(texts([3, 5, 6, 2], seed, pooled), valid)
    run = fit(model, None, data, epochs=1, lr=1e-12, batch_size=4, loss=loss)
    with torch.no_grad():
        assert run.curves.valid_loss[0] == pytest.approx(float(whole_loss(model, loss, valid)), rel=1e-5)
    if loss is next_token_loss:
        assert perplexity(model, valid) == pytest.approx(math.exp(run.curves.valid_loss[0]), rel=1e-5)


def test_a_loss_may_change_outputs_in_place_also_where_it_is_first_called_to_measure():
    def loss(scores, labels):
        scores[:, :, 0] = -9.0
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten())

    data = texts([4, 5, 6, 3], 0, pooled=False)
    run = fit(Reader(False), None, TaskData(data, data), epochs=1, loss=loss, source=data)
    assert math.isfinite(run.curves.valid_loss[0])


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("loss", [next_token_loss, each_word(), each_word("none")])
def test_a_batch_in_which_no_label_counts_changes_nothing(loss, accumulate):
    data = texts([4, 5, 6, 3], 0, pooled=False)
    data["labels"][1] = -100
    model = Reader(False)
    run = fit(model, None, TaskData(data, data), epochs=3, batch_size=1, loss=loss, accumulate=accumulate)
    assert all(weight.isfinite().all() for weight in model.parameters())
    assert math.isfinite(run.curves.valid_loss[-1])
    said = sum("all labels of their examples are -100" in note for note in run.notes)
    assert said == any(map(math.isnan, run.curves.loss)) and (said or accumulate > 1)
