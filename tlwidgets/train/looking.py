"""Looking at everything before the first step: a few examples of each part are tried on the model.

What is wrong with validation or test data is then said at once, not after the last epoch. The model is left
as it was, to the bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..core.untouched import left_as_it_was
from .data import Split
from .failures import is_out_of_memory
from .losses import Loss, NoLogitsError, call, logits_of
from .padding import IGNORED
from .reading import BatchError, what_of
from .remedies import explain, first_line, labels_remedy, shape

TRIED = 4  # examples of each part that are tried
_NORMS = nn.modules.batchnorm._BatchNorm

OutputsOf = Callable[[nn.Module, Mapping[str, Tensor]], Tensor]
Autocast = Callable[[], AbstractContextManager[object]]


def check_names(model: nn.Module, parts: Sequence[Split]) -> None:
    """Reject inputs that the model's forward does not take, or that only some parts have.

    Args:
        model: the model.
        parts: the training data first.

    Raises:
        TypeError, ValueError: a name that does not fit.
    """
    train = parts[0]
    _check_forward(model, train)
    for other in parts[1:]:
        for one, lacking in ((train, other), (other, train)):
            missing = [name for name in one.inputs if name not in lacking.inputs]
            if missing:
                raise ValueError(
                    f"The {one.name} data have {_listed(missing)}, and the {lacking.name} data have "
                    f"{_listed(lacking.inputs)}. Expected the same inputs, by the same names, in all parts."
                )


def no_labels(train: Split, error: Exception) -> ValueError:
    """What to say where there are no labels, and the model can't do without."""
    return ValueError(
        f"The {train.name} data have no 'labels'. Expected a mapping of tensors with 'labels' among them; it "
        f"has {', '.join(map(repr, train.inputs))}. Only a model that returns its own loss can do without: "
        f"{first_line(error)}."
    )


def check_labels(parts: Sequence[Split]) -> None:
    """Reject labels of another kind than those of the training data.

    Raises:
        TypeError, ValueError: labels that differ in kind or shape, or that say nothing.
    """
    for other in parts[1:]:
        if other.labelled != parts[0].labelled:
            one, lacking = (parts[0], other) if parts[0].labelled else (other, parts[0])
            raise ValueError(
                f"The {lacking.name} data have no 'labels', and the {one.name} data have. Expected them in "
                "all parts, or in none."
            )
        _check_alike("labels", parts[0].name, parts[0].labels, other.name, other.labels)
    for part in parts:
        labels = part.labels
        if not labels.is_floating_point() and bool((labels == IGNORED).all()):
            raise ValueError(
                f"All labels of the {part.name} data are {IGNORED}, which leaves them all out. Expected "
                "some that count."
            )
        if labels.is_floating_point() and not bool(labels.isfinite().all()):
            raise ValueError(
                f"A label of the {part.name} data is NaN or infinite ({_where_not_finite(labels)}). Expected "
                "numbers: leave these examples out."
            )


def check_classes(parts: Sequence[Split], width: int) -> list[str]:
    """Reject class numbers that a head of this width does not have.

    Returns:
        Notes: classes that are measured and were never seen in training.

    Raises:
        ValueError: a class number below 0 (but for -100) or beyond the head.
    """
    notes = []
    known = set(torch.unique(parts[0].labels).tolist())
    for part in parts:
        found = set(torch.unique(part.labels).tolist()) - {IGNORED}
        if min(found) < 0:
            where = "" if part is parts[0] else f" in the {part.name} data"
            raise ValueError(
                f"A label is {min(found)}{where}. Expected class numbers from 0 up (or {IGNORED} for "
                "examples that are left out)."
            )
        if max(found) >= width:
            start = " (they seem to start at 1: subtract 1)" if max(found) == width and 0 not in found else ""
            raise ValueError(
                f"In the {part.name} data the labels go up to class {max(found)}, and the model's head gives "
                f"{width} logits, for classes 0 to {width - 1}{start}. Expected a head as wide as there are "
                "classes, which are numbered from 0."
            )
        unseen = sorted(found - known)
        if unseen and part.name != "source" and part.labels.dim() == 1:
            notes.append(
                f"No training example has {'class' if len(unseen) == 1 else 'one of the classes'} "
                f"{', '.join(map(str, unseen[:5]))}{', ...' if len(unseen) > 5 else ''}, which the "
                f"{part.name} data have: the model cannot learn to predict it."
            )
    return notes


