"""The front end's text: shared parts first, then the widget's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_PARTS = {
    "train_panel": ("charts", "running", "tables"),
    "arena_panel": ("charts", "running", "tables"),
    "drift_panel": ("charts", "running", "tables"),
    "fork_panel": ("charts", "running", "tables"),
    "unfreeze_score": ("charts", "tables"),
    "modality_switchboard": ("charts", "tables"),
    "retrieval_grid": ("charts", "tables"),
    "embedding_map": ("charts", "tables"),
    "media_input": ("tables", "media_decode", "media_capture"),
}
"""Which shared parts a widget uses, beside `common.js`, `tokens.css` and `controls.css`; each is a script and a style sheet."""
_UNSEEN = ("media_decode",)  # draws nothing, so it has no style sheet


@cache
def script(name: str) -> str:
    """The ES module of a widget: `common.js`, the shared parts it uses, then `<name>.js`."""
    return "\n".join(_text(f"{part}.js") for part in ("common", *_PARTS.get(name, ()), name))


@cache
def style(name: str) -> str:
    """The style sheet of a widget: `tokens.css`, `controls.css`, those of the shared parts, then `<name>.css`."""
    parts = ("tokens", "controls", *_PARTS.get(name, ()), name)
    return "\n".join(_text(f"{part}.css") for part in parts if part not in _UNSEEN)


def _text(file: str) -> str:
    return (files("tlwidgets") / "static" / file).read_text(encoding="utf-8")
