"""Kernels that start at once: forks of a process that has imported what each notebook of the tests imports.

`python -m tests.widgets.warm_kernel serve SOCKET` is that process; `... start SOCKET CONNECTION_FILE` is
what a Jupyter server launches in place of `ipykernel_launcher`. Each kernel is a process of its own, with
nothing of another test in it. JupyterLab starts, interrupts, restarts and ends it as any other.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def warm_kernels(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Serve kernels; yields the environment of a Jupyter server whose `python3` they are."""
    import subprocess

    address = folder / "kernels.sock"
    specification = folder / "share" / "kernels" / "python3" / "kernel.json"
    specification.parent.mkdir(parents=True)
    start = [sys.executable, "-S", str(Path(__file__)), "start", str(address), "{connection_file}"]
    specification.write_text(
        json.dumps({"argv": start, "display_name": "Python 3", "language": "python"}), encoding="utf-8"
    )
    serve = [sys.executable, "-m", "tests.widgets.warm_kernel", "serve", str(address)]
    server = subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        server.stdout.readline()
        yield {**environment, "JUPYTER_PATH": str(folder / "share")}
    finally:
        server.kill()
        server.wait()


def _serve(address: str) -> None:
    import ipykernel.ipkernel
    import ipykernel.kernelapp
    import ipywidgets
    import torch
    import transformers

    import tlwidgets  # noqa: F401

    del ipykernel, ipywidgets, torch, transformers
    signal.signal(
        signal.SIGCHLD, signal.SIG_IGN
    )  # nobody waits for a kernel: its starter sees its socket close
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    print("ready", flush=True)
    while True:
        starter, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _become_kernel(starter)
            os._exit(0)
        starter.close()


def _become_kernel(starter: socket.socket) -> None:
    """As `python -m ipykernel_launcher -f CONNECTION_FILE`, in the starter's folder and environment."""
    from ipykernel.kernelapp import IPKernelApp

    asked = json.loads(starter.makefile().readline())
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    threading.Thread(target=_obey, args=[starter], daemon=True).start()
    IPKernelApp.launch_instance(["-f", asked["connection_file"], "--log-level=ERROR"], parent_handle=0)


def _obey(starter: socket.socket) -> None:
    """Each byte is an interrupt; without a starter the kernel ends."""
    while starter.recv(1):
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(0)


def _start(address: str, connection_file: str) -> None:
    """Ask for a kernel, pass interrupts on, and live as long as it does."""
    kernel = socket.socket(socket.AF_UNIX)
    kernel.connect(address)
    signal.signal(signal.SIGINT, lambda *_: kernel.sendall(b"i"))
    asked = {"folder": os.getcwd(), "environment": dict(os.environ), "connection_file": connection_file}
    kernel.sendall(json.dumps(asked).encode() + b"\n")
    while kernel.recv(1):
        pass


if __name__ == "__main__":
    {"serve": _serve, "start": _start}[sys.argv[1]](*sys.argv[2:])
