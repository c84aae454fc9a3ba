"""Plain values to bytes and back: nothing else ever comes out of a student's process.

Only exact types count: `type(x) is list`, never `isinstance`. Anything else arrives as an inert `Foreign`.
Nothing is pickled or imported by name; decoding calls constructors of builtin values, NumPy arrays and
PyTorch tensors, and nothing else. Both ends limit the size, the depth and the number of elements, so no bytes
can make a decoder hang or exhaust memory.
"""

from __future__ import annotations

from .decoder import decode
from .encoder import encode
from .values import Caps, CodecError, Extension, Foreign, tidy_name

__all__ = ["Caps", "CodecError", "Extension", "Foreign", "decode", "encode", "tidy_name"]
