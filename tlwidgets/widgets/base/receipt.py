"""The static receipt beside a live widget.

A widget lives as long as its kernel. What it showed is left in the notebook as an output of its own (HTML
and text), so that a notebook that was closed and is opened again, or exported, still shows the last state.
The live view hides its receipt while it is on the page (`hideReceipt` in `view.js`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from .throttle import Throttle

Rendered = tuple[str, str]
"""HTML and plain text of the same state."""


# Where a front end cannot draw the live view, it shows "Loading widget..." forever. The receipt that follows
# says more, so the placeholder is hidden (by a style that only JupyterLab's page responds to).
_HIDE_PLACEHOLDER = (
    "<style>.jp-OutputArea-child:not(:has(.tl:not([hidden]))):has(+ .jp-OutputArea-child .{name})"
    "{{display:none}}</style>"
)


class Receipt:
    """One output, rewritten when the state changes: at most once per `interval` seconds, and always with the
    last state.

    `render` gives the HTML and the text of the present state. It is called when the output is written, from
    the calling thread or from a timer's. `name` is the class name by which a view finds its receipt.
    """

    def __init__(self, render: Callable[[], Rendered], interval: float = 1.0):
        self.name = f"tl-receipt-{uuid.uuid4().hex[:12]}"
        self._render = render
        self._throttle = Throttle(self._rewrite, interval)
        self._shown = False

    def show(self) -> None:
        """Put the receipt into the output of the running cell (again, if the panel is shown again)."""
        self._shown = True
        self._throttle.restart()
        self._write(update=False)

    def touch(self) -> None:
        """The state changed: rewrite the output now, or as soon as the interval has passed."""
        if self._shown:
            self._throttle.touch()

    def flush(self) -> None:
        """Write the present state now, in place of a write that was due."""
        self._throttle.flush()

    def close(self) -> None:
        """Write the last state and stop: later changes leave the output alone."""
        self.flush()
        self._shown = False

    def _rewrite(self) -> None:
        if self._shown:
            self._write(update=True)

    def _write(self, update: bool) -> None:
        from IPython.display import publish_display_data

        html, text = self._render()
        hide = _HIDE_PLACEHOLDER.format(name=self.name)
        publish_display_data(
            {"text/html": f'<div class="{self.name}">{hide}{html}</div>', "text/plain": text},
            transient={"display_id": self.name},
            update=update,
        )
