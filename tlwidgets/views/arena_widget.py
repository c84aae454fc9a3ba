"""The wire between the arena panel and its views."""

from __future__ import annotations

from .assets import script, style
from .wire import PanelWidget


class ArenaWidget(PanelWidget):
    """Charts are sent when a bout has ended; between bouts only how far it is: delta {frame, seq}."""

    _esm = script("arena_panel")
    _css = style("arena_panel")
    requests = ("start", "stop")

    def __init__(self, panel) -> None:
        self._told = -1  # version of the charts that the views have
        super().__init__(panel)

    def _send_changes(self) -> None:
        panel = self.panel
        if panel is None or self.comm is None:
            return
        with panel._lock:  # also keeps the numbers in order
            self._seq += 1
            if self._told == panel._version:
                self.send({"type": "delta", "frame": panel._frame(), "seq": self._seq})
            else:
                self._told = panel._version
                self._send_snapshot()
