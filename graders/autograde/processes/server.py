"""A fork server: forks a sandboxed process for each submission.

There are two: one for students' processes, which has never imported a check, and one for checkers. Both are
forks of the zygote, stay single-threaded, and end when the worker does. Before the first submission that
calls a check, the server of checkers runs that check once, so that no fork has to load what it needs.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import signal
import socket
import sys
from collections.abc import Iterable

from ..records import Limits
from ..sandbox import Start, start
from ..sandbox.course_view import find_experiments
from ..sandbox.view import View, view_for
from .monitor import cpu_seconds, descendants, ends_within, private_bytes

_MESSAGE, _LEAVE_S = 1 << 16, 0.5
_warm: set[str] = set()  # checks that this server has run


def main(kind: str, control: int) -> None:
    """Fork processes of one kind ("student" or "checker") on request, until the socket is closed."""
    end = socket.socket(fileno=control)
    if kind == "checker":
        view = view_for(("tlwidgets", "graders"), home=False, exercises=True)
        from ..checker import judge  # noqa: F401

        _read_programs()
    else:
        view = view_for(("tlwidgets",), home=True)
        from tlwidgets.train import language, lora, optim  # noqa: F401  # off limits to some answers

        from ..student import process  # noqa: F401

        find_experiments()
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
    """Do what PyTorch does only the first time, so that no fork has to."""
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Dropout(),
        nn.GELU(), nn.Linear(2, 3), nn.BatchNorm1d(3), nn.LayerNorm(3),
    )  # fmt: skip
    for optimizer in (torch.optim.AdamW(model.parameters()), torch.optim.SGD(model.parameters(), lr=0.1)):
        loss = nn.functional.cross_entropy(model(torch.randn(4, 4)), torch.zeros(4, dtype=torch.long))
        loss.backward()
        optimizer.step()


def _read_programs() -> None:
    """Import every check, and read the programs by which mistakes are recognised."""
    from graders.checks import EXERCISES
    from graders.checks.shared import read_sources

    read_sources()
    for exercise in EXERCISES:
        exercise.wrong  # noqa: B018


def _warm_up_checks(named: Iterable[str]) -> None:
    """Run the exercises' checks of these names once on a right answer, unless that was done before.

    A check that fails on it is left to the grading, which says so of each submission.

    Raises:
        OSError: a check has started threads.
    """
    from graders.checks import EXERCISES, models
    from graders.checks.programs import functions

    new = [one for one in EXERCISES if one.check.__name__ in set(named) - _warm]
    if not new:
        return
    for exercise in new:
        right = next(iter(exercise.right.values()), None)
        if right is not None:
            with contextlib.suppress(Exception):
                exercise.check(*functions(right, exercise.functions))
        _warm.add(exercise.check.__name__)
    if "transformers" in sys.modules:  # a check makes small models of it; which, it draws
        models.preload()
    gc.collect()
    gc.freeze()
    if threads() > 1:
        raise OSError(f"a check has started {threads() - 1} threads, so nothing can be forked safely")


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
    if kind == "checker":
        _warm_up_checks(request["checks"])
    limits = Limits(**request["limits"])
    alone, cores = kind == "checker", tuple(request["cores"])
    begin = Start(request["isolation"], view, request["root"], limits, links, alone, cores)

    def body(*links: int) -> None:
        from ..protocol.channel import Channel

        ends = [Channel(socket.socket(fileno=link)) for link in links]
        _reseed(request["seed"])
        if kind == "student":
            from ..student.process import Student

            Student(ends[0], limits.output_bytes).serve()
        else:
            from ..checker.judge import main

            report, link = ends
            main(report, link, limits)

    return start(begin, body)


def _reseed(seed: int) -> None:
    """Seed the random generators; otherwise all forks of a server would draw the same numbers."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed % 2**63)


def _end(pid: int) -> dict:
    """Wait for a process, which ends when its channel is closed, or kill it and its namespace."""
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
    """The number of threads of this process, if the system tells."""
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
