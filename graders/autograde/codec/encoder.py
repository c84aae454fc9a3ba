"""Values to bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .values import (
    ARRAY_DTYPES,
    C128,
    F64,
    INT_BYTES,
    NAME_OF_DTYPE,
    SCALARS,
    SEQUENCES,
    U32,
    Caps,
    CodecError,
    Extension,
)


def encode(
    value: object, lift: Callable[[object], Extension | None] | None = None, caps: Caps | None = None
) -> bytes:
    """Bytes for a value.

    Args:
        lift: called with each object that is not a plain value; if it returns None, the object becomes a
            `Foreign`.

    Raises:
        CodecError: it is too large, too deep, or has too many elements.
    """
    return _Encoder(lift, caps or Caps()).run(value)


class _Encoder:
    def __init__(self, lift, caps: Caps) -> None:
        self.lift, self.caps, self.out = lift, caps, bytearray()
        self.elements = 0

    def run(self, value: object) -> bytes:
        self.value(value, 0)
        return bytes(self.out)

    def value(self, value: object, depth: int) -> None:
        self.elements += 1
        if self.elements > self.caps.elements:
            raise CodecError(f"it has more than {self.caps.elements:,} elements")
        if depth > self.caps.depth:
            raise CodecError(f"it is nested more than {self.caps.depth} deep")
        maker = _MAKERS.get(type(value))
        if maker is None:
            self.other(value, depth + 1)
        else:
            maker(self, value, depth + 1)

    def make_room(self, size: int) -> None:
        """Check the size before anything is copied: an expanded tensor is small until then."""
        if len(self.out) + size > self.caps.frame_bytes:
            raise CodecError(f"it takes up more than {self.caps.frame_bytes >> 20} MiB")

    def put(self, data: bytes) -> None:
        self.make_room(len(data))
        self.out += data

    def blob(self, tag: bytes, data: bytes) -> None:
        self.make_room(len(data))
        self.out += tag + U32.pack(len(data))
        self.out += data

    def text(self, tag: bytes, text: str) -> None:
        self.make_room(len(text))
        self.blob(tag, text.encode("utf-8", "surrogatepass"))

    def integer(self, value: int, depth: int) -> None:
        size = value.bit_length() // 8 + 1
        if size > INT_BYTES:
            raise CodecError("it has an int of too many digits")
        self.blob(b"i", value.to_bytes(size, "little", signed=True))

    def sequence(self, value, depth: int) -> None:
        self.put(SEQUENCES[type(value)] + U32.pack(len(value)))
        for item in value:
            self.value(item, depth)

    def table(self, value: dict, depth: int) -> None:
        self.put(b"d" + U32.pack(len(value)))
        for key, item in value.items():
            self.value(key, depth)
            self.value(item, depth)

    def collection(self, value: set | frozenset, depth: int) -> None:
        """Write the items sorted by their bytes, so that equal sets have equal bytes."""
        self.put(SEQUENCES[type(value)] + U32.pack(len(value)))
        start, items = len(self.out), []
        for item in value:
            self.value(item, depth)
            items.append(bytes(self.out[start:]))
            del self.out[start:]
        self.put(b"".join(sorted(items)))

    def ends(self, value: range | slice, depth: int) -> None:
        self.put(b"r" if type(value) is range else b"/")
        for item in (value.start, value.stop, value.step):
            self.value(item, depth)

    def array(self, value: np.ndarray, depth: int) -> None:
        if value.dtype.str not in ARRAY_DTYPES:
            self.text(b"X", type(value).__name__)
            return
        self.make_room(value.nbytes)
        self.text(b"a", value.dtype.str)
        self.shape(value.shape)
        self.blob(b"", np.ascontiguousarray(value).tobytes())

    def scalar(self, value: np.generic, depth: int) -> None:
        self.text(b"n", SCALARS[type(value)].str)
        self.blob(b"", value.tobytes())

    def tensor(self, value: Tensor, depth: int) -> None:
        if (
            value.layout is not torch.strided
            or value.device.type != "cpu"
            or value.dtype not in NAME_OF_DTYPE
        ):
            self.text(b"X", "Tensor")
            return
        self.make_room(value.numel() * value.element_size())
        self.text(b"x", NAME_OF_DTYPE[value.dtype])
        self.put(b"\1" if value.requires_grad else b"\0")
        self.shape(value.shape)
        flat = value.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
        self.blob(b"", flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"")

    def shape(self, shape: tuple[int, ...]) -> None:
        self.put(bytes([len(shape)]) + b"".join(side.to_bytes(8, "little") for side in shape))

    def dtype(self, value: torch.dtype, depth: int) -> None:
        if value in NAME_OF_DTYPE:
            self.text(b"D", NAME_OF_DTYPE[value])
        else:
            self.text(b"X", "dtype")

    def other(self, value: object, depth: int) -> None:
        extension = self.lift(value) if self.lift is not None else None
        if extension is None:
            self.text(b"X", type(value).__name__)
            return
        self.text(b"E", extension.kind)
        self.value(extension.payload, depth)


# By exact type: a subclass is not found here.
_MAKERS: dict[type, Callable] = {
    type(None): lambda encoder, value, depth: encoder.put(b"N"),
    bool: lambda encoder, value, depth: encoder.put(b"T" if value else b"F"),
    int: _Encoder.integer,
    float: lambda encoder, value, depth: encoder.put(b"f" + F64.pack(value)),
    complex: lambda encoder, value, depth: encoder.put(b"c" + C128.pack(value.real, value.imag)),
    str: lambda encoder, value, depth: encoder.text(b"s", value),
    bytes: lambda encoder, value, depth: encoder.blob(b"b", value),
    list: _Encoder.sequence,
    tuple: _Encoder.sequence,
    torch.Size: _Encoder.sequence,
    dict: _Encoder.table,
    set: _Encoder.collection,
    frozenset: _Encoder.collection,
    range: _Encoder.ends,
    slice: _Encoder.ends,
    np.ndarray: _Encoder.array,
    np.str_: lambda encoder, value, depth: encoder.text(b"s", str(value)),
    Tensor: _Encoder.tensor,
    torch.dtype: _Encoder.dtype,
    **dict.fromkeys(SCALARS, _Encoder.scalar),
}
