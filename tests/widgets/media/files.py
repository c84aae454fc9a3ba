"""Files, cameras and microphones for the view that takes a picture, sound or text of one's own."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import expect
from scipy.io import wavfile

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
             HTMLMediaElement.prototype.play = function () { window.tlPlayed.push(this.src);
                 return play.apply(this); };
           }"""
    )


LENT = "window.tlTracks.filter((track) => track.readyState === 'live').length"


def button(opened, name: str):
    return opened.locate(".tl-media").get_by_role("button", name=name, exact=True)


def tab(opened, name: str):
    return opened.locate(".tl-media").get_by_role("tab", name=name, exact=True)
