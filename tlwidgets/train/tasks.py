"""Which task the data and the model make, and its default loss and metric.

The page on training data has them in a table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .language import next_token_loss
from .losses import Loss
from .padding import IGNORED
from .split import Split

_DECODER_INPUTS = ("decoder_input_ids", "decoder_inputs_embeds")


@dataclass(frozen=True)
class Metric:
    """A share of what is right.

    Attributes:
        right: from outputs and labels to whether each label that counts is right; None where that cannot be
            said.
        counted: from labels to how many count.
    """

    right: Callable[[Tensor, Tensor], Tensor | None]
    counted: Callable[[Tensor], int]

    def share(self, outputs: Tensor, labels: Tensor) -> float | None:
        """The share of the labels that are right; None where that cannot be said, or none counts."""
        right = self.right(outputs.detach(), labels)
        return float(right.float().mean()) if right is not None and right.numel() else None


@dataclass(frozen=True)
class Task:
    """A kind of task.

    Attributes:
        name: what it is called in the documentation.
        loss: from outputs and labels to a number.
        metric: what `accuracy` measures.
        class_axis: the axis of the logits that counts the classes that whole labels number; 0 where labels do
            not number classes.
    """

    name: str
    loss: Loss
    metric: Metric
    class_axis: int = 0


def task_of(model: nn.Module, train: Split, tried: tuple[Tensor, Tensor] | None, loss: Loss | None) -> Task:
    """The task that the training data and the model make.

    Args:
        model: its configuration may name the problem (`problem_type` of `transformers`).
        train: the training data.
        tried: the model's outputs for some of the examples, and their labels; None where they are not known.
        loss: the user's; None takes the default.

    Raises:
        ValueError: labels and outputs that make no task, or from which nothing can be learned.
    """
    labels, outputs = train.labels, None if tried is None else tried[0]
    if loss is not None:
        several = outputs is not None and _is_several(labels, outputs)
        return Task("a loss of one's own", loss, SEVERAL if several else CLASSES)
    if not train.labelled:
        return Task("a model that returns its loss", _as_it_is, NOTHING)
    if labels.is_floating_point():
        return _of_numbers(_unwrapped(model), labels, outputs)
    if tried is None:
        return Task("classes", _cross_entropy, CLASSES)
    return _of_whole_numbers(_unwrapped(model), train, *tried)


def _of_numbers(model: nn.Module, labels: Tensor, outputs: Tensor | None) -> Task:
    problem = getattr(getattr(model, "config", None), "problem_type", None)
    if outputs is not None and problem != "regression":
        if _is_one_hot(labels, outputs):
            return Task("classes, one-hot", _one_hot_loss, ONE_HOT)
        if problem == "multi_label_classification" or _is_several(labels, outputs):
            return Task("several labels", _yes_or_no, SEVERAL)
    return Task("regression", _squared_error, NOTHING)


def _of_whole_numbers(model: nn.Module, train: Split, outputs: Tensor, seen: Tensor) -> Task:
    labels = train.labels
    if labels.dim() == 1:
        _check_two_classes(train)
        zero_or_one = bool(((labels == 0) | (labels == 1)).all())
        if zero_or_one and outputs.dim() <= 2 and outputs[0].numel() == 1:
            return Task("yes or no, one logit", _yes_or_no, SEVERAL)
        return Task("classes", _cross_entropy, CLASSES, class_axis=1 if outputs.dim() == 2 else 0)
    if outputs.dim() == labels.dim() + 1:
        if outputs.dim() == 3 and outputs.shape[1] == seen.shape[1]:
            written = any(name in train.inputs for name in _DECODER_INPUTS)
            if not written and _is_causal(model):
                return Task("next token", next_token_loss, NEXT_TOKENS, class_axis=2)
            return Task("tokens", _token_loss, TOKENS, class_axis=2)
        if outputs.shape[2:] == seen.shape[1:]:
            return Task("pixels", _place_loss, PLACES, class_axis=1)
    if _is_one_hot(labels, outputs):
        return Task("classes, one-hot", _one_hot_loss, ONE_HOT)
    if _is_several(labels, outputs):
        return Task("several labels", _yes_or_no, SEVERAL)
    column = labels.dim() == 2 and labels.shape[1] == 1
    remedy = "labels.squeeze(1) makes it" if column else "for other tasks pass `loss`"
    raise ValueError(
        f"The labels are whole numbers of shape {tuple(labels.shape)}, and the model gives outputs of shape "
        f"{tuple(outputs.shape)}. Expected one class number for each example, shape (examples,): {remedy}."
    )


def _check_two_classes(train: Split) -> None:
    found = torch.unique(train.labels[train.labels != IGNORED])
    if len(found) == 1 and train.complete:
        raise ValueError(
            f"All {train.size} training examples have the same label ({int(found[0])}), so there is nothing "
            "to tell apart. Expected at least two classes: shuffle before taking a small part, or take more "
            "examples."
        )


def _is_several(labels: Tensor, outputs: Tensor) -> bool:
    """Whether the labels are several yes or no for each example."""
    if labels.dim() != 2 or labels.shape[1] < 2 or outputs.shape[1:] != labels.shape[1:]:
        return False
    return bool(((labels == 0) | (labels == 1)).all())


def _is_one_hot(labels: Tensor, outputs: Tensor) -> bool:
    return _is_several(labels, outputs) and bool((labels.sum(1) == 1).all())


def _is_causal(model: nn.Module) -> bool:
    """Whether a model of `transformers` predicts the token after each."""
    kind = type(model).__name__
    return getattr(model, "loss_type", None) == "ForCausalLM" or kind.endswith(("LMHeadModel", "ForCausalLM"))


def _unwrapped(model: nn.Module) -> nn.Module:
    """The model inside `DataParallel` or PEFT's wrapper."""
    inner = getattr(model, "module", None)
    if isinstance(inner, nn.Module):
        return _unwrapped(inner)
    base: Any = getattr(model, "get_base_model", None)
    return base() if callable(base) else model


