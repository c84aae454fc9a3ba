"""Unit 03's shared spaces: pictures with words (CLIP's idea on frozen backbones), and spoken names.

Spoken names find pictures through words, a pair that was never trained on. The speech is synthetic.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from tlwidgets.data import Drawings, Speech, split_drawings, split_speech

from .features import (
    SEARCHED,
    TEMPLATES,
    drawings,
    heard_words,
    named_drawings,
    numbered,
    read_whole,
    see,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from torch import Tensor

    from tlwidgets.models import SharedSpace
    from tlwidgets.train import Retrieval, TrainOptions

TRAIN_OBJECTS, TEST_OBJECTS = 400, 200
HIDDEN, DROPOUT = 1024, 0.3  # of the projections of pictures and words
BINDING: TrainOptions = {"epochs": 24, "lr": 2e-3, "weight_decay": 0.01, "trace": False, "device": "cpu"}


# -- pictures and words --------------------------------------------------------------------------------


class Paired(NamedTuple):
    """Pictures with the names of what they show: features of both, and numbers of the objects."""

    drawings: Drawings
    image: Tensor
    text: Tensor
    objects: Tensor


def pictures_and_words(seed: int) -> tuple[Paired, Paired]:
    """Training pairs in four styles, and test pairs in two, to search.

    They share no object, nor one that gives another away.
    """
    import torch

    every = drawings()
    features, texts = see(every.images, keep=True), _every_name()
    split = split_drawings(numbered(every), by="object", train=TRAIN_OBJECTS, test=TEST_OBJECTS, seed=seed)
    searched = [place for place, style in enumerate(split.test.styles) if style in SEARCHED]
    parts = []
    for part in (split.train, split.test.take(searched)):
        chosen = [int(place) for place in part.images]
        objects = torch.tensor(part.objects)
        parts.append(Paired(every.take(chosen), features[chosen], texts[0][objects], objects))
    train, test = parts
    return train, test


@lru_cache(maxsize=1)
def _every_name() -> list[Tensor]:
    """Features (objects, 384) of the objects' names in each of `TEMPLATES`."""
    every = drawings()
    named = list(zip(every.names, every.groups, strict=True))[: len(set(every.objects))]
    return [
        read_whole([template.format(name=name, group=group) for name, group in named], keep=True)
        for template in TEMPLATES
    ]


def untrained_pair(seed: int) -> SharedSpace:
    """A space of pictures and words whose projections have learned nothing."""
    from tlwidgets.models import SharedSpace

    return SharedSpace({"image": 1280, "text": 384}, hidden=HIDDEN, dropout=DROPOUT, seed=seed).eval()


def pair_up(train: Paired, seed: int) -> SharedSpace:
    """Such a space, trained on each picture with its name in every template."""
    import torch

    from tlwidgets.train import fit_contrastive

    space = untrained_pair(seed)
    texts = torch.cat([texts[train.objects] for texts in _every_name()])
    pairs = (train.image.repeat(len(TEMPLATES), 1), texts, train.objects.repeat(len(TEMPLATES)))
    fit_contrastive(space, {"image-text": pairs}, epochs=6, seed=seed, trace=False, device="cpu")
    return space


def written(space: SharedSpace, objects: Tensor) -> Tensor:
    """Points (objects, width) of the names of these objects, each the mean over all templates."""
    import torch

    from tlwidgets.train import class_points

    points = torch.stack([space.embed("text", texts[objects]) for texts in _every_name()], 1)
    return class_points(points.flatten(0, 1), len(TEMPLATES))


def search(space: SharedSpace, test: Paired) -> tuple[Retrieval, Retrieval]:
    """How well words find pictures, and pictures words, among objects that were never paired in training."""
    from tlwidgets.train import retrieval

    objects = test.objects.unique()
    text, image = written(space, objects), space.embed("image", test.image)
    return retrieval(text, image, objects, test.objects), retrieval(image, text, test.objects, objects)


def measure_pairs(seed: int) -> dict[str, float]:
    """R@1 both ways on objects never seen in pairing, and ten times what chance gives."""
    train, test = pictures_and_words(seed)
    by_words, by_pictures = search(pair_up(train, seed), test)
    return {
        "words find pictures": by_words.recall[1],
        "pictures find words": by_pictures.recall[1],
        "ten times chance, pictures": 10 * by_words.chance[1],
        "ten times chance, words": 10 * by_pictures.chance[1],
    }


