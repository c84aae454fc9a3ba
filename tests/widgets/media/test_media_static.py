"""What the page says a model gets is what it gets, and the code beside it makes the same of the same file."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from tlwidgets.data import Media
from tlwidgets.widgets import MediaInput
from tlwidgets.widgets.media.state import media_state, wav_bytes

GRADIENT = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
COLOURED = np.stack([GRADIENT, GRADIENT[::-1], 255 - GRADIENT], -1)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def transparent() -> Image.Image:
    picture = Image.fromarray(COLOURED).convert("RGBA")
    picture.putalpha(Image.fromarray(GRADIENT))
    return picture


FRAMES = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
PICTURES = {
    "plain.png": (Image.fromarray(COLOURED), {}),
    "phone.jpg": (Image.fromarray(COLOURED), {"exif": turned()}),
    "print.jpg": (Image.fromarray(COLOURED).convert("CMYK"), {}),
    "glass.png": (transparent(), {}),
    "grey.png": (Image.fromarray(GRADIENT), {}),
    "deep.png": (Image.fromarray(GRADIENT.astype(np.uint16) * 300), {}),
    "fractions.tif": (Image.fromarray(GRADIENT.astype(np.float32) / 300), {}),
    "heights.tif": (Image.fromarray(GRADIENT.astype(np.float32) * 7 - 100), {}),
    "palette.gif": (Image.fromarray(COLOURED).convert("P"), {}),
    "moving.gif": (FRAMES[0], {"save_all": True, "append_images": FRAMES[1:]}),
    "large.webp": (Image.fromarray(COLOURED).resize((400, 300)), {"lossless": True}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_code_of_a_picture_makes_the_same_pixels(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture, options = PICTURES[name]
    picture.save(name, **options)
    brought = MediaInput(longest_side=100)
    media = brought.give(tmp_path / name)
    names = {}
    exec(brought.code, names)
    assert np.array_equal(names["pixels"], media.picture)
    assert names["batch"].shape == (1, 3, *media.picture.shape[:2]) and names["batch"].max() <= 1


SINE = 0.5 * np.sin(np.arange(30_000) / 9)
SOUNDS = {
    "eight.wav": (16_000, (SINE * 127 + 128).astype(np.uint8)),
    "sixteen.wav": (16_000, (SINE * 32_767).astype(np.int16)),
    "stereo.wav": (11_025, (np.stack([SINE, SINE / 3], 1) * 32_767).astype(np.int16)),
    "thirty-two.wav": (44_100, (SINE * (2**31 - 1)).astype(np.int32)),
    "fractions.wav": (48_000, SINE.astype(np.float32)),
    "loud.wav": (16_000, np.where(np.arange(30_000) % 99 == 0, np.nan, 5 * SINE).astype(np.float32)),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_the_code_of_a_sound_makes_the_same_samples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wavfile.write(name, *SOUNDS[name])
    brought = MediaInput(longest_sound=1.5)
    media = brought.give(tmp_path / name)
    names = {}
    exec(brought.code, names)
    assert names["sound"].dtype == media.sound.dtype and np.allclose(names["sound"], media.sound, atol=1e-6)
    assert names["batch"].shape == (1, len(media.sound))


def test_the_code_of_a_text_gives_features_of_a_real_model():
    brought = MediaInput(example='She said "it\'s {braced}"\nand left.')
    names = {}
    exec(brought.code, names)
    assert names["features"].shape[0] == 1 and names["features"].shape[2] == names["model"].config.hidden_size
    assert "it's {braced}" in names["tokenizer"].decode(names["batch"]["input_ids"][0]).replace(
        " ' ", "'"
    ).replace("{ ", "{").replace(" }", "}")


def test_a_decoded_sound_is_read_from_a_wav_file_of_its_name():
    brought = MediaInput(example=Media("sound", "song.mp3", sound=np.zeros(1_600, np.float32), rate=16_000))
    assert (
        brought.code.startswith("# song.wav: the sound as a WAV file\n")
        and "read('song.wav')" in brought.code
    )


def test_the_preview_is_the_decoded_picture():
    small = media_state(Media("picture", "small", picture=COLOURED))
    assert np.array_equal(pixels_of(small["image"]), COLOURED)
    noise = np.random.default_rng(0).integers(0, 255, (500, 1_000, 3), dtype=np.uint8)
    large = media_state(Media("picture", "noise", picture=noise))
    assert (large["width"], large["height"]) == (320, 160)
    shown = pixels_of(large["image"]).astype(float)
    assert abs(shown.mean() - noise.mean()) < 2
    assert len(large["image"]) < 120_000, "a few inputs must not make a notebook heavy"
    assert "1,000 pixels wide, 500 high" in large["alt"]


def pixels_of(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


def test_the_waveform_and_its_table_are_the_samples_own():
    sound = np.concatenate([np.full(12_000, 0.5), np.full(12_000, -0.25)]).astype(np.float32)
    state = media_state(Media("sound", "step", sound=sound, rate=16_000))
    columns = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", state["path"])
    width, height = state["box"]
    assert len(columns) == 240
    for x, top, bottom in (map(float, column) for column in columns):
        assert top < bottom
        value = 0.5 if x < width / 2 else -0.25
        assert abs((top + bottom) / 2 - (height / 2 - value * (height / 2 - 1))) <= 0.6
    assert [row[3] for row in state["table"]["rows"]] == ["0.500"] * 5 + ["0.250"] * 5
    assert state["table"]["rows"][9][0] == "1.35 to 1.50 s"
    assert "loudest value 0.50" in state["facts"]


def test_what_is_heard_is_what_the_model_gets():
    sound = (0.5 * np.sin(np.arange(2_000))).astype(np.float32)
    rate, heard = wavfile.read(io.BytesIO(wav_bytes(Media("sound", "s", sound=sound, rate=8_000))))
    assert rate == 8_000 and np.abs(heard / 32_767 - sound).max() < 1e-4


@pytest.mark.parametrize("example", [COLOURED, SINE.astype(np.float32), "<b>Words</b>"])
def test_the_page_says_what_it_is_and_runs_nothing_of_it(example):
    brought = MediaInput(example=example, on_input=lambda media: f"<i>{media.kind}</i>")
    json.dumps(brought.state, allow_nan=False)
    html, text = brought._rendered()
    state = brought.state
    for words in (state["value"]["facts"], state["answer"], state["invitation"]):
        assert words in text
    assert "<i>" not in html and "<b>W" not in html and "<script" not in html
    assert ("<img alt=" in html) == (state["value"]["kind"] == "picture")
    assert ("<svg" in html) == (state["value"]["kind"] == "sound")
    assert "The same in plain Python" in html


def test_an_empty_page_says_what_one_may_bring():
    html, text = MediaInput(("picture", "sound"))._rendered()
    assert "No picture or sound yet." in text and "No picture or sound yet." in html
    assert "In JupyterLab, run this cell to bring a picture or sound of your own." in text
