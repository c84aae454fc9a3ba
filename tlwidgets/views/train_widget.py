"""The wire between the training panel and its views: messages in, deltas out."""

from __future__ import annotations

import weakref

import anywidget
import traitlets

from .assets import script, style
from .live import publish_view
from .pace import Pace

_INTERVAL = 0.1  # seconds between two updates, at least


class TrainWidget(anywidget.AnyWidget):
    """One front-end model for all views of a panel.

    From the browser: hello, bye {view}; start; pause; resume; stop.
    To the browser, `seq` counting up by one:
        snapshot {state, seq}; delta {frame, points: {from, items}, rows: {from, items}, seq}: `items` take the place of
        all from index `from` on; gone, where neither a variable nor a view has kept the panel.
    A view that misses a number says hello and gets a snapshot.
    """

    _esm = script("train_panel")
    _css = style("train_panel")
    # Made when the front end asks, so that a view that opens late starts with the present state.
    _state = traitlets.Int(0).tag(sync=True, to_json=lambda _, widget: widget.snapshot())
    _receipt = traitlets.Unicode().tag(sync=True)

    def __init__(self, panel):
        self._panel_reference = weakref.ref(panel)
        self._held = panel  # for as long as a view is on the page, or none has been yet
        self._views: set[str] = set()
        self._seq = 0
        self._sent = (-1, 0, 0)  # generation of the points, their number, number of rows
        self._pace = Pace(self._send_changes, _INTERVAL)
        super().__init__(_receipt=panel._receipt.name)
        # JupyterLab sends clicks to a shell of their own, so that they are heard while a cell waits for the end of the
        # training; ipykernel 7.4 would send them to the shell that wrote last, which is the waiting one.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, asked_for: asked_for
        self.on_msg(self._on_message)

    @property
    def panel(self):
        return self._panel_reference()

    def show(self) -> None:
        """Put a view into the output of the running cell."""
        self._held = self.panel
        publish_view(self)

    def snapshot(self) -> dict | None:
        """The whole state, after which deltas are told."""
        panel = self.panel
        if panel is None:
            return None
        with panel._lock:
            return {**panel.state, "seq": self._seq}

    def publish(self, now: bool = False) -> None:
        """Tell the views what changed: soon, or now and for certain."""
        if now:
            self._pace.flush()
        else:
            self._pace.touch()

    def _send_changes(self) -> None:
        panel = self.panel
        if panel is None or self.comm is None:
            return
        with panel._lock:  # also keeps the numbers in order
            trace = panel._trace
            generation, points, rows = self._sent
            if generation != trace.generation or points > len(trace.points) or rows > len(trace.rows):
                points = rows = 0
            self._sent = (trace.generation, len(trace.points), len(trace.rows))
            self._seq += 1
            self.send(
                {
                    "type": "delta",
                    "frame": panel._frame(),
                    "points": {"from": points, "items": trace.points[points:]},
                    "rows": {"from": rows, "items": trace.rows[rows:]},
                    "seq": self._seq,
                }
            )

    def restart(self) -> None:
        """Forget what was sent: new curves begin."""
        self._sent = (-1, 0, 0)

    def _on_message(self, _, content, buffers) -> None:
        panel = self.panel
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "bye":
            self._views.discard(str(content.get("view")))
            if not self._views:
                self._held = None
            return
        if panel is None:
            self.send({"type": "gone"})
            return
        if kind == "hello":
            self._views.add(str(content.get("view")))
            self._held = panel
            with panel._lock:
                self.send({"type": "snapshot", "state": self.snapshot(), "seq": self._seq})
        elif kind in ("start", "pause", "resume", "stop"):
            getattr(panel, kind)()
        else:
            panel._say(
                "error", f"The panel knows no request {kind!r}. Run the cell again to draw the panel anew."
            )
