"""Checks by effect: what training moves, byte by byte, and how well submitted weights do on unseen data."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from .compare import difference
from .evidence import count_comparison
from .mistakes import CheckFailed
from .show import a_type, is_one, show

__all__ = ["frozen_by_effect", "held_out_accuracy", "moved_by"]

Model = TypeVar("Model", bound=nn.Module)


def moved_by(model: Model, step: Callable[[Model], object], steps: int = 1) -> frozenset[str]:
    """Names of the parameters and buffers whose bytes change in `steps` calls of `step(model)`.

    Buffers that are not saved count, too, and so does what was replaced, added or removed. Flags are ignored.
    """
    before = _bytes(model)
    for _ in range(steps):
        step(model)
    now = _bytes(model)
    same = {name for name in before.keys() & now.keys() if torch.equal(before[name], now[name])}
    return frozenset((before.keys() | now.keys()) - same)


def frozen_by_effect(
    model: nn.Module,
    step: Callable[[nn.Module], object],
    *,
    frozen: Iterable[str],
    learns: Iterable[str] = (),
    steps: int = 2,
) -> None:
    """Check that training leaves every byte of some parts as it was, and that others learn.

    Args:
        step: trains `model` for a step, as a training loop would (with decay and momentum, in the mode it is
            to be in).
        frozen: prefixes of names ("backbone", "layers.0"); "" is the whole model.
        learns: prefixes of names; in each, every parameter has to move.
        steps: how many; two at least, so that momentum can show.

    Raises:
        CheckFailed: a frozen weight or buffer moved, or a weight that should learn stayed.
        ValueError: a prefix fits nothing; an author's mistake.
    """
    weights = dict(model.named_parameters())
    names = [*weights, *dict(model.named_buffers())]
    groups = {prefix: _under(prefix, names) for prefix in (*frozen, *learns)}
    empty = [prefix for prefix, own in groups.items() if not own]
    if empty:
        raise ValueError(f"The model has nothing under {empty}. Expected prefixes of {sorted(names)}.")
    moved = moved_by(model, step, steps)
    for prefix in frozen:
        wrong = [name for name in groups[prefix] if name in moved]
        if wrong:
            kind = "weights" if wrong[0] in weights else "buffers (running statistics)"
            raise CheckFailed(
                f"After {steps} steps of training {len(wrong)} of the {len(groups[prefix])} tensors of "
                f"{_part(prefix)} moved, {kind} such as {show(wrong[0])}. Expected every byte to stay as it "
                "was."
            )
    for prefix in learns:
        still = [name for name in groups[prefix] if name in weights and name not in moved]
        if still:
            raise CheckFailed(
                f"After {steps} steps of training {show(still[0])} of {_part(prefix)} was still the same. "
                "Expected it to learn."
            )
    count_comparison(len(groups))


def held_out_accuracy(
    weights,
    build: Callable[[], nn.Module],
    data: tuple[object, Tensor],
    at_least: float,
    *,
    what: str = "Your model",
) -> float:
    """Check trained weights by testing them in a model of the author's; a reported number is not asked for.

    Args:
        weights: the student's: a dict of names and tensors, as `state_dict()` gives.
        build: makes the model, which takes the inputs and gives scores of shape (examples, classes).
        data: inputs (a tensor, or a tuple or dict of arguments) and labels of shape (examples,), held out
            from training.
        at_least: the accuracy to reach, 0 to 1.

    Returns:
        The accuracy.

    Raises:
        CheckFailed: other names, shapes or types than the model has; values that are not finite; too low an
            accuracy.
    """
    model = build().cpu()
    _load(weights, model, what)
    inputs, labels = data
    model.eval()
    with torch.no_grad():
        if isinstance(inputs, Mapping):
            scores = model(**inputs)
        else:
            scores = model(*inputs) if isinstance(inputs, tuple) else model(inputs)
    accuracy = float((scores.argmax(-1) == labels).double().mean())
    if accuracy < at_least:
        raise CheckFailed(
            f"{what} gets {accuracy:.1%} of {len(labels)} held-out examples right, and at least "
            f"{at_least:.1%} was expected."
        )
    count_comparison()
    return accuracy


def _load(weights, model: nn.Module, what: str) -> None:
    kinds = dict(model.state_dict())
    if not is_one(type(weights), (dict, OrderedDict)):
        raise CheckFailed(
            f"{what}'s weights are {a_type(weights)}, and a dict was expected, as `state_dict()` gives it."
        )
    weights = dict(weights)
    shown = difference(dict.fromkeys(weights), dict.fromkeys(kinds), f"{what}'s weights")
    if shown:
        raise CheckFailed(shown)
    for name, own in kinds.items():
        given = weights[name]
        if not is_one(type(given), (Tensor, nn.Parameter)):
            raise CheckFailed(f"{what}'s weight {name!r} is {a_type(given)}, and a tensor was expected.")
        if given.dtype != own.dtype or given.shape != own.shape:
            raise CheckFailed(
                f"{what}'s weight {name!r} is {given.dtype} of shape {tuple(given.shape)}, and {own.dtype} "
                f"of shape {tuple(own.shape)} was expected."
            )
        if not torch.isfinite(Tensor.detach(given)).all():
            raise CheckFailed(f"{what}'s weight {name!r} has NaN or infinite values. Expected finite ones.")
    model.load_state_dict({name: Tensor.detach(tensor).cpu() for name, tensor in weights.items()})


def _bytes(model: nn.Module) -> dict[str, Tensor]:
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        name: tensor.detach().cpu().contiguous().flatten().view(torch.uint8).clone()
        for name, tensor in tensors
    }


def _under(prefix: str, names: list[str]) -> list[str]:
    return [name for name in names if not prefix or name == prefix or name.startswith(f"{prefix}.")]


def _part(prefix: str) -> str:
    return f"`{prefix}`" if prefix else "the model"
