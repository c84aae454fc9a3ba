"""The wire between the input and its views: files come in pieces, and only Python says what is in them."""

from __future__ import annotations

import math

from ..data.media import MediaError, looks_like, refuse_size
from ..render.media_state import wav_bytes
from .assets import script, style
from .panel import sentence
from .wire import PanelWidget, unknown_request

_AT_ONCE = 4  # files that may be under way
_DECODED = 4  # bytes of a sample
_MOST_A_SECOND = 8 * 48_000  # eight channels


class MediaWidget(PanelWidget):
    """Sent whole at each change.

    From the browser, beside a panel's usual messages:
        begin {id, kind, name, size, form, ...}: a file is to come, whose size is looked at before it is read. `form` is
            "file"; "samples" (decoded by the browser: `rate`, `channels`, `seconds` of the whole or null, whether there is
            `more`, float32, one channel after the other); or "undecoded" (its first bytes, of a sound that the browser can't
            decode). `shrunk` [width, height]: what a picture was before the browser made it smaller.
        chunk {id, at} with a buffer; end {id}.
        text {text}; choose {place}; listen; undo; clear.
    To the browser, beside snapshots: done {id}, when a file was taken or refused; sound with a buffer, a WAV file.
    """

    _esm = script("media_input")
    _css = style("media_input")
    requests = ("undo", "clear")
    heard_while_busy = False  # a callback asks models, which the cell may be using

    def __init__(self, panel) -> None:
        self._arriving: dict[str, tuple[dict, bytearray]] = {}
        self._buffers = ()
        super().__init__(panel)

    def _on_message(self, widget, content, buffers) -> None:
        self._buffers = buffers or ()
        super()._on_message(widget, content, buffers)

    def _answer(self, panel, kind, content: dict) -> None:
        try:
            self._carry_out(panel, kind, content)
        except MediaError as error:
            panel._say("error", str(error))
        except Exception as error:  # of a lesson's callback: the view says what a cell would
            panel._say("error", f"It was read, but what was to answer it failed: {sentence(error)}")

    def _carry_out(self, panel, kind, content: dict) -> None:
        if kind == "begin":
            self._begin(panel, content)
        elif kind == "chunk":
            self._add(panel, content)
        elif kind == "end":
            self._end(panel, content)
        elif kind == "text":
            panel.give(str(content.get("text", "")))
        elif kind == "choose":
            panel.choose(content.get("place"))
        elif kind == "listen":
            media = panel.value
            if media is not None and media.kind == "sound":
                self.send({"type": "sound"}, [wav_bytes(media)])
        elif kind == "hello" or kind in self.requests:
            super()._answer(panel, kind, content)
        else:
            raise MediaError(unknown_request(kind))

    def _begin(self, panel, content: dict) -> None:
        name, size, id = _name(content.get("name")), content.get("size"), str(content.get("id"))
        try:
            if isinstance(size, bool) or not isinstance(size, int) or size < 0:
                raise MediaError(f"{name} has no size. Choose it again.")
            panel._check_kind(str(content.get("kind")))
            refuse_size(size, name, _limit(panel, content))
        except MediaError:
            self._done(id)
            raise
        while len(self._arriving) >= _AT_ONCE:
            self._arriving.pop(next(iter(self._arriving)))
        self._arriving[id] = ({**content, "name": name}, bytearray())

    def _add(self, panel, content: dict) -> None:
        id = str(content.get("id"))
        if id not in self._arriving:
            return  # refused before
        about, so_far = self._arriving[id]
        piece = b"".join(bytes(buffer) for buffer in self._buffers)
        if content.get("at") != len(so_far) or len(so_far) + len(piece) > about["size"]:
            self._arriving.pop(id)
            self._done(id)
            raise MediaError(f"{about['name']} did not arrive whole. Choose it again.")
        so_far += piece

    def _end(self, panel, content: dict) -> None:
        id = str(content.get("id"))
        about, found = self._arriving.pop(id, (None, b""))
        if about is None:
            return
        try:
            if len(found) != about["size"]:
                raise MediaError(f"{about['name']} did not arrive whole. Choose it again.")
            panel._take(_read(panel, about, bytes(found)))
        finally:
            self._done(id)

    def _done(self, id: str) -> None:
        self.send({"type": "done", "id": id})


def _limit(panel, about: dict) -> int:
    """What a browser decoded is larger than the file was; it is cut to the seconds that are taken."""
    decoded = int(_DECODED * _MOST_A_SECOND * panel._longest_sound) if about.get("form") == "samples" else 0
    return max(panel._most_bytes, decoded)


def _read(panel, about: dict, content: bytes):
    name, form = about["name"], about.get("form")
    if form == "samples":
        return _from_samples(panel, about, content)
    if form == "undecoded":
        kind = looks_like(content)
        raise MediaError(
            f"{name} can't be read as a sound{f': it looks like {kind}' if kind else ''}. Your browser can't decode it either. "
            "Expected WAV, or what your browser plays: usually MP3, M4A, Ogg, FLAC and WebM."
        )
    media = panel._read(content, about["kind"], name)
    shrunk = about.get("shrunk")
    if isinstance(shrunk, list) and len(shrunk) == 2 and all(isinstance(side, int) for side in shrunk):
        media = panel._with_notes(
            media,
            f"It is large, so your browser made it smaller before it was sent: it had {shrunk[0]:,} x {shrunk[1]:,} pixels.",
        )
    return media


def _from_samples(panel, about: dict, content: bytes):
    import numpy as np

    name, rate, channels = about["name"], about.get("rate"), about.get("channels")
    sensible = (
        isinstance(rate, (int, float))
        and math.isfinite(rate)
        and isinstance(channels, int)
        and 0 < channels <= 32
    )
    if not sensible or len(content) % (_DECODED * channels):
        raise MediaError(f"{name} did not arrive whole. Choose it again.")
    samples = np.frombuffer(content, "<f4").reshape(channels, -1).T
    media = panel._read_samples(samples, rate, name)
    seconds, taken = about.get("seconds"), len(samples) / rate
    notes = ["Your browser decoded it."] if about.get("decoded") else []
    if isinstance(seconds, (int, float)) and seconds > taken + 0.1:
        notes.append(f"Of {seconds:,.1f} s the first {taken:,.1f} s were taken.")
    elif about.get("more"):
        notes.append(f"It is longer; the first {taken:,.1f} s were taken.")
    return panel._with_notes(media, *notes)


def _name(name) -> str:
    """A file's name, short enough to be read, in letters that can be shown."""
    kept = "".join(
        letter for letter in str(name or "").replace("\\", "/").rpartition("/")[2] if letter.isprintable()
    )
    return kept if 0 < len(kept) <= 80 else f"{kept[:60]}…{kept[-12:]}" if kept else "The file"
