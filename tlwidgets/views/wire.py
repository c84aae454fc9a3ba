"""What every panel's wire to the browser shares: its views, its numbers, its end."""

from __future__ import annotations

import weakref

import anywidget
import traitlets

from .live import publish_view
from .pace import Pace


class PanelWidget(anywidget.AnyWidget):
    """One front-end model for all views of a panel. Subclasses give `_esm`, `_css` and `requests`.

    The panel has `state` (plain data, all that a view shows), `_lock` (held while it changes), `_receipt`, and
    `_say(kind, text)`. It is held weakly, but for as long as a view is on the page, or none has been yet.

    From the browser: hello, bye {view}; and each of `requests`, which calls the panel's method of that name.
    To the browser, `seq` counting up by one with each update:
        snapshot {state, seq}; gone {seq}, where neither a variable nor a view has kept the panel.
    A view that opens late says hello and gets a snapshot. A panel whose state is too large to be sent ten times a second
    overrides `_send_changes` and tells what changed; one whose requests carry more than a name overrides `_answer`.
    """

    # Made when the front end asks, so that a view that opens late starts with the present state.
    _state = traitlets.Int(0).tag(sync=True, to_json=lambda _, widget: widget.snapshot())
    _receipt = traitlets.Unicode().tag(sync=True)

    requests: tuple[str, ...] = ()
    interval = 0.1
    """Seconds between two updates, at least."""
    heard_while_busy = True
    """Whether clicks are heard while a cell runs. Not where they change what the cell may be using."""

    def __init__(self, panel) -> None:
        self._panel_reference = weakref.ref(panel)
        self._held = panel
        self._views: set[str] = set()
        self._seq = 0
        self._pace = Pace(self._send_changes, self.interval)
        super().__init__(_receipt=panel._receipt.name)
        # JupyterLab sends clicks to a shell of their own, so that they are heard while a cell waits for the end of a
        # training; ipykernel 7.4 would send them to the shell that wrote last, which is the waiting one.
        if self.heard_while_busy and hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, asked_for: asked_for
        self.on_msg(self._on_message)

    @property
    def panel(self):
        """The panel; None when it is gone."""
        return self._panel_reference()

    def show(self) -> None:
        """Put a view into the output of the running cell."""
        self._held = self.panel
        publish_view(self)

    def snapshot(self) -> dict | None:
        """The whole state, after which changes are told."""
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
            self._seq += 1
            self._send_snapshot()

    def _send_snapshot(self) -> None:
        self.send({"type": "snapshot", "state": self.snapshot(), "seq": self._seq})

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
        self._answer(panel, kind, content)

    def _answer(self, panel, kind, content: dict) -> None:
        if kind == "hello":
            with panel._lock:
                self._send_snapshot()
        elif kind in self.requests:
            getattr(panel, kind)()
        else:
            panel._say("error", unknown_request(kind))


def unknown_request(kind) -> str:
    """What a panel says of a request that it does not know."""
    return f"The panel knows no request {kind!r}. Run the cell again to draw the panel anew."
