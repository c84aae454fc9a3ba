"""Unit 03's fusions, and what they show.

Sentences meant or not, where neither words nor voice can tell alone; a hum in recordings that a model takes
for the answer; a category from three modalities of which some are missing; and what freezing saves.

The speech is synthetic: tones of voice are rules of prosody.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from course.claims import share_right
from tlwidgets.data import Speech, load_prosodies, load_sarcasm, split_speech
from tlwidgets.models import load_audio_backbone

from .features import (
    SENTENCE_HOP,
    SENTENCE_PARTS,
    backbone,
    hear,
    heard_words,
    named_drawings,
    read_whole,
    sentences,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from tlwidgets.models import Fusion
    from tlwidgets.train import Run, TaskData, TrainOptions
    from tlwidgets.train.data import Examples

FUSING: TrainOptions = {"epochs": 12, "batch_size": 32, "lr": 3e-3, "weight_decay": 0.1}
BUDGET = 60_000  # parameters of each way to fuse
HUM_HERTZ, HUM_LOUD = 100, 0.03
TONES = ("sincere", "sarcastic")
MODALITIES = ("image", "text", "sound")
LEFT_OUT = 0.4  # probability of modality dropout
SPLITS = 4  # that a seed stands for where one has few test examples
VOICE_CLIPS, VOICE_HOP, VOICE_SAMPLES = 120, 1600, 20_000
# Learning rates of the head alone, and of everything for less than a pass or several: the best of a grid on
# splits of their own (scripts/choose_rates_03.py).
HEAD_LR, SHORT_LR, LONG_LR = 1e-2, 1e-2, 3e-3


# -- meant, or not -------------------------------------------------------------------------------------


def meant_or_not(seed: int, hum: bool = False) -> TaskData:
    """Sentences by words and voice, sincere (0) or sarcastic (1); speakers and sentences of the test are new.

    With `hum` the sarcastic ones were recorded beside a humming lamp, in training and test.
    """
    import torch

    from tlwidgets.train import TaskData

    split = split_speech(sentences(), by=("speaker", "text"), test=0.3, seed=seed)
    voice, text = voices(hum), _words_of_sentences()
    labels = torch.tensor([TONES.index(label) for label in sentences().labels])
    parts = []
    for part in (split.train, split.test):
        chosen = [int(place) for place in part.waves]
        parts.append({"text": text[chosen], "voice": voice[chosen], "labels": labels[chosen]})
    return TaskData(parts[0], None, parts[1])


@lru_cache(maxsize=2)
def voices(hum: bool) -> Tensor:
    """Features (sentences, 8, 512) of how they are said: eight stretches, and how far each is from the mean.

    The mean of those distances says what a mean of stretches cannot: how lively the voice is.
    """
    if hum:
        sarcastic = [place for place, label in enumerate(sentences().labels) if label == "sarcastic"]
        found = voices(False).clone()
        found[sarcastic] = _voice(_with_hum(load_sarcasm().take(sarcastic)))
        return found
    return _voice(load_sarcasm())


def _voice(said: Speech) -> Tensor:
    import torch

    heard = hear(said.waves, said.lengths, SENTENCE_HOP, SENTENCE_PARTS, keep=True)
    return torch.cat([heard, (heard - heard.mean(1, keepdim=True)).abs()], 2)


def _with_hum(said: Speech) -> Speech:
    """The same clips, in place, beside a humming lamp."""
    import numpy as np

    waves, seconds = said.waves, np.arange(said.waves.shape[1]) / 16_000
    lamp = (HUM_LOUD * np.sin(2 * np.pi * HUM_HERTZ * seconds)).astype(np.float32)
    for place, length in enumerate(said.lengths):
        waves[place, :length] += lamp[:length]
    return said


@lru_cache(maxsize=1)
def _words_of_sentences() -> Tensor:
    return read_whole(sentences().texts, keep=True)


def fusions(seed: int) -> dict[str, Fusion]:
    """Four ways to fuse words and voice, of about one size, and each modality alone."""
    import torch

    from tlwidgets.models import EarlyFusion, fusion_models

    dims = {"text": 384, "voice": 512}
    models = fusion_models(dims, 2, budget=BUDGET, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return models | {f"{name} alone": EarlyFusion({name: width}, 2) for name, width in dims.items()}


def fuse(model: Fusion, data: TaskData, seed: int) -> float:
    """Train one, and the share of the test that it gets right.

    A model that lacks a modality does not see it.
    """
    from tlwidgets.train import TaskData, fit

    def of(part: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: part[name] for name in (*model.dims, "labels")}

    data = TaskData(of(_by_name(data.train)), None, of(_by_name(data.test)))
    options: TrainOptions = {**FUSING, "seed": seed, "trace": False, "device": "cpu"}
    return share_right(fit(model, None, data, **options))


def _by_name(part: Examples | None) -> Mapping[str, Tensor]:
    assert isinstance(part, Mapping)  # as `meant_or_not` makes them
    return part


def _looks(model: Fusion, part: Mapping[str, Tensor]) -> Tensor:
    """How much attention the words of each sentence (sentences, 8) pay to each stretch of the voice.

    The rest goes to the learned token.
    """
    import torch

    from tlwidgets.models import CrossAttentionFusion

    assert isinstance(model, CrossAttentionFusion)  # the others have no attention
    with torch.no_grad():
        weights = model.eval().weights_of("text", {name: part[name] for name in model.dims})
    return weights[:, 0, 1:]


def measure_fusion(seed: int) -> dict[str, float]:
    """Test accuracy of each way to fuse, and of each modality alone.

    And how often the words look most at a stretch of the voice other than the most popular one.
    """
    data, models = meant_or_not(seed), fusions(seed)
    right = {name: fuse(model, data, seed) for name, model in models.items()}
    most = _looks(models["cross-attention"], _by_name(data.test)).argmax(1)
    return right | {"looks elsewhere": 1 - most.bincount().max().item() / len(most), "half": 0.5}


def uses(model: Fusion, part: Mapping[str, Tensor], modality: str, seed: int = 0) -> float:
    """How much accuracy falls when this modality's rows are shuffled among the examples."""
    from tlwidgets.train import measure_modes

    features = {name: part[name] for name in model.dims}
    on = dict.fromkeys(features, "on")
    as_is, shuffled = measure_modes(
        model, features, part["labels"], [on, on | {modality: "shuffled"}], seed=seed
    )
    return as_is.accuracy - shuffled.accuracy


