"""What a module is to a person who freezes layers, by its type and name: there is no list of models."""

from __future__ import annotations

import re

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

_NORM = re.compile(r"norm", re.I)
_EMBEDDING = re.compile(r"(^|_)(embed\w*|wte|wpe|patch_embed\w*|tok_emb|pos_emb)$", re.I)
_HEAD = re.compile(
    r"^(\w*classifier\d*|\w*_?head|heads|head_?\w+|_?fc|score|qa_outputs|proj_out|cls|logits|predictions"
    r"|seq_relationship|output_layer)$",
    re.I,
)
_BACKBONE = re.compile(
    r"^(\w*backbone|\w*encoder|\w*decoder|features|trunk|body|base_model|\w*_model)$", re.I
)
_CALLED_BACKBONE = re.compile(
    r"^(\w*backbone\w*|base_?model|base|trunk|body|pretrained\w*|\w*feature_?extractor)$", re.I
)
_MODALITY = re.compile(r"(^|_)(image|vision|visual|audio|speech|sound|text|language|video)(_|$)", re.I)


def last_name(name: str) -> str:
    """The last part of a qualified name."""
    return name.rpartition(".")[2]


def is_norm(module: nn.Module) -> bool:
    """Whether a module is a normalisation layer (BatchNorm, LayerNorm, RMSNorm under whatever class name)."""
    return not module._modules and bool(_NORM.search(type(module).__name__))


def has_statistics(module: nn.Module) -> bool:
    """Whether a module keeps values that move in training mode without a gradient.

    BatchNorm and InstanceNorm keep running statistics; spectral norm keeps its power iteration's vectors; a
    custom module may keep anything in a floating-point buffer of its own, so each such buffer counts.
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


def looks_like_backbone(last: str) -> bool:
    """Whether an attribute's name is one that a pretrained part has, or a part of any model (`encoder`)."""
    return bool(_BACKBONE.match(last)) or names_a_backbone(last)


def names_a_backbone(last: str) -> bool:
    """Whether an attribute's name says that the rest of the model is new (`backbone`)."""
    return bool(_CALLED_BACKBONE.match(last))


def names_a_modality(last: str) -> bool:
    """Whether an attribute's name says what a tower reads (`vision_tower`)."""
    return bool(_MODALITY.search(last))


def is_pretrained_model(module: nn.Module) -> bool:
    """Whether a module is a whole model of `transformers`, which comes with its weights."""
    return hasattr(type(module), "base_model_prefix") and hasattr(module, "config")


def is_leaf(module: nn.Module) -> bool:
    """Whether a module computes by itself: it has no child (parametrisations of its own weights apart)."""
    return all(key == "parametrizations" for key in module._modules)


def why_fixed(parameter: nn.Parameter) -> str:
    """Empty, or why a parameter cannot be trained: only floating-point and complex numbers have gradients."""
    if parameter.is_floating_point() or parameter.is_complex():
        return ""
    kind = str(parameter.dtype).removeprefix("torch.")
    return (
        f"{kind} weights have no gradient: train a copy in float32, or add a small adapter (LoRA) beside them"
    )
