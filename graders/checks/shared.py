"""Model classes of a check that a student's function may call, wherever it runs."""

from __future__ import annotations

import functools
import inspect

from torch import nn

__all__ = ["shared_module"]

_SHARED: set[type] = set()


def shared_module(cls: type[nn.Module]) -> type[nn.Module]:
    """Let the source of this class, and no more of its file, go where the student's code runs.

    The class has to stand at the top of a module, and its methods may use `torch`, `nn`, `F` and `Tensor`
    alone; `__init__` is not run there.
    """
    _SHARED.add(cls)
    return cls


def is_shared(cls: type) -> bool:
    """Whether a class was marked with `shared_module`."""
    return cls in _SHARED


@functools.lru_cache(maxsize=256)
def shared_source(cls: type) -> str | None:
    """The source of a class that was marked with `shared_module`, None for another."""
    return inspect.getsource(cls) if is_shared(cls) else None


def read_sources() -> None:
    """Read the source of every marked class now, which takes milliseconds for each."""
    for cls in _SHARED:
        shared_source(cls)
