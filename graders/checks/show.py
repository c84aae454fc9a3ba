"""Words for values that may be anything: short, without control characters, without running their code."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

_ITEMS, _DEPTH, _TEXT, _NAME = 6, 3, 60, 40
_BIG = 1 << 128  # longer integers are described: writing them out takes time that grows with the square
_NUMBERS = tuple({np.dtype(code).type for code in np.typecodes["All"] if code not in "OV"})
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
    frozenset: ("{", "}"),
}
_type_name = type.__dict__["__name__"].__get__  # what a metaclass says of its classes' names is not asked


def is_one(kind: type, kinds: tuple[type, ...]) -> bool:
    """Whether a type is one of these. `in` would ask its metaclass, whose `==` may be anybody's."""
    for one in kinds:  # noqa: SIM110  this is asked of every value, and `any` takes three times as long
        if kind is one:
            return True
    return False


def type_name(value) -> str:
    """The name of a value's type, cut; it is the true type, whatever `__class__` says."""
    name = _type_name(type(value))
    return name[:_NAME] if name.isidentifier() else repr(name[:_NAME])[1:-1]


def a_type(value) -> str:
    """The type with its article: "an int", "a list"; of None, which has no other value, "None"."""
    if value is None:
        return "None"
    name = type_name(value)
    return f"{'an' if name[:1].lower() in ('a', 'e', 'i', 'o', 'u') else 'a'} {name}"


def cut(text: str, length: int) -> str:
    """The text, or its beginning and its end where it is longer than `length`."""
    if len(text) <= length:
        return text
    tail = length // 3
    return f"{text[: length - tail - 1]}…{text[len(text) - tail :]}"


def show(value, depth: int = _DEPTH) -> str:
    """A short text for any value. Of types that are not plain only the name is shown."""
    kind = type(value)
    if is_one(kind, (type(None), bool, float, complex, torch.dtype, torch.Size, range, torch.device)):
        return repr(value)
    if kind is int:
        return repr(value) if -_BIG < value < _BIG else f"an integer of {value.bit_length()} bits"
    if is_one(kind, (str, bytes)):
        return repr(value) if len(value) <= _TEXT else f"{value[:_TEXT]!r}… ({len(value)} long)"
    if is_one(kind, (Tensor, nn.Parameter)):
        return _tensor(value)
    if kind is np.ndarray:
        return _array(value)
    if is_one(kind, _NUMBERS):
        return f"{kind.__name__}({cut(str(value.item()), _TEXT)})"
    if is_one(kind, (list, tuple, set, frozenset, dict)):
        return _container(value, kind, depth)
    return f"<{type_name(value)}>"


def _container(value, kind: type, depth: int) -> str:
    first, last = _BRACKETS[kind]
    if not value:
        return f"{kind.__name__}()" if kind in (set, frozenset) else first + last
    if depth == 0:
        return f"{first}…{last}"
    some: list[str] = []
    for item in value if kind is not dict else value.items():
        if len(some) == _ITEMS:
            some.append(f"… {len(value)} in all")
            break
        if kind is dict:
            some.append(f"{show(item[0], depth - 1)}: {show(item[1], depth - 1)}")
        else:
            some.append(show(item, depth - 1))
    if kind in (set, frozenset):
        some.sort()
    comma = "," if kind is tuple and len(value) == 1 else ""
    return f"{first}{', '.join(some)}{comma}{last}"


def _tensor(value: Tensor) -> str:
    """By the class's own methods: an attribute of the same name may have been put on the tensor."""
    try:
        if value.device.type != "meta" and Tensor.numel(value) <= _ITEMS:
            return f"tensor({cut(str(Tensor.tolist(Tensor.cpu(Tensor.detach(value)))), _TEXT)})"
        return f"a tensor of shape {tuple(value.shape)}"
    except Exception:  # nested, sparse and quantised tensors refuse one or another of these
        return "a tensor"


def _array(value: np.ndarray) -> str:
    if value.size <= _ITEMS and value.dtype.kind in "biufcSU":
        return f"array({cut(str(value.tolist()), _TEXT)})"
    return f"an array of shape {value.shape}"
