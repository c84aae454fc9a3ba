"""Has this function, this model changed? A digest of code, data and settings that is equal where they are."""

from __future__ import annotations

import copyreg
import functools
import hashlib
import reprlib
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..core.contents import dense_parts, tensor_bytes
from .reachable import content_of, is_library, members_of, name_of, named_by

_MOST = 300_000  # things that one digest takes in
_DEEPEST = 4  # sets within sets
_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})
_ONLY_NAMED = (BuiltinFunctionType, GetSetDescriptorType, MemberDescriptorType, np.ufunc)
_NO_CONTENT = frozenset({"lock", "RLock", "_abc_data", "Condition", "Event"})
_EVERY_MODULE = frozenset(vars(nn.Module())) - {"_forward_hooks", "_forward_pre_hooks"}


class Opaque(Exception):
    """Something whose content cannot be read; the message says what, as a clause."""


def digest(value: object, *, strict: bool = False, known: Mapping[int, str] | None = None) -> str:
    """Hexadecimal SHA-256 of a value, the same in another process of the same Python version.

    Of a function: its code, constants, defaults, attributes, what it closes over, and whatever it names,
    wherever that is; and so on from there. Libraries count by their version (what is installed, or comes with
    Python); but what was put into their classes and modules from outside counts as itself. Of a tensor: type,
    shape and every byte. Of an object: its class and its attributes, or else what pickling would keep of it.

    Args:
        strict: raise for an object whose content cannot be read; otherwise its class stands for it. The order
            of dictionaries then counts, too.
        known: names for objects that are told apart elsewhere, by their identity.

    Raises:
        Opaque: with `strict`, where something cannot be read, or there is too much of it.
    """
    found = Digest(strict, known or {})
    found.add(value)
    return found.hexdigest()


