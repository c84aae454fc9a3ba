"""A throwaway world for stock nbgrader: attacks that work there must not work here.

    unshare --user --map-root-user --mount --pid --net --ipc --fork --kill-child --mount-proc python jail.py
    FOLDER COMMAND...

Everything is read-only but FOLDER, which is seen as /mnt, its tmp/ as /tmp, and an empty /dev/shm. There is
no network but a loopback of its own. Writes one line of JSON to FOLDER/jail.json: the command's status and
what it left running.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from graders.autograde.sandbox import system

INSIDE = Path("/mnt")
ROOT = Path(__file__).resolve().parents[2]
_BIND, _RECURSIVE, _PRIVATE, _READ_ONLY = 4096, 16384, 1 << 18, 1
_MOUNT_SETATTR = 442
_UP, _GET_FLAGS, _SET_FLAGS = 1, 0x8913, 0x8914
_MEMORY, _FILE = 12 << 30, 512 << 20


def main(folder: str, command: list[str]) -> None:
    """Build the world, run the command in it, say how it ended."""
    _mount(folder)
    _loopback_up()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(INSIDE / "jail.log", "wb") as log:
        status = subprocess.call(
            command, cwd=INSIDE / "course", stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    said = {"status": status, "left": _running()}
    (INSIDE / "jail.json").write_text(json.dumps(said))


def _mount(folder: str) -> None:
    system.mount("none", "/", None, _RECURSIVE | _PRIVATE)
    system.mount(folder, str(INSIDE), None, _BIND)
    # A checkout in /tmp itself, Python's environment in it, stays where it is.
    checkout = os.open(ROOT, os.O_PATH)
    system.mount(str(INSIDE / "tmp"), "/tmp", None, _BIND)
    if ROOT.is_relative_to("/tmp"):
        ROOT.mkdir(parents=True, exist_ok=True)  # the same world serves several times
        system.mount(f"/proc/self/fd/{checkout}", str(ROOT), None, _BIND)
    os.close(checkout)
    system.mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64m")
    system.set_mount_flags("/", _READ_ONLY, recursive=True)
    writable = _attributes(clear=_READ_ONLY)
    for place in (str(INSIDE), "/tmp", "/dev/shm"):
        system.call(_MOUNT_SETATTR, -100, place.encode(), 0, writable, 32, what=f"mount_setattr {place}")


def _attributes(clear: int):
    import ctypes

    return (ctypes.c_uint64 * 4)(0, clear, 0, 0)


def _loopback_up() -> None:
    """A kernel and its client speak over 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(end, _GET_FLAGS, request))[1]
        fcntl.ioctl(end, _SET_FLAGS, struct.pack("16sH14s", b"lo", flags | _UP, b""))


def _running(patience_s: float = 3.0) -> list[str]:
    """Command lines of what still runs; a kernel that was told to end gets a moment for it."""
    until = time.monotonic() + patience_s
    while True:
        lines = [
            line
            for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
            if pid != 1
            for line in _line(pid)
        ]
        if not lines or time.monotonic() > until:
            return lines
        time.sleep(0.1)


def _line(pid: int) -> list[str]:
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return []
        line = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return [line.replace(sys.executable, "python")[-200:]]  # what is kept names no machine's folders
    except OSError:  # it has just ended
        return []


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
