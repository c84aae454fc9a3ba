"""Where features are kept: in memory up to a limit, beyond it in memory-mapped files.

A file is written completely and then moved into place, so that what is found under a name is complete; its
checksum is verified when it is opened. The folder has a limit, too: what has not been used for longest is
removed first.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import tempfile
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import torch
from torch import Tensor

MEMORY_BYTES = 256 * 2**20
DISK_BYTES = 4 * 2**30
_INDEX = "features.json"
SCHEMA = 1
_LEFT_BEHIND_S = 86_400.0  # writing never takes a day


Shape: TypeAlias = tuple[tuple[int, ...], torch.dtype]
"""The sizes and the type of a tensor."""


class FeatureStoreError(OSError):
    """Features could not be kept; training goes on without them."""


class FeatureCache:
    """Features by key.

    Args:
        folder: where files go; None takes the user's cache folder.
        memory_bytes: how much is kept in memory; what does not fit goes to files, and what was used last
            stays longest.
        disk_bytes: how much the folder may hold.
        keep: write everything to files, so that a later session starts from them.
        half: compute and keep the frozen part's output in bfloat16: half the memory, and faster on processors
            with instructions for it. Losses are then close to those without a cache, not the same.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
        keep: bool = False,
        half: bool = False,
    ) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        self.memory_bytes, self.disk_bytes, self.keep, self.half = memory_bytes, disk_bytes, keep, half
        self._memory: OrderedDict[str, list[Tensor]] = OrderedDict()

    def find(self, key: str) -> list[Tensor] | None:
        """The tensors kept under this key; None where there are none (damaged ones are removed)."""
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        return self._read(key)

    def allocate(self, key: str, shapes: Sequence[Shape], beside: int = 0) -> Rows:
        """Room for tensors of these shapes and types; their first axis is the examples.

        `beside` is how many bytes in memory the same run needs at the same time.

        Raises:
            FeatureStoreError: neither memory nor disk has room for them, or the folder cannot be written.
        """
        nbytes = sum(_nbytes(shape, dtype) for shape, dtype in shapes)
        if nbytes + beside <= self.memory_bytes and not self.keep:
            return _MemoryRows(self, key, shapes)
        if nbytes > self.disk_bytes:
            raise FeatureStoreError(
                f"the features would take {nbytes / 1e9:.1f} GB, more than the {self.disk_bytes / 1e9:.1f} "
                "GB that may be used on disk"
            )
        return _FileRows(self, key, shapes, nbytes)

    def is_on_disk(self, key: str) -> bool:
        """Whether this key's features are read from files."""
        return key not in self._memory

    def clear(self) -> None:
        """Forget everything, and remove the files."""
        self._memory.clear()
        for entry in self._entries():
            shutil.rmtree(entry, ignore_errors=True)

    # -- memory ----------------------------------------------------------------------------------------------

    def _remember(self, key: str, tensors: list[Tensor]) -> None:
        self._memory[key] = tensors
        self._memory.move_to_end(key)
        while sum(map(_size, self._memory.values())) > self.memory_bytes and len(self._memory) > 1:
            self._memory.popitem(last=False)

    # -- files -----------------------------------------------------------------------------------------------

    def _read(self, key: str) -> list[Tensor] | None:
        entry = self.folder / key
        try:
            index = json.loads((entry / _INDEX).read_text(encoding="utf-8"))
            if index["schema"] != SCHEMA:
                return None
            tensors = [_mapped(entry / record["file"], record) for record in index["tensors"]]
            os.utime(entry)
        except FileNotFoundError:
            return None
        except PermissionError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(entry, ignore_errors=True)
            return None
        return tensors

    def _make_room(self, nbytes: int) -> None:
        """Remove files, those first that have not been used for longest, until so many bytes fit."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(self.folder)
            used = sorted(filter(None, map(_measured, self._entries())))
            while used and sum(size for _, size, _ in used) + nbytes > self.disk_bytes:
                _, _, oldest = used.pop(0)
                shutil.rmtree(oldest, ignore_errors=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise FeatureStoreError(f"the folder {self.folder} cannot be used ({error.strerror})") from error
        if nbytes > free:
            raise FeatureStoreError(
                f"the features need {nbytes / 1e6:,.0f} MB, and the disk of {self.folder} has "
                f"{free / 1e6:,.0f} MB left"
            )

    def _entries(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (
                entry for entry in self.folder.iterdir() if entry.is_dir() and (entry / _INDEX).exists()
            )


class Rows:
    """Tensors being filled, some rows at a time. `finish` keeps them, `discard` lets them go."""

    def put(self, values: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Write to each tensor: (rows, value). A value may be shorter than the room, but not in its rows."""
        raise NotImplementedError

    def finish(self) -> list[Tensor]:
        """All rows are written: keep them, and return them."""
        raise NotImplementedError

    def discard(self) -> None:
        """Give up: not all rows were written."""


