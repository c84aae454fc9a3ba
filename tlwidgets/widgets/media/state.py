"""A picture, a sound or a text as plain data: what a model gets. The input view and its static view draw
it."""

from __future__ import annotations

import base64
import io
import struct
from typing import Literal, TypedDict

import numpy as np

from ...data.media import Media
from ..base.formats import plural
from ..base.records import PanelState, SortedTable

MediaKind = Literal["picture", "sound", "text"]


class MediaAccepted(TypedDict):
    """A kind that is taken; `files` is what a file dialog offers."""

    kind: MediaKind
    title: str
    files: str


class MediaLimits(TypedDict):
    """How much is taken: bytes of a file, pixels of a side, seconds of a sound."""

    bytes: int
    side: int
    seconds: float
    megabytes: str


class MediaPicture(TypedDict):
    """A picture; `image` is a data URL of a preview, of `width` by `height`."""

    kind: Literal["picture"]
    name: str
    notes: list[str]
    facts: str
    alt: str
    image: str
    width: int
    height: int


class MediaSound(TypedDict):
    """A sound; `path` is its waveform in a `box`."""

    kind: Literal["sound"]
    name: str
    notes: list[str]
    facts: str
    alt: str
    path: str
    box: tuple[int, int]
    table: SortedTable


class MediaText(TypedDict):
    """A text."""

    kind: Literal["text"]
    name: str
    notes: list[str]
    facts: str
    alt: str
    text: str


class MediaRecent(TypedDict):
    """One of the last few."""

    kind: MediaKind
    words: str
    image: str
    chosen: bool


class MediaState(PanelState):
    """The state of a `MediaInput`."""

    view: Literal["media"]
    kinds: list[MediaAccepted]
    limits: MediaLimits
    value: MediaPicture | MediaSound | MediaText | None
    recent: list[MediaRecent]
    undo: bool
    answer: str
    code: str
    status: str
    invitation: str


PREVIEW = 320
"""The longest side of a picture's preview, in pixels."""
WIDTH, HEIGHT = 480, 72
"""The box of a waveform."""
_COLUMNS = 240
_PARTS = 10  # rows of the table behind a waveform
_THUMB = 40
_SMALL = 60_000  # bytes up to which a preview is kept without loss


def media_state(media: Media) -> dict:
    """What a view shows of it.

    Returns:
        `kind`, `name`, `notes`, `facts` (a sentence on the array or the text), `alt`; and for a picture
        `image` (a data URL), `width` and `height` of the preview; for a sound `path` (an SVG path in a `box`)
        and `table`; for a text `text`.
    """
    state = {"kind": media.kind, "name": media.name, "notes": list(media.notes)}
    if media.picture is not None:
        height, width, _ = media.picture.shape
        image, (wide, high) = _image(media.picture, PREVIEW)
        return {
            **state,
            "facts": f"{width:,} x {height:,} pixels: uint8 of shape {media.picture.shape}.",
            "alt": f"{media.name}, as the model gets it: {width:,} pixels wide, {height:,} high",
            "image": image,
            "width": wide,
            "height": high,
        }
    if media.sound is not None and media.rate is not None:
        seconds = len(media.sound) / media.rate
        peak = float(np.abs(media.sound).max())
        return {
            **state,
            "facts": f"{seconds:,.2f} s at {media.rate:,} Hz: float32 of shape ({len(media.sound)},), "
            f"loudest value {peak:.2f}.",
            "alt": (
                f"{media.name}, as the model gets it: a waveform of {seconds:,.2f} s, loudest value "
                f"{peak:.2f}"
            ),
            "path": _wave_path(media.sound),
            "box": [WIDTH, HEIGHT],
            "table": _table(media.sound, media.rate),
        }
    text = media.text or ""
    words = plural(len(text.split()), "word")
    return {
        **state,
        "facts": f"{words}, {plural(len(text), 'character')}.",
        "alt": f"{media.name}, as the model gets it",
        "text": text,
    }


def thumb_state(media: Media) -> dict:
    """What is shown of it in a row of earlier ones."""
    image = _image(media.picture, _THUMB)[0] if media.picture is not None else ""
    words = media.name if media.text is None else media.text
    return {"kind": media.kind, "words": words if len(words) <= 28 else words[:27] + "…", "image": image}


def wav_bytes(media: Media) -> bytes:
    """A sound as a WAV file with 16 bits, for the ear."""
    assert media.sound is not None and media.rate is not None  # every sound has both
    data = np.round(np.clip(media.sound, -1, 1) * 32_767).astype("<i2").tobytes()
    form = struct.pack("<IHHIIHH", 16, 1, 1, media.rate, 2 * media.rate, 2, 16)
    return b"".join(
        (
            b"RIFF",
            struct.pack("<I", 36 + len(data)),
            b"WAVEfmt ",
            form,
            b"data",
            struct.pack("<I", len(data)),
            data,
        )
    )


def _image(pixels: np.ndarray, longest: int) -> tuple[str, tuple[int, int]]:
    """A data URL, and the size in pixels."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((longest, longest))
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    kind = "png"
    if out.tell() > _SMALL:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=88)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode('ascii')}", picture.size


def _wave_path(sound: np.ndarray) -> str:
    """The waveform as an SVG path: each column from its lowest to its highest value, at least a line."""
    middle, steps = HEIGHT / 2, []
    for place, part in enumerate(_parts(sound, _COLUMNS)):
        x = (place + 0.5) * WIDTH / _COLUMNS
        top, bottom = (middle - float(value) * (middle - 1) for value in (part.max(), part.min()))
        thin = max(0.0, 1 - (bottom - top)) / 2
        steps.append(f"M{x:.1f} {top - thin:.1f}V{bottom + thin:.1f}")
    return "".join(steps)


def _parts(sound: np.ndarray, number: int) -> list[np.ndarray]:
    return [part for part in np.array_split(sound, number) if len(part)]


def _table(sound: np.ndarray, rate: int) -> dict:
    rows, sort, start = [], [], 0
    for part in _parts(sound, _PARTS):
        begin, end = start / rate, (start + len(part)) / rate
        level = float(np.sqrt(np.mean(np.square(part, dtype=np.float64))))
        values = (float(part.min()), float(part.max()), level)
        rows.append([f"{begin:.2f} to {end:.2f} s", *(f"{value:.3f}" for value in values)])
        sort.append([begin, *values])
        start += len(part)
    return {
        "head": ["Time", "Lowest", "Highest", "Root mean square"],
        "rows": rows,
        "sort": sort,
        "caption": "The samples, from -1 to 1",
    }
