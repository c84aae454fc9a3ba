"""Whatever recording is brought, it becomes one channel at one rate, or a sentence says what is wrong with
it.
"""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from tlwidgets.data import MediaError, one_channel, read_sound

pytestmark = pytest.mark.slow


def wav(samples: np.ndarray, rate: int = 16_000) -> bytes:
    out = io.BytesIO()
    wavfile.write(out, rate, samples)
    return out.getvalue()


def tone(hertz: float, seconds: float = 1.0, rate: int = 16_000, loud: float = 0.5) -> np.ndarray:
    return loud * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def loudest(sound: np.ndarray, rate: int = 16_000) -> float:
    """The frequency with most power, in hertz."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return np.argmax(power) * rate / len(sound)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(800, 3_000))
def test_sixteen_bits_come_back_to_the_bit(seed, length):
    values = np.random.default_rng(seed).integers(-32_768, 32_768, length).astype(np.int16)
    found, notes = read_sound(wav(values))
    assert found.dtype == np.float32 and notes == ()
    assert np.array_equal((found * 32_768).astype(np.int16), values)


@settings(deadline=2_000, max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda junk: b"RIFF\x00\x01\x00\x00WAVE" + junk),
        st.builds(
            lambda at, junk, keep: _spoilt(at, junk, keep),
            st.floats(0, 1),
            st.binary(min_size=1, max_size=8),
            st.floats(0, 1),
        ),
        st.builds(
            lambda *header: (
                b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0"
                + struct.pack("<HHIIHH", *header)
                + b"data\xff\xff\xff\xff"
                + bytes(range(256)) * 20
            ),
            st.sampled_from([0, 1, 3, 6, 7, 0xFFFE]),
            st.integers(0, 2**16 - 1),
            st.integers(0, 2**32 - 1),
            st.integers(0, 2**32 - 1),
            st.integers(0, 2**16 - 1),
            st.integers(0, 2**16 - 1),
        ),
    )
)
def test_any_bytes_give_a_sound_or_a_sentence_and_nothing_else(content):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found, notes = read_sound(content)
        except MediaError as error:
            assert str(error).endswith(".") and len(str(error)) > 30
        else:
            _is_sound(found, notes)


def _spoilt(at: float, junk: bytes, keep: float) -> bytes:
    content = wav((tone(440, 0.1) * 32_767).astype(np.int16))
    place = int(at * 60)  # the header, mostly
    return (content[:place] + junk + content[place + len(junk) :])[: int(keep * len(content)) + 1]


def _is_sound(found, notes) -> None:
    assert found.dtype == np.float32 and found.ndim == 1 and len(found)
    assert np.isfinite(found).all() and np.abs(found).max() <= 1
    assert all(note.endswith(".") for note in notes)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2_000, 400_000),
    st.integers(1, 4),
    st.sampled_from([np.uint8, np.int16, np.int32, np.float32, np.float64]),
    st.sampled_from([8_000, 16_000]),
)
def test_any_rate_any_channels_and_any_depth_become_one_channel_of_the_same_length(
    rate, channels, depth, wanted
):
    values = tone(440, 0.2, rate)
    if depth in (np.float32, np.float64):
        stored = values.astype(depth)
    else:
        top = np.iinfo(depth).max // (2 if depth == np.uint8 else 1)
        stored = (values * top + (128 if depth == np.uint8 else 0)).astype(depth)
    found, notes = read_sound(wav(np.stack([stored] * channels, 1), rate), wanted)
    _is_sound(found, notes)
    assert abs(len(found) - 0.2 * wanted) <= 1 + wanted / rate
    assert abs(loudest(found, wanted) - 440) <= 5
    assert abs(np.abs(found).max() - 0.5) < 0.06
    assert any("channels were averaged" in note for note in notes) == (channels > 1)
    assert any("Hz became" in note for note in notes) == (rate != wanted)


def test_stereo_at_an_odd_rate_says_what_was_done():
    left, right = tone(300, 1, 11_025), tone(300, 1, 11_025) * 0.5
    both = (np.stack([left, right], 1) * 32_767).astype(np.int16)
    found, notes = read_sound(wav(both, 11_025))
    assert notes == ("Two channels were averaged.", "11,025 Hz became 16,000 Hz.")
    assert len(found) == 16_000 and abs(loudest(found) - 300) <= 1
    assert abs(np.abs(found[2_000:-2_000]).max() - 0.375) < 0.01, "the mean of 0.5 and 0.25"


def test_what_is_above_half_the_new_rate_goes_rather_than_comes_back_lower():
    """A tone of 12,000 Hz would be heard at 4,000 Hz if every third value were taken."""
    found, _ = read_sound(wav(tone(12_000, 1, 48_000).astype(np.float32), 48_000))
    assert np.abs(found[2_000:-2_000]).max() < 0.005


def test_twenty_four_bits_are_read():
    values = (tone(440, 0.1) * (2**23 - 1)).astype(np.int32)
    data = b"".join(int(value).to_bytes(3, "little", signed=True) for value in values)
    form = struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 48_000, 3, 24)
    size = struct.pack("<I", len(data))
    header = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + form + b"data" + size
    found, notes = read_sound(header + data)
    assert np.allclose(found, tone(440, 0.1), atol=1e-6) and notes == ()


def test_values_that_are_not_numbers_become_silence():
    values = tone(440).astype(np.float32)
    values[[3, 500, 501]] = np.nan, np.inf, -np.inf
    found, notes = read_sound(wav(values))
    assert found[[3, 500, 501]].tolist() == [0, 0, 0] and np.isfinite(found).all()
    assert notes == ("3 of 16,000 values were not numbers (NaN or infinite) and became 0.",)
    found, notes = read_sound(wav(np.full(16_000, np.nan, np.float32)))
    assert not found.any() and notes[-1] == "It is silent: every value is 0."


def test_a_nan_that_signals_warns_nobody():
    values = tone(440).astype(np.float32)
    values.view(np.uint32)[7] = 0x7F800001
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, _ = read_sound(wav(values))
    assert found[7] == 0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(width=64), min_size=1, max_size=9))
def test_any_fractions_are_made_to_fit(values):
    found, notes = read_sound(wav(np.resize(np.array(values, dtype=np.float64), 1_000)))
    _is_sound(found, notes)


def test_too_loud_is_made_quieter_in_proportion():
    found, notes = read_sound(wav(tone(440, loud=4.0).astype(np.float32)))
    assert np.allclose(found, tone(440, loud=1.0), atol=1e-3) and "loudest value was 4" in notes[0]


def test_silence_is_kept_and_said():
    found, notes = read_sound(wav(np.zeros(16_000, np.int16)))
    assert len(found) == 16_000 and notes == ("It is silent: every value is 0.",)


def test_what_is_too_long_is_cut_and_too_short_refused():
    long = (tone(440, 3) * 32_767).astype(np.int16)
    found, notes = read_sound(wav(long), longest=2)
    assert len(found) == 32_000 and notes == ("Of 3.0 s the first 2 s were taken.",)
    with pytest.raises(MediaError, match=r"is 0\.006 s long; at least 0\.05 s were expected"):
        read_sound(wav(long[:100]))
    with pytest.raises(MediaError, match=r"is 0\.000 s long"):
        read_sound(wav(long[:0]))


@pytest.mark.parametrize("missing", [1, 2, 3, 4, 5])
def test_a_recording_that_was_cut_off_is_used_as_far_as_it_goes(missing):
    both = (np.stack([tone(440)] * 2, 1) * 32_767).astype(np.int16)
    found, notes = read_sound(wav(both)[:-missing])
    assert 15_997 < len(found) < 16_000
    assert notes[0] == "The file is cut off; the part that is there was used."


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty: it has 0 bytes"),
        (b"ID3\x04" + bytes(99), "it looks like an MP3 sound. Expected a WAV file"),
        (b"OggS" + bytes(99), "it looks like an Ogg sound"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "it looks like a PNG picture"),
        (b"\0" * 99, "its first bytes are not those of a sound"),
        (b"RIFF\0\0\0\0WAVE", "begins like a WAV file, but cannot be read"),
        (wav(np.zeros(16_000, np.int16), 10), "has 10 samples a second; 2,000 to 400,000 were expected"),
        (wav(np.zeros(16_000, np.int16), 2_000_000_011), "samples a second"),
        (wav(np.zeros((16_000, 40), np.int16)), "at most 32 channels"),
    ],
)
def test_what_is_not_a_sound_gets_a_sentence(content, says):
    with pytest.raises(MediaError, match=says):
        read_sound(content)


def test_samples_of_a_browser_are_handled_the_same():
    both = np.stack([tone(440), tone(440)], 1).astype(np.float32)
    by_samples, notes = one_channel(both, 16_000)
    by_file, same = read_sound(wav(both))
    assert np.array_equal(by_samples, by_file) and notes == same
    with pytest.raises(MediaError, match="shape"):
        one_channel(np.zeros((2, 2, 2)), 16_000)
    for values in (["loud"] * 16_000, np.zeros(16_000, complex), np.zeros(16_000, bool)):
        with pytest.raises(MediaError, match="values of type .*; whole numbers or fractions were expected"):
            one_channel(values, 16_000)
    with pytest.raises(MediaError, match="'fast' samples a second"):
        one_channel(both, "fast")
