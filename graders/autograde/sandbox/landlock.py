"""Landlock: an unprivileged process gives up files, TCP and signals to others (since Linux 5.13)."""

from __future__ import annotations

import ctypes
import os

from . import system

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_READ = 1 << 2 | 1 << 3  # files, folders
_LIST = 1 << 3
_BITS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_DEVICE_BITS = 1 << 1 | 1 << 2 | 1 << 15
_FILE_BITS = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # what a rule on a file (not a folder) may allow


def version() -> int:
    """Landlock's version on this kernel, 0 if there is none."""
    try:
        return system.call(_CREATE, None, 0, 1, what="landlock")
    except OSError:
        return 0


def restrict(readable: list[str], listed: list[str], writable: list[str]) -> None:
    """Give up everything except reading, listing and writing beneath these paths; set `no_new_privs` before.

    Raises:
        OSError: the kernel refuses.
    """
    abi = version()
    everything = (1 << _BITS_BY_ABI.get(abi, 16)) - 1
    attributes = (ctypes.c_uint64 * 3)(everything, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = system.call(_CREATE, attributes, size, 0, what="landlock")
    try:
        for paths, allowed in ((readable, _READ), (listed, _LIST), (writable, everything & ~1)):
            for path in paths:
                _allow(rules, path, allowed & everything)
        for device in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
            _allow(rules, device, _DEVICE_BITS & everything)
        system.call(_RESTRICT, rules, 0, what="landlock")
    finally:
        os.close(rules)


def _allow(rules: int, path: str, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            allowed &= _FILE_BITS

        class Beneath(ctypes.Structure):
            _pack_ = 1
            _layout_ = "ms"
            _fields_ = [("allowed", ctypes.c_uint64), ("place", ctypes.c_int32)]

        system.call(_ADD, rules, 1, ctypes.byref(Beneath(allowed, place)), 0, what=f"landlock {path}")
    finally:
        os.close(place)
