"""Files from the browser: they arrive in pieces, and only Python decides what is in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ...data.media import Media, MediaError, looks_like, refuse_size
from .reading import Reader

_AT_ONCE = 4  # files that may be arriving
_DECODED = 4  # bytes per sample
_MOST_A_SECOND = 8 * 48_000  # eight channels


class Uploads:
    """Puts files together from their pieces, and reads each once it is whole.

    `done(id)` is called when a file was read or rejected. The messages are those of `MediaInput.requests`.
    """

    def __init__(self, reader: Reader, done: Callable[[str], None]) -> None:
        self._reader, self._done = reader, done
        self._arriving: dict[str, tuple[dict, bytearray]] = {}

    def __len__(self) -> int:
        """How many files are arriving."""
        return len(self._arriving)

    def begin(self, request: Mapping) -> None:
        """A file is announced: its size is checked before any of it is read.

        Raises:
            MediaError: it is too large, or of a kind that is not accepted.
        """
        name, size, id = _name(request.get("name")), request.get("size"), str(request.get("id"))
        try:
            if isinstance(size, bool) or not isinstance(size, int) or size < 0:
                raise MediaError(f"The browser did not say how large {name} is. Choose it again.")
            self._reader.check_kind(str(request.get("kind")))
            refuse_size(size, name, self._limit(request))
        except MediaError:
            self._done(id)
            raise
        while len(self._arriving) >= _AT_ONCE:
            self._arriving.pop(next(iter(self._arriving)))
        self._arriving[id] = ({**request, "name": name}, bytearray())

    def add(self, id, at, buffers: Sequence) -> None:
        """The piece from byte `at` on. Pieces of a rejected file are ignored.

        Raises:
            MediaError: it is not the next piece.
        """
        id = str(id)
        if id not in self._arriving:
            return
        about, so_far = self._arriving[id]
        piece = b"".join(bytes(buffer) for buffer in buffers)
        if at != len(so_far) or len(so_far) + len(piece) > about["size"]:
            self._arriving.pop(id)
            self._done(id)
            raise _incomplete(about["name"])
        so_far += piece

    def end(self, id, take: Callable[[Media], None]) -> None:
        """The file is whole: read it, and hand it to `take`.

        Raises:
            MediaError: it is not whole, or cannot be read.
        """
        id = str(id)
        about, found = self._arriving.pop(id, (None, b""))
        if about is None:
            return
        try:
            if len(found) != about["size"]:
                raise _incomplete(about["name"])
            take(self._read(about, bytes(found)))
        finally:
            self._done(id)

    def _limit(self, about: Mapping) -> int:
        """What a browser decoded is larger than the file was; it is cut to the seconds that are used."""
        seconds = self._reader.longest_sound if about.get("form") == "samples" else 0
        return max(self._reader.most_bytes, int(_DECODED * _MOST_A_SECOND * seconds))

    def _read(self, about: Mapping, content: bytes) -> Media:
        name, form = about["name"], about.get("form")
        if form == "samples":
            return self._from_samples(about, content)
        if form == "undecoded":
            kind = looks_like(content)
            raise MediaError(
                f"{name} cannot be read as a sound{f': it looks like {kind}' if kind else ''}. Your browser "
                "cannot decode it "
                "either. Expected WAV, or a format that your browser plays, usually MP3, M4A, Ogg, FLAC or "
                "WebM."
            )
        media = self._reader.read(content, about["kind"], name)
        shrunk = about.get("shrunk")
        if isinstance(shrunk, list) and len(shrunk) == 2 and all(isinstance(side, int) for side in shrunk):
            media = _with_notes(
                media,
                f"It was {shrunk[0]:,} x {shrunk[1]:,} pixels large, so your browser made it smaller before "
                "sending it.",
            )
        return media

    def _from_samples(self, about: Mapping, content: bytes) -> Media:
        import numpy as np

        name, rate, channels = about["name"], about.get("rate"), about.get("channels")
        if (
            not isinstance(rate, (int, float))
            or not math.isfinite(rate)
            or not isinstance(channels, int)
            or not 0 < channels <= 32
            or len(content) % (_DECODED * channels)
        ):
            raise _incomplete(name)
        samples = np.frombuffer(content, "<f4").reshape(channels, -1).T
        media = self._reader.read_samples(samples, rate, name)
        seconds, taken = about.get("seconds"), len(samples) / rate
        notes = ["Your browser decoded it."] if about.get("decoded") else []
        if isinstance(seconds, (int, float)) and seconds > taken + 0.1:
            notes.append(f"Only the first {taken:,.1f} s of {seconds:,.1f} s are used.")
        elif about.get("more"):
            notes.append(f"It is longer; only the first {taken:,.1f} s are used.")
        return _with_notes(media, *notes)


def _incomplete(name: str) -> MediaError:
    return MediaError(f"{name} did not arrive completely. Choose it again.")


def _with_notes(media: Media, *notes: str) -> Media:
    return replace(media, notes=(*notes, *media.notes))


def _name(name) -> str:
    """A file's name, short enough to be read, in letters that can be shown."""
    kept = "".join(
        letter for letter in str(name or "").replace("\\", "/").rpartition("/")[2] if letter.isprintable()
    )
    return kept if 0 < len(kept) <= 80 else f"{kept[:60]}…{kept[-12:]}" if kept else "The file"
