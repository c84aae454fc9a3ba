"""Language models: the loss of the next token, and how surprised a model is by a text."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .scores import scores_of

IGNORED = -100


def next_token_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of each token given those before it: `fit(..., loss=next_token_loss)`.

    `scores` (texts, tokens, vocabulary) at a place are for the token after it; `labels` (texts, tokens) are the token ids
    themselves, -100 at padding. The mean is over the tokens that are predicted, so a long text counts more than a short
    one; the first token of each has nothing before it, and is not predicted.

    Raises:
        ValueError: the shapes don't fit.
    """
    return _losses(scores, labels, "mean")


def perplexity(model: nn.Module, examples: Mapping[str, Tensor], batch_size: int = 4) -> float:
    """Exponential of the mean loss over all predicted tokens of all texts; 1 is a model that foresees everything.

    `examples` are as for `fit`: "input_ids", "attention_mask" (padding at the end) and "labels" with -100 at padding. The
    model is left in evaluation mode; small batches keep scores over a large vocabulary small.
    """
    model.eval()
    lengths = examples["attention_mask"].sum(1)
    total, tokens = 0.0, 0
    with torch.no_grad():
        for index in lengths.argsort(stable=True).split(batch_size):
            batch = {name: tensor[index, : int(lengths[index].max())] for name, tensor in examples.items()}
            labels = batch.pop("labels")
            total += float(_losses(scores_of(model, batch), labels, "sum"))
            tokens += int((labels[:, 1:] != IGNORED).sum())
    if not tokens:
        raise ValueError(
            "No token of these texts is predicted: each has one at most, or all labels are -100."
        )
    return math.exp(total / tokens)


def _losses(scores: Tensor, labels: Tensor, reduction: str) -> Tensor:
    if scores.dim() != 3 or scores.shape[:2] != labels.shape:
        raise ValueError(
            f"The model gives scores of shape {tuple(scores.shape)} for labels of shape {tuple(labels.shape)}. Expected "
            "(texts, tokens, vocabulary) and (texts, tokens): a causal language model, and the token ids as labels."
        )
    return nn.functional.cross_entropy(
        scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction=reduction
    )
