"""Names a person reads, made from attribute names: `embed_tokens` -> "Token embeddings"."""

from __future__ import annotations

import re
from functools import lru_cache

# Abbreviations of the field, whichever model uses them.
_GLOSSARY = {
    "attn": "attention",
    "bn": "batch norm",
    "conv": "convolution",
    "embed": "embeddings",
    "emb": "embeddings",
    "ffn": "feed-forward",
    "fc": "fully connected",
    "layernorm": "layer norm",
    "layrnorm": "layer norm",
    "lin": "linear",
    "ln": "layer norm",
    "mlp": "MLP",
    "lm": "language-model",
    "pos": "position",
    "proj": "projection",
    "tok": "token",
}
_WHOLE = {
    "embed_positions": "Position embeddings",
    "embed_tokens": "Token embeddings",
    "k_proj": "Key projection",
    "o_proj": "Output projection",
    "q_proj": "Query projection",
    "v_proj": "Value projection",
    "self_attn": "Self-attention",
    "wpe": "Position embeddings",
    "wte": "Token embeddings",
}
_NOUNS = ("layer", "block", "stage", "group", "expert", "head", "level")


def humanise(name: str) -> str:
    """Turn the last part of a qualified name into words ("pre_layrnorm" -> "Pre layer norm")."""
    return _words(name.rpartition(".")[2].strip("_")) or name


@lru_cache(maxsize=4096)  # the same few names come back in each layer
def _words(last: str) -> str:
    if last in _WHOLE:
        return _WHOLE[last]
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", last)
    words = [word for word in re.split(r"[_\s]+|(?<=[a-zA-Z])(?=\d)", spaced) if word]
    text = " ".join(_GLOSSARY.get(word.lower(), word if word.isupper() else word.lower()) for word in words)
    return text[:1].upper() + text[1:]


def noun_of(container: str) -> str:
    """What the elements of a list are called: "layer" for `layers`, "stage" for `stages`, else "layer"."""
    last = container.rpartition(".")[2].lower()
    words = [re.sub(r"s$", "", word) for word in re.split(r"[_\d]+", last) if word]
    return next((word for word in reversed(words) if word in _NOUNS), "layer")


def is_plain_list_name(container: str) -> bool:
    """Whether a list's own name says nothing beyond "these are the layers" (`layers`, `h`, `blocks`)."""
    last = container.rpartition(".")[2].lower().strip("_")
    return len(last) <= 2 or re.sub(r"s$", "", last) in _NOUNS
