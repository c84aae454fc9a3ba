"""How the input turns a file, an array or a string into a `Media`, within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.media import Media, MediaError, content_of, looks_like, read_text, text_of
from ...data.pictures import read_picture
from ...data.sounds import one_channel, read_sound


@dataclass(frozen=True)
class Reader:
    """Reads pictures, sounds and texts.

    Attributes:
        accept: the kinds that are read.
        most_bytes: of a file.
        longest_side: of a picture, in pixels.
        longest_sound: in seconds.
        rate: samples per second that each sound is converted to.
    """

    accept: tuple[str, ...]
    most_bytes: int
    longest_side: int
    longest_sound: float
    rate: int

    def read(self, source, kind: str | None = None, name: str = "") -> Media:
        """See `MediaInput.give`.

        Raises:
            MediaError: it cannot be read, or it is of a kind that is not accepted.
        """
        if isinstance(source, str):
            text, notes = read_text(source)
            return Media("text", name or "Text", notes, text=text)
        if hasattr(source, "dtype"):
            return self._read_array(source, name)
        if not isinstance(source, (Path, bytes, bytearray, memoryview)):
            raise MediaError(
                f"Got a {type(source).__name__}. Expected a picture, a sound or a text: a str, a Path, bytes "
                "or an array."
            )
        kind = kind or _kind_of(source)
        self.check_kind(kind)
        named = name or (source.name if isinstance(source, Path) else kind)
        if kind == "picture":
            pixels, notes = read_picture(
                source, longest=self.longest_side, most_bytes=self.most_bytes, name=name
            )
            return Media("picture", named, notes, picture=pixels)
        if kind == "text":
            text, notes = read_text(text_of(*content_of(source, self.most_bytes, name)))
            return Media("text", named, notes, text=text)
        sound, notes = read_sound(
            source, self.rate, longest=self.longest_sound, most_bytes=self.most_bytes, name=name
        )
        return Media("sound", named, notes, sound=sound, rate=self.rate)

    def read_samples(self, samples, found: float, name: str) -> Media:
        """A sound from samples (T,) or (T, channels), `found` a second."""
        sound, notes = one_channel(samples, found, self.rate, longest=self.longest_sound, name=name)
        return Media("sound", name, notes, sound=sound, rate=self.rate)

    def check_kind(self, kind: str) -> None:
        """Raises MediaError for a kind that is not accepted."""
        if kind not in self.accept:
            raise MediaError(f"This input takes a {either(self.accept)}; got a {kind}.")

    def _read_array(self, values, name: str) -> Media:
        import numpy as np

        if hasattr(values, "detach"):  # a tensor; NumPy has no bfloat16
            values = values.detach().cpu()
            values = values.float() if values.is_floating_point() else values
        values = np.asarray(values)
        if values.dtype == np.uint8 and values.ndim == 3 and values.shape[2] == 3 and values.size:
            return Media("picture", name or "picture", picture=values.copy())
        if values.ndim in (1, 2) and values.dtype.kind in "iuf" and values.size:
            return self.read_samples(values, self.rate, name or "sound")
        raise MediaError(
            f"An array of {values.dtype} with shape {values.shape} is neither a picture (uint8, height x "
            "width x 3) nor a "
            "sound (samples, or samples x channels)."
        )


def either(kinds: Sequence[str]) -> str:
    """Kinds in words: "picture, sound or text"."""
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]


def _kind_of(source) -> str:
    """What a file's first bytes say it is; a picture if they say nothing, so that its reader says what is
    wrong."""
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                source = file.read(512)
        except OSError:
            return "picture"
    kind = looks_like(bytes(source[:512]))
    return "text" if kind == "a text" else "sound" if kind.endswith("sound") else "picture"
