"""In a real JupyterLab: files are dropped or chosen, and the model gets what was in them, or a sentence says
why not."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from PIL import Image

from tests.widgets.media.files import (
    SETUP,
    SHOW,
    drop,
    drop_path,
    gets,
    halves,
    is_blue,
    is_red,
    pixel,
    saved,
    says,
    tone,
    turned,
    wav,
)

pytestmark = pytest.mark.browser

PICTURES = {
    "halves.png": (lambda: saved(halves(), "PNG"), "image/png", (32, 64), ""),
    "phone.jpg": (
        lambda: saved(halves(), "JPEG", exif=turned(), quality=95),
        "image/jpeg",
        (64, 32),
        "turned upright",
    ),
    "print.jpg": (
        lambda: saved(halves().convert("CMYK"), "JPEG", quality=95),
        "image/jpeg",
        (32, 64),
        "CMYK",
    ),
    "moving.gif": (
        lambda: saved(halves(), "GIF", save_all=True, append_images=[Image.new("RGB", (64, 32), "green")]),
        "image/gif",
        (32, 64),
        "the first was taken",
    ),
}


def test_pictures_that_are_dropped_are_what_the_model_gets(notebook):
    opened = notebook("drop.ipynb", SETUP, SHOW)
    for name, (content, kind, (height, width), note) in PICTURES.items():
        drop(opened, content(), name, kind)
        gets(opened, name)
        assert opened.kernel("print(*media.value.picture.shape)") == f"{height} {width} 3"
        last = pixel(opened, height - 2, width - 2 if width > height else 16)
        assert is_red(pixel(opened, 2, 2)) and is_blue(last), name
        shown = opened.locate(".tl-media .tl-shown img")
        assert (
            shown.get_attribute("alt") == f"{name}, as the model gets it: {width} pixels wide, {height} high"
        )
        assert shown.evaluate(
            "(image) => image.decode().then(() => [image.naturalHeight, image.naturalWidth])"
        ) == [height, width]
        assert note in opened.locate(".tl-media .tl-notes").text_content()
    assert opened.locate(".tl-media .tl-answer").inner_text() == "This is a picture."
    assert opened.kernel("print(len(told))") == str(len(PICTURES))


def test_a_large_photograph_is_made_smaller_before_it_is_sent(notebook):
    opened = notebook("large.ipynb", SETUP, SHOW)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (1_000, 1_600, 3), dtype=np.uint8))
    opened.kernel("before = len(told)")
    drop(opened, saved(noise, "PNG"), "noise.png", "image/png")
    gets(opened, "noise.png")
    assert opened.kernel("print(*media.value.picture.shape)") == "640 1024 3"
    assert "It was 1,600 x 1,000 pixels large" in opened.locate(".tl-media .tl-notes").inner_text()


def test_files_that_can_not_be_taken_get_a_sentence_and_what_there_was_stays(notebook, page, tmp_path):
    opened = notebook("bad.ipynb", SETUP, SHOW)
    drop(opened, saved(halves(), "PNG"), "good.png", "image/png")
    gets(opened, "good.png")
    drop(opened, b"", "empty.png", "image/png")
    says(opened, "empty.png is empty: it has 0 bytes.")
    drop(opened, b"Dear cat,", "letter.png", "image/png")
    says(opened, "letter.png is not a picture: it looks like a text.")
    drop(opened, b"\x00\x01" * 50, "noise.wav", "audio/wav")
    says(opened, "noise.wav cannot be read as a sound. Your browser cannot decode it either.")
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(200_000_000)
    opened.page.evaluate(
        """() => { window.tlRead = 0;
             for (const name of ['slice', 'arrayBuffer', 'stream', 'text']) {
               const own = Blob.prototype[name];
               Blob.prototype[name] = function (...rest) {
                   window.tlRead += 1; return own.apply(this, rest); };
             } }"""
    )
    drop_path(opened, huge)
    says(opened, "huge.png has 200.0 MB; at most 20.0 MB are taken.")
    assert opened.page.evaluate("window.tlRead") == 0, "nothing of it was read"
    assert opened.kernel("print(media.value.name, len(told))") == "good.png 1"


def test_sounds_that_are_dropped_are_what_the_model_gets(notebook):
    opened = notebook("sounds.ipynb", SETUP, SHOW)
    stereo = (np.stack([tone(440, 11_025)] * 2, 1) * 32_767).astype(np.int16)
    drop(opened, wav(stereo, 11_025), "stereo.wav", "audio/wav")
    gets(opened, "stereo.wav")
    notes = opened.locate(".tl-media .tl-notes li")
    assert notes.all_inner_texts() == ["Two channels were averaged.", "11,025 Hz became 16,000 Hz."]
    assert opened.kernel("print(len(media.value.sound), round(loudest()))") == "16000 440"
    broken = tone(660, 16_000).astype(np.float32)
    broken[100:200] = np.nan
    drop(opened, wav(broken, 16_000), "broken.wav", "audio/wav")
    gets(opened, "broken.wav")
    assert notes.all_inner_texts() == [
        "100 of 16,000 values were not numbers (NaN or infinite) and became 0."
    ]
    assert opened.kernel("print(numpy.isfinite(media.value.sound).all(), round(loudest()))") == "True 660"
    opened.locate(".tl-media summary").get_by_text("The numbers behind the waveform").click()
    assert opened.locate(".tl-media .tl-scroll tbody tr").count() == 10


RECORD_WEBM = """async (hertz) => {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const oscillator = new OscillatorNode(context, { frequency: hertz });
  oscillator.connect(out);
  oscillator.start();
  const recorder = new MediaRecorder(out.stream, { mimeType: 'audio/webm' });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  await new Promise((resolve) => {
    oscillator.onended = resolve; oscillator.stop(context.currentTime + 1.2); });
  recorder.stop();
  await ended;
  await context.close();
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
}"""


def test_a_compressed_sound_is_decoded_by_the_browser(notebook):
    opened = notebook("webm.ipynb", SETUP, SHOW)
    content = base64.b64decode(opened.page.evaluate(RECORD_WEBM, 700))
    assert content.startswith(b"\x1aE\xdf\xa3")
    drop(opened, content, "hum.webm", "audio/webm")
    gets(opened, "hum.webm")
    assert "Your browser decoded it." in opened.locate(".tl-media .tl-notes").inner_text()
    assert abs(float(opened.kernel("print(loudest())")) - 700) < 5
    assert opened.kernel("print(media.value.sound.dtype, media.value.rate)") == "float32 16000"


@pytest.mark.parametrize("known", [True, False], ids=["known length", "unknown length"])
def test_of_a_long_sound_only_the_beginning_is_decoded(notebook, page, known):
    """Five hours in 18 MB would be 3.5 GB of samples, and the end of the page."""
    opened = notebook("hours.ipynb", SETUP, SHOW)
    opened.page.evaluate(
        """() => { window.tlDecoded = 0;
             const decode = BaseAudioContext.prototype.decodeAudioData;
             BaseAudioContext.prototype.decodeAudioData = function (content) {
               window.tlDecoded += content.byteLength;
               return decode.call(this, content);
             }; }"""
    )
    if not known:  # as of what a browser records
        opened.page.evaluate(
            "() => Object.defineProperty(HTMLMediaElement.prototype, 'duration', { get: () => Infinity })"
        )
    drop(opened, SILENT_MP3_FRAME * 500_000, "podcast.mp3", "audio/mpeg")
    gets(opened, "podcast.mp3")
    notes = opened.locate(".tl-media .tl-notes li").all_inner_texts()
    first = "the first 10.0 s"
    note = (
        rf"Only {first} of 1[78],\d{{3}}\.\d s are used\."
        if known
        else rf"It is longer; only {first} are used\."
    )
    assert re.fullmatch(note, notes[1])
    assert opened.kernel("print(len(media.value.sound))") == "160000"
    assert opened.page.evaluate("window.tlDecoded") < (200_000 if known else 2_000_000)


# MPEG-2 layer III at 8 kbit/s and 16 kHz, one channel: 36 bytes for 36 ms, all of them 0 but the header.
SILENT_MP3_FRAME = bytes([0xFF, 0xF3, 0x18, 0xC4]) + bytes(32)


def test_a_picture_of_very_many_pixels_is_not_decoded_by_the_browser_either(notebook):
    opened = notebook("bomb.ipynb", SETUP, SHOW)
    opened.page.evaluate("() => { window.createImageBitmap = () => { throw new Error('decoded'); }; }")
    content = saved(Image.new("1", (13_000, 13_000)), "PNG") + bytes(4_000_000)  # readers stop at its end
    drop(opened, content, "bomb.png", "image/png")
    says(opened, "bomb.png has 13,000 x 13,000 pixels; at most 50,000,000 are taken.")


def test_text_files_are_read_as_they_were_saved_or_refused(notebook):
    opened = notebook("texts.ipynb", SETUP, SHOW)
    drop(opened, "Ein Käse.".encode("utf-16"), "windows.txt", "text/plain")
    gets(opened, "windows.txt")
    assert opened.kernel("print(media.value.text)") == "Ein Käse."
    drop(opened, bytes(range(256)), "program.txt", "text/plain")
    says(opened, "program.txt is not a text that can be read.")
    drop(opened, b"word " * 100_000, "novel.txt", "text/plain")
    says(opened, "novel.txt is longer than 5,000 characters")
    assert opened.kernel("print(len(told))") == "1"


def test_a_name_is_shown_as_letters_whatever_they_are(notebook):
    opened = notebook("names.ipynb", SETUP, SHOW)
    name = '🎉 <img src=x onerror="window.tlRan = 1"> & co.png'
    drop(opened, saved(halves(), "PNG"), name, "image/png")
    gets(opened, name)
    assert opened.page.evaluate("window.tlRan") is None
