"""Trials side by side, each in a process of its own that is ended when its time is up."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from .trial import Outcome, Trial, run_trial

Result = TypeVar("Result")
Tried = TypeVar("Tried", bound=Trial)

# What a trial would otherwise import: an optimizer imports torch._dynamo when it is first made, which takes
# seconds.
_PRELOADED = ["torch", "torch._dynamo", "graders.lint.preload"]


def run_trials(
    trials: Sequence[Tried],
    *,
    jobs: int | None = None,
    timeout: float = 20.0,
    on_done: Callable[[int], None] | None = None,
    run: Callable[[Tried], Result] = run_trial,  # type: ignore[assignment]  # no default of a TypeVar
) -> list[Result | Outcome]:
    """Run trials and return their outcomes in the same order.

    Where the system has it, a fork server imports torch once and each trial is forked from it.

    Args:
        jobs: processes at a time; as many as there are processors, at most 4.
        timeout: seconds a trial may take.
        on_done: called with the number of trials done so far.
        run: what is done with a trial in its process: a function of a module.
    """
    jobs = jobs or min(4, os.cpu_count() or 1)
    context = _context()
    _warm(context)
    outcomes: list[Outcome | None] = [None] * len(trials)
    waiting = list(enumerate(trials))[::-1]
    running: dict[Connection, tuple[int, multiprocessing.Process, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            place, trial = waiting.pop()
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(there, run, trial), daemon=True)
            process.start()
            there.close()
            running[here] = (place, process, time.monotonic() + timeout)
        soonest = min(end for _, _, end in running.values())
        ready = set(wait(list(running), timeout=max(0.0, soonest - time.monotonic())))
        for connection, (place, process, end) in list(running.items()):
            if connection in ready:
                outcomes[place] = _received(connection)
            elif time.monotonic() >= end:
                outcomes[place] = Outcome("timeout", message=f"It ran longer than {timeout:g} seconds.")
            else:
                continue
            del running[connection]
            connection.close()
            process.kill()
            process.join()
            if on_done is not None:
                on_done(len(trials) - len(waiting) - len(running))
    return [outcome for outcome in outcomes if outcome is not None]


def _context():
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _warm(context) -> None:
    """Wait until the fork server has imported everything, so that no trial pays for it with its time."""
    process = context.Process(target=_nothing)
    process.start()
    process.join()


def _nothing() -> None:
    return None


def _child(there: Connection, run: Callable[[Tried], object], trial: Tried) -> None:
    there.send(run(trial))


def _received(connection: Connection) -> Outcome:
    try:
        return connection.recv()
    except (EOFError, OSError):
        return Outcome("died", message="Its process died.")
