"""A process that imports PyTorch once; every fork server is a fork of it.

It is a new process (`exec`) with a clean environment, stays single-threaded, never imports a check, and ends
with the process that started it. Its servers then share one copy of what it imported, which saves time and
memory.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass

from ..sandbox.view import ENVIRONMENT, search_path
from . import huge_pages
from .monitor import ended

_MESSAGE, _START_S, _STOP_S = 1 << 16, 120.0, 5.0


class ServerGone(RuntimeError):
    """A process that grading needs has ended or does not answer."""


@dataclass
class Server:
    """A worker's handle on a fork server. `private_bytes`: the server's memory that no file backs."""

    pid: int
    watch: int
    control: socket.socket
    private_bytes: int = 0

    def say(self, message: dict, descriptors: tuple[int, ...] = ()) -> None:
        """Send a request; its answer has to be read before the next one is sent.

        Raises:
            ServerGone: it has ended.
        """
        _say(self.control, message, descriptors)

    def answer(self, within: float) -> dict:
        """The answer to the last request.

        Raises:
            ServerGone: none came.
        """
        return _answer(self.control, within)

    def runs(self) -> bool:
        """Whether it is running."""
        return not ended(self.watch)

    def kill(self) -> None:
        """End it and everything it started, now. `stop` still has to be called."""
        with contextlib.suppress(OSError):  # it has ended, or its worker has just stopped it
            signal.pidfd_send_signal(self.watch, signal.SIGKILL)

    def stop(self) -> None:
        """Let it end what it started and exit. Call this once."""
        self.control.close()
        if not ended(self.watch, _STOP_S):
            self.kill()
            ended(self.watch, _STOP_S)
        os.close(self.watch)


class Zygote:
    """Starts importing when it is created; several threads may ask it for servers.

    Use it as a context manager.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._start()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the running zygote."""
        return self._process.pid

    def close(self) -> None:
        """End it; its servers go on running."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def launch(self, kind: str, log: int) -> Server:
        """Fork a server of a kind ("student" or "checker"), whose output goes to the descriptor `log`.

        If the zygote has ended, it is started again.

        Raises:
            ServerGone: that did not help.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with self._turn, theirs:
                if self._process.poll() is not None:
                    self.close()
                    self._start()
                self._ready()
                _say(self._control, {"serve": kind}, (theirs.fileno(), log))
                pid = _answer(self._control, _START_S)["pid"]
            return Server(pid, os.pidfd_open(pid), ours)
        except BaseException as error:
            ours.close()
            if isinstance(error, ProcessLookupError):
                raise ServerGone("A fork server ended at once.") from error
            raise

    def _start(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._is_ready = False
        code = (
            f"import sys; sys.path[:] = {search_path()!r}; from graders.autograde.processes.zygote import "
            f"main; main({theirs.fileno()})"
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-c", code],
                pass_fds=[theirs.fileno()], env=ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL,
                stdout=self._log, stderr=self._log, start_new_session=True,
            )  # fmt: skip

    def _ready(self) -> None:
        if self._is_ready:
            return
        try:
            threads = _answer(self._control, _START_S)["threads"]
        except ServerGone as error:
            self._log.seek(0)
            tail = self._log.read()[-500:].decode(errors="replace")
            raise ServerGone(f"The process that imports PyTorch did not start: {tail or error}") from error
        if threads > 1:
            raise ServerGone(
                f"The process that imports PyTorch has {threads} threads, so it cannot be forked safely."
            )
        self._is_ready = True


def main(control: int) -> None:
    """Import PyTorch, then fork a server for each request, until the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that ended servers leave no zombies
    end = socket.socket(fileno=control)
    # Otherwise the first step of an optimizer would import it in every fork, which takes a second.
    import torch._dynamo  # noqa: F401

    import tlwidgets  # noqa: F401

    from . import server

    server.warm_up()
    gc.collect()
    gc.freeze()
    huge_pages.gather()
    _say(end, {"threads": server.threads()})
    while True:
        data, descriptors, _, _ = socket.recv_fds(end, _MESSAGE, 2)
        if not data:
            return
        pid = os.fork()
        if pid == 0:
            end.close()
            _become_server(server, json.loads(data)["serve"], *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _say(end, {"pid": pid})


def _become_server(server, kind: str, control: int, log: int) -> None:
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        server.main(kind, control)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _say(end: socket.socket, message: dict, descriptors: tuple[int, ...] = ()) -> None:
    try:
        socket.send_fds(end, [json.dumps(message).encode()], descriptors)
    except OSError as error:
        raise ServerGone(f"A fork server ended ({error}).") from error


def _answer(end: socket.socket, within: float) -> dict:
    end.settimeout(within)
    try:
        data = end.recv(_MESSAGE)
    except OSError as error:
        raise ServerGone("A fork server does not answer.") from error
    if not data:
        raise ServerGone("A fork server ended.")
    return json.loads(data)
