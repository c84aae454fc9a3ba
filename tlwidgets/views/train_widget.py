"""The wire between the training panel and its views: messages in, deltas out."""

from __future__ import annotations

from .assets import script, style
from .wire import PanelWidget


class TrainWidget(PanelWidget):
    """A training's curves grow too long to be sent whole at each update.

    To the browser, beside a panel's usual messages:
        delta {frame, points: {from, items}, rows: {from, items}, seq}: `items` take the place of all from index `from` on.
    A view that misses a number says hello and gets a snapshot.
    """

    _esm = script("train_panel")
    _css = style("train_panel")
    requests = ("start", "pause", "resume", "stop")

    def __init__(self, panel) -> None:
        self.restart()
        super().__init__(panel)

    def restart(self) -> None:
        """Forget what was sent: new curves begin."""
        self._sent = (-1, 0, 0)  # generation of the points, their number, number of rows

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
