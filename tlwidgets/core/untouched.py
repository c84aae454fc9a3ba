"""Leaving a model as it was after it has been run to learn something about it.

A forward pass may do more than compute: BatchNorm moves its statistics, modules count their calls, append to
lists, keep what they put out, draw random numbers. Whatever of that can be put back is put back.
"""

from __future__ import annotations

import functools
import random
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .contents import same_bytes

_DEEPEST = 4  # attributes of attributes of a module that are put back
_MOST = 100_000  # things that are put back
_PLAIN = (str, bytes, int, float, complex, bool, type(None))


@contextmanager
def left_as_it_was(model: nn.Module, values: bool = True) -> Iterator[None]:
    """Put the model back when the block ends, also after an error.

    Modes, hooks, attributes (also what is in lists, dictionaries, sets, arrays and objects of one's own),
    which weights and buffers there are, `requires_grad`, `.grad` and the random numbers of PyTorch, Python
    and NumPy are as before; with `values`, buffers and other tensors but the weights, too.
    """
    undo: list[Callable[[], None]] = []
    seen: set[int] = set()
    for module in model.modules():
        _note_module(module, values, undo, seen)
    for weight in model.parameters():
        _note_weight(weight, undo)
    try:
        with random_numbers_kept(model):
            yield
    finally:
        with torch.no_grad():
            for step in undo:
                step()


@contextmanager
def random_numbers_kept(model: nn.Module) -> Iterator[None]:
    """PyTorch's, Python's and NumPy's random numbers go on as if nothing had been drawn in the block."""
    devices = sorted(
        {weight.device.index or 0 for weight in model.parameters() if weight.device.type == "cuda"}
    )
    numpy = sys.modules.get("numpy")  # what is not imported has drawn nothing
    python, numbers = random.getstate(), numpy.random.get_state() if numpy else None
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(python)
        if numpy:
            numpy.random.set_state(numbers)


def _note_weight(weight: nn.Parameter, undo: list[Callable[[], None]]) -> None:
    learns, gradient = weight.requires_grad, weight.grad
    value = gradient.detach().clone() if gradient is not None else None

    def put_back() -> None:
        if weight.requires_grad != learns:
            weight.requires_grad_(learns)
        if weight.grad is not gradient:
            weight.grad = gradient
        if gradient is not None and value is not None and not same_bytes(gradient, value):
            gradient.copy_(value)

    undo.append(put_back)


def _note_module(module: nn.Module, values: bool, undo: list[Callable[[], None]], seen: set[int]) -> None:
    attributes = vars(module)
    before = dict(attributes)
    # What a hook or a handle holds (weak references, ids) stays: only which ones there are is put back.
    inner = {name: dict(table) for name, table in before.items() if isinstance(table, dict) and _own(name)}
    if values:
        for buffer in module._buffers.values():
            _note_tensor(buffer, undo, seen)
    for name, value in before.items():
        if not _own(name):
            _note(value, values, undo, seen, 0)

    def put_back() -> None:
        if _differs(attributes, before):
            attributes.clear()
            attributes.update(before)
        for name, table in inner.items():
            if _differs(attributes[name], table):
                attributes[name].clear()
                attributes[name].update(table)

    undo.append(put_back)


def _own(name: str) -> bool:
    """Whether an attribute is one that every module has."""
    return name in _EVERY_MODULE


_EVERY_MODULE = frozenset(vars(nn.Module()))


def _differs(now: dict[Any, Any], before: dict[Any, Any]) -> bool:
    return list(now) != list(before) or any(now[key] is not value for key, value in before.items())


def _note_tensor(tensor: Tensor | None, undo: list[Callable[[], None]], seen: set[int]) -> None:
    if tensor is None or tensor.is_meta or id(tensor) in seen:
        return
    seen.add(id(tensor))
    value = tensor.detach().clone()

    def put_back() -> None:
        if not same_bytes(tensor, value):
            if tensor.shape == value.shape and tensor.layout is torch.strided:
                tensor.detach().copy_(value)
            else:
                tensor.data = value

    undo.append(put_back)


def _note(value: Any, values: bool, undo: list[Callable[[], None]], seen: set[int], depth: int) -> None:
    """Have what can be written to inside a value put back."""
    if isinstance(value, _PLAIN) or id(value) in seen or depth > _DEEPEST or len(seen) > _MOST:
        return
    if isinstance(value, Tensor):
        if values and not isinstance(value, nn.Parameter):
            _note_tensor(value, undo, seen)
        return
    if isinstance(value, (nn.Module, type, FunctionType, MethodType, ModuleType)):
        return
    seen.add(id(value))
    inner: Iterable[Any] = ()
    if isinstance(value, (list, deque)):
        inner, kept = list(value), list(value)
        undo.append(lambda: _refill(value, kept, value.extend))
    elif isinstance(value, set):
        members = set(value)
        undo.append(lambda: _refill(value, members, value.update))
    elif isinstance(value, dict):
        inner, entries = list(value.values()), dict(value)
        undo.append(lambda: _refill(value, entries, value.update))
    elif isinstance(value, tuple):
        inner = value
    elif type(value).__module__ == "numpy" and hasattr(value, "copy") and hasattr(value, "setflags"):
        content = value.copy()
        undo.append(lambda: value.__setitem__(..., content) if value.flags.writeable else None)
    elif isinstance(value, torch.Generator):
        undo.append(functools.partial(_set_state, value, value.get_state()))
    elif isinstance(value, random.Random):
        drawn = value.getstate()
        undo.append(lambda: value.setstate(drawn))
    elif type(value).__module__ == "numpy.random._generator":
        source = value.bit_generator
        numbers = source.state
        undo.append(lambda: setattr(source, "state", numbers))
    elif hasattr(value, "__dict__"):
        attributes = vars(value)
        inner, named = list(attributes.values()), dict(attributes)
        undo.append(lambda: _refill(attributes, named, attributes.update))
    for item in inner:
        _note(item, values, undo, seen, depth + 1)


def _set_state(generator: torch.Generator, state: Tensor) -> None:
    generator.set_state(state)


def _refill(container: Any, content: Any, fill: Callable[[Any], None]) -> None:
    if isinstance(container, dict):
        same = not _differs(container, content)
    elif isinstance(container, set):
        same = container == content
    else:
        same = len(container) == len(content) and all(a is b for a, b in zip(container, content, strict=True))
    if not same:
        container.clear()
        fill(content)
