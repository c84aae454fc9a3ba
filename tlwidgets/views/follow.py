"""Noticing what code did to a model: a look after each cell."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from ..core.hold import is_held
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


class Fingerprint(NamedTuple):
    """What a model looks like from outside its weights: two that are equal need no second look."""

    parameters: tuple[str, ...]
    modules: tuple[str, ...]
    learns: tuple[bool, ...]
    modes: tuple[tuple[bool, bool], ...]  # training, kept in eval
    devices: frozenset[torch.device]


def fingerprint(model: nn.Module) -> Fingerprint:
    """Look at a model once: about a millisecond for a thousand modules."""
    scanned = scan(model)
    modules = {id(entry.module): entry for entry in reversed(scanned.modules)}
    first = [modules[key] for key in dict.fromkeys(id(entry.module) for entry in scanned.modules)]
    return Fingerprint(
        tuple(scanned.names),
        tuple(entry.name for entry in first),
        tuple(parameter.requires_grad for parameter in scanned.parameters),
        tuple((entry.module.training, is_held(entry.module)) for entry in first),
        frozenset(parameter.device for parameter in scanned.parameters),
    )


def shape_changed(tree: ModelTree, now: Fingerprint) -> str:
    """Empty, or what was added to or taken from the model since `tree` was made, as words for a sentence."""
    if now.parameters == tree.parameter_names and now.modules == tree.module_names:
        return ""
    names, known = set(now.modules), set(tree.module_names)
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
