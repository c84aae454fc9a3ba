"""The backbones of the course, found by the modules of `tlwidgets.models.backbones`: there is no list to
keep.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from pkgutil import iter_modules

from . import backbones
from .records import Backbone, UnknownBackboneError


def _found() -> dict[str, Backbone]:
    modules = (
        import_module(f"{backbones.__name__}.{each.name}") for each in iter_modules(backbones.__path__)
    )
    return {module.RECORD.name: module.RECORD for module in modules}


BACKBONES: dict[str, Backbone] = _found()


def find_backbone(name: str, loader: str = "") -> Backbone:
    """The record of a backbone; with `loader`, of one that this function loads.

    Raises:
        UnknownBackboneError: there is none of this name (the message gives the nearest), or another function
            loads it.
    """
    try:
        backbone = BACKBONES[name]
    except KeyError:
        near = difflib.get_close_matches(str(name), BACKBONES, n=3, cutoff=0.4) or list(BACKBONES)
        raise UnknownBackboneError(
            f"There is no backbone named {name!r}; the nearest is {', '.join(map(repr, near))}. "
            "`tlwidgets.models.BACKBONES` lists them all."
        ) from None
    if loader and backbone.loader != loader:
        raise UnknownBackboneError(
            f"{loader} cannot load {name!r}, which is another kind of model: {backbone.loader}({name!r}) "
            "does."
        )
    return backbone
