"""Splits of speech never leak: no speaker, no text and no near-duplicate is in two parts; and sarcasm is not
in the words.
"""

import re
from collections import Counter
from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import irfft, rfft
from scipy.signal import resample_poly

from tlwidgets.data import (
    SpeechDataError,
    load_drawings,
    load_prosodies,
    load_sarcasm,
    load_words,
    speech_card,
    split_speech,
)
from tlwidgets.data.sheets import FILES
from tlwidgets.data.speech import SPEECH

pytestmark = pytest.mark.slow

LOADERS = {"words": load_words, "sarcasm": load_sarcasm, "prosodies": load_prosodies}
BOTH = ("speaker", "text")
GRAMMAR = set(
    re.findall(
        r"\w+", "the a an is was were are of my your our his her i he she it we you they this that these very"
    )
)


@lru_cache(maxsize=1)
def all_loaded():
    return {name: load() for name, load in LOADERS.items()}


@pytest.fixture(scope="module")
def loaded():
    return all_loaded()


def parts(split):
    return [split.train, split.valid, split.test]


def disjoint(sets):
    return sum(map(len, sets)) == len(set().union(*sets))


def content(text):
    """The words of a sentence that are not mere grammar."""
    return set(re.findall(r"\w+", text.lower())) - GRAMMAR


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(LOADERS)),
    by=st.sampled_from(["speaker", "text", BOTH]),
    sizes=st.tuples(st.floats(0.2, 0.4), st.sampled_from([0.0, 0.2, 0.3])),
    seed=st.integers(0, 10_000),
)
def test_parts_share_no_speaker_and_no_text_or_family_as_asked(name, by, sizes, seed):
    test, valid = sizes
    loaded = all_loaded()
    split = split_speech(loaded[name], by=by, test=test, valid=valid, seed=seed)
    assert len(split.train) and len(split.test) and bool(len(split.valid)) == bool(valid)
    if "speaker" in by:
        assert disjoint([set(part.speakers) for part in parts(split)])
    if "text" in by:
        assert disjoint([set(part.texts) for part in parts(split)])
        assert disjoint([set(part.families) for part in parts(split)])
    again = split_speech(loaded[name], by=by, test=test, valid=valid, seed=seed)
    assert again.test.texts == split.test.texts and np.array_equal(again.test.waves, split.test.waves)


@pytest.mark.parametrize("by", ["speaker", "text"])
def test_by_one_way_no_clip_is_left_out(loaded, by):
    for speech in loaded.values():
        split = split_speech(speech, by=by, test=0.25, valid=0.25)
        assert sum(map(len, parts(split))) == len(speech)


def test_sarcasm_cannot_be_told_from_speaker_text_tone_or_sentiment_in_any_part(loaded):
    speech = loaded["sarcasm"]
    for part in (speech, *parts(split_speech(speech, by=BOTH, test=0.3, valid=0.2))):
        for column in (part.speakers, part.texts, part.tones, part.sentiments, part.families):
            counts = Counter(zip(column, part.labels, strict=True))
            for value in set(column):
                assert counts[value, "sincere"] == counts[value, "sarcastic"] > 0


def test_sarcasm_is_told_by_words_and_tone_together(loaded):
    speech = loaded["sarcasm"]
    for sentiment, tone, label in zip(speech.sentiments, speech.tones, speech.labels, strict=True):
        assert (label == "sincere") == ((sentiment, tone) in {("positive", "warm"), ("negative", "cold")})


def test_a_pair_has_one_frame_and_both_sentiments_and_no_other_pair_is_much_alike(loaded):
    speech = loaded["sarcasm"]
    families = {}
    for family, sentiment, text in zip(speech.families, speech.sentiments, speech.texts, strict=True):
        families.setdefault(family, {})[sentiment] = text
    for pair in families.values():
        assert set(pair) == {"positive", "negative"}
        assert len(set(pair["positive"].split()) & set(pair["negative"].split())) >= 2
    for one, other in combinations(families.values(), 2):
        for text in one.values():
            for its in other.values():
                shared = content(text) & content(its)
                assert len(shared) < 2, (text, its)


@pytest.mark.parametrize("name", sorted(LOADERS))
def test_no_clip_has_a_near_duplicate_among_other_speakers_and_texts(loaded, name):
    """Two clips are when one, shifted, explains more than 90 % of the other's waveform below 2 kHz."""
    split = split_speech(loaded[name], by=BOTH, test=0.3)
    train, test = (
        spectra(part.take(range(0, len(part), step))) for part, step in ((split.train, 3), (split.test, 2))
    )
    for sound in test:
        assert np.abs(irfft(train * sound.conj(), axis=1)).max() < 0.95
    assert np.abs(irfft(test * test.conj(), axis=1)).max() > 0.999  # each with itself


def test_no_two_speakers_are_one_voice(loaded):
    """Of a voice that it does not know eSpeak NG takes another: two names, one voice, and a split by speaker
    leaks.
    """
    words = loaded["words"]
    for text in ("gorilla", "umbrella", "newspaper"):
        sounds = spectra(words.take([place for place, said in enumerate(words.texts) if said == text]))
        for one, other in combinations(sounds, 2):
            assert np.abs(irfft(one * other.conj())).max() < 0.9


