"""A fork server: forks a sandboxed process for each submission.

There are two: one for students' processes, which has never seen a check, and one for checkers. Both are forks of the
zygote, stay single-threaded, and end when the worker does.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import signal
import socket

from .processes import cpu_seconds, descendants, ends_within, private_bytes
from .records import Limits
from .sandbox import Start, start
from .sandbox.view import View, view_for

_MESSAGE, _LEAVE_S = 1 << 16, 0.5


def main(kind: str, control: int) -> None:
    """Serve forks of one kind ("student" or "checker") over a socket until it is closed."""
    end = socket.socket(fileno=control)
    view = view_for(("tlwidgets",) if kind == "student" else ("tlwidgets", "graders"), home=kind == "student")
    if kind == "checker":
        from . import checker  # noqa: F401

        _warm_up_checks()
    else:
        from . import student  # noqa: F401
    gc.collect()
    gc.freeze()
    _say(end, {"ready": kind, "threads": threads(), "private_bytes": private_bytes(os.getpid())})
    children: set[int] = set()
    try:
        _serve(end, kind, view, children)
    finally:
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def warm_up() -> None:
    """What PyTorch does the first time only, so that no fork has to."""
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Dropout(), nn.GELU(),
        nn.Linear(2, 3), nn.BatchNorm1d(3), nn.LayerNorm(3),
    )  # fmt: skip
    for optimizer in (torch.optim.AdamW(model.parameters()), torch.optim.SGD(model.parameters(), lr=0.1)):
        loss = nn.functional.cross_entropy(model(torch.randn(4, 4)), torch.zeros(4, dtype=torch.long))
        loss.backward()
        optimizer.step()


def _warm_up_checks() -> None:
    """Run each check once on an answer that is right."""
    import torch

    import graders.checks.units  # noqa: F401
    from graders.checks import EXERCISES
    from graders.checks.shared import read_sources

    read_sources()
    for exercise in EXERCISES:
        names = {"torch": torch, "nn": torch.nn}
        exec(exercise.right[0], names)
        exercise.check(*(names[name] for name in exercise.functions))


def _serve(end: socket.socket, kind: str, view: View, children: set[int]) -> None:
    while True:
        data, descriptors, _, _ = socket.recv_fds(end, _MESSAGE, 4)
        if not data:
            return
        request = json.loads(data)
        try:
            if request["do"] == "start":
                pid = _start(request, kind, view, tuple(descriptors))
                children.add(pid)
                _say(end, {"pid": pid})
            else:
                children.discard(request["pid"])
                _say(end, _end(request["pid"]))
        except OSError as error:
            _say(end, {"error": str(error)})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _start(request: dict, kind: str, view: View, links: tuple[int, ...]) -> int:
    limits = Limits(**request["limits"])
    begin = Start(request["isolation"], view, request["root"], limits, links, alone=kind == "checker")

    def body(*links: int) -> None:
        from .channel import Channel

        ends = [Channel(socket.socket(fileno=link)) for link in links]
        _reseed(request["seed"])
        if kind == "student":
            from .student import Student

            Student(ends[0], limits.output_bytes).serve()
        else:
            from .checker import main

            main(*ends, limits)

    return start(begin, body)


def _reseed(seed: int) -> None:
    """Forks of one server would all draw the same numbers."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed % 2**63)


def _end(pid: int) -> dict:
    """See a process off: it ends by itself when its channel is closed, or is killed, and its namespace with it."""
    cpu_s = 0.0
    killed = not ends_within(pid, _LEAVE_S)
    if killed:
        cpu_s = sum(map(cpu_seconds, descendants(pid)))
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    return {"status": status, "killed": killed, "cpu_s": max(cpu_s, usage.ru_utime + usage.ru_stime)}


def _say(end: socket.socket, message: dict) -> None:
    end.send(json.dumps(message).encode())


def threads() -> int:
    """Threads of this process, where the system says."""
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