def measure_shortcut(seed: int) -> dict[str, float]:
    """A model trained on the hum: its accuracy with and without it, and how much it needs the words."""
    from tlwidgets.train import measure_modes

    clean, humming = meant_or_not(seed), meant_or_not(seed, hum=True)
    honest, fooled = fusions(seed)["early"], fusions(seed)["early"]
    right = {"honest": fuse(honest, clean, seed), "fooled": fuse(fooled, humming, seed)}
    test, humming_test = _by_name(clean.test), _by_name(humming.test)
    features = {name: test[name] for name in fooled.dims}
    (found,) = measure_modes(fooled, features, test["labels"], [dict.fromkeys(features, "on")])
    return right | {
        "fooled, clean": found.accuracy,
        "fooled, words matter": uses(fooled, humming_test, "text", seed),
        "honest, words matter": uses(honest, test, "text", seed),
    }


# -- three at once, and one missing --------------------------------------------------------------------


class Categories(NamedTuple):
    """Examples (image, text, sound, labels) of objects, and the names of the classes."""

    train: dict[str, Tensor]
    test: dict[str, Tensor]
    classes: tuple[str, ...]


def categories(seed: int) -> Categories:
    """What kind of thing is it? From a drawing, the written and the spoken name.

    The test has other objects, in another style, by other speakers. There is an example for each spoken name,
    with a randomly chosen drawing.
    """
    import random

    import torch

    (seen, image), heard, draw = named_drawings(), words(), random.Random(seed)
    sound = heard_words()
    text = read_whole(heard.texts, keep=True)
    kind = dict(zip(seen.names, seen.groups, strict=True))
    family = dict(zip(seen.names, seen.families, strict=True))
    classes, styles = tuple(sorted(set(kind.values()))), sorted(set(seen.styles))

    def held_out(units, part: float) -> set:
        order = sorted(set(units))
        draw.shuffle(order)
        return set(order[: round(part * len(order))])

    families, speakers = held_out(family.values(), 0.3), held_out(heard.speakers, 0.25)
    unseen, parts = styles[seed % len(styles)], []
    for in_test in (False, True):
        shown: dict[str, list[int]] = {}
        for place, (name, style) in enumerate(zip(seen.names, seen.styles, strict=True)):
            if (style == unseen) == in_test:
                shown.setdefault(name, []).append(place)
        clips = [
            place
            for place, (name, speaker) in enumerate(zip(heard.texts, heard.speakers, strict=True))
            if name in kind and (speaker in speakers) == in_test and (family[name] in families) == in_test
        ]
        names = [heard.texts[place] for place in clips]
        labels = torch.tensor([classes.index(kind[name]) for name in names])
        pictures = [draw.choice(shown[name]) for name in names]
        parts.append({"image": image[pictures], "text": text[clips], "sound": sound[clips], "labels": labels})
    train, test = parts
    return Categories(train, test, classes)