class Tried(NamedTuple):
    """A few examples of a part, and the model's output for them."""

    part: Split
    outputs: Tensor
    labels: Tensor


def try_out(
    model: nn.Module, parts: Sequence[Split], autocast: Autocast, outputs_of: OutputsOf = logits_of
) -> list[Tried]:
    """Run a few examples of each part through the model, which is left as it was.

    Args:
        model: as it will be trained.
        parts: the training data first. Their floating-point numbers are given the type of the model's weights
            where it does not take others.
        autocast: a context for the run's precision.
        outputs_of: from the model and a batch's inputs to what the loss is computed from.

    Returns:
        One for each part; none where memory ran out, which the first step will say.

    Raises:
        TypeError, ValueError: the model can't work with a part.
    """
    tried = []
    for part in parts:
        for name, tensor in parts[0].inputs.items():
            _check_alike(what_of(name), parts[0].name, tensor, part.name, part.inputs[name])
        with left_as_it_was(model), autocast(), torch.no_grad():
            model.train(part is parts[0])
            batch = part.sample(_first(part))
            try:
                outputs = outputs_of(model, batch.inputs)
            except NoLogitsError:
                raise
            except Exception as error:
                if isinstance(error, RuntimeError) and is_out_of_memory(error):
                    return []
                explain(model, parts, part, batch, error)
                outputs = outputs_of(model, part.sample(_first(part)).inputs)
            tried.append(Tried(part, outputs, batch.labels))
            _check_finite_inputs(model, part, outputs_of)
    return tried


def try_loss(loss: Loss, tried: Sequence[Tried], *, own: bool) -> None:
    """Compute the loss on what was tried; `own` says whether it is the user's, and has to be explained.

    Raises:
        TypeError, ValueError: it cannot be computed on a part.
    """
    with torch.no_grad():
        for each in tried:
            (explained(loss, each.part.name) if own else loss)(each.outputs, each.labels)


def explained(loss: Loss, part: str) -> Loss:
    """The user's loss; what it raises for outputs and labels that do not fit becomes a sentence."""

    def explaining(outputs: Tensor, labels: Tensor) -> Tensor:
        try:
            value = loss(outputs, labels)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise
            raise BatchError(
                f"The loss cannot be computed on the {part} data, from outputs of shape {shape(outputs)} and "
                f"type {outputs.dtype} and labels of shape {shape(labels)} and type {labels.dtype}: "
                f"{first_line(error)}. Expected labels that fit the loss"
                f"{labels_remedy(loss, outputs, labels)}."
            ) from error
        if not isinstance(value, Tensor) or value is outputs or value.numel() not in _allowed(labels):
            given = f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)[:40]
            raise TypeError(
                f"The loss gave a {type(value).__name__} {given}. Expected a tensor with a single number, "
                "the mean over the examples, or with a value for each example."
            )
        return value

    return explaining


def _allowed(labels: Tensor) -> set[int]:
    """How many values a loss may have: one, or one for each example, label or predicted token."""
    predicted = labels[:, 1:].numel() if labels.dim() > 1 else 1
    return {1, len(labels), labels.numel(), predicted}


def needs_two(model: nn.Module, train: Split, autocast: Autocast) -> str:
    """The name of a BatchNorm layer that cannot take a single example of these; "" where there is none."""
    names = [name for name, module in model.named_modules() if isinstance(module, _NORMS)]
    if not names:
        return ""
    with left_as_it_was(model), autocast(), torch.no_grad():
        for module in model.modules():  # frozen ones, too: they may be thawed later
            module.training = True
        try:
            call(model, train.sample(torch.zeros(1, dtype=torch.int64, device=train.device)).inputs)
        except ValueError as error:
            return names[0] if "more than 1 value per channel" in str(error) else ""
        except Exception:  # reported when more examples are tried
            return ""
    return ""


