"""What lesson 03 trains on: drawings, their names, spoken names and spoken sentences, through three frozen backbones.

Each backbone reads each example once; features are kept on disk for the next session.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from tlwidgets.data import Drawings, Speech, load_drawings, load_sarcasm, load_words
from tlwidgets.models import load_audio_backbone, load_image_backbone, load_text_backbone

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tlwidgets.train import FeatureCache

STYLES = ("noto", "fluent")
SIDE = 128  # of a picture, in pixels: ImageNet's 224 take four times as long and find hardly more
WORD_HOP, SENTENCE_HOP = 640, 1280  # samples from one window of sound to the next: 40 and 80 ms
WORD_PARTS, SENTENCE_PARTS = 6, 8  # stretches of a sound: what comes first and what later
TEMPLATES = ("{name}", "a drawing of a {name}", "{name}, {group}")  # the group is Unicode's category


@lru_cache(maxsize=1)
def drawings() -> Drawings:
    """All objects in two styles."""
    return load_drawings(STYLES)


@lru_cache(maxsize=1)
def named_drawings() -> Drawings:
    """In all four styles, the objects whose names are spoken, too."""
    every, spoken = load_drawings(), set(words().texts)
    return every.take([place for place, name in enumerate(every.names) if name in spoken])


@lru_cache(maxsize=1)
def words() -> Speech:
    """Spoken names of some of the drawn objects (synthetic speech)."""
    return load_words()


@lru_cache(maxsize=1)
def sentences() -> Speech:
    """Sentences that are meant, or not (synthetic speech)."""
    return load_sarcasm()


@lru_cache(maxsize=1)
def _kept() -> FeatureCache:
    from tlwidgets.train import FeatureCache

    return FeatureCache(keep=True)


def see(pictures: np.ndarray) -> Tensor:
    """Features (pictures, 1280) of pictures (pictures, height, width, 3) by EfficientNet-Lite0."""
    from tlwidgets.models.image import prepare_images
    from tlwidgets.train import frozen_features

    model, prepare = load_image_backbone()
    spec = dataclasses.replace(prepare.keywords["spec"], size=SIDE, crop=1.0)  # drawings fill their frame
    return frozen_features(model, pictures, partial(prepare_images, spec=spec), cache=_kept())


def read(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Features of the pieces of texts (texts, pieces, 384) by MiniLM, and which are no padding (texts, pieces)."""
    import torch

    model, tokenizer = load_text_backbone()
    ids = tokenizer(list(texts), return_tensors="pt", padding=True)
    with torch.no_grad():
        hidden = model(**ids).last_hidden_state
    return hidden, ids["attention_mask"].bool()


def read_whole(texts: Sequence[str]) -> Tensor:
    """Features (texts, 384) of whole texts: the mean of their pieces."""
    hidden, there = read(texts)
    return (hidden * there[..., None]).sum(1) / there.sum(1, keepdim=True)


def hear(waves: np.ndarray, lengths: Sequence[int], hop: int, parts: int) -> Tensor:
    """Features (sounds, parts, 256) of sounds (sounds, samples) by CREPE: the means over equal stretches of each.

    `lengths` are in samples; `hop` samples lie from one window to the next.
    """
    import numpy as np
    import torch

    from tlwidgets.models import segment_pool
    from tlwidgets.train import frozen_features

    model, prepare = load_audio_backbone()
    steps = waves.shape[1] // hop + 1

    def windows(some: np.ndarray) -> Tensor:
        spoken = (
            int(np.flatnonzero(some.any(0)).max(initial=0)) + 1
        )  # the silence after the longest tells nothing
        return prepare(some[:, :spoken], hop=hop)

    def to_full_length(hidden: Tensor) -> Tensor:
        return torch.nn.functional.pad(hidden, (0, 0, 0, steps - hidden.shape[1]))

    order = np.argsort(lengths, kind="stable")
    hidden = frozen_features(model, waves[order], windows, after=to_full_length, cache=_kept())
    hidden = hidden[torch.from_numpy(np.argsort(order))]
    pooled = segment_pool(hidden, [length // hop + 1 for length in lengths], segments=parts)
    return pooled.unflatten(1, (parts, -1))


def places(speech: Speech) -> Speech:
    """The same with places for waves, so that a split says which clips are where."""
    import numpy as np

    return dataclasses.replace(speech, waves=np.arange(len(speech)))
