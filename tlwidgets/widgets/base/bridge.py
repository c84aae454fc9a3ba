"""The bridge between a panel and its views in the browser: who is there, what was sent, and when it ends."""

from __future__ import annotations

import weakref
from functools import cache
from importlib.resources import files

import anywidget
import traitlets

from .assets import script, style
from .live import publish_view
from .throttle import Throttle


class PanelWidget(anywidget.AnyWidget):
    """One front-end model for all views of a panel; see `Panel` for what it asks of one.

    It holds the panel weakly, except while a view is on the page or none has been yet.

    From the browser: hello, bye {view}; all else goes to `panel.handle`. A request may have a `tag`: the next
    update lists it in `answered`, so that a view can tell it from an update that was already on its way.
    To the browser, `seq` counting up by one with each update:
        snapshot {state, seq}; delta {seq, and what `panel.changes` gave}; gone {seq}, where neither a
        variable nor a view has kept the panel. A view that missed a number says hello and gets a snapshot.
    """

    # Made when the front end asks, so that a view that opens late starts with the present state.
    _state = traitlets.Int(0).tag(sync=True, to_json=lambda _, widget: widget.snapshot())
    _receipt = traitlets.Unicode().tag(sync=True)

    def __init__(self, panel, receipt: str) -> None:
        self._panel_reference = weakref.ref(panel)
        self._held = panel
        self._views: set[str] = set()
        self._seq = 0
        self._tags: list[str] = []  # of the requests since the last update
        self._since: object = None  # what the views know: see `Panel.changes`
        self._throttle = Throttle(self._send_changes, panel.interval)
        super().__init__(_receipt=receipt)
        # JupyterLab sends clicks to a subshell, so that they are heard while a cell waits for the end of a
        # training. Without this, ipykernel 7.4 would answer in the shell that wrote last, which is the one
        # that waits.
        if panel.heard_while_busy and hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, asked_for: asked_for
        self.on_msg(self._on_message)

    @property
    def panel(self):
        """The panel; None once it is gone."""
        return self._panel_reference()

    def show(self) -> None:
        """Put a view into the output of the running cell."""
        self._held = self.panel
        publish_view(self)

    def snapshot(self) -> dict | None:
        """The whole state, from which later changes are counted."""
        panel = self.panel
        if panel is None:
            return None
        with panel.lock:
            return {**panel.state, "seq": self._seq}

    def publish(self, now: bool = False) -> None:
        """Tell the views what changed: soon, or now and without fail."""
        if now:
            self._throttle.flush()
        else:
            self._throttle.touch()

    def _send_changes(self) -> None:
        panel = self.panel
        if panel is None or self.comm is None:
            return
        with panel.lock:  # also keeps the numbers in order
            delta, self._since = panel.changes(self._since)
            self._seq += 1
            if delta is None:
                self._send_snapshot()
            else:
                self._send_update({"type": "delta", **delta, "seq": self._seq})

    def _send_snapshot(self) -> None:
        self._send_update({"type": "snapshot", "state": self.snapshot(), "seq": self._seq})

    def _send_update(self, update: dict) -> None:
        tags, self._tags = self._tags, []
        self.send({**update, "answered": tags} if tags else update)

    def _on_message(self, _, content, buffers) -> None:
        panel = self.panel
        content = content if isinstance(content, dict) else {}
        kind = content.get("type")
        if kind == "hello":
            self._views.add(str(content.get("view")))
            self._held = panel
        elif kind == "bye":
            self._views.discard(str(content.get("view")))
            if not self._views:
                self._held = None
            return
        if panel is None:
            self.send({"type": "gone", "seq": content.get("seq")})
            return
        if "tag" in content:
            self._tags.append(str(content["tag"]))
        self._answer(panel, content, buffers or ())

    def _answer(self, panel, content: dict, buffers) -> None:
        if content.get("type") == "hello":
            with panel.lock:
                self._send_snapshot()
        else:
            panel.handle(content, buffers)


@cache
def widget_class(panel: type, base: type[PanelWidget] = PanelWidget) -> type[PanelWidget]:
    """The widget for a panel's class, made from `base` with the `widget.js` and `widget.css` that stand
    beside its module.

    Raises:
        LookupError: there are none.
    """
    for owner in panel.__mro__:
        package = owner.__module__.rpartition(".")[0]
        if package and (files(package) / "widget.js").is_file():
            name = package.rpartition(".")[2]
            # A class of its own: the browser tells style sheets apart by the class's name.
            return type(f"{owner.__name__}Widget", (base,), {"_esm": script(name), "_css": style(name)})
    raise LookupError(f"{panel.__name__} has no widget.js beside its module.")