class Digest:
    """A digest of several values, one after the other; see `digest`.

    Args:
        strict: as in `digest`.
        known: as in `digest`.
        tensors: whether tensors count that are more than a single number.
        depth: how many sets this one is within.
    """

    def __init__(
        self, strict: bool, known: Mapping[int, str], *, tensors: bool = True, depth: int = 0
    ) -> None:
        self.hash = hashlib.sha256()
        self._strict, self._known, self._tensors, self._depth = strict, known, tensors, depth
        self._met: dict[int, int] = {}  # functions, classes and containers name each other in circles
        self._keep: list[object] = []  # so that no id is used twice
        # What is still to be taken in, and where it was met: one thing leads to another, a long way down.
        self._waiting: deque[tuple[Any, str]] = deque()
        self._where = ""

    def hexdigest(self) -> str:
        """The digest of everything so far."""
        self.take_in_all()
        return self.hash.hexdigest()

    def take_in_all(self, where: str = "") -> None:
        """Follow what has been met so far to its end; it was met in what is called `where`."""
        while self._waiting:
            found, self._where = self._waiting.popleft()
            self._take_in(found)
        self._where = where

    # -- one value -------------------------------------------------------------------------------------------

    def add(self, value: Any, name: str = "") -> None:
        kind = type(value)
        if kind in _PLAIN:
            self._say(kind.__name__, value)
        elif isinstance(value, CodeType):
            self._code(value)
        elif kind in (tuple, list, frozenset, set) and _PLAIN.issuperset(map(type, value)):
            self._say(kind.__name__, value if kind in (tuple, list) else sorted(map(repr, value)))
        elif id(value) in self._known:
            self._say("known", self._known[id(value)])
        elif id(value) in self._met:
            self._say("again", self._met[id(value)])
        elif isinstance(value, Tensor):
            self._tensor(value)
        else:
            number = self._met[id(value)] = len(self._met)
            self._keep.append(value)
            if number > _MOST:
                raise Opaque(f"it leads to more than {_MOST:,} objects, too many to compare")
            self._say("new", number)
            self._waiting.append((value, ".".join(filter(None, (self._where, name)))))

    def _say(self, kind: str, value: object) -> None:
        self.hash.update(f"{kind} {value!r}\n".encode(errors="backslashreplace"))

    def _items(self, kind: str, items: Iterable[Any]) -> None:
        listed = list(items)
        self._say(kind, len(listed))
        for item in listed:
            self.add(item)

    def _named(self, kind: str, items: Iterable[tuple[str, Any]]) -> None:
        for name, value in items:
            self._say(kind, name)
            self.add(value, name)

    def _tensor(self, tensor: Tensor) -> None:
        self._say("tensor", (str(tensor.dtype), str(tensor.layout)))
        if not self._tensors and tensor.numel() != 1:
            return
        for part in (tensor,) if tensor.is_meta else dense_parts(tensor):
            self._say("of", tuple(part.shape))
            if not part.is_meta:
                self.hash.update(tensor_bytes(part))

    # -- what holds others -----------------------------------------------------------------------------------

    def _take_in(self, value: Any) -> None:
        if isinstance(value, type):
            self._class(value)
        elif isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, nn.Module):
            self.module(value)
        elif isinstance(value, np.ndarray) and value.dtype != object:
            self._say("array", (str(value.dtype), value.shape))
            self.hash.update(np.ascontiguousarray(value).tobytes())
        elif not self._container(value) and not self._wrapper(value):
            self._object(value)

    def _container(self, value: Any) -> bool:
        """Whether the value is nothing but what it contains; if so, that is taken in."""
        kind = type(value)
        if isinstance(value, np.ndarray):
            self._items("array", (value.shape, *value.ravel()))
        elif kind in (set, frozenset):
            self._say("set", sorted(map(self._apart, value)))
        elif kind in (tuple, list, deque):
            self._items(kind.__name__, value)
        elif isinstance(value, (weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet)):
            self._say("weak", kind.__name__)  # caches: what they hold is held elsewhere
        elif isinstance(value, Mapping) and (kind is dict or is_library(kind)):
            keys = list(value) if self._strict else sorted(value, key=repr)
            if _PLAIN.issuperset(map(type, value)) and _PLAIN.issuperset(map(type, value.values())):
                self._say("mapping", [(key, value[key]) for key in keys])
                return True
            self._say("mapping", len(keys))
            for key in keys:
                self.add(key)
                self.add(value[key], f"[{reprlib.repr(key)}]")
        else:
            return False
        return True

    def _wrapper(self, value: Any) -> bool:
        """Whether the value stands for others; if so, those are taken in."""
        if isinstance(value, functools.partial):
            self._items("partial", (value.func, value.args, value.keywords))
        elif isinstance(value, MethodType):
            self._items("method", (value.__func__, value.__self__))
        elif isinstance(value, (staticmethod, classmethod)):
            self._items("method", (value.__func__,))
        elif isinstance(value, property):
            self._items("property", (value.fget, value.fset))
        elif isinstance(value, functools.cached_property):
            self._items("property", (value.func,))
        elif isinstance(value, weakref.ref):
            self._items("weak", (value(),))
        elif isinstance(value, torch.Generator):
            self._items("random", (value.get_state(),))
        elif isinstance(value, ModuleType):
            self._say("module", value.__name__)
        elif isinstance(value, _ONLY_NAMED) and not hasattr(value, "__wrapped__"):
            self._say("built in", name_of(value))
            owner = getattr(value, "__self__", None)
            if not isinstance(owner, (ModuleType, type(None), type)):
                self.add(owner)
        elif isinstance(getattr(value, "__wrapped__", None), FunctionType):  # functools.lru_cache
            self._items("wrapped", (value.__wrapped__,))
        else:
            return False
        return True

    def _apart(self, value: object) -> str:
        """The digest of one of a set's members, whose order says nothing."""
        if self._depth >= _DEEPEST:
            self._unreadable(value)
            return name_of(type(value))
        one = Digest(self._strict, self._known, tensors=self._tensors, depth=self._depth + 1)
        one.add(value)
        return one.hexdigest()

    def _object(self, value: Any) -> None:
        kind = type(value)
        self.add(kind)
        if kind.__name__ in _NO_CONTENT and is_library(kind):
            return
        if not is_library(kind):
            self._named("attribute", getattr(value, "__dict__", {}).items())
            slots = [slot for base in kind.__mro__ for slot in _slots(base) if hasattr(value, slot)]
            self._named("slot", ((slot, getattr(value, slot)) for slot in slots))
            if all(not is_library(base) or base is object for base in kind.__mro__):
                return
            if isinstance(value, (list, tuple, deque)):
                return self._items("items", value)
            if isinstance(value, dict):
                return self._items("items", value.items())
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # whatever an object of any class raises that cannot be pickled
            return self._unreadable(value)
        if isinstance(reduced, str):
            return self._say("object", reduced)
        made, given, *rest = reduced
        if made is not copyreg.__newobj__:  # type: ignore[attr-defined]  # the stubs lack it
            self.add(made)
        self._items("given", given)
        for part in rest[:3]:  # its state; items of a list; of a dictionary
            self.add(list(part) if part is not None and hasattr(part, "__next__") else part)

    def _unreadable(self, value: object) -> None:
        if self._strict:
            place = f"`{self._where}` " if self._where else "it "
            raise Opaque(f"{place}holds or uses a `{type(value).__name__}`, whose content cannot be compared")
        self._say("object", name_of(type(value)))

    # -- models ----------------------------------------------------------------------------------------------

    def module(self, module: nn.Module) -> None:
        """A module that is not known by name: its class, attributes, weights, buffers and modules."""
        self.state_of(module)
        self._named("buffer", module._buffers.items())
        self._named("weight", module._parameters.items())
        self._named("module", module._modules.items())

    def state_of(self, module: nn.Module) -> None:
        """What a module is besides its weights, its buffers and the modules inside it."""
        if isinstance(module, torch.jit.ScriptModule):
            self._unreadable(module)
            return
        self.add(type(module))
        own = {name: value for name, value in vars(module).items() if name not in _EVERY_MODULE}
        for name in ("_forward_hooks", "_forward_pre_hooks"):  # under numbers that differ from run to run
            own[name] = list(own[name].values())
        self._named("attribute", sorted(own.items()))

    # -- code ------------------------------------------------------------------------------------------------

    def _code(self, code: CodeType) -> None:
        self.hash.update(code.co_code)
        self._say("code", (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars))
        self._say(
            "called", (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        )
        for constant in code.co_consts:
            self.add(constant)

    def _function(self, function: FunctionType) -> None:
        if is_library(function):
            self._say("library", name_of(function))
        else:
            self._code(function.__code__)
            self._named("name", named_by(function))
            self._named("attribute", sorted(vars(function).items()))
        self._items("function", (function.__defaults__, function.__kwdefaults__))
        self._items("closure", map(content_of, function.__closure__ or ()))

    def _class(self, value: type) -> None:
        self._say("class", name_of(value) if is_library(value) else value.__qualname__)
        self._items("bases", (base for base in value.__bases__ if base is not object))
        self._named("member", members_of(value))


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ()) if not is_library(kind) else ()
    return (slots,) if isinstance(slots, str) else tuple(slots)
