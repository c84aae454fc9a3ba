"""Language models: the loss of the next token, and perplexity: how surprised a model is by a text."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .data import Split
from .losses import logits_of
from .padding import IGNORED


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of each token given those before it: `fit(..., loss=next_token_loss)`.

    The mean is over the tokens that are predicted, so a long text counts more than a short one. The first
    token of each text has nothing before it, and is not predicted.

    Args:
        logits: (texts, tokens, vocabulary); those at a position are for the token after it.
        labels: the token ids themselves, -100 at padding, (texts, tokens).

    Raises:
        ValueError: the shapes don't fit.
    """
    return _losses(logits, labels, "mean")


def _predicted(labels: Tensor) -> Tensor:
    return (labels[:, 1:] != IGNORED).sum()


next_token_loss.count = _predicted  # type: ignore[attr-defined]  # see `Objective`


def perplexity(model: nn.Module, examples: Mapping[str, Tensor], batch_size: int = 4) -> float:
    """Exponential of the mean loss over all predicted tokens of all texts; 1 predicts perfectly.

    Args:
        model: a causal language model; it is left in evaluation mode.
        examples: as for `fit`: "input_ids", "attention_mask" and "labels" with -100 at padding.
        batch_size: texts at a time; the logits over a large vocabulary take much memory.

    Raises:
        ValueError, TypeError: no token is predicted, or the shapes don't fit.
    """
    model.eval()
    texts = Split(examples, "evaluation", next(model.parameters()).device)
    total, tokens = 0.0, 0
    with torch.no_grad():
        for index in texts.by_length(batch_size):
            batch = texts.take(index)
            total += float(_losses(logits_of(model, batch.inputs), batch.labels, "sum"))
            tokens += int(_predicted(batch.labels))
    if not tokens:
        raise ValueError(
            "No token of these texts is predicted: each has at most one token, or all labels are -100."
        )
    return math.exp(total / tokens)


def _losses(logits: Tensor, labels: Tensor, reduction: str) -> Tensor:
    if logits.dim() != 3 or logits.shape[:2] != labels.shape:
        raise ValueError(
            f"The model gives logits of shape {tuple(logits.shape)} for labels of shape "
            f"{tuple(labels.shape)}. Expected (texts, tokens, vocabulary) and (texts, tokens): a causal "
            "language model, and the token ids as labels."
        )
    return nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction=reduction
    )
