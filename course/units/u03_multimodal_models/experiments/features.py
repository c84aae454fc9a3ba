"""What unit 03 trains on: drawings, names, spoken names and spoken sentences, through three frozen backbones.

Each backbone reads each example once; features are kept on disk for the next session.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar

from tlwidgets.data import Drawings, Speech, drawn_alike, load_drawings, load_sarcasm, load_words
from tlwidgets.models import load_audio_backbone, load_image_backbone, load_text_backbone, mean_pool

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from tlwidgets.train import FeatureCache

Examples = TypeVar("Examples", Drawings, Speech)

SEARCHED = ("noto", "fluent")  # styles of the pictures that are searched
# Of a picture, in pixels: words find a fifth more than at 128, for twice the time; ImageNet's 224 add little.
SIDE = 192
WORD_HOP, SENTENCE_HOP = 640, 2000  # samples from one window of sound to the next: 40 and 125 ms
WORD_PARTS, SENTENCE_PARTS = 6, 8  # stretches of a sound: what comes first and what later
TEMPLATES = ("{name}", "a drawing of a {name}", "{name}, {group}")  # the group is Unicode's category


@lru_cache(maxsize=1)
def drawings() -> Drawings:
    """All objects in four styles."""
    return load_drawings()


@lru_cache(maxsize=1)
def named_drawings() -> tuple[Drawings, Tensor]:
    """Those of the objects whose names are spoken, too; and their features (drawings, 1280).

    Objects that two styles draw nearly alike are left out: what is held out as an unseen style is to be
    unseen.
    """
    spoken = set(words().texts) - drawn_alike(drawings())
    here = [place for place, name in enumerate(drawings().names) if name in spoken]
    return drawings().take(here), see(drawings().images, keep=True)[here]


@lru_cache(maxsize=1)
def words() -> Speech:
    """Spoken names of some of the drawn objects (synthetic speech)."""
    return load_words()


@lru_cache(maxsize=1)
def sentences() -> Speech:
    """Sentences that are meant, or not (synthetic speech), numbered in place of their 130 MB of waves."""
    return numbered(load_sarcasm())


@lru_cache(maxsize=3)
def backbone(modality: str) -> tuple[nn.Module, Callable]:
    """The network for "image", "text" or "sound", and what makes examples ready for it; loaded once."""
    load = {"image": load_image_backbone, "text": load_text_backbone, "sound": load_audio_backbone}
    return load[modality]()


@lru_cache(maxsize=2)
def _cache(keep: bool) -> FeatureCache | None:
    from tlwidgets.train import FeatureCache

    return FeatureCache(keep=True) if keep else None


def see(pictures: np.ndarray, keep: bool = False) -> Tensor:
    """Features (pictures, 1280) of pictures (pictures, height, width, 3) by EfficientNet-Lite0.

    `keep` is for the course's own data: features of what a student brings stay nowhere.
    """
    from tlwidgets.models.image import prepare_images
    from tlwidgets.train import frozen_features

    model, prepare = backbone("image")
    assert isinstance(prepare, partial)  # `prepare_images`, as the network takes them
    spec = dataclasses.replace(prepare.keywords["spec"], size=SIDE, crop=1.0)  # drawings fill their frame
    return frozen_features(model, pictures, partial(prepare_images, spec=spec), cache=_cache(keep))


def read_whole(texts: Sequence[str], keep: bool = False) -> Tensor:
    """Features (texts, 384) of texts by MiniLM: the mean over their pieces. Each different text is read once.

    `keep` as in `see`.
    """
    from tlwidgets.train import frozen_features

    model, tokenizer = backbone("text")
    different = sorted(set(texts), key=lambda text: (len(text), text))  # those of a batch are about as long
    ids = tokenizer(different, return_tensors="pt", padding=True)["input_ids"]
    found = frozen_features(_reader(model), ids, batch_size=64, cache=_cache(keep))
    place = {text: number for number, text in enumerate(different)}
    return found[[place[text] for text in texts]]


def _reader(model: nn.Module) -> nn.Module:
    """The model as one from ids (texts, pieces), 0 where there is padding, to the mean of its output."""
    from torch import nn

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = model

        def forward(self, ids: Tensor) -> Tensor:
            ids = ids[:, : int((ids != 0).sum(1).max())]
            return mean_pool(self.backbone(ids, (ids != 0).long()).last_hidden_state, ids != 0)

    return Reader()


def hear(waves: np.ndarray, lengths: Sequence[int], hop: int, parts: int, keep: bool = False) -> Tensor:
    """Features (sounds, parts, 256) of sounds (sounds, samples) by CREPE: means over equal stretches of each.

    `lengths` are in samples; `hop` samples lie from one window to the next. `keep` as in `see`.
    """
    import numpy as np
    import torch

    from tlwidgets.models import segment_pool
    from tlwidgets.train import frozen_features

    model, prepare = backbone("sound")
    steps = waves.shape[1] // hop + 1

    def windows(some: np.ndarray) -> Tensor:
        # The silence after the longest sound says nothing.
        spoken = int(np.flatnonzero(some.any(0)).max(initial=0)) + 1
        return prepare(some[:, :spoken], hop=hop)

    def to_full_length(hidden: Tensor) -> Tensor:
        return torch.nn.functional.pad(hidden, (0, 0, 0, steps - hidden.shape[1]))

    hidden = frozen_features(model, waves, windows, after=to_full_length, cache=_cache(keep))
    pooled = segment_pool(hidden, [length // hop + 1 for length in lengths], segments=parts)
    return pooled.unflatten(1, (parts, -1))


def hear_word(wave: np.ndarray) -> Tensor:
    """Features (1, 1536) of one spoken word (samples,), 16,000 samples a second."""
    return _hear_words(wave[None], [len(wave)])


@lru_cache(maxsize=1)
def heard_words() -> Tensor:
    """Features (clips, 1536) of all `words`."""
    return _hear_words(words().waves, words().lengths, keep=True)


def _hear_words(waves: np.ndarray, lengths: Sequence[int], keep: bool = False) -> Tensor:
    return hear(waves, lengths, WORD_HOP, WORD_PARTS, keep).flatten(1)


def numbered(examples: Examples) -> Examples:
    """The same with their places for waves, or for images, so that a split says which examples are where."""
    import numpy as np

    places = np.arange(len(examples))
    if isinstance(examples, Speech):
        return dataclasses.replace(examples, waves=places)
    return dataclasses.replace(examples, images=places)
