"""Binding modalities: training projections of frozen features so that what belongs together lies together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import FreezePlan
from .config import TrainConfig, shows_options
from .control import Control
from .data import TaskData
from .engine import fit
from .events import Event
from .records import Run

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .config import TrainOptions


class Pairs(NamedTuple):
    """Examples of two modalities: row i of both shows the same object.

    Attributes:
        left: features of the first modality, (examples, width).
        right: features of the second modality, (examples, width).
        objects: the number of the object that each row shows, (examples,). The loss never sets rows of the
            same object apart. None: each row shows an object of its own.
    """

    left: Tensor
    right: Tensor
    objects: Tensor | Sequence[int] | None = None


class _Checked(NamedTuple):
    """`Pairs` that were checked, with a number for each object."""

    left: Tensor
    right: Tensor
    objects: Tensor


def info_nce(left: Tensor, right: Tensor, scale: Tensor | float, objects: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE: each left point should find its right one in the batch, and the other way round.

    The loss is the mean of two cross-entropies over `scale * left @ right.T`, one of its rows and one of its
    columns (Radford et al. 2021; van den Oord et al. 2018).

    With `objects`, several rows may show one object. Then the diagonal is not the only right answer: each
    point's target is shared equally by all points of its object (Khosla et al. 2020, L_out; Yang et al.
    2022), and none of them is pushed away, so the loss cannot fall below the logarithm of their number. If
    all objects differ it is the loss above.

    Args:
        left: points on the unit sphere, (examples, width).
        right: points on the unit sphere, (examples, width).
        scale: 1 / temperature.
        objects: the number of the object that each row shows, (examples,).

    Raises:
        ValueError: shapes that don't fit.
    """
    if left.dim() != 2 or left.shape != right.shape:
        raise ValueError(
            f"The points have shapes {tuple(left.shape)} and {tuple(right.shape)}. Expected the same shape "
            "twice, (examples, width): row i of both shows the same object, in the same space."
        )
    scores = scale * left @ right.T
    if objects is None:
        targets = torch.arange(len(scores), device=scores.device)
        return (F.cross_entropy(scores, targets) + F.cross_entropy(scores.T, targets)) / 2
    if objects.shape != left.shape[:1]:
        raise ValueError(
            f"objects has shape {tuple(objects.shape)}. Expected ({len(left)},), one number for each example."
        )
    same = (objects[:, None] == objects).to(scores.dtype)
    targets = same / same.sum(1, keepdim=True)  # `same` is symmetric, so this serves both directions
    return (F.cross_entropy(scores, targets) + F.cross_entropy(scores.T, targets)) / 2


def contrastive_loss(points: Tensor, objects: Tensor, pairs: Sequence[tuple[int, int]] = ((0, 1),)) -> Tensor:
    """`info_nce` of what a `SharedSpace` puts out, over the examples that have both modalities of a pair.

    A pair counts in proportion to its examples in the batch.

    Args:
        points: (examples, modalities, width); zeros where a modality is missing.
        objects: the labels, (examples,).
        pairs: which modalities are paired, by their positions in `points`.
    """
    there = (points != 0).any(-1)
    total, counted = points.sum() * 0.0, 0
    for left, right in pairs:
        both = there[:, left] & there[:, right]
        if bool(both.any()):
            count = int(both.sum())
            total = total + count * info_nce(points[both, left], points[both, right], 1.0, objects[both])
            counted += count
    return total / max(counted, 1)


CONTRASTIVE = TrainConfig(epochs=24, batch_size=128, lr=1e-3, weight_decay=0.05)
"""The default options of `fit_contrastive`."""


@shows_options(CONTRASTIVE)
def fit_contrastive(
    space: nn.Module,
    pairs: Mapping[str, Pairs | tuple[Any, ...]],
    *,
    valid: Mapping[str, Pairs | tuple[Any, ...]] | None = None,
    plan: FreezePlan | None = None,
    config: TrainConfig = CONTRASTIVE,
    control: Control | None = None,
    on_event: Callable[[Event], None] | None = None,
    **options: Unpack[TrainOptions],
) -> Run:
    """Train a `SharedSpace` in place on pairs of features, which stay as they are, and return the record.

        fit_contrastive(space, {"image-text": (image, text, objects), "audio-text": (audio, text, objects)})

    Modalities that share no pair are bound by what both are paired with: here sounds find pictures through
    words, a pair that was never trained on (Girdhar et al. 2023, ImageBind). Each batch is drawn from all
    pairs' examples together.

    Args:
        space: a `SharedSpace` with all modalities that the pairs name.
        pairs: by the two modalities' names with a hyphen between, `Pairs` or such a tuple. Object numbers
            mean the same in all.
        valid: pairs to measure the loss on after each epoch (in batches of 64; more examples of an object
            make it larger).
        plan: the freeze plan, such as one that freezes a modality's projection while another is bound to it;
            None keeps the model as it is.
        config: as in `fit`.
        control: as in `fit`.
        on_event: as in `fit`.
        options: options of `TrainConfig` by name, which override those of `config`; all but the loss.
            `source=` may be a function from the space to a measure after each epoch, held-out retrieval say.

    Raises:
        ValueError: pairs that cannot be trained on: a name, a shape, unequal numbers of rows, NaN, a row of
            zeros, one object.
        others: as `fit`.
    """
    if options.get("loss") is not None:
        raise TypeError("fit_contrastive has a loss of its own, contrastive_loss. Leave out `loss`.")
    dims = _dims(space)
    named = _named(dims, pairs, "training")
    names = list(dims)
    unpaired = [name for name in names if not any(name in pair for pair in named)]
    if unpaired:
        raise ValueError(
            f"No pair has {unpaired[0]!r}, so its projection would stay random. Expected each of "
            f"{', '.join(names)} in a pair."
        )
    positions = tuple((names.index(left), names.index(right)) for left, right in named)
    train = _examples(dims, named)
    if len(torch.unique(train["labels"])) < 2:
        raise ValueError(
            "All training examples are of one object, so there is nothing to tell apart. Expected at least "
            "two objects."
        )
    data = TaskData(train, None if valid is None else _examples(dims, _named(dims, valid, "validation")))
    asked = TrainConfig.of(config, **options)
    return fit(
        space,
        plan,
        data,
        config=replace(asked, loss=partial(contrastive_loss, pairs=positions)),
        control=control,
        on_event=on_event,
    )


