"""A picture, sound or text of somebody's own as plain data: what a model gets of it. The input view and its twin draw it."""

from __future__ import annotations

import base64
import io
import struct

import numpy as np

from ..data.media import Media
from .words import plural

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
        `kind`, `name`, `notes`, `facts` (a sentence on the array or the text), `alt`; and for a picture `image` (a data URL),
        `width` and `height` of the preview; for a sound `path` (an SVG path in a `box`) and `table`; for a
        text `text`.
    """
    state = {"kind": media.kind, "name": media.name, "notes": list(media.notes)}
    if media.kind == "picture":
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
    if media.kind == "sound":
        seconds = len(media.sound) / media.rate
        peak = float(np.abs(media.sound).max())
        return {
            **state,
            "facts": f"{seconds:,.2f} s at {media.rate:,} Hz: float32 of shape ({len(media.sound)},), "
            f"loudest value {peak:.2f}.",
            "alt": f"{media.name}, as the model gets it: a waveform of {seconds:,.2f} s, loudest value {peak:.2f}",
            "path": _wave_path(media),
            "box": [WIDTH, HEIGHT],
            "table": _table(media),
        }
    words = plural(len(media.text.split()), "word")
    return {
        **state,
        "facts": f"{words}, {plural(len(media.text), 'character')}.",
        "alt": f"{media.name}, as the model gets it",
        "text": media.text,
    }


def thumb_state(media: Media) -> dict:
    """What is shown of it in a row of earlier ones."""
    image = _image(media.picture, _THUMB)[0] if media.kind == "picture" else ""
    words = media.text if media.kind == "text" else media.name
    return {"kind": media.kind, "words": words if len(words) <= 28 else words[:27] + "…", "image": image}


def wav_bytes(media: Media) -> bytes:
    """A sound as a WAV file with 16 bits, for the ear."""
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


def _wave_path(media: Media) -> str:
    """The waveform as an SVG path: each column from its lowest to its highest value, at least a line."""
    middle, steps = HEIGHT / 2, []
    for place, part in enumerate(_parts(media, _COLUMNS)):
        x = (place + 0.5) * WIDTH / _COLUMNS
        top, bottom = (middle - float(value) * (middle - 1) for value in (part.max(), part.min()))
        thin = max(0.0, 1 - (bottom - top)) / 2
        steps.append(f"M{x:.1f} {top - thin:.1f}V{bottom + thin:.1f}")
    return "".join(steps)


def _parts(media: Media, number: int) -> list[np.ndarray]:
    return [part for part in np.array_split(media.sound, number) if len(part)]


def _table(media: Media) -> dict:
    rows, sort, start = [], [], 0
    for part in _parts(media, _PARTS):
        begin, end = start / media.rate, (start + len(part)) / media.rate
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
