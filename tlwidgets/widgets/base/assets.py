"""A widget's front end as anywidget takes it: the text of one ES module and of one style sheet."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ... import palette
from .esm import Module, bundle, load

_SHEETS = ("base/tokens.css", "base/controls.css")
"""The style sheets that every widget has; others stand beside the scripts that need them, under the same
name."""


@cache
def script(name: str) -> str:
    """The ES module of a widget: its `widget.js` with all that it imports."""
    return bundle(_modules(name))


@cache
def style(name: str) -> str:
    """The style sheet of a widget: the palette, the common ones, those beside its scripts, its own
    `widget.css` last."""
    beside = [module.name.removesuffix(".js") + ".css" for module in _modules(name)]
    sheets = dict.fromkeys((*_SHEETS, *beside))  # each once
    return "\n".join([palette.css(), *(_text(sheet) for sheet in sheets if (_FOLDER / sheet).is_file())])


def _modules(name: str) -> list[Module]:
    return load(f"{name}/widget.js", _text)


_FOLDER = files("tlwidgets.widgets")


def _text(path: str) -> str:
    return (_FOLDER / path).read_text(encoding="utf-8")
