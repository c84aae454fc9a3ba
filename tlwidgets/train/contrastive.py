"""Binding modalities: training projections of frozen features so that what belongs together lies together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .data import TaskData
from .engine import fit
from .records import Run


class Pairs(NamedTuple):
    """Examples of two modalities, row by row of the same thing.

    `left` (examples, width of the first), `right` (examples, width of the second), and `objects` (examples,): whole numbers
    that say of what each row is. Rows of the same object are never told apart. Without them each row is an object of its own.
    """

    left: Tensor
    right: Tensor
    objects: Tensor | Sequence[int] | None = None


def info_nce(left: Tensor, right: Tensor, scale: Tensor | float, objects: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE: each left point should find its right one among all of the batch, and the other way round.

    `left` and `right` (examples, width) are points on the unit sphere; `scale` is 1 / temperature. The loss is the mean of two
    cross-entropies over `scale * left @ right.T`, of its rows and of its columns (Radford et al. 2021; van den Oord et al.
    2018).

    With `objects` (examples,) several rows may be of one object. Then not only the diagonal is right: each point's target is
    shared equally by all points of its object (Khosla et al. 2020, L_out; Yang et al. 2022), and none of them is pushed away.
    The loss can't fall below the logarithm of their number, then. With all objects different it is the loss above.

    Raises:
        ValueError: shapes that don't fit.
    """
    if left.dim() != 2 or left.shape != right.shape:
        raise ValueError(
            f"The points have shapes {tuple(left.shape)} and {tuple(right.shape)}. Expected twice the same (examples, width): "
            "row by row of the same thing, in the same space."
        )
    scores = scale * left @ right.T
    if objects is None:
        targets = torch.arange(len(scores), device=scores.device)
        return (F.cross_entropy(scores, targets) + F.cross_entropy(scores.T, targets)) / 2
    if objects.shape != left.shape[:1]:
        raise ValueError(
            f"objects has shape {tuple(objects.shape)}. Expected ({len(left)},), one number an example."
        )
    same = (objects[:, None] == objects).to(scores.dtype)
    targets = same / same.sum(1, keepdim=True)  # symmetric: who is alike is so both ways
    return (F.cross_entropy(scores, targets) + F.cross_entropy(scores.T, targets)) / 2


def contrastive_loss(places: Tensor, objects: Tensor, pairs: Sequence[tuple[int, int]] = ((0, 1),)) -> Tensor:
    """`info_nce` of what a `SharedSpace` puts out, for `fit(loss=...)`: over each pair's examples that have both.

    `places` (examples, modalities, width) are zeros where a modality is missing; `objects` (examples,) are the labels; `pairs`
    are positions of modalities. A pair counts as much as it has examples in the batch.
    """
    there = (places != 0).any(-1)
    total, counted = places.sum() * 0.0, 0
    for left, right in pairs:
        both = there[:, left] & there[:, right]
        if bool(both.any()):
            count = int(both.sum())
            total = total + count * info_nce(places[both, left], places[both, right], 1.0, objects[both])
            counted += count
    return total / max(counted, 1)