# -- bound through words -------------------------------------------------------------------------------


class Named(NamedTuple):
    """Pictures and spoken names of the same objects, by features; each is labelled with its place in `names`.

    `sounds` of the training part have places for waves."""

    names: list[str]
    text: Tensor
    image: Tensor
    image_of: Tensor
    pictures: np.ndarray
    sound: Tensor
    sound_of: Tensor
    sounds: Speech


def named(seed: int) -> tuple[Named, Named]:
    """Training and test: other speakers, and drawings in another style. The objects are the same."""
    import torch

    (seen, image), heard = named_drawings(), words()
    names = sorted(set(seen.names))
    number = {name: place for place, name in enumerate(names)}
    sound = heard_words()
    styles = sorted(set(seen.styles))
    unseen = styles[seed % len(styles)]
    spoken = split_speech(numbered(heard), by="speaker", test=0.25, seed=seed)
    text, parts = _texts(tuple(names)), []
    for said, in_test in ((spoken.train, False), (spoken.test, True)):
        shown = [place for place, style in enumerate(seen.styles) if (style == unseen) == in_test]
        clips = [int(place) for place in said.waves if heard.texts[place] in number]
        parts.append(
            Named(
                names,
                text,
                image[shown],
                torch.tensor([number[seen.names[place]] for place in shown]),
                seen.images[shown],
                sound[clips],
                torch.tensor([number[heard.texts[place]] for place in clips]),
                (heard if in_test else numbered(heard)).take(clips),  # nobody listens to the others
            )
        )
    train, test = parts
    return train, test


@lru_cache(maxsize=1)
def _texts(names: tuple[str, ...]) -> Tensor:
    return read_whole(names, keep=True)


def bind(train: Named, seed: int) -> SharedSpace:
    """A space of all three, trained on pictures with words and on sounds with words alone."""
    from tlwidgets.train import fit_contrastive

    space = _space({"image": train.image, "text": train.text, "sound": train.sound}, seed)
    pairs = {
        "image-text": (train.image, train.text[train.image_of], train.image_of),
        "sound-text": (train.sound, train.text[train.sound_of], train.sound_of),
    }
    options: TrainOptions = {**BINDING, "seed": seed}
    fit_contrastive(space, pairs, **options)
    return space


def pair_sounds(train: Named, seed: int) -> SharedSpace:
    """A space of pictures and sounds, each sound paired with a randomly chosen drawing of what it names."""
    from tlwidgets.train import fit_contrastive

    draw = random.Random(seed)
    shown: dict[int, list[int]] = {}
    for place, name in enumerate(train.image_of.tolist()):
        shown.setdefault(name, []).append(place)
    chosen = [draw.choice(shown[name]) for name in train.sound_of.tolist()]
    space = _space({"image": train.image, "sound": train.sound}, seed)
    pairs = {"image-sound": (train.image[chosen], train.sound, train.sound_of)}
    options: TrainOptions = {**BINDING, "seed": seed}
    fit_contrastive(space, pairs, **options)
    return space


def _space(features: Mapping[str, Tensor], seed: int) -> SharedSpace:
    from tlwidgets.models import SharedSpace

    dims = {name: part.shape[1] for name, part in features.items()}
    return SharedSpace(dims, hidden=256, dropout=0.3, seed=seed)


def listen_and_find(space: SharedSpace, test: Named) -> Retrieval:
    """How well spoken names find drawings of what they name."""
    from tlwidgets.train import retrieval

    sound, image = space.embed("sound", test.sound), space.embed("image", test.image)
    return retrieval(sound, image, test.sound_of, test.image_of)


def measure_binding(seed: int) -> dict[str, float]:
    """R@1 from sounds to pictures: paired in training, bound through words, and ten times chance."""
    train, test = named(seed)
    direct, bound = (listen_and_find(make(train, seed), test) for make in (pair_sounds, bind))
    return {"paired": direct.recall[1], "bound": bound.recall[1], "ten times chance": 10 * bound.chance[1]}
