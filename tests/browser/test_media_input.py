"""In a real JupyterLab: files are dropped, pasted, chosen and recorded, and the model gets what was in them."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from devices import TONE
from PIL import Image
from playwright.sync_api import expect
from scipy.io import wavfile

pytestmark = pytest.mark.browser

SETUP = """
import numpy
from tlwidgets import MediaInput

told = []
media = MediaInput(on_input=lambda new: told.append(new) or f"This is a {new.kind}.")

def loudest():
    sound = media.value.sound
    power = numpy.abs(numpy.fft.rfft(sound * numpy.hanning(len(sound))))
    return numpy.argmax(power) * media.value.rate / len(sound)
"""
SHOW = "media"


def saved(picture: Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def halves() -> Image.Image:
    """Left half red, right half blue."""
    picture = Image.new("RGB", (64, 32), "red")
    picture.paste("blue", (32, 0, 64, 32))
    return picture


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # what is stored left is on top
    return exif


def wav(samples, rate: int) -> bytes:
    out = io.BytesIO()
    wavfile.write(out, rate, samples)
    return out.getvalue()


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def transfer(opened, content: bytes, name: str, kind: str):
    """What the browser would hold while a file is dragged or pasted."""
    return opened.page.evaluate_handle(
        """([name, type, content]) => {
             const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
             const transfer = new DataTransfer();
             transfer.items.add(new File([bytes], name, { type }));
             return transfer;
           }""",
        [name, kind, base64.b64encode(content).decode()],
    )


def drop(opened, content: bytes, name: str, kind: str) -> None:
    """Drag a file over the view and let it go."""
    held = {"dataTransfer": transfer(opened, content, name, kind)}
    view = opened.locate(".tl-media")
    view.dispatch_event("dragover", held)
    expect(view).to_have_class(re.compile("tl-over"))
    view.dispatch_event("drop", held)
    expect(view).not_to_have_class(re.compile("tl-over"))


def drop_path(opened, path) -> None:
    """Drop a file of this machine, as from its file manager."""
    box = opened.locate(".tl-media .tl-title").bounding_box()
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    session = opened.page.context.new_cdp_session(opened.page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 5, "y": box["y"] + 5, "data": data}
        )


def says(opened, words: str) -> None:
    opened.locate(".tl-media .tl-message").get_by_text(words).wait_for()


def gets(opened, name: str):
    """Wait until the view shows what the model gets."""
    opened.locate(".tl-media .tl-name").get_by_text(name, exact=True).wait_for()
    opened.locate(".tl-media .tl-answer").wait_for()


def pixel(opened, row: int, column: int) -> list[int]:
    return [int(word) for word in opened.kernel(f"print(*media.value.picture[{row}, {column}])").split()]


def is_red(colour) -> bool:
    return colour[0] > 180 and max(colour[1:]) < 80


def is_blue(colour) -> bool:
    return colour[2] > 180 and max(colour[:2]) < 80


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
    assert "it had 1,600 x 1,000 pixels" in opened.locate(".tl-media .tl-notes").inner_text()


def test_files_that_can_not_be_taken_get_a_sentence_and_what_there_was_stays(notebook, tmp_path):
    opened = notebook("bad.ipynb", SETUP, SHOW)
    drop(opened, saved(halves(), "PNG"), "good.png", "image/png")
    gets(opened, "good.png")
    drop(opened, b"", "empty.png", "image/png")
    says(opened, "empty.png is empty: it has 0 bytes.")
    drop(opened, b"Dear cat,", "letter.png", "image/png")
    says(opened, "letter.png is not a picture: it looks like a text.")
    drop(opened, b"\x00\x01" * 50, "noise.wav", "audio/wav")
    says(opened, "noise.wav can't be read as a sound. Your browser can't decode it either.")
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(200_000_000)
    opened.page.evaluate(
        """() => { window.tlRead = 0;
             for (const name of ['slice', 'arrayBuffer', 'stream', 'text']) {
               const own = Blob.prototype[name];
               Blob.prototype[name] = function (...rest) { window.tlRead += 1; return own.apply(this, rest); };
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
    assert notes.all_inner_texts() == ["100 of 16,000 values were no numbers (NaN or infinite) and became 0."]
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
  await new Promise((resolve) => { oscillator.onended = resolve; oscillator.stop(context.currentTime + 1.2); });
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
def test_of_a_long_sound_only_the_beginning_is_decoded(notebook, known):
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
    whole = r"Of 1[78],\d{3}\.\d s" if known else "It is longer;"
    assert re.fullmatch(whole + r" the first 10\.0 s were taken\.", notes[1])
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


def watch_tracks(page) -> None:
    """Remember each track that is lent, and what is played."""
    page.evaluate(
        """() => { window.tlTracks = []; window.tlPlayed = [];
             const lend = MediaDevices.prototype.getUserMedia;
             MediaDevices.prototype.getUserMedia = async function (...rest) {
               const stream = await lend.apply(this, rest);
               window.tlTracks.push(...stream.getTracks());
               return stream;
             };
             const play = HTMLMediaElement.prototype.play;
             HTMLMediaElement.prototype.play = function () { window.tlPlayed.push(this.src); return play.apply(this); };
           }"""
    )


LENT = "window.tlTracks.filter((track) => track.readyState === 'live').length"


def button(opened, name: str):
    return opened.locate(".tl-media").get_by_role("button", name=name, exact=True)


def tab(opened, name: str):
    return opened.locate(".tl-media").get_by_role("tab", name=name, exact=True)


def test_what_the_microphone_hears_is_what_the_model_gets(notebook):
    opened = notebook("microphone.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    tab(opened, "Sound").click()
    button(opened, "Record").click()
    opened.page.wait_for_function(
        "() => Number(document.querySelector('.tl-media [role=meter]').getAttribute('aria-valuenow')) > 50"
    )
    opened.locate(".tl-media .tl-time").get_by_text(re.compile(r"^[1-9]\.\d of 10 s")).wait_for()
    assert opened.page.evaluate(LENT) == 1
    button(opened, "Stop and use it").click()
    assert opened.page.evaluate(LENT) == 0, "the microphone is given back at once"
    gets(opened, "microphone.wav")
    hertz, seconds = map(float, opened.kernel("print(loudest(), len(media.value.sound) / 16_000)").split())
    assert abs(hertz - TONE) < 2, "the tone that was played to the microphone"
    assert 1 <= seconds <= 10
    assert button(opened, "Record").evaluate("(node) => node === document.activeElement")
    button(opened, "Play").click()
    opened.page.wait_for_function("window.tlPlayed.length === 1 && window.tlPlayed[0].startsWith('blob:')")


def test_a_recording_ends_by_itself(notebook):
    opened = notebook(
        "most.ipynb", SETUP.replace("MediaInput(", "MediaInput('sound', longest_sound=0.5, ", 1), SHOW
    )
    assert opened.locate(".tl-media [role=tablist]").is_hidden()
    watch_tracks(opened.page)
    button(opened, "Record").click()
    gets(opened, "microphone.wav")
    assert opened.kernel("print(len(media.value.sound))") == "8000"
    assert opened.page.evaluate(LENT) == 0


def test_a_still_from_the_camera_is_what_the_model_gets(notebook):
    opened = notebook("camera.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    button(opened, "Camera").click()
    button(opened, "Take the picture").click()
    assert opened.page.evaluate(LENT) == 0, "the camera's light goes out at once"
    gets(opened, "camera.png")
    assert is_red(pixel(opened, 5, 5)) and is_blue(pixel(opened, 5, -5))


def look(opened) -> None:
    """Have the camera on."""
    button(opened, "Camera").click()
    opened.locate(".tl-media .tl-video").wait_for()
    assert opened.page.evaluate(LENT) == 1


def test_the_camera_is_given_back_whichever_way_one_leaves_it(notebook):
    opened = notebook("leave.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    for leave in (
        lambda: button(opened, "Cancel").click(),
        lambda: tab(opened, "Text").click(),
        lambda: opened.kernel("media.close()"),
    ):
        tab(opened, "Picture").click()
        look(opened)
        leave()
        opened.page.wait_for_function(f"{LENT} === 0")


GOING = {
    "cleared output": lambda opened: opened.command("notebook:clear-all-cell-outputs"),
    "closed notebook": lambda opened: opened.close(),
}


@pytest.mark.parametrize("way", GOING)
def test_the_camera_is_given_back_when_its_view_goes(notebook, way):
    opened = notebook("gone.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    look(opened)
    GOING[way](opened)
    opened.page.wait_for_function(f"{LENT} === 0")


def test_after_a_restart_of_the_kernel_the_receipt_stands_in_and_the_camera_is_given_back(notebook):
    opened = notebook("restart.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    look(opened)
    opened.restart_kernel()
    opened.page.wait_for_function(f"{LENT} === 0")
    opened.locate(".tl-media").wait_for(state="hidden")
    opened.locate("div[class^=tl-receipt]").get_by_text("In JupyterLab, run this cell").wait_for()


def test_a_device_that_is_granted_too_late_is_given_back(notebook):
    opened = notebook("late.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    opened.page.evaluate(
        """() => { const lend = MediaDevices.prototype.getUserMedia;
             const granted = new Promise((resolve) => { window.tlGrant = resolve; });
             MediaDevices.prototype.getUserMedia = async function (...rest) {
               await granted;
               return lend.apply(this, rest);
             }; }"""
    )
    button(opened, "Camera").click()
    tab(opened, "Text").click()
    opened.page.evaluate("window.tlGrant()")
    opened.page.wait_for_function(f"window.tlTracks.length === 1 && {LENT} === 0")


REFUSED = {
    "NotAllowedError": "The browser was not allowed to use the microphone.",
    "NotFoundError": "No microphone was found.",
    "NotReadableError": "The microphone is in use by another program.",
    "AbortError": "The microphone can't be used (gone).",
}


def test_a_device_that_is_refused_gets_a_sentence_and_files_still_work(notebook):
    opened = notebook("refused.ipynb", SETUP, SHOW)
    opened.page.evaluate(
        "() => { MediaDevices.prototype.getUserMedia = async () => { throw new DOMException('gone', window.tlError); }; }"
    )
    tab(opened, "Sound").click()
    for error, words in REFUSED.items():
        opened.page.evaluate("(name) => { window.tlError = name; }", error)
        button(opened, "Record").click()
        says(opened, words)
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    assert opened.locate(".tl-media .tl-message").text_content() == "", "what was said before is gone"


@pytest.mark.parametrize(
    ("secure", "words"), [(True, "offers no camera to pages"), (False, "only to pages over https")]
)
def test_where_there_are_no_devices_the_view_says_so_and_files_still_work(notebook, page, secure, words):
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined });"
        f"Object.defineProperty(window, 'isSecureContext', {{ get: () => {str(secure).lower()} }});"
    )
    opened = notebook("devices.ipynb", SETUP, SHOW)
    camera = button(opened, "Camera")
    assert camera.get_attribute("aria-disabled") == "true"
    why = opened.locate(f"#{camera.get_attribute('aria-describedby')}")
    assert words in why.inner_text() and "Choose a file instead." in why.inner_text()
    camera.press("Enter")
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")


def test_a_picture_is_pasted(notebook):
    opened = notebook("paste.ipynb", SETUP, SHOW)
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.evaluate(
        """async (content) => {
             const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
             const picture = new Blob([bytes], { type: 'image/png' });
             await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
           }""",
        base64.b64encode(saved(halves(), "PNG")).decode(),
    )
    button(opened, "Choose a file").focus()
    opened.page.keyboard.press("Control+v")
    gets(opened, "image.png")
    assert is_red(pixel(opened, 5, 5)) and is_blue(pixel(opened, 5, -5))
    assert opened.page.evaluate("document.querySelectorAll('.jp-CodeCell').length") == 2, "no cell was pasted"


def test_all_is_done_by_keyboard(notebook):
    opened = notebook("keys.ipynb", SETUP, SHOW)
    keys = opened.page.keyboard
    tab(opened, "Picture").focus()
    for key, name in (
        ("ArrowRight", "Sound"),
        ("ArrowRight", "Text"),
        ("ArrowRight", "Picture"),
        ("End", "Text"),
    ):
        keys.press(key)
        assert tab(opened, name).get_attribute("aria-selected") == "true"
        assert tab(opened, name).evaluate("(node) => node === document.activeElement")
    for words in ("A cat.", "A dog."):
        opened.locate(".tl-media").get_by_label("Your text").focus()
        keys.press("Control+a")
        keys.type(words)
        keys.press("Control+Enter")
        opened.locate(".tl-media blockquote").get_by_text(words, exact=True).wait_for()
    earlier = opened.locate(".tl-media").get_by_role("button", name="text: A cat.")
    earlier.focus()
    keys.press("Enter")
    opened.locate(".tl-media blockquote").get_by_text("A cat.", exact=True).wait_for()
    assert (
        opened.locate(".tl-media").get_by_role("button", name="text: A cat.").get_attribute("aria-pressed")
        == "true"
    )
    button(opened, "Undo").focus()
    keys.press("Enter")
    opened.locate(".tl-media blockquote").get_by_text("A dog.", exact=True).wait_for()
    button(opened, "Clear").focus()
    keys.press("Enter")
    opened.locate(".tl-media .tl-value").wait_for(state="hidden")
    assert opened.kernel("print(media.value)") == "None"
    tab(opened, "Text").focus()
    keys.press("Home")
    with opened.page.expect_file_chooser() as chooser:
        button(opened, "Choose a file").press("Enter")
    chooser.value.set_files(
        [{"name": "halves.png", "mimeType": "image/png", "buffer": saved(halves(), "PNG")}]
    )
    gets(opened, "halves.png")


def test_the_receipt_keeps_the_last_input_when_the_notebook_is_opened_again(notebook):
    opened = notebook("media_receipt.ipynb", SETUP, SHOW)
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    receipt = opened.locate("div[class^=tl-receipt]")
    receipt.get_by_text("halves.png").first.wait_for(state="attached")
    assert not receipt.is_visible()
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "media_receipt.ipynb")
    receipt.wait_for()
    assert (
        receipt.locator("img").get_attribute("alt")
        == "halves.png, as the model gets it: 64 pixels wide, 32 high"
    )
    assert opened.locate(".tl-media").count() == 0


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_no_serious_violation_of_accessibility_and_nothing_sticks_out(notebook, theme):
    opened = notebook(f"media_axe{theme[-4:].strip()}.ipynb", SETUP, SHOW)
    opened.theme(theme)
    drop(
        opened,
        wav((tone(440, 16_000) * 32_767).astype(np.int16), 16_000),
        "a very long name of a sound file.wav",
        "audio/wav",
    )
    gets(opened, "a very long name of a sound file.wav")
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    for name in ("Text", "Sound", "Picture"):
        tab(opened, name).click()
        if name == "Sound":
            button(opened, "Record").click()
            opened.locate(".tl-media [role=meter]").wait_for()
        found = Axe().run(opened.page, context=".tl-media").response["violations"]
        assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
    for width in (1200, 700):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate(STICKING_OUT) == []


STICKING_OUT = """() => {
  const frame = document.querySelector('.tl-media').getBoundingClientRect();
  return [...document.querySelectorAll('.tl-media :is(button, p, img, svg, li, pre, span)')]
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > frame.right + 0.5)
    .map((node) => node.outerHTML);
}"""
