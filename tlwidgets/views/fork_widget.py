"""The wire between the fork panel and its views: messages in, deltas out."""

from __future__ import annotations

from ..core import FreezeError
from ..train import ForkError
from .assets import script, style
from .wire import PanelWidget, unknown_request


class ForkWidget(PanelWidget):
    """Lines are sent when they change; the marker and the choices at each move.

    From the browser, beside a panel's usual messages: move {step}; plan {name, k}; rate {name}; base {name}; remove
    {name}; fork; stop; restore.
    To the browser: delta {frame, lines: those that changed, seq}; `frame.order` names those that there are.
    """

    _esm = script("fork_panel")
    _css = style("fork_panel")
    requests = ("fork", "stop", "restore")

    def __init__(self, panel) -> None:
        self._sent: dict[str, tuple[int, int]] = {}
        super().__init__(panel)

    def _send_changes(self) -> None:
        panel = self.panel
        if panel is None or self.comm is None:
            return
        with panel._lock:
            frame = panel._frame()
            forks = panel._forks.items
            now = {each.name: (id(each), each.version) for each in forks}
            changed = [each.line for each in forks if self._sent.get(each.name) != now[each.name]]
            self._sent = now
            self._seq += 1
            self.send({"type": "delta", "frame": frame, "lines": changed, "seq": self._seq})

    def _answer(self, panel, kind, content: dict) -> None:
        try:
            if kind == "move":
                panel.move(content.get("step"))
            elif kind == "plan":
                panel.choose_plan(content.get("name"), content.get("k"))
            elif kind == "rate":
                panel.choose_rate(content.get("name"))
            elif kind == "base":
                panel.choose_base(content.get("name"))
            elif kind == "remove":
                panel.remove(content.get("name"))
            elif kind == "hello" or kind in self.requests:
                super()._answer(panel, kind, content)
            else:
                raise ForkError(unknown_request(kind))
        except (ForkError, FreezeError, ValueError) as error:
            panel._say("error", str(error))
