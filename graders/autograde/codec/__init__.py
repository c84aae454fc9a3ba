"""Plain values as bytes and back: the only thing that ever comes out of a student's process.

Exact types only: `type(x) is list`, never `isinstance`. Whatever else there is arrives as an inert `Foreign`. There is no
pickle and no import by name; decoding calls constructors of builtin values, numpy arrays and torch tensors, and nothing else.
Both ends bound the size, the depth and the number of elements, so that no bytes can make a decoder hang or fill memory.
"""

from __future__ import annotations

from .decoder import decode
from .encoder import encode
from .values import Caps, CodecError, Extension, Foreign, tidy_name

__all__ = ["Caps", "CodecError", "Extension", "Foreign", "decode", "encode", "tidy_name"]
