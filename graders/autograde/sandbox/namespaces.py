"""A process of its own world: new user, mount, pid, network, ipc and uts namespaces around a fork of this process."""

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
    """Fork into new namespaces: 0 in the child, which is pid 1 there; the pid here in the parent."""
    return system.clone(sum(_FLAGS.values()))


def leave_namespaces() -> None:
    """Move this process, which is to start no other, into new namespaces of everything but processes."""
    system.unshare(sum(flag for name, flag in _FLAGS.items() if name != "pid"))


def map_users(pid: int) -> None:
    """Give the child of `start_process` its users: nobody, and for root also root, as which it sets itself up."""
    folder = Path(f"/proc/{pid}")
    if os.geteuid() == 0:
        try:
            for name in ("uid_map", "gid_map"):
                (folder / name).write_text(f"0 0 1\n{_NOBODY} {_NOBODY} 1\n")
            return
        except OSError:  # root of a container that has no such user: as for anybody else
            pass
    (folder / "setgroups").write_text("deny")
    for name, own in (("uid_map", os.geteuid()), ("gid_map", os.getegid())):
        (folder / name).write_text(f"{_NOBODY} {own} 1\n")


def settle(view: View, root: str, limits: Limits, keep: tuple[int, ...], alone: bool) -> None:
    """In the child, once its users are mapped: see `view` alone and give up every right.

    Returns in a grandchild, unless `alone`. The child itself stays as pid 1: it reaps what is left over, and when the
    grandchild ends it ends with its status, which ends every process of the namespace.

    Args:
        root: an empty folder, where the new root is mounted; nothing of it is seen outside.
        keep: the descriptors that the grandchild keeps and pid 1 does not.
        alone: this process starts no other and signals none; it has no pid 1, and saves a fork.
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
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # which pid 1 ignores
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
    # First the folders to write in, then what is read: that may lie beneath them (a course in /tmp).
    os.makedirs(root + HOME)
    os.mkdir(root + "/tmp")
    if view.home:
        size = f"size={limits.file_bytes},nr_inodes=4096,mode=777"
        system.mount("tmpfs", root + HOME, "tmpfs", _NO_SUID | _NO_DEVICES, size)
        system.mount(root + HOME, root + "/tmp", None, _BIND)
        # The same folder once more, so that the same limits hold: locks of `multiprocessing` and tensors that it shares.
        os.makedirs(root + _SHARED)
        system.mount(root + HOME, root + _SHARED, None, _BIND)
    for path in view.readable:
        _bind(path, root)
    for path in view.masked:
        system.mount("tmpfs", root + path, "tmpfs", _READ_ONLY, "size=0,nr_inodes=1,mode=755")
    for name in _DEVICES:
        _bind(f"/dev/{name}", root, flags=_NO_SUID)
    for path in ("/lib", "/lib64"):
        if os.path.islink(path):  # to /usr/lib, by which names the linker finds what is loaded later
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
    """Some containers forbid it; then there is none."""
    os.mkdir(target)
    try:
        system.mount("proc", target, "proc", _READ_ONLY | _NO_SUID | _NO_DEVICES, "hidepid=2")
    except OSError:
        return


def _become_nobody() -> None:
    with contextlib.suppress(
        PermissionError
    ):  # one user is mapped: the groups are the grader's, and own nothing in view
        os.setgroups([])
    system.drop_bounds()
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    system.drop_capabilities()


def _reap_until(child: int) -> None:
    """What pid 1 does."""
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        except ChildProcessError:
            os._exit(1)
        if pid == child:
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