class _MemoryRows(Rows):
    def __init__(self, cache: FeatureCache, key: str, shapes: Sequence[Shape]) -> None:
        self._cache, self._key = cache, key
        self._tensors = [torch.zeros(shape, dtype=dtype) for shape, dtype in shapes]

    def put(self, values: Sequence[tuple[Tensor, Tensor]]) -> None:
        for tensor, (rows, value) in zip(self._tensors, values, strict=True):
            room: list[Tensor | slice] = [rows, *(slice(0, size) for size in value.shape[1:])]
            tensor[tuple(room)] = value.to(tensor.device)

    def finish(self) -> list[Tensor]:
        self._cache._remember(self._key, self._tensors)
        return self._tensors

    def discard(self) -> None:
        self._tensors = []


class _FileRows(Rows):
    # Written with ordinary writes and only then mapped: on a full disk a write into a map ends the whole
    # process.
    def __init__(self, cache: FeatureCache, key: str, shapes: Sequence[Shape], nbytes: int) -> None:
        self._cache, self._key, self._shapes = cache, key, list(shapes)
        cache._make_room(nbytes)
        self._files: list[BinaryIO] = []
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=".part-", dir=cache.folder))
        except OSError as error:
            raise _not_writable(cache.folder, error) from error
        with self._explained():
            for number, (shape, dtype) in enumerate(shapes):
                file = (self._folder / f"{number}.bin").open("w+b")
                self._files.append(file)
                _reserve(file, _nbytes(shape, dtype))

    def put(self, values: Sequence[tuple[Tensor, Tensor]]) -> None:
        with self._explained():
            for file, (shape, dtype), (rows, value) in zip(self._files, self._shapes, values, strict=True):
                whole = torch.zeros((len(rows), *shape[1:]), dtype=dtype)
                whole[tuple(slice(0, size) for size in value.shape)] = value.cpu()
                width = _nbytes(shape[1:], dtype)
                for row, content in zip(rows.tolist(), _bytes(whole).reshape(len(rows), width), strict=True):
                    file.seek(row * width)
                    file.write(content.tobytes())

    def finish(self) -> list[Tensor]:
        with self._explained():
            records = []
            for number, (file, (shape, dtype)) in enumerate(zip(self._files, self._shapes, strict=True)):
                file.flush()
                os.fsync(file.fileno())
                file.close()
                name = f"{number}.bin"
                records.append(
                    {
                        "file": name,
                        "shape": list(shape),
                        "dtype": str(dtype).removeprefix("torch."),
                        "crc32": _checksum(self._folder / name),
                    }
                )
            (self._folder / _INDEX).write_text(json.dumps({"schema": SCHEMA, "tensors": records}))
            target = self._cache.folder / self._key
            try:
                os.replace(self._folder, target)
            except OSError:  # another process was faster, with the same content
                shutil.rmtree(self._folder, ignore_errors=True)
        found = self._cache._read(self._key)
        if found is None:
            raise FeatureStoreError(f"what was written to {self._cache.folder} could not be read back")
        return found

    def discard(self) -> None:
        for file in self._files:
            file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn a failed write into a `FeatureStoreError`, and remove what was written."""
        try:
            yield
        except FeatureStoreError:
            raise
        except OSError as error:
            self.discard()
            raise _not_writable(self._cache.folder, error) from error


def _not_writable(folder: Path, error: OSError) -> FeatureStoreError:
    return FeatureStoreError(f"the folder {folder} cannot be written ({error.strerror or error})")


def default_folder() -> Path:
    """The toolkit's folder for features among the user's caches."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "tlwidgets" / "features"


def _remove_leftovers(folder: Path) -> None:
    """Remove what was left behind by processes that ended while they wrote."""
    for part in folder.glob(".part-*"):
        with contextlib.suppress(FileNotFoundError):  # its process has just finished
            if time.time() - part.stat().st_mtime > _LEFT_BEHIND_S:
                shutil.rmtree(part, ignore_errors=True)


def _measured(entry: Path) -> tuple[float, int, Path] | None:
    """When an entry was last used, its bytes, and where it is; None if another process has removed it."""
    try:
        return entry.stat().st_mtime, sum(file.stat().st_size for file in entry.iterdir()), entry
    except FileNotFoundError:
        return None


def _reserve(file: BinaryIO, nbytes: int) -> None:
    if nbytes and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, nbytes)


def _mapped(path: Path, record: Mapping[str, Any]) -> Tensor:
    shape, dtype = tuple(record["shape"]), getattr(torch, record["dtype"])
    if path.stat().st_size != _nbytes(shape, dtype) or _checksum(path) != record["crc32"]:
        raise ValueError(f"{path} is damaged")
    flat = torch.from_file(str(path), shared=False, size=math.prod(shape), dtype=dtype)
    return flat.reshape(shape)


def _checksum(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            value = zlib.crc32(block, value)
    return value


def _bytes(tensor: Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    return tensor.contiguous().view(torch.uint8).numpy()


def _nbytes(shape: Sequence[int], dtype: torch.dtype) -> int:
    return math.prod(shape) * dtype.itemsize


def _size(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
