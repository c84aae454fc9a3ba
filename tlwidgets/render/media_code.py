"""Plain lines that read a file as the input view does: Pillow or SciPy, then a tensor."""

from __future__ import annotations

from pathlib import PurePath

from ..data.media import Media

_PICTURE = """\
import numpy
import torch
from PIL import Image, ImageOps

picture = ImageOps.exif_transpose(Image.open({name!r}))  # upright
white = Image.new("RGBA", picture.size, "white")
picture = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
picture.thumbnail(({longest}, {longest}), Image.Resampling.LANCZOS, reducing_gap=None)  # not larger
pixels = numpy.array(picture)  # uint8 (height, width, 3)

batch = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255  # (1, 3, height, width)
"""
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
if samples.ndim == 2:
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


def media_code(media: Media, *, longest_side: int, longest_sound: float) -> str:
    """Lines that make `batch`, a tensor with one example, of the same file.

    What was drawn from a camera or a microphone, or decoded by the browser, is read from a file of that name.
    """
    if media.kind == "picture":
        return _PICTURE.format(name=media.name, longest=longest_side)
    if media.kind == "sound":
        name = str(PurePath(media.name).with_suffix(".wav"))
        first = "" if name == media.name else f"# {name}: the sound as a WAV file\n"
        return first + _SOUND.format(name=name, rate=media.rate, longest=longest_sound)
    return _TEXT.format(text=media.text)
