"""What a module is to a person who freezes layers: told from its type and its name, with no list of models."""

from __future__ import annotations

import re

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

_NORM = re.compile(r"norm", re.I)
_EMBEDDING = re.compile(r"(^|_)(embed\w*|wte|wpe|patch_embed\w*|tok_emb|pos_emb)$", re.I)
_HEAD = re.compile(
    r"^(\w*classifier|\w*_?head|heads|fc|score|qa_outputs|proj_out|cls|logits|predictions|seq_relationship|output_layer)$",
    re.I,
)
_BACKBONE = re.compile(
    r"^(\w*backbone|\w*encoder|\w*decoder|features|trunk|body|base_model|\w*_model)$", re.I
)


def last_name(name: str) -> str:
    """The last part of a qualified name."""
    return name.rpartition(".")[2]


def is_norm(module: nn.Module) -> bool:
    """Whether a module is a normalisation layer (BatchNorm, LayerNorm, RMSNorm under whatever class name)."""
    return not module._modules and bool(_NORM.search(type(module).__name__))


def has_statistics(module: nn.Module) -> bool:
    """Whether a module keeps values that move in training mode without a gradient.

    BatchNorm and InstanceNorm keep running statistics; spectral norm keeps its power iteration's vectors; a custom
    module may keep anything in a floating-point buffer of its own, so each such buffer counts.
    """
    if isinstance(module, _NormBase):
        return module.running_mean is not None
    return any(buffer is not None and buffer.is_floating_point() for buffer in module._buffers.values())


def kind_of(name: str, module: nn.Module) -> str:
    """One of embeddings, pooler, norm, head, module. (Layers are found by the outline: they repeat.)"""
    last = last_name(name)
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)) or _EMBEDDING.search(last):
        return "embeddings"
    if "pooler" in last:
        return "pooler"
    if is_norm(module):
        return "norm"
    return "head" if looks_like_head(last) else "module"


def looks_like_head(last: str) -> bool:
    """Whether an attribute's name is one that heads have."""
    return bool(_HEAD.match(last)) and not _BACKBONE.match(last)


def is_leaf(module: nn.Module) -> bool:
    """Whether a module computes by itself: it has no child (parametrisations of its own weights apart)."""
    return all(key == "parametrizations" for key in module._modules)


def why_fixed(parameter: nn.Parameter) -> str:
    """Empty, or why a parameter can't be trained: only floating-point and complex numbers have gradients."""
    if parameter.is_floating_point() or parameter.is_complex():
        return ""
    kind = str(parameter.dtype).removeprefix("torch.")
    return (
        f"{kind} weights have no gradient: train a copy in float32, or add a small adapter (LoRA) beside them"
    )
