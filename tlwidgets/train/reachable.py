"""What a piece of code names: the functions, classes and values that it leads to."""

from __future__ import annotations

import dis
import functools
import importlib.metadata
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

_FOLDERS = tuple(
    {f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_OURS = __name__.partition(".")[0]
_INSTALLED = ("site-packages", "dist-packages")


def is_library(thing: FunctionType | type) -> bool:
    """Whether a function or class is of an installed package or comes with Python: its version tells it."""
    if isinstance(thing, FunctionType):
        return _is_library_file(thing.__code__.co_filename)
    return _is_library_class(thing)


@functools.lru_cache(maxsize=4096)
def _is_library_file(file: str) -> bool:
    if file.startswith("<frozen "):
        return True
    return file.startswith(_FOLDERS) or any(f"{name}/" in file.replace("\\", "/") for name in _INSTALLED)


def _is_library_class(kind: type) -> bool:
    module = sys.modules.get(kind.__module__)
    found: Any = module
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not kind:  # made in a function, in a notebook's cell that was run again, or by `exec`
        return not (kind.__dictoffset__ or "__slots__" in vars(kind))  # neither: made in C
    return module is not None and is_library_module(module)


def is_library_module(module: ModuleType) -> bool:
    """Whether a module is of an installed package or comes with Python."""
    if module.__name__ == "__main__":
        return False
    file = getattr(module, "__file__", None)
    if file is None:  # built in, or a namespace package
        return module.__name__.partition(".")[0] in sys.stdlib_module_names | {"torch"}
    return _is_library_file(file)


def name_of(thing: Any) -> str:
    """A library's function or class by its name, with the version of its package."""
    module = str(getattr(thing, "__module__", "") or "")
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", type(thing).__name__)
    return f"{module}.{name} {_version(module.partition('.')[0])}"


@functools.lru_cache(maxsize=1024)
def _version(package: str) -> str:
    if not package or package in sys.stdlib_module_names:
        return ""
    version = getattr(sys.modules.get(package), "__version__", None)
    if isinstance(version, str):
        return version
    try:
        return importlib.metadata.version(package)
    except Exception:  # no such distribution, or its record is damaged
        return ""


def named_by(function: FunctionType) -> list[tuple[str, Any]]:
    """What a function's code names, by name: its globals, and what it may take from modules among them."""
    found: dict[str, Any] = {}
    names, imported, words = _names(function.__code__)
    space = function.__globals__
    for name in sorted(names):
        if name in space:
            _note(found, name, space[name], words, 0)
    for name in sorted(imported):
        module = _imported(name, space)
        if module is not None:
            _note(found, name, module, words, 0)
    if (function.__module__ or "").partition(".")[0] == _OURS:
        found = {name: value for name, value in found.items() if _says_the_same(value)}
    return sorted(found.items())


def _says_the_same(value: Any) -> bool:
    """Whether a value of our own modules never changes while a process runs; caches and registries do."""
    if isinstance(value, tuple):
        return all(map(_says_the_same, value))
    return isinstance(value, (FunctionType, type, ModuleType, int, float, str, bytes, type(None)))


def _note(found: dict[str, Any], name: str, value: Any, words: set[str], depth: int) -> None:
    """Note a value; of a module, what the code may mean by the words in it."""
    if not isinstance(value, ModuleType):
        found[name] = value
        return
    found[name] = value
    library, inside = is_library_module(value), vars(value)
    for word in sorted(word for word in words if word in inside):
        inner = inside[word]
        if isinstance(inner, ModuleType):
            if depth < 3 and f"{name}.{word}" not in found:
                _note(found, f"{name}.{word}", inner, words, depth + 1)
        elif not library or _is_foreign(inner):
            found[f"{name}.{word}"] = inner


def _is_foreign(value: Any) -> bool:
    """Whether a member of a library was put there by somebody else."""
    return isinstance(value, (FunctionType, type)) and not is_library(value)


def members_of(kind: type) -> Iterator[tuple[str, Any]]:
    """What a class defines; of a library's, only what was put there from outside."""
    library = is_library(kind)
    for name, member in sorted(vars(kind).items()):
        inner = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(inner, FunctionType):
            counts = not library or not is_library(inner)
        else:
            counts = not library and not name.startswith("__") and name != "_abc_impl"
        if counts:
            yield name, member


def content_of(cell: CellType) -> object:
    """What a function closes over; None where that is not filled yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
def _names(code: CodeType) -> tuple[frozenset[str], frozenset[str], set[str]]:
    """Global names that code reads, modules that it imports, and words that may be attributes of those."""
    names: set[str] = set()
    imported: set[str] = set()
    words: set[str] = set(code.co_names)
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(step.argval)
        elif step.opname == "IMPORT_NAME":
            imported.add(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            for mine, inner in zip((names, imported, words), _names(constant), strict=True):
                mine |= inner
        elif isinstance(constant, str) and constant.isidentifier():
            words.add(constant)  # getattr(module, "name")
    return frozenset(names), frozenset(imported), words


def _imported(name: str, space: dict[str, Any]) -> ModuleType | None:
    """A module that code imports while it runs, if it has been imported by now."""
    if name in sys.modules:
        return sys.modules[name]
    package = space.get("__package__")
    try:
        return sys.modules.get(importlib.util.resolve_name(f".{name}", package)) if package else None
    except ImportError:
        return None
