"""Plain lines that read a file as the input view does: Pillow or SciPy, then a tensor."""

from __future__ import annotations

from pathlib import PurePath

from ...data.media import Media

_PICTURE = """\
import numpy
import torch
from PIL import Image, ImageOps

picture = ImageOps.exif_transpose(Image.open({name!r}))  # upright
{coloured}
picture.thumbnail(({longest}, {longest}), Image.Resampling.LANCZOS, reducing_gap=None)  # not larger
pixels = numpy.array(picture)  # uint8 (height, width, 3)

batch = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255  # (1, 3, height, width)
"""
_ON_WHITE = """\
white = Image.new("RGBA", picture.size, "white")
picture = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")"""
_DEEP = """\
grey = numpy.asarray(picture, dtype=float)  # more than 8 bits
low, high = {ends}
eight = numpy.round((grey - low) / (high - low) * 255).astype(numpy.uint8)
picture = Image.fromarray(eight).convert("RGB")"""
_SOUND = """\
import numpy
import torch
from scipy.io import wavfile
from scipy.signal import resample_poly

rate, samples = wavfile.read({name!r})
if samples.dtype.kind in "iu":  # whole numbers: from -1 to 1
    bits = 8 * samples.dtype.itemsize
    samples = samples / 2 ** (bits - 1) - (samples.dtype.kind == "u")
samples = samples[: int({longest:g} * rate)]
{mended}if samples.ndim == 2:
    samples = samples.mean(axis=1)  # one channel
common = numpy.gcd(rate, {rate})
sound = resample_poly(samples, {rate} // common, rate // common)
sound = numpy.clip(sound, -1, 1).astype(numpy.float32)

batch = torch.from_numpy(sound)[None]  # (1, samples)
"""
_TEXT = """\
from tlwidgets.models import load_text_backbone

model, tokenizer = load_text_backbone()
batch = tokenizer([{text!r}], return_tensors="pt")
features = model(**batch).last_hidden_state  # (1, tokens, features)
"""


_NUMBERS = "samples = numpy.nan_to_num(samples, nan=0, posinf=0, neginf=0)\n"
_QUIETER = "samples = samples / numpy.abs(samples).max()\n"


def media_code(media: Media, *, longest_side: int, longest_sound: float) -> str:
    """Lines that make `batch`, a tensor with one example, of the same file.

    A picture from the camera, a recording, or a sound that the browser decoded is read from a file of its
    name.
    """
    notes = " ".join(media.notes)
    if media.kind == "picture":
        coloured = _DEEP.format(ends=_ends(notes)) if "Grey values from" in notes else _ON_WHITE
        name = media.name if PurePath(media.name).suffix else f"{media.name}.png"
        return _PICTURE.format(name=name, longest=longest_side, coloured=coloured)
    if media.kind == "sound":
        name = str(PurePath(media.name).with_suffix(".wav"))
        first = "" if name == media.name else f"# {name}: the sound as a WAV file\n"
        mended = (_NUMBERS if "were not numbers" in notes else "") + (
            _QUIETER if "loudest value" in notes else ""
        )
        return first + _SOUND.format(name=name, rate=media.rate, longest=longest_sound, mended=mended)
    return _TEXT.format(text=media.text)


def _ends(notes: str) -> str:
    """Between which values grey became 0 to 255."""
    full = next((top for top in ("65,535", "1") if f"Grey values from 0 to {top} became" in notes), None)
    return f"0, {full.replace(',', '_')}" if full else "grey.min(), grey.max()"
