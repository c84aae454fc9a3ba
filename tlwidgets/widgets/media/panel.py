"""The input: a picture, a sound or a text of your own, from a file, a camera, a microphone or the
keyboard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...data.media import KINDS, MOST_BYTES, Media, MediaError
from ...data.sounds import RATE, SHORTEST
from ..base.history import History
from ..base.labels import labels
from ..base.panel import Panel, sentence, subscribe
from .code import media_code
from .reading import Reader, either
from .state import media_state, thumb_state, wav_bytes
from .static import media_html, media_text
from .uploads import Uploads

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
    """Bring a picture, a sound or a text of your own, and see what the model gets.

    Args:
        accept: which kinds: "picture", "sound", "text".
        on_input: called with each new `Media`; see the method of that name.
        example: what to begin with, in any form that `give` takes; where nobody can click, this is shown.
        title: the heading.
        most_bytes: larger files are rejected before they are read.
        longest_side: pixels; a larger picture is made smaller.
        longest_sound: the longest recording, in seconds; of a longer file only so much is used.
        rate: samples per second that each sound is converted to.

    `value` is what was brought last, read by Python alone (`read_picture`, `read_sound`, `read_text` of
    `tlwidgets.data`); sounds other than WAV are decoded by the browser. Browsers give pages a camera and a
    microphone only over https or on this machine; both are released as soon as the picture is taken, the
    recording ends, or the view goes. Display the input by making it a cell's last line.

    Raises:
        ValueError: an unknown kind, no kind at all, or a limit out of its range.
        MediaError: the example cannot be read.
    """

    requests = {
        "begin": ("_begin_upload", "request"),
        "chunk": ("_add_to_upload", "id", "at", "buffers"),
        "end": ("_end_upload", "id"),
        "text": ("_give_text", "text"),
        "choose": ("choose", "place"),
        "listen": ("_listen",),
        "undo": ("undo",),
        "clear": ("clear",),
    }
    """`begin` {id, kind, name, size, form, ...} announces a file; `form` is "file"; "samples" (decoded by the
    browser: `rate`, `channels`, `seconds` of the whole or null, whether there is `more`, float32, one channel
    after the other); or "undecoded" (the first bytes of a sound that the browser cannot decode). `shrunk`
    [width, height]: what a picture was before the browser made it smaller. The view hears `done` {id} when a
    file was taken or refused, and gets `sound` with a WAV file.
    """
    heard_while_busy = False  # a callback runs models, which the cell may be using

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
                raise ValueError(f"{name} must be a number of at least {least}; got {value!r}.")
        super().__init__()
        self._title = title or f"Your own {either(self._accept)}"
        self._reader = Reader(
            self._accept, int(most_bytes), int(longest_side), float(longest_sound), int(rate)
        )
        self._uploads = Uploads(self._reader, lambda id: self._reply({"type": "done", "id": id}))
        self._history: History[_Entry | None] = History(None, most=_PAST)
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
        with self.lock:
            return tuple(entry.media for entry in self._recent)

    @property
    def code(self) -> str:
        """Plain lines (Pillow or SciPy, and PyTorch) that read the same file; empty where there is none."""
        media = self.value
        if media is None:
            return ""
        return media_code(
            media, longest_side=self._reader.longest_side, longest_sound=self._reader.longest_sound
        )

    @property
    def state(self) -> dict:
        """All that the input shows, as plain data: what the widget, its static view and tests read."""
        most = f"{self._reader.most_bytes / 1e6:g} MB"
        with self.lock:
            return {
                "schema": 1,
                "view": "media",
                "title": self._title,
                "labels": labels("media", most=most),
                "kinds": [
                    {"kind": kind, "title": kind.capitalize(), "files": _FILES[kind]} for kind in self._accept
                ],
                "limits": {
                    "bytes": self._reader.most_bytes,
                    "side": self._reader.longest_side,
                    "seconds": self._reader.longest_sound,
                    "megabytes": most,
                },
                "value": self._now.shown if self._now is not None else None,
                "recent": [{**entry.thumb, "chosen": entry is self._now} for entry in self._recent],
                "undo": self._history.can_undo,
                "answer": self._answer,
                "code": self.code,
                "status": f"No {either(self._accept)} yet.",
                "invitation": f"In JupyterLab, run this cell to bring a {either(self._accept)} of your own.",
                "message": dict(self._message),
                "closed": self._closed,
            }

    @property
    def _now(self) -> _Entry | None:
        return self._history.present

    # -- what can be done ------------------------------------------------------------------------------------

    def give(self, source, kind: str | None = None, *, name: str = "") -> Media:
        """Take a picture, a sound or a text from code, as if it had been brought, and return it.

        Args:
            source: a str is a text; a `Path` or bytes are a file; an array (height, width, 3) of uint8 is a
                picture, one of (samples,) or (samples, channels) a sound at the input's rate; a `Media` is
                taken as it is.
            kind: of a file; by default what its first bytes say.
            name: what to call it.

        Raises:
            MediaError: it cannot be read, or it is of a kind that is not accepted.
            Exception: whatever a callback raises.
        """
        media = source if isinstance(source, Media) else self._reader.read(source, kind, name)
        self._reader.check_kind(media.kind)
        self._take(media)
        return media

    def undo(self) -> None:
        """Go back to what was there before; the callbacks are called with it again."""
        with self.lock:
            if not self._history.can_undo:
                self._say("info", "There is nothing to undo.")
                return
            self._history.undo()
        self._changed("Undone.")

    def clear(self) -> None:
        """Remove the current input. `undo` brings it back."""
        with self.lock:
            if self._now is None:
                self._say("info", "There is nothing to remove.")
                return
            self._history.record(None)
        self._changed("Taken away.")

    def choose(self, place: int) -> None:
        """Choose one of `recent` again, by its place.

        Raises:
            MediaError: there is none at that place.
        """
        with self.lock:
            if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(self._recent):
                raise MediaError(
                    f"There is no earlier input at place {place!r}; there are {len(self._recent)}."
                )
            chosen = self._recent[place]
            self._history.record(chosen)
        self._changed(f"{chosen.media.name} again.")

    def on_input(self, callback: Callable[[Media], str | None]) -> Callable[[], None]:
        """Call `callback(media)` with what there is now, if anything, and with each new input.

        A str that it returns is shown below the input; what it prints goes to JupyterLab's log. What it
        raises is shown as a sentence; where code gave the input, it is raised there. Returns a function that
        ends it.
        """
        end = subscribe(self._callbacks, callback)
        media = self.value
        if media is not None:
            self._tell(media, (callback,))
        return end

    def close(self) -> None:
        """End the live view, and its camera and microphone. The output keeps the last state; `value` can
        still be read."""
        with self.lock:
            if self._end():
                self._callbacks.clear()

    # -- what a view asks ------------------------------------------------------------------------------------

    def _begin_upload(self, request) -> None:
        self._uploads.begin(request)

    def _add_to_upload(self, id, at, buffers) -> None:
        self._uploads.add(id, at, buffers)

    def _end_upload(self, id) -> None:
        self._uploads.end(id, self._take)

    def _give_text(self, text) -> None:
        self.give(str(text or ""))

    def _listen(self) -> None:
        media = self.value
        if media is not None and media.kind == "sound":
            self._reply({"type": "sound"}, [wav_bytes(media)])

    def _error_words(self, error: Exception) -> str:
        if isinstance(error, MediaError):
            return str(error)
        return f"Your input was read, but the code that handles it failed: {sentence(error)}"

    # -- taking and telling ----------------------------------------------------------------------------------

    def _take(self, media: Media) -> None:
        entry = _Entry(media, media_state(media), thumb_state(media))
        with self.lock:
            if self._now is not None:
                self._history.record(entry)
            else:
                self._history.replace(entry)
            self._recent.appendleft(entry)
        self._changed("")

    def _changed(self, said: str) -> None:
        self._answer = ""
        self._say("info" if said else "", said)
        media = self.value
        if media is not None:
            self._tell(media, tuple(self._callbacks))

    def _tell(self, media: Media, callbacks: tuple) -> None:
        for callback in callbacks:  # without the lock: a model may take its time
            answer = callback(media)
            if isinstance(answer, str):
                self._answer = answer
        self._publish(now=bool(self._static_id))  # the static view is written again

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return media_html(state), media_text(state)

    def __repr__(self) -> str:
        media = self.value
        return f"MediaInput({self._accept}, value={media.name if media is not None else None!r})"


def _kinds(accept: Sequence[str]) -> tuple[str, ...]:
    kinds = (accept,) if isinstance(accept, str) else tuple(accept)
    if not kinds or len(set(kinds)) < len(kinds) or not set(kinds) <= set(KINDS):
        raise ValueError(f"accept={accept!r} should name at least one of {', '.join(KINDS)}, each once.")
    return kinds
