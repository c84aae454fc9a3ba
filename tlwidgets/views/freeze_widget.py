"""The wire between the freezing panel and its views: messages in, deltas out."""

from __future__ import annotations

from ..core import FreezeError, plan_code
from . import freeze_state as shown
from .assets import script, style
from .wire import PanelWidget, unknown_request


class FreezeWidget(PanelWidget):
    """Answers each request once, with what it changed in the tree.

    From the browser (`seq` numbers a request, `revision` is the one the view shows):
        hello, bye {view}; toggle {id}; preset {name, options}; undo; redo; refresh; expand, collapse
        {id}; code.
    To the browser (`seq`: the request it ends, or null):
        snapshot {state, seq}; delta {rows: changed fields of changed rows, frame, seq}; children {id, rows};
        code {text}; gone {seq}, where neither a variable nor a view has kept the panel.
    """

    _esm = script("freeze_panel")
    _css = style("freeze_panel")
    heard_while_busy = False  # a click changes the model, which the cell may be using

    def __init__(self, panel) -> None:
        self._sent: dict[str, dict] = {}
        self._answering = False
        self._rebuilt = False
        super().__init__(panel)

    def snapshot(self) -> dict | None:
        """The whole state, after which deltas are told (without a number: requests have theirs)."""
        panel = self.panel
        if panel is None:
            return None
        with panel._lock:
            state = panel.state
            self._sent = shown.flat(state["rows"])
            return state

    def publish(self, rebuilt: bool = False) -> None:
        """Tell the views what changed since the last time; a request in hand is answered once, at its end."""
        self._rebuilt = self._rebuilt or rebuilt
        if not self._answering:
            self._send_changes()

    def _send_changes(self, seq: int | None = None) -> None:
        panel = self.panel
        rebuilt, self._rebuilt = self._rebuilt, False
        if rebuilt:
            self.send({"type": "snapshot", "state": self.snapshot(), "seq": seq})
            return
        rows = shown.flat(shown.rows_of(panel._plan, panel._open))
        changes = shown.changed_rows(self._sent, rows)
        self._sent = rows
        self.send({"type": "delta", "rows": changes, "frame": panel._frame(), "seq": seq})

    # -- requests --------------------------------------------------------------------------------------------

    def _answer(self, panel, kind, content: dict) -> None:
        with panel._lock:
            self._answering = True
            try:
                with panel._acting():
                    self._carry_out(panel, kind, content)
            except FreezeError as error:
                panel._say("error", str(error))
                panel._receipt.touch()
            finally:  # a request is answered whatever happens: the view waits for it
                self._answering = False
                self._send_changes(content.get("seq"))

    def _carry_out(self, panel, kind, content: dict) -> None:
        if kind == "hello":
            self._rebuilt = content.get("revision") != panel._revision
        elif kind == "code":
            self.send({"type": "code", "text": plan_code(panel._plan)})
        elif kind in ("expand", "collapse"):
            self._open(panel, kind, content.get("id"))
        elif kind == "refresh":
            panel.refresh()
        elif kind in ("toggle", "preset", "undo", "redo"):
            if content.get("revision") != panel._revision:
                raise FreezeError(
                    "The model was changed by code since this view was drawn, so the click was not carried "
                    "out. The tree now shows the model as it is: click again if you still want to."
                )
            self._act(panel, kind, content)
        else:
            raise FreezeError(unknown_request(kind))

    def _act(self, panel, kind: str, content: dict) -> None:
        if kind == "toggle":
            panel.toggle(content.get("id"))
        elif kind == "preset":
            options = content.get("options")
            panel.preset(str(content.get("name")), **(options if isinstance(options, dict) else {}))
        elif kind == "undo":
            panel.undo()
        else:
            panel.redo()

    def _open(self, panel, kind: str, id: str) -> None:
        group = panel._tree.group(id)
        if kind == "collapse":
            panel._open.pop(id, None)
            return
        panel._open[id] = None
        largest = shown.largest_row(panel._tree)
        children = [shown.row_of(child, panel._plan, largest, panel._open) for child in group.children]
        self._sent.update(shown.flat(children))
        self.send({"type": "children", "id": id, "rows": children})
