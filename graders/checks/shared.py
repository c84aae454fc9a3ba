"""Model classes of a check that a student's function may call, wherever it runs."""

from __future__ import annotations

from torch import nn

_SHARED: set[type[nn.Module]] = set()


def shared_module(cls: type[nn.Module]) -> type[nn.Module]:
    """Let the source of this class, and no more of its file, go where the student's code runs.

    The class has to stand at the top of a module, and its methods may use `torch`, `nn`, `F` and `Tensor` alone; `__init__` is
    not run there.
    """
    _SHARED.add(cls)
    return cls


def is_shared(cls: type) -> bool:
    """Whether a class was marked with `shared_module`."""
    return cls in _SHARED
