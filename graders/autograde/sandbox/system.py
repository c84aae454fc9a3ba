"""Linux calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import platform

# PyDLL keeps the interpreter's lock, which a child made by `clone` then owns.
_LIBC = ctypes.PyDLL(None, use_errno=True)

X86 = platform.machine() == "x86_64"
SUPPORTED = platform.system() == "Linux" and platform.machine() in ("x86_64", "aarch64")

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
_CLONE, _PIVOT_ROOT, _CAPSET, _UNSHARE = (56, 155, 126, 272) if X86 else (220, 41, 91, 97)
_MOUNT_SETATTR = 442


def call(number: int, *arguments, what: str) -> int:
    """A system call by number; integers are passed as C longs.

    Raises:
        OSError: it failed; `what` is in the message.
    """
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    found = _LIBC.syscall(ctypes.c_long(number), *wide)
    if found < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return found


def prctl(option: int, argument: int | ctypes.Array = 0, further: int | ctypes.Structure | None = 0) -> None:
    """`prctl`, raising OSError."""
    wide = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in (argument, further)]
    if _LIBC.prctl(ctypes.c_int(option), *wide, ctypes.c_ulong(0), ctypes.c_ulong(0)):
        error = ctypes.get_errno()
        raise OSError(error, f"prctl {option}: {os.strerror(error)}")


def clone(flags: int) -> int:
    """Fork into new namespaces: 0 in the child, its pid in the parent.

    The C library is not told (its idea of the thread id is the parent's): the child should do little but set
    itself up and fork.
    """
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _LIBC.syscall(*(ctypes.c_long(one) for one in (_CLONE, flags | 17, 0, 0, 0, 0)))  # 17: SIGCHLD
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, f"clone: {os.strerror(error)}")
    return pid


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    call(_UNSHARE, flags, what="unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """`mount`, raising OSError with the target in it."""
    arguments = [part.encode() if part is not None else None for part in (source, target, kind)]
    if _LIBC.mount(*arguments, ctypes.c_ulong(flags), options.encode()):
        error = ctypes.get_errno()
        raise OSError(error, f"mount {target}: {os.strerror(error)}")


def set_mount_flags(path: str, flags: int, recursive: bool) -> None:
    """Add attributes (read-only, ...) to a mount; those it has stay."""
    attributes = (ctypes.c_uint64 * 4)(flags, 0, 0, 0)
    at = 0x8000 if recursive else 0
    call(_MOUNT_SETATTR, -100, path.encode(), at, attributes, 32, what=f"mount_setattr {path}")


def enter_root(path: str) -> None:
    """Make a folder the root, and let go of the old one."""
    os.chdir(path)
    call(_PIVOT_ROOT, b".", b".", what="pivot_root")
    if _LIBC.umount2(b".", ctypes.c_int(2)):  # MNT_DETACH
        error = ctypes.get_errno()
        raise OSError(error, f"umount of the old root: {os.strerror(error)}")
    os.chdir("/")


def drop_bounds() -> None:
    """Let no program that is started later gain a capability."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # EINVAL: beyond the last capability; EPERM: there were none to drop
            break


def drop_capabilities() -> None:
    """Give up every capability."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call(_CAPSET, header, (ctypes.c_uint32 * 6)(), what="capset")
