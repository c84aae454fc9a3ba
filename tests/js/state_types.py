"""The types of the widgets' states, made for their scripts from the Python records (TypedDicts).

`python -m tests.js.state_types` writes a `state.d.ts` beside each `state.py`; a test tells when one is out of
date.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

WIDGETS = Path(__file__).resolve().parents[2] / "tlwidgets" / "widgets"
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
_LONGEST = 110


def files() -> dict[Path, str]:
    """The text of each file of types."""
    texts = {WIDGETS / "base" / "records.d.ts": _text(_records("base.records"), {})}
    shared = {record.__name__: "../base/records" for record in _records("base.records")}
    for folder in sorted(path.parent for path in WIDGETS.glob("*/state.py")):
        found = [
            record
            for part in ("records", "state")
            if (folder / f"{part}.py").is_file()
            for record in _records(f"{folder.name}.{part}")
        ]
        if found:
            texts[folder / "state.d.ts"] = _text(found, shared)
    return texts


def records() -> Iterator[type]:
    """All records of all widgets."""
    for path in sorted(WIDGETS.glob("*/*.py")):
        if path.stem in ("records", "state"):
            yield from _records(f"{path.parent.name}.{path.stem}")


def _records(module: str) -> list[type]:
    """The records that are defined in a module, in its order."""
    found = import_module(f"tlwidgets.widgets.{module}")
    return [each for each in vars(found).values() if is_typeddict(each) and each.__module__ == found.__name__]


def _text(found: list[type], elsewhere: dict[str, str]) -> str:
    needed: set[str] = set()
    parts = [_interface(record, needed) for record in found]
    imported = sorted(needed - {record.__name__ for record in found})
    head = ["// Made by `python -m tests.js.state_types` from the Python records."]
    if imported:
        head.append(f'\nimport type {{ {", ".join(imported)} }} from "{elsewhere[imported[0]]}";')
    return "\n".join(head) + "\n\n" + "\n".join(parts)


def _interface(record: type, needed: set[str]) -> str:
    words = [f" * {line}".rstrip() for line in (record.__doc__ or "").strip().splitlines()]
    fields = [f"  {name}: {_type(hint, needed)};" for name, hint in get_type_hints(record).items()]
    long = [line for line in (*words, *fields) if len(line) > _LONGEST]
    assert not long, f"{record.__name__}: longer than {_LONGEST} characters: {long}"
    return "\n".join(["/**", *words, " */", f"export interface {record.__name__} {{", *fields, "}", ""])


def _type(hint, needed: set[str]) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_typeddict(hint):
        needed.add(hint.__name__)
        return hint.__name__
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_type(each, needed) for each in arguments))
    if origin is list:
        item = _type(arguments[0], needed)
        several = get_origin(arguments[0]) in (Union, types.UnionType, Literal)
        return f"({item})[]" if several else f"{item}[]"
    if origin is tuple:
        return f"[{', '.join(_type(each, needed) for each in arguments)}]"
    if origin is dict:
        return f"Record<{_type(arguments[0], needed)}, {_type(arguments[1], needed)}>"
    raise TypeError(f"A record cannot have a field of type {hint}: there is no type for scripts for it.")


def main() -> None:
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
