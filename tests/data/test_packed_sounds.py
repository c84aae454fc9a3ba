"""The file of speech gives back what was said, nearly; and the same sounds make the same bytes."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.data.packed_sounds import (
    FRAME,
    RATE,
    Clip,
    frames,
    from_levels,
    read_sounds,
    to_levels,
    write_sounds,
)

pytestmark = pytest.mark.slow


def vowel(pitch: float, samples: int, seed: int = 0) -> np.ndarray:
    """A tone with harmonics that fade in and out, and a little breath; int16."""
    time = np.arange(samples) / RATE
    sound = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 12))
    sound = sound * np.hanning(samples) + 0.01 * np.random.default_rng(seed).standard_normal(samples)
    return (8_000 * sound).astype(np.int16)


def clip(samples: int, text: str = "ah") -> Clip:
    return Clip(text, "us-m1", 0, "neutral", "calm", "calm", samples)


def decibels_above_loss(sound: np.ndarray, heard: np.ndarray) -> float:
    whole = sound / 2**15
    return 10 * np.log10((whole**2).sum() / ((whole - heard) ** 2).sum())


@settings(max_examples=40, deadline=None)
@given(samples=st.integers(1, 3 * RATE), pitch=st.floats(70, 400))
def test_a_voice_comes_back_at_its_length_and_far_above_what_is_lost(samples, pitch):
    sound = vowel(pitch, samples)
    levels = to_levels(sound)
    assert levels.shape == (frames(samples), FRAME) and levels.dtype == np.int8
    heard = from_levels(levels, samples)
    assert heard.shape == (samples,) and heard.dtype == np.float32
    assert np.abs(heard).max() <= 1
    if samples > RATE // 4:
        assert decibels_above_loss(sound, heard) > 15


@settings(max_examples=40, deadline=None)
@given(sound=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=2000).map(lambda x: np.int16(x)))
def test_any_samples_at_all_stay_within_bounds_even_the_loudest(sound):
    heard = from_levels(to_levels(sound), len(sound))
    assert np.isfinite(heard).all() and np.abs(heard).max() <= 1


def test_the_loudest_tone_does_not_overflow_its_levels():
    tone = (32_767 * np.sin(2 * np.pi * 475 * np.arange(RATE) / RATE)).astype(np.int16)
    assert np.abs(to_levels(tone).astype(int)).max() < 127
    assert decibels_above_loss(tone, from_levels(to_levels(tone), RATE)) > 25


def test_silence_stays_silent():
    assert not from_levels(to_levels(np.zeros(1000, np.int16)), 1000).any()


def test_clips_of_other_lengths_come_back_in_their_rows_with_silence_after():
    sounds = [vowel(120, 5_000), vowel(220, 9_001), vowel(90, 320)]
    packed = write_sounds({"some": ([clip(len(sound)) for sound in sounds], sounds)})
    clips, waves = read_sounds(packed, "some")
    assert clips == [clip(5_000), clip(9_001), clip(320)]
    assert waves.shape == (3, 9_001) and waves.dtype == np.float32
    for sound, wave in zip(sounds, waves, strict=True):
        assert np.array_equal(wave[: len(sound)], from_levels(to_levels(sound), len(sound)))
        assert not wave[len(sound) :].any()


def test_the_same_sounds_make_the_same_bytes():
    def packed():
        return write_sounds({"a": ([clip(900)], [vowel(99, 900)]), "b": ([clip(50)], [vowel(200, 50)])})

    assert packed() == packed()


def test_what_does_not_fit_its_row_is_refused():
    with pytest.raises(ValueError, match=r"shape \(10,\) and type int16; expected \(11,\)"):
        write_sounds({"a": ([clip(11)], [np.zeros(10, np.int16)])})
    with pytest.raises(ValueError, match="type float64"):
        write_sounds({"a": ([clip(10)], [np.zeros(10)])})
    with pytest.raises(ValueError, match="tab or a line break"):
        write_sounds({"a": ([clip(10, "two\nlines")], [np.zeros(10, np.int16)])})


def test_a_broken_file_is_told_by_line_or_by_count():
    packed = write_sounds({"a": ([clip(900)], [vowel(99, 900)])})
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        table, sounds = archive.read("a.tsv"), archive.read("a.xz")

    def with_table(other: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.tsv", other)
            archive.writestr("a.xz", sounds)
        return out.getvalue()

    with pytest.raises(ValueError, match="Line 2 .* has 1 fields instead of 7"):
        read_sounds(with_table(table + b"half\n"), "a")
    with pytest.raises(ValueError, match="not those of its 2 clips"):
        read_sounds(with_table(table + table), "a")
