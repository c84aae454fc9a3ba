"""What panels share on the side of Python: a live view with a receipt, or a static twin; work in the background."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from ..train import TrainingError
from .environment import is_live
from .receipt import Receipt, Rendered


class Panel:
    """A thing that is shown by making it a cell's last line, and tells its views what changes.

    Subclasses give `state`, `_rendered()` (the static twin: HTML and text) and `_make_widget()`, and set `_closed`.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._message = {"kind": "", "text": ""}
        self._closed = False
        self._widget = None
        self._twin = ""  # display id of the static twin, where one is shown
        self._receipt = Receipt(self._rendered)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static twin and tests read."""
        raise NotImplementedError

    def _rendered(self) -> Rendered:
        raise NotImplementedError

    def _make_widget(self):
        raise NotImplementedError

    def _say(self, kind: str, text: str) -> None:
        self._message = {"kind": kind, "text": text}
        self._publish()

    def _publish(self, now: bool = False) -> None:
        """Tell all views: soon, or now and for certain (then the twin becomes the present state, too)."""
        widget = self._widget
        if widget is not None:
            widget.publish(now)
        if now:
            self._receipt.flush()
            if self._twin:
                self._show_twin(update=True)
        else:
            self._receipt.touch()

    def _show_twin(self, update: bool) -> None:
        from IPython.display import publish_display_data

        html, text = self._rendered()
        publish_display_data(
            {"text/html": html, "text/plain": text}, transient={"display_id": self._twin}, update=update
        )

    def _ipython_display_(self) -> None:
        if not is_live() or self._closed:
            # Shown before the work is done, it becomes the result at the end, in the same place.
            self._twin = self._twin or f"tl-twin-{uuid.uuid4().hex[:12]}"
            self._show_twin(update=False)
            return
        if self._widget is None:
            self._widget = self._make_widget()
        self._widget.show()
        self._receipt.show()

    def _end(self) -> bool:
        """Close the views for good; whether this call did it."""
        with self._lock:
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
    """Add a callback; returns a function that takes it away again, which may be called any number of times."""
    callbacks.append(callback)

    def end() -> None:
        if callback in callbacks:
            callbacks.remove(callback)

    return end


def join(thread: threading.Thread, stop: Callable[[], None]) -> None:
    """Wait for a thread's end. Interrupting the kernel stops the work, and is raised when it has ended."""
    try:
        while thread.is_alive():
            thread.join(0.5)  # by pieces: on Windows nothing interrupts a join without an end
    except KeyboardInterrupt:
        stop()
        thread.join()
        raise


def sentence(error: BaseException) -> str:
    """What a panel says of an error: our own are sentences already; of others the type helps."""
    if isinstance(error, (TrainingError, ValueError)) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
