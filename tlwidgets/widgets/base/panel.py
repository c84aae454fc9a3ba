"""What panels share in Python: a live view with its receipt or a static view, requests from the browser, an
end."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from ...train import TrainingError
from . import replaced
from .environment import is_live
from .receipt import Receipt, Rendered
from .records import Message

if TYPE_CHECKING:
    from .bridge import PanelWidget


class Panel:
    """Something that is shown by making it a cell's last line, and that tells its views what changes.

    A subclass stands in a `panel.py`, with `widget.js` and `widget.css` beside it. It gives `state`,
    `requests` and `_rendered()` (the static view), calls `_say` or `_publish` after each change, and takes
    `lock` while it changes.
    """

    requests: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What a view may ask: each type of request, with the method that carries it out and the fields it takes,
    in order.

    The field "request" stands for the whole message, and "buffers" for the bytes that came with it.
    """
    interval: ClassVar[float] = 0.1
    """The least number of seconds between two updates of the views."""
    heard_while_busy: ClassVar[bool] = True
    """Whether clicks are heard while a cell runs. False where they change something that the cell may be
    using."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._message: Message = {"kind": "", "text": ""}
        self._closed = False
        self._widget: PanelWidget | None = None
        self._static_id = ""  # display id of the static view, once it was shown
        self._receipt = Receipt(self._rendered)
        replaced.note(self)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        raise NotImplementedError

    def changes(self, since: object) -> tuple[dict | None, object]:
        """What is new for views that know the state up to `since` (None at first), and the mark to ask with
        next time.

        A panel whose state is too large to be sent ten times a second overrides this; None stands for the
        whole state. Called with the lock held.
        """
        return None, None

    def handle(self, request: Mapping, buffers: Sequence = ()) -> None:
        """Carry out what a view asks; what goes wrong is said in the panel's message."""
        kind = request.get("type")
        try:
            if kind is None or kind not in self.requests:
                raise ValueError(
                    f"This panel does not understand the request {kind!r}. Run its cell again to redraw it."
                )
            method, *fields = self.requests[kind]
            given = {**request, "request": request, "buffers": buffers}
            getattr(self, method)(*(given.get(field) for field in fields))
        except (
            Exception
        ) as error:  # models and callbacks are anybody's code: whatever they raise is shown, not lost
            self._say("error", self._error_words(error))

    def _error_words(self, error: Exception) -> str:
        return sentence(error)

    def _rendered(self) -> Rendered:
        raise NotImplementedError

    def _make_widget(self) -> PanelWidget:
        from .bridge import widget_class

        panel: type = type(self)
        return widget_class(panel)(self, self._receipt.name)

    def _say(self, kind: str, text: str) -> None:
        self._message = {"kind": kind, "text": text}
        self._publish()

    def _reply(self, message: Mapping, buffers: Sequence[bytes] = ()) -> None:
        """Send a view what it asked for, beside the state."""
        if self._widget is not None:
            self._widget.send(dict(message), list(buffers))

    def _publish(self, now: bool = False) -> None:
        """Tell all views: soon, or now and without fail (and then the static view is rewritten, too)."""
        widget = self._widget
        if widget is not None:
            widget.publish(now)
        if now:
            self._receipt.flush()
            if self._static_id:
                self._show_static_view(update=True)
        else:
            self._receipt.touch()

    def _show_static_view(self, update: bool) -> None:
        from IPython.display import publish_display_data

        html, text = self._rendered()
        publish_display_data(
            {"text/html": html, "text/plain": text}, transient={"display_id": self._static_id}, update=update
        )

    def _ipython_display_(self) -> None:
        if not is_live() or self._closed:
            # Shown before the work is done, it turns into the result at the end, in the same place.
            self._static_id = self._static_id or f"tl-static-{uuid.uuid4().hex[:12]}"
            self._show_static_view(update=False)
            return
        if self._widget is None:
            self._widget = self._make_widget()
        self._widget.show()
        self._receipt.show()

    def _replaced(self) -> None:
        """The cell that made this panel makes another one: end what is running, which nobody sees now."""

    def _end(self) -> bool:
        """Close the views for good; returns whether this call did it."""
        with self.lock:
            if self._closed:
                return False
            self._closed = True
            self._close_views()
            return True

    def _close_views(self) -> None:
        self._receipt.close()
        if self._widget is not None:
            self._widget.close()
            self._widget = None


def subscribe(callbacks: list, callback: Callable) -> Callable[[], None]:
    """Add a callback; returns a function that removes it, which may be called any number of times."""
    callbacks.append(callback)

    def end() -> None:
        if callback in callbacks:
            callbacks.remove(callback)

    return end


def join(thread: threading.Thread, stop: Callable[[], None]) -> None:
    """Wait for a thread to end. Interrupting the kernel stops the work, and is raised once it has ended."""
    try:
        while thread.is_alive():
            thread.join(0.5)  # in pieces: on Windows nothing interrupts a join without a timeout
    except KeyboardInterrupt:
        stop()
        thread.join()
        raise


def sentence(error: BaseException) -> str:
    """What a panel says about an error: ours are sentences already; for others the type helps."""
    if isinstance(error, (TrainingError, ValueError)) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
