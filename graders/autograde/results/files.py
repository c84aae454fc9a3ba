"""Writes files atomically."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> Path:
    """Write a temporary file beside it, flush that to disk, and move it into place.

    Raises:
        OSError: the disk is full, or cannot be written to.
    """
    half = path.with_name(f".{path.name}.part")
    half.unlink(missing_ok=True)
    try:
        with open(half, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(half, mode)
        os.replace(half, path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    return path
