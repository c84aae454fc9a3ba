"""Runs a fork of this process in new user, mount, pid, network, ipc and uts namespaces."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from ..records import Limits
from . import landlock, seccomp, system
from .limits import mapped_bytes, set_limits
from .view import HOME, View

_FLAGS = {
    "user": 0x10000000,
    "mnt": 0x20000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x8000000,
    "uts": 0x4000000,
}
_NOBODY = 65534
_READ_ONLY, _NO_SUID, _NO_DEVICES = 1, 2, 4  # the same numbers for mount() and mount_setattr()
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_SHARED = "/dev/shm"
_DEVICES = ("null", "zero", "urandom", "random")


def start_process() -> int:
    """Fork into new namespaces; returns 0 in the child, which is pid 1 there, and its pid in the parent."""
    return system.clone(sum(_FLAGS.values()))


def leave_namespaces() -> None:
    """Move this process, which will start no other, into new namespaces of every kind except pid."""
    system.unshare(sum(flag for name, flag in _FLAGS.items() if name != "pid"))


def map_users(pid: int) -> None:
    """Map the users of a child of `start_process`: nobody, and for root also root, for its set-up."""
    folder = Path(f"/proc/{pid}")
    if os.geteuid() == 0:
        try:
            for name in ("uid_map", "gid_map"):
                (folder / name).write_text(f"0 0 1\n{_NOBODY} {_NOBODY} 1\n")
            return
        except OSError:  # root of a container without that user: treated like any other user
            pass
    (folder / "setgroups").write_text("deny")
    for name, own in (("uid_map", os.geteuid()), ("gid_map", os.getegid())):
        (folder / name).write_text(f"{_NOBODY} {own} 1\n")


def settle(view: View, root: str, limits: Limits, keep: tuple[int, ...], alone: bool) -> None:
    """In the child, after its users are mapped: restrict it to `view`, and give up every privilege.

    Returns in a grandchild, unless `alone`. The child itself stays as pid 1: it reaps orphans, and when the
    grandchild ends it ends with the same status, which ends every process in the namespace.

    Args:
        root: an empty folder, on which the new root is mounted; nothing of it is visible outside.
        keep: the descriptors that the grandchild keeps and pid 1 does not.
        alone: this process starts and signals no other; it needs no pid 1, which saves a fork.
    """
    os.setsid()
    mapped = mapped_bytes()
    Path("/proc/self/oom_score_adj").write_text("1000")
    _mount_view(view, root, limits)
    _become_nobody()
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    if landlock.version():
        landlock.restrict(["/"], ["/"], [HOME, "/tmp", _SHARED, "/proc"] if view.home else ["/proc"])
    seccomp.install(alone)
    system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    set_limits(limits, mapped)
    if alone:
        os.chdir("/")
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # pid 1 ignores it
    child = os.fork()
    if child:
        for descriptor in keep:
            os.close(descriptor)
        system.prctl(system.PR_SET_DUMPABLE, 0)
        _reap_until(child)
    system.prctl(system.PR_SET_DUMPABLE, 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(HOME if view.home else "/")


def _mount_view(view: View, root: str, limits: Limits) -> None:
    system.mount("none", "/", None, _RECURSIVE | _PRIVATE)
    system.mount("tmpfs", root, "tmpfs", _NO_SUID | _NO_DEVICES, "size=1m,mode=755")
    # First the writable folders, then the readable ones, which may lie beneath them (a course in /tmp).
    os.makedirs(root + HOME)
    os.mkdir(root + "/tmp")
    if view.home:
        size = f"size={limits.file_bytes},nr_inodes=4096,mode=777"
        system.mount("tmpfs", root + HOME, "tmpfs", _NO_SUID | _NO_DEVICES, size)
        system.mount(root + HOME, root + "/tmp", None, _BIND)
        # The same folder again, so that the same limits hold: for locks and shared tensors of
        # `multiprocessing`.
        os.makedirs(root + _SHARED)
        system.mount(root + HOME, root + _SHARED, None, _BIND)
    for path in view.readable:
        _bind(path, root)
    for path in view.masked:
        system.mount("tmpfs", root + path, "tmpfs", _READ_ONLY, "size=0,nr_inodes=1,mode=755")
    for name in _DEVICES:
        _bind(f"/dev/{name}", root, flags=_NO_SUID)
    for path in ("/lib", "/lib64"):
        if os.path.islink(path):  # a link to /usr/lib; the linker uses this name for libraries loaded later
            os.symlink(os.readlink(path), root + path)
    os.symlink("/proc/self/fd", root + "/dev/fd")
    _mount_proc(root + "/proc")
    system.set_mount_flags(root, _READ_ONLY | _NO_SUID | _NO_DEVICES, recursive=False)
    system.enter_root(root)


def _bind(path: str, root: str, flags: int = _READ_ONLY | _NO_SUID | _NO_DEVICES) -> None:
    target = root + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    system.mount(path, target, None, _BIND | _RECURSIVE)
    system.set_mount_flags(target, flags, recursive=True)


def _mount_proc(target: str) -> None:
    """Mount /proc; in some containers this is forbidden, and then there is none."""
    os.mkdir(target)
    try:
        system.mount("proc", target, "proc", _READ_ONLY | _NO_SUID | _NO_DEVICES, "hidepid=2")
    except OSError:
        return


def _become_nobody() -> None:
    with contextlib.suppress(
        PermissionError
    ):  # only one user is mapped: the groups are the grader's, and own nothing that is visible
        os.setgroups([])
    system.drop_bounds()
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    system.drop_capabilities()


def _reap_until(child: int) -> None:
    """The work of pid 1: reap processes until the child ends."""
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        except ChildProcessError:
            os._exit(1)
        if pid == child:
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
