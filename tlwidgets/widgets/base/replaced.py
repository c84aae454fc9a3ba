"""A cell that is run again ends the work of the panels that it made before: nothing trains unseen."""

from __future__ import annotations

import weakref
from typing import Protocol

from .environment import shell


class Replaceable(Protocol):
    """A panel, as far as this module needs it."""

    def _replaced(self) -> None: ...


PATIENCE_S = 5.0
"""How long a new panel waits for the step that the old one is in."""
_made: dict[
    str, tuple[str, list[weakref.ref[Replaceable]]]
] = {}  # cell: its last run, and the panels made in it


def note(panel: Replaceable) -> None:
    """Remember that the running cell makes this panel, and end the work of those that it made earlier."""
    cell, run = running_cell()
    if not cell:
        return
    last, panels = _made.get(cell, ("", []))
    if last != run:
        for earlier in [one() for one in panels]:
            if earlier is not None:
                earlier._replaced()
        panels = []
    panels.append(weakref.ref(panel))
    _made[cell] = (run, panels)


def running_cell() -> tuple[str, str]:
    """The id of the notebook's cell that is running, and of this run of it; empty where no cell is."""
    kernel = getattr(shell(), "kernel", None)
    request = kernel.get_parent() if kernel is not None else {}
    if request.get("header", {}).get("msg_type") != "execute_request":
        return "", ""
    return str(request.get("metadata", {}).get("cellId", "")), str(request["header"].get("msg_id", ""))
