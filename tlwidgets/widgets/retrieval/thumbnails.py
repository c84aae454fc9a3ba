"""Pictures and sounds made small enough to be sent: PNG thumbnails, one sheet of many, WAV."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Sequence

import numpy as np
from PIL import Image

_COLOURS = 128  # of a thumbnail: half the bytes of true colour, without a visible difference
_SECONDS = 20


def pixels(picture, what: str) -> np.ndarray:
    """One picture as (height, width, 3) uint8.

    `picture` is an array or tensor (height, width, 3), whole numbers from 0 to 255 or fractions from 0 to 1,
    or Pillow's.

    Raises:
        ValueError: it is not a picture; the message calls it `what`.
    """
    picture = picture.convert("RGB") if hasattr(picture, "getbands") else picture
    values = np.asarray(picture)
    whole = np.issubdtype(values.dtype, np.integer)
    if values.ndim != 3 or values.shape[2] != 3 or not values.size:
        raise ValueError(f"{what} has shape {values.shape}. Expected a picture, (height, width, 3).")
    if not (values.min() >= 0 and values.max() <= (255 if whole else 1)):
        raise ValueError(
            f"{what} has values from {values.min()} to {values.max()}. Expected whole numbers from 0 to 255, "
            "or fractions "
            "from 0 to 1."
        )
    return values.astype(np.uint8, copy=False) if whole else np.rint(values * 255).astype(np.uint8)


def thumbnail(picture: np.ndarray, side: int) -> str:
    """A picture (height, width, 3) uint8 as base64 of a square PNG, the longer edge `side`, the rest
    white."""
    return base64.b64encode(_png(_square(picture, side))).decode("ascii")


def sheet(pictures: Sequence[np.ndarray], side: int, columns: int) -> bytes:
    """Many pictures as one PNG: row by row, `columns` in a row, each `side` by `side`."""
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (side * columns, side * rows), "white")
    for place, picture in enumerate(pictures):
        whole.paste(_square(picture, side), (side * (place % columns), side * (place // columns)))
    return _png(whole)


def waveform(sound, rate: int, what: str) -> bytes:
    """A sound (samples,), values from -1 to 1, as a WAV file of 16 bits and one channel; at most 20 seconds.

    Raises:
        ValueError: it is not a sound; the message calls it `what`.
    """
    values = np.asarray(sound, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"{what} has shape {values.shape}. Expected a sound, finite values (samples,).")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((values[: _SECONDS * rate].clip(-1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def _square(picture: np.ndarray, side: int) -> Image.Image:
    image = Image.fromarray(picture)
    scale = side / max(image.size)
    image = image.resize([max(1, round(length * scale)) for length in image.size], Image.Resampling.LANCZOS)
    square = Image.new("RGB", (side, side), "white")
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "png", optimize=True)
    return out.getvalue()
