"""Packages whose names load on first use, each listed in one place.

Such a package lists what it offers in its `__init__.pyi`, as imports. Type checkers and editors read that
file anyway:

    from .freeze.panel import FreezePanel as FreezePanel
    from .widgets import *      # everything that the package below offers

Its `__init__.py` has one line: `__getattr__, __dir__, __all__ = lazy.offer(__name__)`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from . import moved


def offer(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package that lists its names in `__init__.pyi`.

    A name that was renamed (`moved.NAMES`) is found, too, with a warning.
    """
    module = sys.modules[package]
    homes = _homes(package, Path(str(module.__file__)).parent)
    names = sorted(homes)

    def get(name: str) -> Any:
        if f"{package}.{name}" in moved.NAMES:
            return moved.renamed(package, name)
        if name not in homes:
            raise AttributeError(f"{package} has no name {name!r}; it offers {', '.join(names)}")
        value = getattr(import_module(homes[name]), name)
        setattr(module, name, value)
        return value

    return get, lambda: names, names


def _homes(package: str, folder: Path) -> dict[str, str]:
    """The module of each name that a package's stub imports."""
    found: dict[str, str] = {}
    for node in ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ImportFrom) or node.level != 1 or node.module is None:
            continue
        home = f"{package}.{node.module}"
        if node.names[0].name == "*":
            found |= _homes(home, folder.joinpath(*node.module.split(".")))
        else:
            found |= {alias.name: home for alias in node.names}
    return found
