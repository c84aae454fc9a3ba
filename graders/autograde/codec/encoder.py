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
        lift: asked about each object that is no plain value; None leaves it a `Foreign`.

    Raises:
        CodecError: too large, too deep or too many elements.
    """
    return _Encoder(lift, caps or Caps()).run(value)


class _Encoder:
    def __init__(self, lift, caps: Caps) -> None:
        self.lift, self.caps, self.parts = lift, caps, []
        self.size = self.elements = 0

    def run(self, value: object) -> bytes:
        self._value(value, 0)
        return b"".join(self.parts)

    def _put(self, *parts: bytes) -> None:
        self.size += sum(map(len, parts))
        if self.size > self.caps.frame_bytes:
            raise CodecError(f"it takes up more than {self.caps.frame_bytes >> 20} MiB")
        self.parts += parts

    def _blob(self, tag: bytes, data: bytes) -> None:
        self._put(tag, U32.pack(min(len(data), 0xFFFFFFFF)), data)

    def _text(self, tag: bytes, text: str) -> None:
        self._blob(tag, text.encode("utf-8", "surrogatepass"))

    def _value(self, value: object, depth: int) -> None:
        self.elements += 1
        if self.elements > self.caps.elements:
            raise CodecError(f"it has more than {self.caps.elements:,} elements")
        if depth > self.caps.depth:
            raise CodecError(f"it is nested more than {self.caps.depth} deep")
        kind = type(value)
        if value is None:
            self._put(b"N")
        elif kind is bool:
            self._put(b"T" if value else b"F")
        elif kind is int:
            size = value.bit_length() // 8 + 1
            if size > INT_BYTES:
                raise CodecError("it has an int of too many digits")
            self._blob(b"i", value.to_bytes(size, "little", signed=True))
        elif kind is float:
            self._put(b"f", F64.pack(value))
        elif kind is complex:
            self._put(b"c", C128.pack(value.real, value.imag))
        elif kind is str:
            self._text(b"s", value)
        elif kind is bytes:
            self._blob(b"b", value)
        elif kind is list or kind is tuple or kind is torch.Size:
            self._put(b"z" if kind is torch.Size else SEQUENCES[kind], U32.pack(len(value)))
            for item in value:
                self._value(item, depth + 1)
        elif kind is dict:
            self._put(b"d", U32.pack(len(value)))
            for key, item in value.items():
                self._value(key, depth + 1)
                self._value(item, depth + 1)
        elif kind is set or kind is frozenset:
            self._set(value, SEQUENCES[kind], depth)
        elif kind is range or kind is slice:
            self._put(b"r" if kind is range else b"/")
            for item in (value.start, value.stop, value.step):
                self._value(item, depth + 1)
        elif kind is np.ndarray:
            self._array(value)
        elif kind in SCALARS:  # numpy's own, since the key is the exact type
            self._text(b"n", SCALARS[kind].str)
            self._blob(b"", value.tobytes())
        elif kind is Tensor:
            self._tensor(value)
        elif kind is torch.dtype and value in NAME_OF_DTYPE:
            self._text(b"D", NAME_OF_DTYPE[value])
        else:
            self._other(value, depth)

    def _set(self, value, tag: bytes, depth: int) -> None:
        """Sorted by their bytes: equal sets have equal bytes."""
        self._put(tag, U32.pack(len(value)))
        start = len(self.parts)
        items = []
        for item in value:
            self._value(item, depth + 1)
            items.append(b"".join(self.parts[start:]))
            del self.parts[start:]
        self.parts += sorted(items)

    def _array(self, value: np.ndarray) -> None:
        if value.dtype.str not in ARRAY_DTYPES:
            self._text(b"X", type(value).__name__)
            return
        self._check_room(value.nbytes)
        self._text(b"a", value.dtype.str)
        self._shape(value.shape)
        self._blob(b"", np.ascontiguousarray(value).tobytes())

    def _tensor(self, value: Tensor) -> None:
        plain = value.layout is torch.strided and value.device.type == "cpu" and value.dtype in NAME_OF_DTYPE
        if not plain:
            self._text(b"X", "Tensor")
            return
        self._check_room(value.numel() * value.element_size())
        self._text(b"x", NAME_OF_DTYPE[value.dtype])
        self._put(b"\1" if value.requires_grad else b"\0")
        self._shape(tuple(value.shape))
        flat = value.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
        self._blob(b"", flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"")

    def _check_room(self, size: int) -> None:
        """Before an expanded tensor, which is small until it is copied, becomes large."""
        if self.size + size > self.caps.frame_bytes:
            raise CodecError(f"it takes up more than {self.caps.frame_bytes >> 20} MiB")

    def _shape(self, shape: tuple[int, ...]) -> None:
        self._put(bytes([len(shape)]), *(side.to_bytes(8, "little") for side in shape))

    def _other(self, value: object, depth: int) -> None:
        extension = self.lift(value) if self.lift is not None else None
        if extension is None:
            self._text(b"X", type(value).__name__)
            return
        self._text(b"E", extension.kind)
        self._value(extension.payload, depth + 1)
