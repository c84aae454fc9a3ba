"""What can be sent: the exact types, their caps, and what stands for the rest."""

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
SEQUENCES = {list: b"l", tuple: b"t", set: b"S", frozenset: b"Z", torch.Size: b"z"}
FROM_SEQUENCE = {tag[0]: kind for kind, tag in SEQUENCES.items() if kind is not torch.Size}
INT_BYTES, DIMENSIONS, NAMES, SAME_HASH = 1 << 14, 64, 64, 64


class CodecError(ValueError):
    """The value can't be sent, or the bytes are no value; the message says why."""


@dataclass(frozen=True)
class Caps:
    """What a value may take up. `keys`: entries of sets and dicts in all, since equal hashes make them slow."""

    frame_bytes: int = FRAME_BYTES
    depth: int = 48
    elements: int = 1_000_000
    keys: int = 100_000


class Foreign:
    """Stands for an object that is no plain value. It equals nothing, itself included, and does nothing.

    What a decoder makes is an instance of a subclass with the name of the type that was left behind, so that a message
    names it as it would have.
    """

    __slots__ = ()
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<a {type(self).__name__}>"


@dataclass(frozen=True)
class Extension:
    """What the two ends agree to send beside plain values: a kind ("module") and a plain payload (its token)."""

    kind: str
    payload: object


def tidy_name(name: str) -> str:
    """A name that a student chose, cut down to what a name of a type may be."""
    short = "".join(letter for letter in name[:40] if letter.isalnum() or letter == "_")
    return short if short.isidentifier() else "object"
