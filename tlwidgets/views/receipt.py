"""The static receipt beside a live widget.

A widget lives as long as its kernel. What it showed is left in the notebook as an output of its own (HTML
and text), so that a notebook that was closed and is opened again, or exported, still shows the last state.
The live view hides its receipt while it is on the page (`hideReceipt` in `static/common.js`).
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

Rendered = tuple[str, str]
"""HTML and plain text of the same state."""


# Where a front end can't draw the live view, its place says "Loading widget..." for ever; the receipt
# that follows it says more, so that place is hidden (by a style that only JupyterLab's page answers to).
_HIDE_PLACEHOLDER = (
    "<style>.jp-OutputArea-child:not(:has(.tl:not([hidden]))):has(+ .jp-OutputArea-child .{name})"
    "{{display:none}}</style>"
)


class Receipt:
    """One output, rewritten when the state changes: at most once per `interval` seconds; the last state wins.

    `render` gives the HTML and the text of the present state. It is called late, when the output is written,
    from the calling thread or from a timer's. `name` is the class name by which a view finds its receipt.
    """

    def __init__(self, render: Callable[[], Rendered], interval: float = 1.0):
        self.name = f"tl-receipt-{uuid.uuid4().hex[:12]}"
        self._render = render
        self._interval = interval
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._written = 0.0
        self._shown = False

    def show(self) -> None:
        """Put the receipt into the output of the running cell (again, where the panel is shown again)."""
        self._shown = True
        self._write(update=False)

    def touch(self) -> None:
        """Say that the state changed: the output is rewritten now, or as soon as `interval` has passed."""
        with self._lock:
            if not self._shown or self._timer is not None:
                return
            wait = self._written + self._interval - time.monotonic()
            if wait > 0:
                self._timer = threading.Timer(wait, self.flush)
                self._timer.daemon = True
                self._timer.start()
                return
        self._write(update=True)

    def flush(self) -> None:
        """Write the present state now, and forget a write that was due."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if self._shown:
            self._write(update=True)

    def close(self) -> None:
        """Write the last state and stop: later changes leave the output alone."""
        self.flush()
        self._shown = False

    def _write(self, update: bool) -> None:
        from IPython.display import publish_display_data

        self._written = time.monotonic()
        html, text = self._render()
        hide = _HIDE_PLACEHOLDER.format(name=self.name)
        publish_display_data(
            {"text/html": f'<div class="{self.name}">{hide}{html}</div>', "text/plain": text},
            transient={"display_id": self.name},
            update=update,
        )
