"""Reading a picture that somebody brought: whatever the file, red, green and blue as a model takes them."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .media import MOST_BYTES, MediaError, content_of, looks_like

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

MOST_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
"""Pillow's names; it reads many more, some with the help of other programs, which a stranger's file should
not start.
"""

# Rows that are worked on at once: a picture of 50 million pixels must not take the memory of a lesson.
_BAND = 256
_EXPECTED = "Expected a PNG, JPEG, GIF, WebP, BMP or TIFF picture."


def read_picture(
    source: bytes | bytearray | memoryview | str | Path,
    *,
    longest: int | None = None,
    most_bytes: int = MOST_BYTES,
    most_pixels: int = MOST_PIXELS,
    name: str = "",
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pixels of a picture, and notes on what was done to it.

    It is turned as its EXIF tag says, the first of several pictures is taken, CMYK, grey, palette and 16-bit
    values become red, green and blue from 0 to 255, and what is transparent lies on white.

    Args:
        source: the file's bytes, or its path.
        longest: a side longer than so many pixels is made that long (Lanczos), the other one in proportion.
        most_bytes: larger files are rejected, before they are decoded.
        most_pixels: larger pictures are rejected, before they are decoded.
        name: what an error calls it; the file's name by default.

    Returns:
        uint8 (height, width, 3), and sentences.

    Raises:
        MediaError: not a picture, damaged, empty, or too large.
    """
    content, name = content_of(source, most_bytes, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, on odd tags and on sizes, which are looked at here
        picture = _open(content, name, most_pixels)
        try:
            pixels, notes = _decode(picture, longest)
        except MediaError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds of errors
            raise MediaError(
                f"{name} is damaged or cut off: its beginning is {_a(picture.format)} picture, the rest "
                f"cannot be decoded ({_short(error)}). Save it again, or choose another."
            ) from error
    return pixels, notes


def _open(content: bytes, name: str, most_pixels: int) -> Image.Image:
    from PIL import Image

    Image.init()
    too_many = "{} has {} pixels; at most {:,} are taken. Make it smaller, or choose another."
    try:
        picture = Image.open(BytesIO(content), formats=[name for name in FORMATS if name in Image.OPEN])
    except Image.DecompressionBombError as error:
        raise MediaError(too_many.format(name, "very many", most_pixels)) from error
    except Exception as error:  # as above
        kind = looks_like(content)
        words = {
            "": f"{name} is not a picture that can be read.",
            "an HEIC picture": f"{name} is an HEIC picture, which cannot be read here: save it as JPEG.",
        }.get(kind, f"{name} is not a picture: it looks like {kind}.")
        if kind.endswith("picture") and kind != "an HEIC picture":
            words = f"{name} begins like {kind}, but is damaged or cannot be read here."
        raise MediaError(f"{words} {_EXPECTED}") from error
    width, height = picture.size
    if width * height > most_pixels:
        raise MediaError(too_many.format(name, f"{width:,} x {height:,}", most_pixels))
    return picture


def _decode(picture: Image.Image, longest: int | None) -> tuple[np.ndarray, tuple[str, ...]]:
    import numpy as np
    from PIL import Image

    notes = []
    if (
        getattr(picture, "is_animated", False) and picture.format != "MPO"
    ):  # a photograph's MPO holds its preview
        notes.append("It holds several pictures, an animation or pages; the first was taken.")
    picture.load()
    turned = _turned(picture, notes)
    coloured = _coloured(turned, notes)
    if longest is not None and max(coloured.size) > longest:
        before = coloured.size
        coloured.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=None)
        notes.append(f"{_size(before)} pixels were made {_size(coloured.size)}.")
    return np.array(coloured, dtype=np.uint8), tuple(notes)


def _turned(picture: Image.Image, notes: list[str]) -> Image.Image:
    from PIL import ExifTags, ImageOps

    try:
        if picture.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9):
            return picture
        turned = ImageOps.exif_transpose(picture)
    except Exception:  # a damaged tag says nothing of the pixels
        notes.append("Its EXIF tags are damaged, so it was not turned.")
        return picture
    notes.append("It was turned upright, as its EXIF tag says.")
    return turned


def _coloured(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Red, green and blue of 8 bits each."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _from_deep(picture, notes)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _on_white(picture, notes)
    if picture.mode == "CMYK":
        notes.append("Colours for print (CMYK) became red, green and blue, without a colour profile.")
    elif picture.mode in ("1", "L"):
        notes.append("It is grey: red, green and blue are the same.")
    return picture.convert("RGB")


def _on_white(picture: Image.Image, notes: list[str]) -> Image.Image:
    from PIL import Image

    width, height = picture.size
    opaque, seen = Image.new("RGB", picture.size), False
    for top in range(0, height, _BAND):
        band = picture.crop((0, top, width, min(top + _BAND, height))).convert("RGBA")
        seen = seen or cast(int, band.getchannel("A").getextrema()[0]) < 255
        white = Image.new("RGBA", band.size, "white")
        opaque.paste(Image.alpha_composite(white, band).convert("RGB"), (0, top))
    if seen:
        notes.append("What is transparent in it was put on white.")
    return opaque


def _from_deep(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Grey values of 16 or 32 bits, or fractions."""
    import numpy as np
    from PIL import Image

    values = np.asarray(picture)
    finite = np.isfinite(values)
    if not finite.all():
        notes.append(
            f"{(~finite).sum():,} of {finite.size:,} pixels had no value (NaN or infinite) and became black."
        )
        values = np.where(finite, values, values[finite].min() if finite.any() else 0.0)
    low, high = float(values.min()), float(values.max())
    full = 1.0 if picture.mode == "F" else 65_535.0
    start, span = 0.0, full
    if low >= 0 and high <= full:
        notes.append(f"Grey values from 0 to {full:,.0f} became 0 to 255.")
    else:
        start, span = low, high - low or 1.0
        notes.append(f"Grey values from {low:.3g} to {high:.3g} were spread over 0 to 255.")
    eight = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _BAND):
        shares = (values[top : top + _BAND].astype(np.float64) - start) / span
        eight[top : top + _BAND] = np.round(shares * 255)
    return Image.fromarray(eight).convert("RGB")


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]:,} x {size[1]:,}"


def _a(format: str | None) -> str:
    return {None: "a", "AVIF": "an AVIF", "MPO": "a JPEG"}.get(format, f"a {format}")


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
