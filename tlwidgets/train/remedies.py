"""Why a model or a loss cannot take its inputs, and a change that was tried and helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from .data import Batch, Split
from .losses import Loss, call
from .reading import what_of


def first_line(error: BaseException) -> str:
    """The beginning of what an error says, without a full stop."""
    words = str(error).strip()
    return (words.splitlines()[0][:200] if words else type(error).__name__).rstrip(".")


def shape(tensor: Tensor) -> str:
    sizes = ["examples", *map(str, tensor.shape[1:])] if tensor.dim() else []
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def explain(model: nn.Module, parts: Sequence[Split], part: Split, batch: Batch, error: Exception) -> None:
    """Say why the model cannot take these inputs; return where another floating-point type was enough."""
    if part is parts[0] and "more than 1 value per channel" in str(error):
        raise ValueError(
            f"The model's BatchNorm needs batches of at least two examples; the {part.name} data come one "
            "by one. Expected a larger batch_size, and as many examples."
        ) from error
    train = parts[0]
    kind = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    others = [n for n, t in batch.inputs.items() if t.is_floating_point() and t.dtype != kind]
    if others and _works(model, {**batch.inputs, **{name: batch.inputs[name].to(kind) for name in others}}):
        for each in parts:
            each.convert([name for name in others if name in each.inputs], kind)
        return
    differing = [
        f"{what_of(name)} has shape {shape(tensor)} there and {shape(train.inputs[name])} in training"
        for name, tensor in part.inputs.items()
        if tensor.shape[1:] != train.inputs[name].shape[1:]
    ]
    if part is not train and differing:
        hint = f"{'; '.join(differing)}. Expected the same in all parts."
    else:
        remedy = _remedy(model, batch.inputs)
        shapes = ", ".join(
            f"{name or 'inputs'} {shape(tensor)} of type {tensor.dtype}"
            for name, tensor in part.inputs.items()
        )
        hint = f"The inputs are {shapes}. Expected what its first layers take{remedy}."
    raise ValueError(f"The model cannot take the {part.name} data: {first_line(error)}. {hint}") from error


_CHANGES: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("{}.float()", lambda x: x.float()),
    ("{}.long()", lambda x: x.long()),
    ("{}.unsqueeze(1).float()", lambda x: x.unsqueeze(1).float()),
    ("{}.flatten(1).float()", lambda x: x.flatten(1).float()),
    ("{}.permute(0, 3, 1, 2).float()", lambda x: x.permute(0, 3, 1, 2).float()),
    ("{}.squeeze(1).float()", lambda x: x.squeeze(1).float()),
    ("{}.squeeze(1).long()", lambda x: x.squeeze(1).long()),
)


def _remedy(model: nn.Module, inputs: Mapping[str, Tensor]) -> str:
    """A change of one input with which the model works: it was tried."""
    for name, tensor in inputs.items():
        for words, change in _CHANGES:
            try:
                changed = change(tensor)
            except (RuntimeError, IndexError):  # it has too few axes, or too many
                continue
            same = changed.dtype == tensor.dtype and changed.shape == tensor.shape
            if not same and _works(model, {**inputs, name: changed}):
                short = words.removesuffix(".float()") if tensor.is_floating_point() else words
                return f": {short.format(name or 'inputs')} makes it"
    return ""


def _works(model: nn.Module, inputs: Mapping[str, Tensor]) -> bool:
    try:
        call(model, inputs)
    except Exception:
        return False
    return True


def labels_remedy(loss: Loss, outputs: Tensor, labels: Tensor) -> str:
    """A change of the labels with which the loss can be computed: it was tried."""
    kind = outputs.dtype
    changes: list[tuple[str, Callable[[], Tensor]]] = [
        ("labels.float()", lambda: labels.to(kind)),
        ("labels.long()", lambda: labels.long()),
        ("labels.unsqueeze(1)", lambda: labels.unsqueeze(1)),
        ("labels.unsqueeze(1).float()", lambda: labels.unsqueeze(1).to(kind)),
        ("labels.squeeze(1)", lambda: labels.squeeze(1)),
        ("labels.squeeze(1).long()", lambda: labels.squeeze(1).long()),
    ]
    for words, change in changes:
        try:
            with torch.no_grad():
                value = loss(outputs.detach(), change())
        except Exception:  # whatever it is, this is no remedy
            continue
        if isinstance(value, Tensor) and value.numel() == 1 and change().shape[:1] == labels.shape[:1]:
            return f": {words} does"
    return ""
