"""Named modalities of a batch: checked, missing ones made harmless, and left out at random in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

PRESENT = "_present"
_RESERVED = ("features", "present", "labels")


def check_dims(dims: Mapping[str, int]) -> dict[str, int]:
    """The widths of the modalities by name.

    Raises:
        ValueError: no modality, a name that cannot name a module or an argument, or a width that is not one.
    """
    if not isinstance(dims, Mapping) or not dims:
        raise ValueError(
            f"dims is {dims!r}. Expected the width of at least one modality by its name, such as "
            "{'image': 1280, 'text': 384}."
        )
    for name, width in dims.items():
        taken = not isinstance(name, str) or hasattr(nn.ModuleDict, name) or hasattr(nn.ParameterDict, name)
        if taken or not name.isidentifier() or name in _RESERVED or name.endswith(PRESENT):
            raise ValueError(
                f"{name!r} cannot name a modality. Expected a word of letters, digits and _ that torch does "
                f"not use itself, other than {', '.join(_RESERVED)}, and without {PRESENT!r} at its end: "
                "'image', say."
            )
        if isinstance(width, bool) or not isinstance(width, int) or width < 1:
            raise ValueError(f"The width of {name!r} is {width!r}. Expected a whole number of at least 1.")
    return dict(dims)


def by_name(
    dims: Mapping[str, int],
    features: Mapping[str, Tensor | None] | None,
    present: Mapping[str, Tensor] | None,
    named: Mapping[str, Tensor | None],
) -> tuple[dict[str, Tensor | None], dict[str, Tensor | None]]:
    """What a model was called with: two mappings, or (as `fit` calls it) keywords `image=`,
    `image_present=`.
    """
    if features is not None and named:
        raise TypeError(
            f"The model got a mapping of features and the keywords {', '.join(named)}. Expected one of the "
            "two."
        )
    values = dict(features if features is not None else named)
    seen: dict[str, Tensor | None] = dict(present or {})
    for name in dims:
        if name + PRESENT in values:
            seen[name] = values.pop(name + PRESENT)
    unknown = [name for name in (*values, *seen) if name not in dims]
    lacking = [name for name in dims if name not in values]
    if unknown or lacking:
        wrong = f"there is {unknown[0]!r}" if unknown else f"{lacking[0]!r} is not there"
        raise ValueError(
            f"The modalities don't fit: {wrong}. Expected {', '.join(map(repr, dims))}, each with a tensor, "
            "or with None where no example has it."
        )
    return values, seen


def clean(
    dims: Mapping[str, int], values: Mapping[str, Tensor | None], present: Mapping[str, Tensor | None]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Tokens (examples, tokens, width) and which of them are there (examples, tokens), of each modality.

    A vector an example is one token. What is not there becomes 0 by selection, not by multiplying: NaN times
    0 is NaN.

    Raises:
        ValueError: shapes that don't fit.
    """
    given = [value for value in values.values() if value is not None]
    if not given:
        raise ValueError(
            "No modality has a tensor. Expected at least one, which says how many examples there are."
        )
    examples, like = len(given[0]), given[0]
    tokens, seen = {}, {}
    for name, width in dims.items():
        value, mask = values[name], present.get(name)
        if value is None:
            value = like.new_zeros(examples, width)
            mask = torch.zeros(examples, dtype=torch.bool, device=like.device)
        if value.dim() not in (2, 3) or value.shape[-1] != width or len(value) != examples:
            raise ValueError(
                f"{name!r} has shape {tuple(value.shape)}. Expected ({examples}, {width}), or ({examples}, "
                f"tokens, {width})."
            )
        value = value if value.dim() == 3 else value[:, None]
        seen[name] = _mask(name, mask, value)
        tokens[name] = torch.where(seen[name][..., None], value, 0.0)
    return tokens, seen


def _mask(name: str, mask: Tensor | None, value: Tensor) -> Tensor:
    """Which tokens are there, (examples, tokens) bool."""
    shape = value.shape[:2]
    if mask is None:
        return torch.ones(shape, dtype=torch.bool, device=value.device)
    fits = mask.shape == shape or mask.shape == shape[:1]
    if not fits or mask.is_floating_point():
        raise ValueError(
            f"The mask of {name!r} has shape {tuple(mask.shape)} and type {mask.dtype}. "
            f"Expected bool of shape {tuple(shape[:1])}, one for each example, or {tuple(shape)}, "
            "one for each token."
        )
    mask = mask.bool()
    return mask if mask.dim() == 2 else mask[:, None].expand(shape)


def drop(seen: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Modality dropout: each modality of each example is left out with this probability, independently.

    So a model meets each set of modalities in training, now and then none at all (Neverova et al. 2016,
    ModDrop).
    """
    return {
        name: mask & (torch.rand(len(mask), 1, device=mask.device) >= share) for name, mask in seen.items()
    }


def pooled(tokens: Tensor, seen: Tensor) -> Tensor:
    """Mean over the tokens that are there, (examples, width); zeros where there is none."""
    return tokens.sum(1) / seen.sum(1, keepdim=True).clamp(min=1)


def any_of(seen: Iterable[Tensor]) -> Tensor:
    """Whether an example has anything at all, (examples, 1)."""
    return torch.stack([mask.any(1) for mask in seen]).any(0)[:, None]


def check_share(name: str, share: float) -> float:
    """A probability below 1.

    Raises:
        ValueError: it is not.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise ValueError(
            f"{name} is {share!r}. Expected a share from 0 up to (not including) 1, such as 0.2."
        )
    return float(share)


def check_as_is(as_is: Sequence[str], dims: Mapping[str, int]) -> tuple[str, ...]:
    """Names of the modalities that no LayerNorm touches.

    Raises:
        ValueError: an unknown name, or a single number per example that would be normalised: it would always
            be 0.
    """
    if isinstance(as_is, str) or any(name not in dims for name in as_is):
        raise ValueError(f"as_is is {as_is!r}. Expected a list of some of {', '.join(map(repr, dims))}.")
    for name, width in dims.items():
        if width == 1 and name not in as_is:
            raise ValueError(
                f"{name!r} is a single number, of which normalising leaves nothing. Give as_is=[{name!r}], "
                "and standardise it by the training examples."
            )
    return tuple(as_is)
