"""Has this function changed? A digest of code, data and settings that is equal where they are."""

from __future__ import annotations

import dataclasses
import dis
import functools
import hashlib
import inspect
from collections.abc import Mapping
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np
import torch
from torch import Tensor, nn


def digest(value: object) -> str:
    """Hexadecimal SHA-256 of a value, the same in another process of the same Python version.

    Of a function: its code, constants, defaults, what it closes over, and the functions, classes and plain values of its
    own module that it names, and so on from there. Names, not code, stand for other modules: a new version of a library
    is not noticed. Of a tensor: type, shape and every byte. Of an object that is none of these: its class.
    """
    found = _Digest()
    found.add(value)
    while found.waiting:
        found.code_of(found.waiting.pop())
    return found.hash.hexdigest()


class _Digest:
    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self._met: dict[int, int] = {}  # functions, classes and containers call each other in circles
        self._keep: list = []  # so that no id is used twice
        self.waiting: list = []  # functions and classes to look into, by and by: one names another, a long way down

    def add(self, value: object) -> None:
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes, type(...))):
            self._say(type(value).__name__, value)
        elif isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, CodeType):
            self._code(value)
        elif isinstance(value, (set, frozenset)):
            self._say("set", sorted(map(digest, value)))
        elif id(value) in self._met:
            self._say("again", self._met[id(value)])
        else:
            self._met[id(value)] = len(self._met)
            self._keep.append(value)
            self._compound(value)

    def _compound(self, value: object) -> None:
        if isinstance(value, (tuple, list)):
            self._items(type(value).__name__, value)
        elif isinstance(value, Mapping):
            self._items("mapping", sorted(value.items(), key=lambda item: repr(item[0])))
        elif isinstance(value, functools.partial):
            self._items("partial", (value.func, value.args, value.keywords))
        elif isinstance(value, MethodType):
            self._items("method", (value.__func__, value.__self__))
        elif isinstance(value, ModuleType):
            self._say("module", value.__name__)
        elif isinstance(_bare(value), (FunctionType, type)):
            self._say("code", len(self._met))
            self.waiting.append(_bare(value))
        elif isinstance(value, np.ndarray) and value.dtype != object:
            self._say("array", (str(value.dtype), value.shape))
            self.hash.update(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, nn.Module):
            self._items("model", (str(value), value.state_dict()))
        elif dataclasses.is_dataclass(value):
            fields = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
            self._items(_name(type(value)), fields)
        else:
            self._say("object", _name(value if hasattr(value, "__qualname__") else type(value)))

    def code_of(self, value: FunctionType | type) -> None:
        """Take in a function or a class."""
        if isinstance(value, type):
            self._class(value)
        else:
            self._function(value)

    def _say(self, kind: str, value: object) -> None:
        self.hash.update(f"{kind} {value!r}\n".encode())

    def _items(self, kind: str, items) -> None:
        items = list(items)
        self._say(kind, len(items))
        for item in items:
            self.add(item)

    def _tensor(self, tensor: Tensor) -> None:
        self._say("tensor", (str(tensor.dtype), tuple(tensor.shape)))
        if not tensor.is_meta:
            whole = tensor.detach().cpu().contiguous().reshape(-1)
            self.hash.update(whole.view(torch.uint8).numpy() if whole.numel() else b"")

    def _code(self, code: CodeType) -> None:
        self.hash.update(code.co_code)
        self._items("code", (code.co_consts, code.co_names, code.co_varnames, code.co_freevars))

    def _function(self, function: FunctionType) -> None:
        self._code(function.__code__)
        cells = [_content(cell) for cell in function.__closure__ or ()]
        self._items("function", (function.__defaults__, function.__kwdefaults__, cells))
        for name in sorted(_globals(function.__code__)):
            if name in function.__globals__:
                self._say("name", name)
                self._named(function.__globals__[name], function.__module__)

    def _named(self, value: object, module: str) -> None:
        """What a function names: code of its own module, and plain values; of all else, what it is called."""
        bare = _bare(value)
        if isinstance(bare, (FunctionType, type)) and bare.__module__ != module:
            self._say("elsewhere", _name(bare))
        else:
            self.add(value)

    def _class(self, value: type) -> None:
        self._say("class", value.__qualname__)
        for base in value.__bases__:
            self._named(base, value.__module__)
        for name, member in sorted(vars(value).items()):
            if isinstance(member, (staticmethod, classmethod)):
                member = member.__func__
            elif isinstance(member, property):
                member = (member.fget, member.fset)
            if not name.startswith("__") or isinstance(member, FunctionType):
                self._say("member", name)
                self.add(member)


def _bare(value):
    """A function without its wrappers (caches, for instance)."""
    return inspect.unwrap(value) if callable(value) else value


def _globals(code: CodeType) -> set[str]:
    names = {
        step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _globals(constant)
    return names


def _content(cell) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _name(value) -> str:
    return f"{getattr(value, '__module__', '')}.{value.__qualname__}"
