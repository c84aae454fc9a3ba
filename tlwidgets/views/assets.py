"""The front end's text: shared part first, then the widget's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """The ES module of a widget: `common.js`, then `<name>.js`."""
    return _text("common.js") + "\n" + _text(f"{name}.js")


@cache
def style(name: str) -> str:
    """The style sheet of a widget: `tokens.css`, then `<name>.css`."""
    return _text("tokens.css") + "\n" + _text(f"{name}.css")


def _text(file: str) -> str:
    return (files("tlwidgets") / "static" / file).read_text(encoding="utf-8")