def _dims(space: nn.Module) -> Mapping[str, int]:
    """The widths of a space's modalities, by name."""
    dims = getattr(space, "dims", None)
    if not isinstance(dims, Mapping):
        raise TypeError(f"The space is a {type(space).__name__}. Expected a SharedSpace, which has `dims`.")
    return dims


def _named(
    dims: Mapping[str, int], pairs: Mapping[str, Pairs | tuple[Any, ...]], part: str
) -> dict[tuple[str, str], _Checked]:
    """The pairs by two names, checked; object numbers where there were none."""
    if not isinstance(pairs, Mapping) or not pairs:
        raise ValueError(
            f"The {part} pairs are {pairs!r:.80}. Expected a mapping such as {{'image-text': (image, text, "
            f"objects)}}."
        )
    found = {}
    for key, given in pairs.items():
        left, _, right = str(key).partition("-")
        if left not in dims or right not in dims or left == right:
            raise ValueError(
                f"The pair {key!r} is not of two modalities of this space. Expected two of {', '.join(dims)} "
                "with a hyphen between, such as 'image-text'."
            )
        if (right, left) in found:
            raise ValueError(f"The pair {key!r} is given twice, once in each order. Expected each pair once.")
        if not isinstance(given, tuple) or len(given) not in (2, 3):
            raise ValueError(
                f"{key!r} holds a {type(given).__name__}. Expected a tuple (left, right, objects)."
            )
        pair = Pairs(*given)
        _check(left, pair.left, dims[left])
        _check(right, pair.right, dims[right])
        if len(pair.left) != len(pair.right):
            raise ValueError(
                f"{key!r} has {len(pair.left)} rows of {left} and {len(pair.right)} of {right}. Expected as "
                "many of both: row i of both shows the same object. Repeat a row that goes with several: "
                "text[objects]."
            )
        found[left, right] = _Checked(pair.left, pair.right, _objects(key, pair))
    return found


def _objects(key: str, pair: Pairs) -> Tensor:
    if pair.objects is None:
        return torch.arange(len(pair.left))
    objects = torch.as_tensor(pair.objects)
    if objects.is_floating_point() or objects.shape != (len(pair.left),):
        raise ValueError(
            f"The objects of {key!r} have shape {tuple(objects.shape)} and type {objects.dtype}. Expected a "
            f"whole number for each of its {len(pair.left)} rows."
        )
    return objects.to(torch.int64).cpu()


def _check(name: str, features: Tensor, dim: int) -> None:
    if (
        not isinstance(features, Tensor)
        or features.dim() != 2
        or features.shape[1] != dim
        or not len(features)
    ):
        shape = tuple(getattr(features, "shape", ())) or type(features).__name__
        raise ValueError(
            f"The features of {name!r} are {shape}. Expected a tensor (examples, {dim}) with at least one "
            "example."
        )
    check_vectors(name, features)


def check_vectors(name: str, vectors: Tensor) -> None:
    """Refuse vectors that have no direction.

    Raises:
        ValueError: a row with NaN or infinite numbers, or of zeros.
    """
    for bad, what in (
        (~vectors.isfinite().all(1), "has NaN or infinite numbers"),
        (~vectors.any(1), "is all zeros"),
    ):
        rows = bad.nonzero().flatten().tolist()
        if rows:
            raise ValueError(
                f"Row {rows[0]} of {name!r} {what} ({len(rows)} such). Expected a vector with a direction: "
                "check what it was computed from, or leave the row out."
            )


def _examples(dims: Mapping[str, int], named: Mapping[tuple[str, str], _Checked]) -> dict[str, Tensor]:
    """The rows of all pairs together; zeros, and False in `present`, for modalities that a row lacks."""
    examples = {"labels": torch.cat([pair.objects for pair in named.values()])}
    for name, dim in dims.items():
        parts, seen = [], []
        for (left, right), pair in named.items():
            own = pair.left if name == left else pair.right if name == right else None
            parts.append(pair.left.new_zeros(len(pair.left), dim) if own is None else own.detach())
            seen.append(torch.full((len(pair.left),), own is not None))
        examples[name], examples[f"{name}_present"] = torch.cat(parts), torch.cat(seen)
    return examples