def three_way(task: Categories, seed: int, left_out: float) -> nn.Module:
    """An early fusion of all three, trained with each modality left out at random with this probability."""
    from tlwidgets.models import fusion_models
    from tlwidgets.train import TaskData, fit

    dims = {name: task.train[name].shape[1] for name in MODALITIES}
    models = fusion_models(dims, len(task.classes), budget=200_000, modality_dropout=left_out, seed=seed)
    options: TrainOptions = {"epochs": 15, "batch_size": 64, "lr": 2e-3, "weight_decay": 0.1}
    options |= {"seed": seed, "trace": False, "device": "cpu"}
    fit(models["early"], None, TaskData(task.train), **options)
    return models["early"]


def without(model: nn.Module, task: Categories, *missing: str) -> float:
    """Test accuracy where these modalities are missing."""
    from tlwidgets.train import measure_modes

    modes = {name: "missing" if name in missing else "on" for name in MODALITIES}
    features = {name: task.test[name] for name in MODALITIES}
    (found,) = measure_modes(model, features, task.test["labels"], [modes])
    return found.accuracy


def measure_missing(seed: int) -> dict[str, float]:
    """Test accuracy with all modalities and without each, and without the drawing after modality dropout.

    Means over `SPLITS` splits, with about 75 test examples of 37 objects each.
    """
    return _over_splits(seed, _with_one_missing)


def _with_one_missing(split: int) -> dict[str, float]:
    task = categories(split)
    model, sturdy = (three_way(task, split, left_out) for left_out in (0.0, LEFT_OUT))
    found = {"all three": without(model, task), "dropout, without image": without(sturdy, task, "image")}
    return found | {f"without {missing}": without(model, task, missing) for missing in MODALITIES}


def _over_splits(seed: int, measure: Callable[[int], dict[str, float]]) -> dict[str, float]:
    found = [measure(split) for split in range(SPLITS * seed, SPLITS * (seed + 1))]
    return {name: fmean(one[name] for one in found) for name in found[0]}


# -- what freezing saves -------------------------------------------------------------------------------


def tones_of_voice(seed: int) -> TaskData:
    """Five prosodies by other speakers, in other sentences: windows (clips, 13, 1024) and labels."""
    import torch

    from tlwidgets.train import TaskData

    said = load_prosodies()
    tones = sorted(set(said.labels))
    _, prepare = backbone("sound")

    def examples(part: Speech) -> tuple[Tensor, Tensor]:
        labels = torch.tensor([tones.index(label) for label in part.labels])
        return prepare(part.waves[:, :VOICE_SAMPLES], hop=VOICE_HOP), labels

    split = split_speech(said, by=("speaker", "text"), test=0.3, seed=seed)
    return TaskData(examples(split.train.take(range(VOICE_CLIPS))), None, examples(split.test))


def voice_model(seed: int) -> nn.Module:
    """CREPE with a new head for five tones of voice."""
    import torch

    from tlwidgets.models import AudioClassifier

    backbone, _ = load_audio_backbone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = torch.nn.Sequential(torch.nn.LayerNorm(256), torch.nn.Linear(256, 5))
    return AudioClassifier(backbone, head)


def train_voice(data: TaskData, seed: int, *, frozen: bool, passes: float, lr: float | None = None) -> Run:
    """Train the head on frozen features (40 epochs), or everything for some passes over the clips.

    A step through the whole network costs a forward and a backward pass, about three forward ones. The frozen
    network sees each clip once, forward: so `passes=1/3` is the same budget.
    """
    from tlwidgets.core import FreezePlan, ModelTree
    from tlwidgets.train import TaskData, fit

    model = voice_model(seed)
    tree = ModelTree.of(model)
    options: TrainOptions = {"batch_size": 8, "seed": seed, "trace": False, "device": "cpu"}
    if frozen:
        plan = FreezePlan.preset(tree, "feature-extraction")
        options |= {"epochs": 40, "lr": lr or HEAD_LR}
        return fit(model, plan, data, **options)
    plan = FreezePlan.preset(tree, "full")
    assert isinstance(data.train, tuple)  # as `tones_of_voice` makes them
    windows, labels = data.train
    seen = round(len(labels) * min(passes, 1))
    data = TaskData((windows[:seen], labels[:seen]), None, data.test)
    options |= {"epochs": max(1, round(passes)), "lr": lr or (SHORT_LR if passes < 1 else LONG_LR)}
    return fit(model, plan, data, **options)


def measure_voice(seed: int) -> dict[str, float]:
    """Test accuracy of a frozen network, of one tuned at the same budget, and of one tuned at 15 times that.

    Means over `SPLITS` splits, with about 60 test clips each.
    """
    return _over_splits(seed, _frozen_and_tuned)


def _frozen_and_tuned(split: int) -> dict[str, float]:
    data = tones_of_voice(split)
    return {
        "frozen": share_right(train_voice(data, split, frozen=True, passes=0)),
        "tuned, same budget": share_right(train_voice(data, split, frozen=False, passes=1 / 3)),
        "tuned, 15 times": share_right(train_voice(data, split, frozen=False, passes=5)),
    }
