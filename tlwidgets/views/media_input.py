"""The input: a picture, a sound or a text of one's own, from a file, a camera, a microphone or the keyboard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..data.media import KINDS, MOST_BYTES, Media, MediaError, content_of, looks_like, read_text, text_of
from ..data.pictures import read_picture
from ..data.sounds import RATE, SHORTEST, one_channel, read_sound
from ..render.media import media_html, media_text
from ..render.media_code import media_code
from ..render.media_state import media_state, thumb_state
from .panel import Panel, subscribe

_RECENT, _PAST = 6, 12
_FILES = {
    "picture": "image/*",
    "sound": "audio/*,.wav,.mp3,.m4a,.ogg,.flac,.webm",
    "text": "",
}


class _Entry(NamedTuple):
    media: Media
    shown: dict
    thumb: dict


class MediaInput(Panel):
    """Bring a picture, a sound or a text of one's own, and see what the model gets of it.

    Args:
        accept: which kinds: "picture", "sound", "text".
        on_input: called with each new `Media`; see the method of that name.
        example: what to begin with, as `give` takes it; where nobody can click, it is what is shown.
        title: the heading.
        most_bytes: larger files are refused before they are read.
        longest_side: pixels; a larger picture is made smaller.
        longest_sound: seconds that are recorded at most, and taken of a file.
        rate: samples a second that a sound gets.

    `value` is what was brought last, read by Python alone (`read_picture`, `read_sound`, `read_text` of `tlwidgets.data`); sounds
    other than WAV are decoded by the browser. Camera and microphone are lent by browsers to pages over https or on this
    machine only, and are given back as soon as the picture is taken, the recording ends, or the view goes.
    Display the input by making it a cell's last line.

    Raises:
        ValueError: an unknown kind, none, or a limit that makes no sense.
        MediaError: the example can't be read.
    """

    def __init__(
        self,
        accept: Sequence[str] = KINDS,
        on_input: Callable[[Media], str | None] | None = None,
        *,
        example=None,
        title: str = "",
        most_bytes: int = MOST_BYTES,
        longest_side: int = 1_024,
        longest_sound: float = 10.0,
        rate: int = RATE,
    ) -> None:
        self._accept = _kinds(accept)
        for name, value, least in (
            ("most_bytes", most_bytes, 1),
            ("longest_side", longest_side, 1),
            ("longest_sound", longest_sound, SHORTEST),
            ("rate", rate, 1_000),
        ):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < 1e12:
                raise ValueError(
                    f"{name}={value!r} makes no sense here; a number of at least {least} was expected."
                )
        super().__init__()
        self._title = title or f"Your own {_either(self._accept)}"
        self._most_bytes, self._longest_side = int(most_bytes), int(longest_side)
        self._longest_sound, self._rate = float(longest_sound), int(rate)
        self._now: _Entry | None = None
        self._past: list[_Entry | None] = []
        self._recent: deque[_Entry] = deque(maxlen=_RECENT)
        self._answer = ""
        self._callbacks: list[Callable[[Media], str | None]] = [on_input] if on_input is not None else []
        if example is not None:
            self.give(example)

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def value(self) -> Media | None:
        """What was brought last; None where there is nothing (yet, or since `clear`)."""
        now = self._now
        return now.media if now is not None else None

    @property
    def recent(self) -> tuple[Media, ...]:
        """The last few, the newest first."""
        with self._lock:
            return tuple(entry.media for entry in self._recent)

    @property
    def code(self) -> str:
        """Plain lines (Pillow or SciPy, and PyTorch) that read the same file; empty where there is none."""
        media = self.value
        if media is None:
            return ""
        return media_code(media, longest_side=self._longest_side, longest_sound=self._longest_sound)

    @property
    def state(self) -> dict:
        """All that the input shows, as plain data: what the widget, its static twin and tests read."""
        with self._lock:
            return {
                "schema": 1,
                "view": "media",
                "title": self._title,
                "kinds": [
                    {"kind": kind, "title": kind.capitalize(), "files": _FILES[kind]} for kind in self._accept
                ],
                "limits": {
                    "bytes": self._most_bytes,
                    "side": self._longest_side,
                    "seconds": self._longest_sound,
                    "megabytes": f"{self._most_bytes / 1e6:g} MB",
                },
                "value": self._now.shown if self._now is not None else None,
                "recent": [{**entry.thumb, "chosen": entry is self._now} for entry in self._recent],
                "undo": bool(self._past),
                "answer": self._answer,
                "code": self.code,
                "status": f"No {_either(self._accept)} yet.",
                "invitation": f"In JupyterLab, run this cell to bring a {_either(self._accept)} of your own.",
                "message": dict(self._message),
                "closed": self._closed,
            }

    # -- what can be done ------------------------------------------------------------------------------------

    def give(self, source, kind: str | None = None, *, name: str = "") -> Media:
        """Take a picture, a sound or a text from code, as if it had been brought, and return it.

        Args:
            source: a str is a text; a `Path` or bytes are a file; an array (height, width, 3) of uint8 is a picture, one of
                (samples,) or (samples, channels) a sound at the input's rate; a `Media` is taken as it is.
            kind: of a file; by default what its first bytes say.
            name: what to call it.

        Raises:
            MediaError: it can't be read, or is of a kind that is not accepted.
            Exception: whatever a callback raises.
        """
        media = source if isinstance(source, Media) else self._read(source, kind, name)
        self._check_kind(media.kind)
        self._take(media)
        return media

    def undo(self) -> None:
        """Go back to what there was before; it is told again to the callbacks."""
        with self._lock:
            if not self._past:
                self._say("info", "There is nothing to undo.")
                return
            self._now = self._past.pop()
        self._changed("Undone.")

    def clear(self) -> None:
        """Take the present one away. `undo` brings it back."""
        with self._lock:
            if self._now is None:
                self._say("info", "There is nothing to take away.")
                return
            self._remember()
            self._now = None
        self._changed("Taken away.")

    def choose(self, place: int) -> None:
        """Take one of `recent` again, by its place.

        Raises:
            MediaError: there is none at that place.
        """
        with self._lock:
            if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(self._recent):
                raise MediaError(
                    f"There is no earlier input at place {place!r}; there are {len(self._recent)}."
                )
            self._remember()
            self._now = self._recent[place]
        self._changed(f"{self._now.media.name} again.")

    def on_input(self, callback: Callable[[Media], str | None]) -> Callable[[], None]:
        """Call `callback(media)` with what there is now, if anything, and with each new input.

        A str that it returns is shown below the input; what it prints goes to JupyterLab's log. What it raises is shown as
        a sentence; where code gave the input, it is raised there. Returns a function that ends it.
        """
        end = subscribe(self._callbacks, callback)
        if self._now is not None:
            self._tell((callback,))
        return end

    def close(self) -> None:
        """End the live view, and its camera and microphone. The output keeps the last state; `value` can still be read."""
        with self._lock:
            if self._end():
                self._callbacks.clear()

    # -- reading ---------------------------------------------------------------------------------------------

    def _read(self, source, kind: str | None, name: str) -> Media:
        if isinstance(source, str):
            text, notes = read_text(source)
            return Media("text", name or "Text", notes, text=text)
        if hasattr(source, "dtype"):
            return self._read_array(source, name)
        if not isinstance(source, (Path, bytes, bytearray, memoryview)):
            raise MediaError(
                f"A {type(source).__name__} is no picture, sound or text. Give a str, a Path, bytes or an array."
            )
        kind = kind or _kind_of(source)
        self._check_kind(kind)
        named = name or (source.name if isinstance(source, Path) else kind)
        if kind == "picture":
            pixels, notes = read_picture(
                source, longest=self._longest_side, most_bytes=self._most_bytes, name=name
            )
            return Media("picture", named, notes, picture=pixels)
        if kind == "text":
            text, notes = read_text(text_of(*content_of(source, self._most_bytes, name)))
            return Media("text", named, notes, text=text)
        sound, notes = read_sound(
            source, self._rate, longest=self._longest_sound, most_bytes=self._most_bytes, name=name
        )
        return Media("sound", named, notes, sound=sound, rate=self._rate)

    def _read_array(self, values, name: str) -> Media:
        import numpy as np

        if hasattr(values, "detach"):  # a tensor; NumPy knows no bfloat16
            values = values.detach().cpu()
            values = values.float() if values.is_floating_point() else values
        values = np.asarray(values)
        if values.dtype == np.uint8 and values.ndim == 3 and values.shape[2] == 3 and values.size:
            return Media("picture", name or "picture", picture=values.copy())
        if values.ndim in (1, 2) and values.dtype.kind in "iuf" and values.size:
            return self._read_samples(values, self._rate, name or "sound")
        raise MediaError(
            f"An array of {values.dtype} with shape {values.shape} is neither a picture (uint8, height x width x 3) nor a sound "
            "(samples, or samples x channels)."
        )

    def _read_samples(self, samples, found: float, name: str) -> Media:
        sound, notes = one_channel(samples, found, self._rate, longest=self._longest_sound, name=name)
        return Media("sound", name, notes, sound=sound, rate=self._rate)

    def _check_kind(self, kind: str) -> None:
        if kind not in self._accept:
            raise MediaError(f"This input takes a {_either(self._accept)}, and this is a {kind}.")

    # -- taking and telling ----------------------------------------------------------------------------------

    def _take(self, media: Media) -> None:
        entry = _Entry(media, media_state(media), thumb_state(media))
        with self._lock:
            if self._now is not None:
                self._remember()
            self._now = entry
            self._recent.appendleft(entry)
        self._changed("")

    def _remember(self) -> None:
        self._past.append(self._now)
        del self._past[:-_PAST]

    def _changed(self, said: str) -> None:
        self._answer = ""
        self._say("info" if said else "", said)
        if self._now is not None:
            self._tell(tuple(self._callbacks))

    def _tell(self, callbacks: tuple) -> None:
        media = self._now.media
        for callback in callbacks:  # without the lock: a model may take its time
            answer = callback(media)
            if isinstance(answer, str):
                self._answer = answer
        self._publish(now=bool(self._twin))  # the page that stands where nobody can click is written anew

    def _with_notes(self, media: Media, *notes: str) -> Media:
        return replace(media, notes=(*notes, *media.notes))

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return media_html(state), media_text(state)

    def _make_widget(self):
        from .media_widget import MediaWidget

        return MediaWidget(self)

    def __repr__(self) -> str:
        media = self.value
        return f"MediaInput({self._accept}, value={media.name if media is not None else None!r})"


def _kinds(accept: Sequence[str]) -> tuple[str, ...]:
    kinds = (accept,) if isinstance(accept, str) else tuple(accept)
    if not kinds or len(set(kinds)) < len(kinds) or not set(kinds) <= set(KINDS):
        raise ValueError(f"accept={accept!r} should name at least one of {', '.join(KINDS)}, each once.")
    return kinds


def _either(kinds: Sequence[str]) -> str:
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]


def _kind_of(source) -> str:
    """What a file's first bytes say that it is; a picture where they say nothing, so that its reader says what is wrong."""
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                source = file.read(512)
        except OSError:
            return "picture"
    kind = looks_like(bytes(source[:512]))
    return "text" if kind == "a text" else "sound" if kind.endswith("sound") else "picture"
