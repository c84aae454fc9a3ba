"""Removes what a student's code left in its folder, in whatever state it left it."""

from __future__ import annotations

import contextlib
import os
from itertools import count


def clear(folder: str) -> None:
    """Remove a folder and everything in it; does nothing if there is none.

    Nested folders are moved up before they are read, so no nesting is too deep for a path or for the stack.

    Raises:
        OSError: something in it cannot be removed.
    """
    names = (os.path.join(folder, f".moved-{number}") for number in count())
    with contextlib.suppress(FileNotFoundError):
        while below := [entry.path for entry in _entries(folder) if _removed(entry) is None]:
            for path in below:
                for entry in _entries(path):
                    if _removed(entry) is None:
                        os.rename(entry.path, _free(names))
                os.rmdir(path)
        os.rmdir(folder)


def _entries(folder: str) -> list[os.DirEntry]:
    os.chmod(folder, 0o700)
    with os.scandir(folder) as entries:
        return list(entries)


def _removed(entry: os.DirEntry) -> bool | None:
    """Remove an entry unless it is a folder; returns None for a folder."""
    if entry.is_dir(follow_symlinks=False):
        return None
    os.unlink(entry.path)
    return True


def _free(names) -> str:
    return next(name for name in names if not os.path.lexists(name))
