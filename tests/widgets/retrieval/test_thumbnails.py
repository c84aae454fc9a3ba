"""Thumbnails keep what is seen, sheets have each picture in its place, sounds can be read back."""

from __future__ import annotations

import base64
import io
import wave

import numpy as np
import pytest
from PIL import Image

from tlwidgets.data import load_drawings
from tlwidgets.widgets.retrieval.thumbnails import pixels, sheet, thumbnail, waveform

PICTURES = load_drawings(["noto"]).images[::60]


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_thumbnail_looks_like_its_picture_and_is_small():
    for picture in PICTURES:
        png = base64.b64decode(thumbnail(picture, 72))
        assert len(png) < 4_000
        assert np.abs(opened(png) - picture).mean() < 4  # of 255
    wide = opened(base64.b64decode(thumbnail(np.zeros((20, 80, 3), np.uint8), 40)))
    assert wide.shape == (40, 40, 3) and not wide[15:25].any() and (wide[:14] == 255).all()


def test_a_sheet_has_each_picture_in_its_place():
    whole = opened(sheet(PICTURES, 36, 4))
    assert whole.shape == (36 * -(-len(PICTURES) // 4), 144, 3)
    for place, picture in enumerate(PICTURES):
        row, column = divmod(place, 4)
        part = whole[36 * row : 36 * row + 36, 36 * column : 36 * column + 36]
        small = np.asarray(Image.fromarray(picture).resize((36, 36), Image.Resampling.LANCZOS)).astype(int)
        assert np.abs(part - small).mean() < 12  # one palette for all


def test_pictures_come_in_several_kinds():
    picture = PICTURES[0]
    for same in (picture / 255, Image.fromarray(picture), Image.fromarray(picture).convert("RGBA")):
        assert np.array_equal(pixels(same, "it"), picture)
    with pytest.raises(ValueError, match=r"it has shape \(72, 72\). Expected a picture"):
        pixels(picture[..., 0], "it")
    with pytest.raises(ValueError, match="it has values from 0.0 to 2.0"):
        pixels(np.full((2, 2, 3), 2.0) * [0, 1, 1], "it")


def test_a_sound_is_a_wav_file_of_its_samples():
    sound = np.sin(np.arange(8000) / 5) * 0.5
    with wave.open(io.BytesIO(waveform(sound, 8000, "it"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (8000, 1, 8000)
        read = np.frombuffer(file.readframes(8000), "<i2") / 32767
    assert np.abs(read - sound).max() < 1e-4
    with wave.open(io.BytesIO(waveform(np.full(100_000, 3.0), 1000, "it"))) as file:
        assert file.getnframes() == 20_000 and max(file.readframes(9)[1::2]) == 127, (
            "long is cut, loud is clipped"
        )
    for wrong in (np.zeros((2, 9)), np.array([]), np.array([np.nan])):
        with pytest.raises(ValueError, match="it has shape .* Expected a sound, finite values"):
            waveform(wrong, 8000, "it")
