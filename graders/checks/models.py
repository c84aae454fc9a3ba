"""Models to try a student's function on: small ones of `transformers`, and extra parts with any name.

A model that a check makes up has the parts that its exercise names, and nothing else. Real ones have norms
behind the last layer, weights that stand on a module directly, layers in a `ModuleList` that is three levels
down, buffers that are not saved. `transformers` is imported when the first one is made.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .worlds import names, sizes

__all__ = ["FAMILIES", "RealModel", "add_extra_parts", "models", "preload", "real_model"]

FAMILIES = ("bert", "gpt2", "llama", "vit", "resnet")
_DEPTH, _HEADS = sizes(1, 5), sizes(1, 3)
# Attention computes its dropout as a function, so it is at rest only if each module is: an answer that puts
# every `nn.Dropout` to rest passes all the same.
_NO_DROPOUT_IN_ATTENTION = {"attention_probs_dropout_prob": 0.0}


@dataclass(frozen=True)
class RealModel:
    """A model of `transformers`, with random weights.

    Attributes:
        width: of the vectors that it gives.
        inputs: keyword arguments of a forward pass over a few examples.
    """

    family: str
    module: nn.Module
    width: int
    inputs: dict[str, Tensor]

    def vectors(self, x: Tensor | None = None) -> Tensor:
        """A vector for each example, (examples, width), computed with the module as it is now.

        Args:
            x: examples in place of its own.
        """
        inputs = self.inputs if x is None else dict.fromkeys(self.inputs, x)
        hidden = self.module(**inputs).last_hidden_state
        return hidden.flatten(2).mean(2) if self.family == "resnet" else hidden.mean(1)


def models(*families: str):
    """Real models, one of each family (of all of them by default): a function of the hidden numbers."""
    return lambda numbers, examples=4: [
        real_model(family, numbers, examples) for family in families or FAMILIES
    ]


def preload() -> None:
    """Import what real models need, in a process that forks others: it takes seconds."""
    for family in FAMILIES:
        real_model(family, random.Random(0))


def real_model(family: str, numbers: random.Random, examples: int = 4) -> RealModel:
    """A tiny model of a family, with a drawn number of layers and a few examples for it.

    Raises:
        ValueError: an unknown family.
    """
    from transformers import AutoModel

    torch.manual_seed(numbers.getrandbits(48))
    depth, heads = _DEPTH(numbers), _HEADS(numbers)
    config, inputs = _config(family, depth, heads, examples)
    module = AutoModel.from_config(config)
    return RealModel(family, module, 8 * heads, inputs)


def _config(family: str, depth: int, heads: int, examples: int):
    from transformers import AutoConfig

    width = 8 * heads
    text: dict = {
        "hidden_size": width,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": 2 * width,
        "vocab_size": 40,
    }
    if family in ("bert", "llama"):
        options = {**text, "max_position_embeddings": 32}
        if family == "bert":
            options |= _NO_DROPOUT_IN_ATTENTION
    elif family == "gpt2":
        options = {"n_embd": width, "n_layer": depth, "n_head": heads, "vocab_size": 40, "n_positions": 32}
    elif family == "vit":
        options = {
            **text,
            "image_size": 8,
            "patch_size": 4,
            "hidden_dropout_prob": 0.1,
            **_NO_DROPOUT_IN_ATTENTION,
        }
        del options["vocab_size"]
    elif family == "resnet":
        options = {"embedding_size": width, "hidden_sizes": [width] * depth, "depths": [1] * depth}
        options |= {"layer_type": "basic"}
    else:
        raise ValueError(f"There is no family {family!r}. Expected one of {', '.join(FAMILIES)}.")
    if family in ("vit", "resnet"):
        inputs = {"pixel_values": torch.randn(examples, 3, 8, 8)}
    else:
        inputs = {"input_ids": torch.randint(3, 40, (examples, 6))}
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        if family in ("bert", "llama", "gpt2"):
            options[name] = 0
    return AutoConfig.for_model(family, **options), inputs


_PART_NAMES = names("norm", "pooler", "projection", "scale", identifiers=True)


def add_extra_parts(module: nn.Module, numbers: random.Random, width: int, count: int = 4) -> list[str]:
    """Give a module further parts under made-up names, and shuffle the order of its children.

    Norms with and without buffers, a linear layer, a list of layers, a weight and a buffer of its own: the
    forward pass does not use them.

    Returns:
        The names.
    """
    made = [name for name in _PART_NAMES(numbers, count + 8) if not hasattr(module, name)][:count]
    kinds = numbers.sample(("norm", "batch norm", "linear", "list", "weight", "buffer"), k=min(count, 6))
    for name, kind in zip(made, kinds, strict=False):
        if kind == "weight":
            module.register_parameter(name, nn.Parameter(torch.randn(width)))
        elif kind == "buffer":
            module.register_buffer(name, torch.randn(width))
        else:
            module.add_module(name, _part(kind, width))
    children = list(module._modules.items())
    numbers.shuffle(children)
    if not isinstance(module, (nn.Sequential, nn.ModuleList)):  # there the order is what they compute
        module._modules.clear()
        module._modules.update(children)
    return made


def _part(kind: str, width: int) -> nn.Module:
    if kind == "list":
        return nn.ModuleList([nn.Linear(width, width), nn.ModuleDict({"last": nn.LayerNorm(width)})])
    return {"norm": nn.LayerNorm, "batch norm": nn.BatchNorm1d}.get(kind, lambda w: nn.Linear(w, w))(width)
