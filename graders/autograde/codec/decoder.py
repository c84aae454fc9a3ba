"""Bytes to values. Anybody may have written the bytes, so nothing in them is trusted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .values import (
    ARRAY_DTYPES,
    C128,
    DIMENSIONS,
    F64,
    FROM_SEQUENCE,
    INT_BYTES,
    NAMES,
    SAME_HASH,
    TENSOR_DTYPES,
    U32,
    Caps,
    CodecError,
    Foreign,
    tidy_name,
)


def decode(
    data: bytes, lower: Callable[[str, object], object] | None = None, caps: Caps | None = None
) -> object:
    """The value that these bytes encode.

    Args:
        lower: makes an object from an extension's kind and payload; without it, an extension is an error.

    Raises:
        CodecError: they encode no value, or one beyond the caps.
    """
    return _Decoder(data, lower, caps or Caps()).run()


class _Decoder:
    def __init__(self, data: bytes, lower, caps: Caps) -> None:
        if len(data) > caps.frame_bytes + 64:
            raise CodecError("it is too large")
        self.data, self.lower, self.caps = memoryview(data), lower, caps
        self.place = self.elements = self.keys = 0
        self.end = len(data)
        self.foreign: dict[str, type[Foreign]] = {}

    def run(self) -> object:
        value = self._value(0)
        if self.place != len(self.data):
            raise CodecError("there is more after its end")
        return value

    def _take(self, size: int) -> memoryview:
        end = self.place + size
        if end > self.end:
            raise CodecError("it ends too early")
        part, self.place = self.data[self.place : end], end
        return part

    def _count(self) -> int:
        place = self.place
        self.place = place + 4
        if place + 4 > self.end:
            raise CodecError("it ends too early")
        return U32.unpack_from(self.data, place)[0]

    def _blob(self) -> memoryview:
        return self._take(self._count())

    def _text(self) -> str:
        try:
            return str(self._blob(), "utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise CodecError("a text is not UTF-8") from error

    def _value(self, depth: int) -> object:
        self.elements += 1
        if self.elements > self.caps.elements or depth > self.caps.depth:
            raise CodecError("it has too many elements or is nested too deep")
        if self.place >= self.end:
            raise CodecError("it ends too early")
        tag = self.data[self.place]
        self.place += 1
        if tag in FROM_SEQUENCE:
            return self._sequence(tag, depth + 1)
        maker = _MAKERS.get(tag)
        if maker is None:
            raise CodecError(f"there is no kind of value {tag}")
        return maker(self, depth + 1)

    def _items(self, depth: int, size: int) -> list:
        if size > len(self.data) - self.place:  # each takes a byte or more
            raise CodecError("it ends too early")
        return [self._value(depth) for _ in range(size)]

    def _sequence(self, tag: int, depth: int):
        items = self._items(depth, self._count())
        kind = FROM_SEQUENCE[tag]
        return kind(items) if kind in (list, tuple) else kind(self._hashable(items))

    def _hashable(self, keys: list) -> list:
        """Refuse keys that are unhashable, duplicate, or crafted to have the same hash (quadratic time)."""
        self.keys += len(keys)
        if self.keys > self.caps.keys:
            raise CodecError("it has too many keys")
        try:
            hashes = sorted(map(hash, keys))
        except TypeError as error:
            raise CodecError("a key is not hashable") from error
        if any(one == other for one, other in zip(hashes, hashes[SAME_HASH:], strict=False)):
            raise CodecError("too many of its keys have the same hash")
        if len(set(keys)) != len(keys):
            raise CodecError("a key is there twice")
        return keys

    def _dict(self, depth: int) -> dict:
        items = self._items(depth, 2 * self._count())
        return dict(zip(self._hashable(items[::2]), items[1::2], strict=True))

    def _int(self, depth: int) -> int:
        blob = self._blob()
        if len(blob) > INT_BYTES:
            raise CodecError("an int has too many digits")
        return int.from_bytes(blob, "little", signed=True)

    def _size(self, depth: int) -> torch.Size:
        sides = self._items(depth, self._count())
        if not all(type(side) is int and abs(side) < 2**62 for side in sides):
            raise CodecError("a size is made of ints")
        return torch.Size(sides)

    def _range(self, depth: int) -> range:
        ends = self._items(depth, 3)
        if not all(type(end) is int for end in ends) or not ends[2]:
            raise CodecError("a range is made of ints")
        return range(*ends)

    def _slice(self, depth: int) -> slice:
        return slice(*self._items(depth, 3))

    def _shape(self) -> tuple[tuple[int, ...], int]:
        dimensions = self._take(1)[0]
        if dimensions > DIMENSIONS:
            raise CodecError("it has too many dimensions")
        shape = tuple(int.from_bytes(self._take(8), "little") for _ in range(dimensions))
        count, bound = 1, 1
        for side in shape:
            count, bound = count * side, bound * max(side, 1)
        if bound > 2**40:  # strides are products of sides, even in empty arrays
            raise CodecError("its shape is too large")
        return shape, count

    def _array(self, depth: int) -> np.ndarray:
        dtype = self._array_dtype()
        shape, count = self._shape()
        if len(shape) > 32:
            raise CodecError("it has too many dimensions")
        return np.frombuffer(bytearray(self._exactly(count * dtype.itemsize)), dtype).reshape(shape)

    def _array_dtype(self) -> np.dtype:
        dtype = ARRAY_DTYPES.get(self._text())
        if dtype is None:
            raise CodecError("there is no such dtype")
        return dtype

    def _exactly(self, size: int) -> memoryview:
        blob = self._blob()
        if len(blob) != size:
            raise CodecError("its shape does not fit its bytes")
        return blob

    def _scalar(self, depth: int) -> np.generic:
        dtype = self._array_dtype()
        return np.frombuffer(bytes(self._exactly(dtype.itemsize)), dtype)[0]

    def _tensor(self, depth: int) -> Tensor:
        dtype = self._dtype(depth)
        learns = self._take(1)[0] == 1
        shape, count = self._shape()
        blob = self._exactly(count * dtype.itemsize)
        if dtype is torch.bool and count and max(bytes(blob)) > 1:
            raise CodecError("a bool is 0 or 1")
        flat = torch.frombuffer(bytearray(blob), dtype=dtype) if count else torch.empty(0, dtype=dtype)
        value = flat.reshape(shape)
        if learns and (dtype.is_floating_point or dtype.is_complex):
            value.requires_grad_(True)
        return value

    def _dtype(self, depth: int) -> torch.dtype:
        dtype = TENSOR_DTYPES.get(self._text())
        if dtype is None:
            raise CodecError("there is no such dtype")
        return dtype

    def _foreign(self, depth: int) -> Foreign:
        name = self._text()
        if len(self.foreign) >= NAMES and name not in self.foreign:
            return Foreign()
        if name not in self.foreign:
            self.foreign[name] = type(tidy_name(name), (Foreign,), {"__slots__": (), "__hash__": None})
        return self.foreign[name]()

    def _extension(self, depth: int) -> object:
        kind = self._text()
        payload = self._value(depth)
        if self.lower is None:
            raise CodecError("nothing but plain values was expected")
        return self.lower(kind, payload)


_MAKERS: dict[int, Callable] = {
    ord("N"): lambda decoder, depth: None,
    ord("T"): lambda decoder, depth: True,
    ord("F"): lambda decoder, depth: False,
    ord("f"): lambda decoder, depth: F64.unpack(decoder._take(8))[0],
    ord("c"): lambda decoder, depth: complex(*C128.unpack(decoder._take(16))),
    ord("s"): lambda decoder, depth: decoder._text(),
    ord("b"): lambda decoder, depth: bytes(decoder._blob()),
    ord("i"): _Decoder._int,
    ord("d"): _Decoder._dict,
    ord("z"): _Decoder._size,
    ord("r"): _Decoder._range,
    ord("/"): _Decoder._slice,
    ord("a"): _Decoder._array,
    ord("n"): _Decoder._scalar,
    ord("x"): _Decoder._tensor,
    ord("D"): _Decoder._dtype,
    ord("X"): _Decoder._foreign,
    ord("E"): _Decoder._extension,
}
