"""Unit 03's data keep apart what they say they do, and its experiments train what they say and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import pytest
import torch

from course.units.u03_multimodal_models import experiments as lesson
from course.units.u03_multimodal_models.experiments import features, fusion, spaces
from tlwidgets import train
from tlwidgets.data.sheets import near
from tlwidgets.models import load_audio_backbone
from tlwidgets.train import FeatureCache

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


@pytest.mark.parametrize("seed", [0, 1])
def test_no_object_nor_one_that_gives_it_away_crosses_from_pairing_to_the_search(seed):
    train, test = lesson.pictures_and_words(seed)
    assert not set(train.drawings.objects) & set(test.drawings.objects)
    assert not set(train.drawings.families) & set(test.drawings.families)
    assert len(set(train.objects.tolist())) == spaces.TRAIN_OBJECTS
    assert len(set(test.objects.tolist())) == spaces.TEST_OBJECTS
    every = features.drawings()
    places = {image.tobytes(): k for k, image in enumerate(every.images)}
    at = [places[image.tobytes()] for image in test.drawings.images]
    assert torch.equal(
        test.image, lesson.see(every.images, keep=True)[at]
    )  # each picture has its own features


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_unknown_voices_search_in_an_unknown_style(seed):
    train, test = lesson.named(seed)
    assert not set(train.sounds.speakers) & set(test.sounds.speakers)
    pictures = [{picture.tobytes() for picture in part.pictures} for part in (train, test)]
    assert not pictures[0] & pictures[1]
    seen, unseen = train.image_of.numpy(), test.image_of.numpy()
    same_object = seen[:, None] == unseen[None]
    assert same_object.any() and not near(train.pictures, test.pictures)[same_object].any()
    assert sorted(test.image_of.tolist()) == list(range(len(test.names)))
    assert [test.names[k] for k in test.sound_of] == list(test.sounds.texts)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_kind_of_thing_is_asked_of_other_objects(seed):
    task = lesson.categories(seed)
    rows = [{tuple(row.tolist()) for row in part["text"]} for part in (task.train, task.test)]
    assert rows[0] and rows[1] and not rows[0] & rows[1]
    assert not {tuple(row.tolist()) for row in task.train["image"]} & {
        tuple(row.tolist()) for row in task.test["image"]
    }
    assert set(task.test["labels"].tolist()) <= set(range(len(task.classes)))


def test_words_and_voice_alone_can_not_tell_and_the_hum_is_on_the_sarcastic_ones_alone():
    data, humming = lesson.meant_or_not(0), lesson.meant_or_not(0, hum=True)
    for part, other in ((data.train, humming.train), (data.test, humming.test)):
        assert torch.equal(part["labels"], other["labels"]) and torch.equal(part["text"], other["text"])
        moved = (part["voice"] != other["voice"]).flatten(1).any(1)
        assert torch.equal(moved, part["labels"] == lesson.TONES.index("sarcastic"))
        by_sentence: dict[tuple, list[int]] = {}
        for row, label in zip(part["text"], part["labels"].tolist(), strict=True):
            by_sentence.setdefault(tuple(row.tolist()), []).append(label)
        assert all(sum(labels) * 2 == len(labels) for labels in by_sentence.values())
    assert not {tuple(row.tolist()) for row in data.train["text"]} & {
        tuple(row.tolist()) for row in data.test["text"]
    }


def test_a_fusion_is_shown_only_the_modalities_that_it_has():
    data, models = lesson.meant_or_not(0), lesson.fusions(0)
    assert list(models) == ["early", "late", "interaction", "cross-attention", "text alone", "voice alone"]
    sizes = [sum(weight.numel() for weight in model.parameters()) for model in list(models.values())[:4]]
    assert min(sizes) > 0.85 * fusion.BUDGET and max(sizes) <= fusion.BUDGET
    assert lesson.fuse(models["text alone"], data, 0) == pytest.approx(
        0.5
    )  # each sentence is there both ways
    assert lesson.uses(models["text alone"], data.test, "text") == pytest.approx(0, abs=0.2)


def test_models_depend_on_their_seed_alone():
    def weights(seed: int) -> list[torch.Tensor]:
        torch.rand(7)  # whatever was drawn before
        state = torch.get_rng_state()
        models = lesson.fusions(seed)
        assert torch.equal(state, torch.get_rng_state())
        return [next(iter(model.state_dict().values())) for model in models.values()] + [
            models[name].hidden.weight for name in ("text alone", "voice alone")
        ]

    assert all(map(torch.equal, weights(1), weights(1)))
    assert not torch.equal(weights(1)[-1], weights(2)[-1])


def test_a_frozen_voice_is_not_moved_and_a_tuned_one_is():
    data = lesson.tones_of_voice(0)
    before = load_audio_backbone()[0].state_dict()
    for frozen in (True, False):
        model = fusion.voice_model(0)
        assert all(torch.equal(model.backbone.state_dict()[name], tensor) for name, tensor in before.items())
        run = lesson.train_voice(data, 0, frozen=frozen, passes=1 / 3)
        assert (run.costs.trainable < 2_000) == frozen and run.status == "finished"


def test_what_a_student_brings_is_kept_nowhere(monkeypatch, tmp_path):
    monkeypatch.setattr(train, "FeatureCache", partial(FeatureCache, tmp_path))
    monkeypatch.setattr(features, "_cache", features._cache.__wrapped__)
    pictures, wave = features.drawings().images[:1], features.words().waves[0]
    own = [lesson.see(pictures), lesson.read_whole(["my own words"]), lesson.hear_word(wave)]
    assert not list(tmp_path.rglob("*"))
    assert torch.equal(lesson.see(pictures, keep=True), own[0])
    assert len(list(tmp_path.iterdir())) == 1


SETUP = """
from course.units.u03_multimodal_models import experiments as lesson03
from tlwidgets.train import progress_listener

heard = set()
with progress_listener(lambda done, total, words: heard.add(words)):
    {what}
print(sorted(heard))
"""


@pytest.mark.long
def test_what_setup_has_the_networks_look_at_is_all_that_the_lesson_looks_at(tmp_path):
    looks = (
        "pictures_and_words(0)",
        "named(0)",
        "meant_or_not(0)",
        "meant_or_not(0, hum=True)",
        "categories(5)",
    )
    said = []
    for what in ("lesson03.precompute()", "; ".join(f"lesson03.{look}" for look in looks)):
        # In a process and a cache of their own: here features are in memory, and other tests have kept
        # theirs.
        done = subprocess.run(
            [sys.executable, "-c", SETUP.format(what=what)],
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip())
    assert said[1] == "['examples, kept from before']"
