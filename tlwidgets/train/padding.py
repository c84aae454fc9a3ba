"""Which tensors of a batch share an axis of padding, and may be cut together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

MASK, DECODER_MASK = "attention_mask", "decoder_attention_mask"
IGNORED = -100

# By mask: the inputs that `transformers` documents as having its axis, after that of the examples; what the
# mask hides comes first.
_SHARED = {
    MASK: (
        "input_ids",
        "inputs_embeds",
        "token_type_ids",
        "position_ids",
        "special_tokens_mask",
        "global_attention_mask",
        "bbox",
    ),
    DECODER_MASK: ("decoder_input_ids", "decoder_inputs_embeds", "decoder_position_ids"),
}


@dataclass(frozen=True)
class Padding:
    """An axis of padding at the end, and all that has it.

    Attributes:
        lengths: how many positions of each example are not padding, (examples,).
        names: the tensors that have the axis, as their second; "labels" may be among them.
    """

    lengths: Tensor
    names: frozenset[str]

    def longest(self, index: Tensor | slice) -> int:
        """Positions of the longest of these examples, at least 1."""
        return max(1, int(self.lengths[index].max()))


def find_padding(inputs: Mapping[str, Tensor], labels: Tensor, mask: str) -> Padding | None:
    """The axis that the input named `mask` describes; None where nothing may be cut along it.

    Cutting is safe where all that is left out is padding, and where everything that has the axis is cut. Both
    are known of the names that `transformers` documents, and of labels that are -100 wherever the mask is 0.
    Another tensor that is as wide may have the axis too, or be as wide by chance (a second text, categories,
    patches). Which of these it is cannot be known, so nothing is cut then. Nor is anything cut where padding
    is not at the end, and along masks of another kind (floating point, or of pairs of positions).

    Args:
        inputs: by name; the first axis is the examples.
        labels: those of the same examples.
        mask: "attention_mask" or "decoder_attention_mask".
    """
    lengths = _lengths(inputs.get(mask))
    if lengths is None:
        return None
    width, hidden = inputs[mask].shape[1], inputs[mask] == 0
    names = {name for name in (mask, *_SHARED[mask]) if name in inputs}
    if names.isdisjoint(_SHARED[mask][:2]):
        return None
    if any(inputs[name].dim() < 2 or inputs[name].shape[1] != width for name in names):
        return None
    known = {*_SHARED, *(name for shared in _SHARED.values() for name in shared)}
    if any(width in tensor.shape[1:] for name, tensor in inputs.items() if name not in known):
        return None
    decoded = any(name in inputs for name in (DECODER_MASK, *_SHARED[DECODER_MASK]))
    if width in labels.shape[1:] and decoded == (mask == DECODER_MASK):
        if labels.dim() != 2 or labels.is_floating_point() or not bool((labels[hidden] == IGNORED).all()):
            return None
        names.add("labels")
    return Padding(lengths, frozenset(names))


def _lengths(mask: Tensor | None) -> Tensor | None:
    """Positions before each example's padding; None where the mask hides nothing, or is of another kind."""
    if mask is None or mask.dim() != 2 or mask.is_floating_point():
        return None
    seen = mask != 0
    lengths = seen.sum(1)
    positions = torch.arange(mask.shape[1], device=mask.device)
    if bool(seen.all()) or not torch.equal(seen, positions < lengths[:, None]):
        return None
    return lengths
