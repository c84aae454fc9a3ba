"""Noticing what code did to a model: a look after each cell."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable

from torch import nn

from ..core.scan import scan
from ..core.tree import ModelTree


def after_each_cell(method: Callable[[], None]) -> Callable[[], None]:
    """Call a bound method after each cell that runs, for as long as its object lives.

    Returns:
        A function that ends it. Outside IPython nothing is registered.
    """
    shell = _shell()
    if shell is None:
        return lambda: None
    reference = weakref.WeakMethod(method)

    def hook(*_):
        alive = reference()
        if alive is not None:
            alive()

    shell.events.register("post_run_cell", hook)
    # The hook is let go with its object, or by hand, whichever comes first; a second time does nothing.
    return weakref.finalize(method.__self__, shell.events.unregister, "post_run_cell", hook)


def shape_changed(tree: ModelTree, model: nn.Module) -> str:
    """Empty, or what was added to or taken from the model since `tree` was made, as words for a sentence."""
    scanned = scan(model)
    modules: dict[int, str] = {}
    for entry in scanned.modules:
        modules.setdefault(id(entry.module), entry.name)
    if tuple(scanned.names) == tree.parameter_names and tuple(modules.values()) == tree.module_names:
        return ""
    names, known = set(modules.values()), set(tree.module_names)
    added, gone = _outermost(names - known), _outermost(known - names)
    parts = [f"{_list(added)} came in"] if added else []
    parts += [f"{_list(gone)} went away"] if gone else []
    return " and ".join(parts) or "its parameters are not the same"


def _outermost(names: set[str]) -> list[str]:
    return sorted(name for name in names if name.rpartition(".")[0] not in names)


def _list(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _shell():
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