def spectra(speech):
    slow = resample_poly(speech.waves, 1, 4, axis=1)
    slow = slow / np.linalg.norm(slow, axis=1, keepdims=True)
    return rfft(slow, 2 * slow.shape[1], axis=1)


def test_words_are_names_of_drawings_each_said_once_by_every_speaker(loaded):
    words = loaded["words"]
    names = load_drawings(["noto"]).names
    assert set(words.texts) <= set(names) and all(names.count(text) == 1 for text in set(words.texts))
    assert words.labels == words.texts and len(set(words.texts)) >= 100
    assert len(set(zip(words.texts, words.speakers, strict=True))) == len(words)
    assert len(words) == len(set(words.texts)) * len(set(words.speakers))


def test_every_sentence_is_said_in_all_its_tones_by_whoever_says_it(loaded):
    for name, tones in (
        ("sarcasm", {"warm", "cold"}),
        ("prosodies", {"calm", "happy", "sad", "angry", "surprised"}),
    ):
        speech = loaded[name]
        said = {}
        for text, speaker, tone in zip(speech.texts, speech.speakers, speech.tones, strict=True):
            said.setdefault((text, speaker), []).append(tone)
        assert all(set(its) == tones and len(its) == len(tones) for its in said.values())


def test_sounds_are_heard_and_end_in_silence(loaded):
    for speech in loaded.values():
        assert speech.waves.dtype == np.float32 and speech.waves.shape == (len(speech), max(speech.lengths))
        loudness = np.abs(speech.waves).max(1)
        assert loudness.min() > 0.05 and loudness.max() <= 1
        for wave, length in zip(speech.waves, speech.lengths, strict=True):
            assert not wave[length:].any() and np.abs(wave[:length]).max() > 0.05


def test_cold_and_sad_voices_are_longer_and_fainter_than_warm_and_happy_ones(loaded):
    for name, slow, quick in (("sarcasm", "cold", "warm"), ("prosodies", "sad", "happy")):
        speech = loaded[name]
        tones, lengths = np.array(speech.tones), np.array(speech.lengths)
        power = (speech.waves**2).sum(1) / lengths
        assert lengths[tones == slow].mean() > 1.2 * lengths[tones == quick].mean()
        assert power[tones == slow].mean() < 0.8 * power[tones == quick].mean()


def test_loaded_speech_is_ones_own(loaded):
    mine = load_words()
    mine.waves[:] = 0
    assert np.array_equal(load_words().waves, loaded["words"].waves)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "accent"}, 'choose "speaker", "text" or'),
        ({"by": None}, 'choose "speaker", "text" or'),
        ({"by": ()}, 'choose "speaker", "text" or'),
        ({"by": ("text", "text")}, 'choose "speaker", "text" or'),
        ({"by": "text", "test": 1.0}, "test=1.0 should be a part of the whole"),
        ({"by": "text", "valid": -0.1}, "valid=-0.1 should be a part of the whole"),
        ({"by": "speaker", "test": 0.6, "valid": 0.6}, "leave none of them for training"),
    ],
)
def test_a_split_that_cannot_be_says_why(loaded, arguments, message):
    with pytest.raises(SpeechDataError, match=message):
        split_speech(loaded["words"], **arguments)


def test_a_part_that_no_clip_falls_to_is_told(loaded):
    words = loaded["words"]
    speakers, families = sorted(set(words.speakers))[:2], (0, 1)
    said = list(zip(words.speakers, words.families, strict=True))
    two = words.take([said.index(pair) for pair in zip(speakers, families, strict=True)])
    with pytest.raises(SpeechDataError, match="No clip of the .* part's .*larger part or another seed"):
        for seed in range(20):  # some seed deals each speaker the other's word
            split_speech(two, by=BOTH, seed=seed)


@pytest.mark.parametrize("name", sorted(LOADERS))
def test_the_card_counts_what_is_there_and_says_that_it_is_synthetic(loaded, name):
    speech, card = loaded[name], speech_card(name)
    assert (
        f"{len(speech):,} clips of {len(set(speech.texts))} texts by {len(set(speech.speakers))} speakers"
        in card.size
    )
    assert "synthetic" in card.title.lower() and "no person spoke" in card.real
    assert all(speaker in card.real for speaker in speech.speakers)
    assert "<table>" in card._repr_html_()


def test_a_card_of_nothing_names_what_there_is():
    with pytest.raises(SpeechDataError, match="choose words, sarcasm or prosodies"):
        speech_card("songs")


def test_the_file_is_small_and_its_licence_lies_beside_it():
    assert (FILES / SPEECH).stat().st_size < 6_000_000
    licence = (FILES / "speech.LICENSE.txt").read_text(encoding="utf-8")
    assert "eSpeak NG" in licence and "Permission is hereby granted" in licence
