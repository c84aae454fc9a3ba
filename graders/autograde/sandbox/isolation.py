"""The kinds of isolation: namespaces if available, otherwise Landlock, and none only on request."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from ..records import Isolation, Limits
from . import landlock, namespaces, seccomp, system
from .limits import mapped_bytes, set_limits
from .view import ENVIRONMENT, View, search_path, view_for

_READY_S = 20.0


class IsolationError(RuntimeError):
    """Students' code cannot be isolated here; the message says why and what to do."""


@dataclass(frozen=True)
class Start:
    """How a process is started.

    Attributes:
        root: an empty folder: the root of the namespaces, or under Landlock the only writable folder.
        links: the descriptors that the process keeps.
        alone: whether it must not start other processes.
        cores: the processors that it and what it starts may use; () for all.
    """

    isolation: Isolation
    view: View
    root: str
    limits: Limits
    links: tuple[int, ...]
    alone: bool = False
    cores: tuple[int, ...] = ()


def available_isolation() -> tuple[Isolation, str]:
    """The best isolation that works here, found by trying, and a sentence on why nothing better works.

    The sentence is "" for namespaces.
    """
    if not system.SUPPORTED:
        return "none", "Isolating students' code needs Linux on x86-64 or arm64."
    why = _try("namespaces")
    if not why:
        return "namespaces", ""
    sentence = f"New user namespaces do not work here ({why})."
    if not landlock.version():
        return "none", f"{sentence} This kernel has no Landlock either (Linux 5.13 and later have it)."
    also = _try("landlock")
    return ("none", f"{sentence} Nor does Landlock ({also}).") if also else ("landlock", sentence)


def choose_isolation(asked: str) -> Isolation:
    """The isolation to grade with.

    Args:
        asked: "auto" takes the best available; a name insists on that kind.

    Raises:
        IsolationError: "auto" found none, or the kind asked for does not work.
    """
    if asked == "none":
        return "none"
    if asked not in ("auto", "namespaces", "landlock"):
        raise IsolationError(
            f"There is no isolation {asked!r}. Expected 'auto', 'namespaces', 'landlock' or 'none'."
        )
    best, why = available_isolation()
    if best == "none":
        raise IsolationError(
            f"{why} Students' code would run with all your rights. Grade on a machine (or in a container) "
            "that allows user namespaces, or pass isolation='none' if you trust every submission."
        )
    if asked == "landlock" and best == "namespaces":
        why = _try("landlock")
        if why:
            raise IsolationError(f"Landlock does not work here ({why}). Use isolation='auto'.")
        return "landlock"
    if asked == "namespaces" and best != "namespaces":
        raise IsolationError(f"{why} isolation='auto' would take {best!r}.")
    return best


def start(begin: Start, body: Callable[..., None]) -> int:
    """Fork a process that runs `body(*links)` and ends; returns its pid (of pid 1 of its namespace).

    Raises:
        OSError: it could not be isolated; `body` did not run.
    """
    ready, say = os.pipe()
    go, tell = os.pipe()
    spaces = begin.isolation == "namespaces"
    pid = namespaces.start_process() if spaces and not begin.alone else os.fork()
    if pid == 0:
        # With copies of its own it would wait forever for a server that was killed.
        os.close(ready)
        os.close(tell)
        _child(begin, body, say, go)
    os.close(say)
    os.close(go)
    try:
        if spaces:
            _await(ready, b"apart")
            namespaces.map_users(pid)
        os.write(tell, b"!")
        _await(ready, b"ready")
    except OSError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        os.close(tell)
        os.close(ready)
    return pid


def _await(ready: int, word: bytes) -> None:
    poll = select.poll()
    poll.register(ready, select.POLLIN)
    if not poll.poll(_READY_S * 1000):
        raise OSError(f"the sandbox was not ready within {_READY_S:.0f} seconds")
    said = os.read(ready, 1000)
    if said != word:
        raise OSError(said.decode(errors="replace") or "the process ended while it was set up")


def _child(begin: Start, body: Callable[..., None], say: int, go: int) -> None:
    status = 1
    try:
        try:
            if begin.isolation == "namespaces":
                if begin.alone:
                    namespaces.leave_namespaces()
                os.write(say, b"apart")
            if not os.read(go, 1):
                os._exit(1)
            os.close(go)
            _close_all_but(*begin.links, say)
            if begin.cores:
                os.sched_setaffinity(0, begin.cores)
            _settle(begin)
            os.write(say, b"ready")
            os.close(say)
        except Exception as error:  # the parent has to hear about any error
            os.write(say, f"{type(error).__name__}: {error}".encode()[:900])
            os._exit(1)
        body(*begin.links)
        status = 0
    finally:
        os._exit(status)


def _settle(begin: Start) -> None:
    if begin.isolation == "namespaces":
        namespaces.settle(begin.view, begin.root, begin.limits, begin.links, begin.alone)
        return
    os.setsid()
    os.chdir(begin.root if begin.view.home else "/")
    set_limits(begin.limits, mapped_bytes())
    if begin.isolation == "landlock":
        system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
        readable, listed = _without_masked(begin.view)
        readable.append(f"/proc/{os.getpid()}/schedstat")  # by which it knows how long others kept it waiting
        landlock.restrict(readable, listed, [begin.root] if begin.view.home else [])
        system.drop_bounds()
        system.drop_capabilities()
        seccomp.install(alone=True)
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)


def _without_masked(view: View) -> tuple[list[str], list[str]]:
    """Landlock can only allow, so a folder that contains a masked one is allowed entry by entry."""
    readable, listed = [], []
    pending = list(view.readable)
    while pending:
        path = pending.pop()
        if path in view.masked:
            continue
        if any(mask.startswith(path.rstrip("/") + "/") for mask in view.masked):
            listed.append(path)
            pending += [os.path.join(path, name) for name in os.listdir(path)]
        else:
            readable.append(path)
    return readable, listed


def _close_all_but(*kept: int) -> None:
    """Close inherited descriptors; 0, 1 and 2 become /dev/null."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    last = 3
    for descriptor in sorted(kept):
        os.closerange(last, descriptor)
        last = descriptor + 1
    os.closerange(last, 1 << 16)


def _try(isolation: Isolation) -> str:
    """Try an isolation: "" if a process can be started under it, otherwise the reason.

    A failure has to happen twice: something from outside (the trial was killed, memory was short for a
        moment) must not decide
    how a whole class is isolated.
    """
    return _try_once(isolation) and _try_once(isolation)


def _try_once(isolation: Isolation) -> str:
    """Try once, in a new Python process: this one may have threads, and then forking is not safe."""
    code = (
        f"import sys; sys.path[:] = {search_path()!r}; from graders.autograde.sandbox.isolation import "
        f"probe; sys.stdout.write(probe({isolation!r}))"
    )
    tried = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code], capture_output=True, text=True, cwd="/", env=ENVIRONMENT
    )
    return tried.stdout if tried.returncode == 0 else tried.stderr.strip()[-300:] or "a trial process crashed"


def probe(isolation: Isolation) -> str:
    """Start a process under an isolation from this one: "" if that works, otherwise the reason."""
    with tempfile.TemporaryDirectory() as root:
        link, other = os.pipe()
        try:
            pid = start(Start(isolation, view_for((), home=True), root, Limits(), (link,)), lambda link: None)
            os.waitpid(pid, 0)
        except OSError as error:
            return str(error)
        finally:
            os.close(link)
            os.close(other)
    return ""
