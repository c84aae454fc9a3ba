"""What can be sent: the exact types, their limits, and stand-ins for everything else."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import torch

from ..records import FRAME_BYTES

U32, F64, C128 = struct.Struct("<I"), struct.Struct("<d"), struct.Struct("<dd")
_DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"),
    *("complex64", "complex128"),
)
TENSOR_DTYPES = {name: getattr(torch, name) for name in _DTYPES}
NAME_OF_DTYPE = {dtype: name for name, dtype in TENSOR_DTYPES.items()}
ARRAY_DTYPES = {
    dtype.str: dtype
    for dtype in map(
        np.dtype, ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
    )
}
SCALARS = {dtype.type: dtype for dtype in ARRAY_DTYPES.values()}
SEQUENCES: dict[type, bytes] = {list: b"l", tuple: b"t", set: b"S", frozenset: b"Z", torch.Size: b"z"}
FROM_SEQUENCE = {tag[0]: kind for kind, tag in SEQUENCES.items() if kind is not torch.Size}
INT_BYTES, DIMENSIONS, NAMES, SAME_HASH = 1 << 14, 64, 64, 64


class CodecError(ValueError):
    """The value cannot be sent, or the bytes encode no value; the message says why."""


@dataclass(frozen=True)
class Caps:
    """Limits on a value. `keys`: entries of all sets and dicts together, which equal hashes make slow."""

    frame_bytes: int = FRAME_BYTES
    depth: int = 48
    elements: int = 1_000_000
    keys: int = 100_000


class Foreign:
    """Stands for an object that is not a plain value. It equals nothing, not even itself, and does nothing.

    The decoder makes an instance of a subclass named after the object's type, so that messages show that
    name.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # Python's way to say unhashable; the stubs know none

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<a {type(self).__name__}>"


@dataclass(frozen=True)
class Extension:
    """Something other than a plain value that both ends know: a kind ("module") and its payload (a token)."""

    kind: str
    payload: object


def tidy_name(name: str) -> str:
    """A name that a student chose, reduced to a valid name for a type."""
    short = "".join(letter for letter in name[:40] if letter.isalnum() or letter == "_")
    return short if short.isidentifier() else "object"