def fit_contrastive(
    space: nn.Module,
    pairs: Mapping[str, Pairs | tuple],
    *,
    valid: Mapping[str, Pairs | tuple] | None = None,
    plan=None,
    epochs: int = 24,
    batch_size: int = 128,
    lr: float = 1e-3,
    weight_decay: float = 0.05,
    **options,
) -> Run:
    """Train a `SharedSpace` in place on pairs of features, and return the record; the features stay as they are.

        fit_contrastive(space, {"image-text": (image, text, objects), "audio-text": (audio, text, objects)})

    Modalities that share no pair are bound by what both are paired with: here sounds find pictures through words, a pair that
    was never trained on (Girdhar et al. 2023, ImageBind). Each batch is drawn from all pairs' examples together.

    Args:
        space: a `SharedSpace` with all modalities that the pairs name.
        pairs: by the two modalities' names with a hyphen between, `Pairs` or such a tuple. Object numbers mean the same in all.
        valid: pairs to measure the loss on after each epoch (in batches of 64; more examples of an object make it larger).
        plan: what is frozen, such as one modality's projection while another is bound to it; None keeps the model as it is.
        options: of `fit`: seed, control, on_event, schedule, `source=` (a function from the space to a measure after each
            epoch, held-out retrieval say), ...

    Raises:
        ValueError: pairs that can't be trained on: a name, a shape, unequal numbers of rows, NaN, a row of zeros, one object.
        others: as `fit`.
    """
    named = _named(space, pairs, "training")
    names = list(space.dims)
    unpaired = [name for name in names if not any(name in pair for pair in named)]
    if unpaired:
        raise ValueError(
            f"No pair has {unpaired[0]!r}, so its projection would stay random. Expected each of {', '.join(names)} in a pair."
        )
    loss = partial(
        contrastive_loss, pairs=tuple((names.index(left), names.index(right)) for left, right in named)
    )
    train = _examples(space, named)
    if len(train["labels"].unique()) < 2:
        raise ValueError(
            "All training examples are of one object, so there is nothing to tell apart. Expected at least two objects."
        )
    data = TaskData(train, None if valid is None else _examples(space, _named(space, valid, "validation")))
    return fit(
        space,
        plan,
        data,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        weight_decay=weight_decay,
        loss=loss,
        **options,
    )


def _named(space: nn.Module, pairs: Mapping, part: str) -> dict[tuple[str, str], Pairs]:
    """The pairs by two names, checked; object numbers where there were none."""
    if not isinstance(pairs, Mapping) or not pairs:
        raise ValueError(
            f"The {part} pairs are {pairs!r:.80}. Expected a mapping such as {{'image-text': (image, text, objects)}}."
        )
    found = {}
    for key, given in pairs.items():
        left, _, right = str(key).partition("-")
        if left not in space.dims or right not in space.dims or left == right:
            raise ValueError(
                f"The pair {key!r} is not of two modalities of this space. Expected two of {', '.join(space.dims)} with a "
                "hyphen between, such as 'image-text'."
            )
        if (right, left) in found:
            raise ValueError(f"The pair {key!r} is there twice, once in each order. Expected each pair once.")
        if not isinstance(given, tuple) or len(given) not in (2, 3):
            raise ValueError(
                f"{key!r} holds a {type(given).__name__}. Expected a tuple (left, right, objects)."
            )
        pair = Pairs(*given)
        _check(left, pair.left, space.dims[left])
        _check(right, pair.right, space.dims[right])
        if len(pair.left) != len(pair.right):
            raise ValueError(
                f"{key!r} has {len(pair.left)} rows of {left} and {len(pair.right)} of {right}. Expected as many: row by row of "
                "the same thing. Repeat one where it goes with several: text[objects]."
            )
        found[left, right] = pair._replace(objects=_objects(key, pair))
    return found


def _objects(key: str, pair: Pairs) -> Tensor:
    if pair.objects is None:
        return torch.arange(len(pair.left))
    objects = torch.as_tensor(pair.objects)
    if objects.is_floating_point() or objects.shape != (len(pair.left),):
        raise ValueError(
            f"The objects of {key!r} have shape {tuple(objects.shape)} and type {objects.dtype}. Expected a whole number for "
            f"each of its {len(pair.left)} rows."
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
            f"The features of {name!r} are {shape}. Expected a tensor (examples, {dim}) with an example at least."
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
                f"Row {rows[0]} of {name!r} {what} ({len(rows)} such). Expected a vector with a direction: look at what it was "
                "computed from, or leave the row out."
            )


def _examples(space: nn.Module, named: Mapping[tuple[str, str], Pairs]) -> dict[str, Tensor]:
    """All pairs' rows below each other, with zeros, and False in `present`, for modalities that a row does not have."""
    examples = {"labels": torch.cat([pair.objects for pair in named.values()])}
    for name, dim in space.dims.items():
        parts, seen = [], []
        for (left, right), pair in named.items():
            own = pair.left if name == left else pair.right if name == right else None
            parts.append(pair.left.new_zeros(len(pair.left), dim) if own is None else own.detach())
            seen.append(torch.full((len(pair.left),), own is not None))
        examples[name], examples[f"{name}_present"] = torch.cat(parts), torch.cat(seen)
    return examples