# -- names and shapes ----------------------------------------------------------------------------------------


def _check_forward(model: nn.Module, train: Split) -> None:
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return
    if "" in train.inputs or any(each.kind is each.VAR_KEYWORD for each in parameters):
        return
    named = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    takes = [each.name for each in named]
    unknown = [name for name in train.inputs if name not in takes]
    missing = [e.name for e in named if e.default is e.empty and e.name not in train.inputs]
    if unknown:
        remedy = "rename or remove it"
        if len(unknown) == len(missing) == 1:
            remedy = f"rename {unknown[0]!r} to {missing[0]!r}"
        raise TypeError(
            f"The {train.name} data have {_listed(unknown)}, and the model's forward takes no such name. "
            f"Expected some of {_listed(takes)}: {remedy}."
        )
    if missing:
        raise TypeError(
            f"The model's forward needs {_listed(missing)}, and the {train.name} data have only "
            f"{_listed(train.inputs)}. Expected every input that has no default."
        )


def _check_alike(what: str, one_name: str, one: Tensor, other_name: str, other: Tensor) -> None:
    if one.is_floating_point() != other.is_floating_point():
        raise TypeError(
            f"The {what} of the {other_name} data are of type {other.dtype}, and those of the {one_name} "
            f"data of type {one.dtype}. Expected the same kind in all parts: "
            f"{'.float()' if one.is_floating_point() else '.long()'} converts them."
        )
    if one.dim() != other.dim():
        remedy = ""
        if other.dim() == one.dim() + 1 and other.shape[-1] == 1:
            remedy = f": .squeeze({other.dim() - 1}) takes the last axis away"
        elif other.dim() == one.dim() + 1 and other.shape[1] == 1:
            remedy = ": .squeeze(1) takes an axis of one away"
        elif other.dim() == one.dim() - 1 and 1 in (one.shape[1], one.shape[-1]):
            axis = 1 if one.shape[1] == 1 else one.dim() - 1
            remedy = f": .squeeze({axis}) takes that of one away in the {one_name} data"
        raise ValueError(
            f"The {what} of the {other_name} data have shape {tuple(other.shape)}, and those of the "
            f"{one_name} data {tuple(one.shape)}. Expected the same number of axes in all parts{remedy}."
        )


def _listed(names: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(repr(name) if name else "a single tensor" for name in names) or "none"


# -- what did not work, and what would -----------------------------------------------------------------------


def _first(part: Split) -> Tensor:
    return torch.arange(min(TRIED, len(part.labels)), device=part.device)


def _check_finite_inputs(model: nn.Module, part: Split, outputs_of: OutputsOf) -> None:
    """Reject inputs that are not finite where the model's output is then not finite either."""
    for name, tensor in part.inputs.items():
        if not tensor.is_floating_point() or bool(tensor.isfinite().all()):
            continue
        rows = (~tensor.isfinite()).reshape(len(tensor), -1).any(1).nonzero().flatten()
        batch = part.sample(rows[:TRIED])
        with torch.no_grad():
            model.eval()
            outputs = outputs_of(model, batch.inputs)
        if not bool(outputs.isfinite().all()):
            raise ValueError(
                f"{what_of(name)} of the {part.name} data is NaN or infinite in {len(rows)} of {len(tensor)} "
                f"examples (the first is example {int(rows[0])}), and so is the model's output for them. "
                "Expected numbers: leave these examples out, or fill in what is missing "
                "(torch.nan_to_num)."
            )


def _where_not_finite(tensor: Tensor) -> str:
    rows = (~tensor.isfinite()).reshape(len(tensor), -1).any(1).nonzero().flatten()
    return f"{len(rows)} of {len(tensor)} examples, the first is example {int(rows[0])}"
