"""Noticing what code has done to a model: it is looked at after each cell."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import MethodType

import torch
from torch import nn

from ...core import FreezePlan
from ...core.apply import apply_to
from ...core.structure import Flags, Structure
from ...core.tree import ModelTree


def after_each_cell(method: Callable[[], None]) -> Callable[[], None]:
    """Call a bound method after each cell that runs, for as long as its object lives.

    Returns:
        A function that ends this. Outside IPython nothing is registered.
    """
    shell = _shell()
    if shell is None:
        return lambda: None
    reference = weakref.WeakMethod(method)
    assert isinstance(method, MethodType)  # there are no other weak methods

    def hook(*_):
        alive = reference()
        if alive is not None:
            alive()

    shell.events.register("post_run_cell", hook)
    # The hook goes with its object or is ended by hand, whichever comes first; a second time does nothing.
    return weakref.finalize(method.__self__, shell.events.unregister, "post_run_cell", hook)


class Looked:
    """A model as it was when it was looked at last.

    Attributes:
        structure, flags: its parts, and what learns.
    """

    def __init__(self, model: nn.Module) -> None:
        self.structure = Structure(model)
        self.flags: Flags = self.structure.flags()

    def again(self) -> bool:
        """Look again; returns whether parts or flags have changed."""
        before, held = self.flags, self.structure.holds()
        if not held:
            self.structure = Structure(self.structure.model)
        self.flags = self.structure.flags()
        return not held or self.flags != before

    def apply(self, plan: FreezePlan, optimizer: torch.optim.Optimizer | None) -> None:
        """Put a plan into effect on the model. Raises as `apply_plan` does."""
        _, self.flags = apply_to(self.structure, self.flags, plan, optimizer)


def shape_changed(tree: ModelTree, now: Structure) -> str:
    """What was added to or removed from the model since `tree` was made, in words; "" for nothing."""
    if now.parameter_names == tree.parameter_names and now.names == tree.module_names:
        return ""
    names, known = set(now.names), set(tree.module_names)
    added, removed = _outermost(names - known), _outermost(known - names)
    parts = [f"{_list(added)} {_were(added)} added"] if added else []
    parts += [f"{_list(removed)} {_were(removed)} removed"] if removed else []
    return " and ".join(parts) or "its parameters are different"


def _outermost(names: set[str]) -> list[str]:
    return sorted(name for name in names if name.rpartition(".")[0] not in names)


def _list(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _were(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _shell():
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