# -- losses --------------------------------------------------------------------------------------------------


def _as_it_is(outputs: Tensor, labels: Tensor) -> Tensor:
    return outputs


def _cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    if outputs.dim() != 2:
        raise ValueError(
            f"The model gives logits of shape {tuple(outputs.shape)} for class numbers of shape "
            f"{tuple(labels.shape)}. Expected (examples, classes): make the head's output as wide as there "
            "are classes."
        )
    return F.cross_entropy(outputs, labels)


def _one_hot_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(outputs, labels.argmax(1))


def _yes_or_no(outputs: Tensor, labels: Tensor) -> Tensor:
    _check_as_many(outputs, labels)
    return F.binary_cross_entropy_with_logits(outputs.reshape(labels.shape), _as_numbers(labels, outputs))


def _squared_error(outputs: Tensor, labels: Tensor) -> Tensor:
    _check_as_many(outputs, labels)
    return F.mse_loss(outputs.reshape(labels.shape), _as_numbers(labels, outputs))


def _as_numbers(labels: Tensor, outputs: Tensor) -> Tensor:
    return labels.to(torch.float64 if outputs.dtype == torch.float64 else torch.float32)


def _check_as_many(outputs: Tensor, labels: Tensor) -> None:
    if outputs.numel() != labels.numel():
        raise ValueError(
            f"The model gives outputs of shape {tuple(outputs.shape)} for labels of shape "
            f"{tuple(labels.shape)}. Expected one output for each label: make the head as wide as an example "
            "has labels."
        )


def _token_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each position with its own label; those of -100 do not count."""
    if outputs.shape[:2] != labels.shape:
        raise ValueError(
            f"The model gives logits of shape {tuple(outputs.shape)} for labels of shape "
            f"{tuple(labels.shape)}. Expected (texts, tokens, classes) and (texts, tokens)."
        )
    return F.cross_entropy(outputs.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


def _place_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each place of a picture; classes are the second axis of the logits."""
    return F.cross_entropy(outputs, labels, ignore_index=IGNORED)


def _count(labels: Tensor) -> int:
    return int((labels != IGNORED).sum())


for _loss in (_cross_entropy, _token_loss, _place_loss):
    _loss.count = _count  # type: ignore[attr-defined]  # see `Objective`
for _loss in (_as_it_is, _one_hot_loss, _yes_or_no, _squared_error):
    _loss.count = len  # type: ignore[attr-defined]


# -- metrics -------------------------------------------------------------------------------------------------


def _classes_right(outputs: Tensor, labels: Tensor) -> Tensor | None:
    if labels.is_floating_point() or outputs.dim() != 2 or labels.dim() != 1:
        return None
    return (outputs.argmax(1) == labels)[labels != IGNORED]


def _tokens_right(outputs: Tensor, labels: Tensor) -> Tensor:
    return (outputs.argmax(2) == labels)[labels != IGNORED]


def _several_right(outputs: Tensor, labels: Tensor) -> Tensor:
    return (outputs.reshape(labels.shape) > 0) == (labels > 0.5)


CLASSES = Metric(_classes_right, lambda labels: _count(labels) if labels.dim() == 1 else len(labels))
ONE_HOT = Metric(lambda outputs, labels: outputs.argmax(1) == labels.argmax(1), len)
SEVERAL = Metric(_several_right, lambda labels: labels.numel())
TOKENS = Metric(_tokens_right, _count)
NEXT_TOKENS = Metric(lambda o, labels: _tokens_right(o[:, :-1], labels[:, 1:]), lambda y: _count(y[:, 1:]))
PLACES = Metric(lambda outputs, labels: (outputs.argmax(1) == labels)[labels != IGNORED], _count)
NOTHING = Metric(lambda outputs, labels: None, len)


# -- encoder-decoders ----------------------------------------------------------------------------------------


def give_decoder_inputs(model: nn.Module, part: Split) -> None:
    """Give an encoder-decoder that gets labels alone its decoder's inputs: the labels, shifted, as it says.

    It does so itself where it gets the labels (under `Trainer`, for instance).
    """
    labels = part.labels
    if (
        labels.dim() != 2
        or labels.is_floating_point()
        or any(name in part.inputs for name in _DECODER_INPUTS)
    ):
        return
    for module in model.modules():
        config: Any = getattr(module, "config", None)
        if not getattr(config, "is_encoder_decoder", False):
            continue
        shift = getattr(type(module), "prepare_decoder_input_ids_from_labels", None)
        if shift is not None:
            part.derive("decoder_input_ids", partial(_shifted_by, shift, module))
            return
        tokens = [getattr(config, f"{name}_token_id", None) for name in ("decoder_start", "pad")]
        if None not in tokens and getattr(module, "get_output_embeddings", lambda: None)() is not None:
            part.derive("decoder_input_ids", partial(_shifted, config))
            return


def _shifted_by(shift: Callable[..., Tensor], module: nn.Module, labels: Tensor) -> Tensor:
    return shift(module, labels=labels)


def _shifted(config: Any, labels: Tensor) -> Tensor:
    before = labels.roll(1, 1)
    before[:, 0] = config.decoder_start_token_id
    return before.masked_fill(before == IGNORED, config.pad_token_id)
