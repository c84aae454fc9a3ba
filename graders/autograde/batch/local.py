"""Grading on this machine: submissions go to workers, a few in advance; results come as they are found."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from queue import SimpleQueue

from ..processes.zygote import Zygote
from ..records import Isolation, Limits
from .jobs import AHEAD, GradedJob, Job, deserves_another_try, tried_again
from .slot import WorkerSlot


def grade_here(
    jobs: Iterable[Job], limits: Limits, isolation: Isolation, workers: int = 1, zygote: Zygote | None = None
) -> Generator[GradedJob, None, None]:
    """Grade on this machine.

    One worker keeps the given order; with several, results come as they are finished.

    What took too long while the machine was busy is graded once more at the end, alone.

    A worker is a thread of this process and a few processes of its own, all forks of `zygote` (by default a
    new one). Close the iterator to stop early.
    """
    with contextlib.ExitStack() as stack:
        zygote = zygote or stack.enter_context(Zygote())
        slots = [WorkerSlot(limits, isolation, zygote, cores) for cores in _shares(workers)]
        for slot in slots:
            stack.callback(slot.close)
        again = []
        done: Iterator[GradedJob]
        if workers == 1:
            done = (GradedJob(job, slots[0].grade(job.submissions)) for job in jobs)
        else:
            done = stack.enter_context(contextlib.closing(_on_threads(jobs, slots)))
        for one in done:
            if deserves_another_try(one.evidence):
                again.append(one.job)
            else:
                yield one
        for job in again:
            yield GradedJob(job, tried_again(slots[0].grade(job.submissions)))


def _shares(workers: int) -> list[tuple[int, ...]]:
    """Processors for each worker's students, so that one's processes leave the others' alone.

    A single worker has no neighbour, and elsewhere than on Linux processes cannot be told where to run.
    """
    if workers == 1 or not hasattr(os, "sched_getaffinity"):
        return [()] * workers
    cores = sorted(os.sched_getaffinity(0))
    return [tuple(cores[place::workers]) or (cores[place % len(cores)],) for place in range(workers)]


def _on_threads(jobs: Iterable[Job], slots: list[WorkerSlot]) -> Generator[GradedJob, None, None]:
    waiting = iter(jobs)
    idle: SimpleQueue[WorkerSlot] = SimpleQueue()
    for one in slots:
        idle.put(one)

    def grade(job: Job) -> GradedJob:
        one = idle.get()
        try:
            return GradedJob(job, one.grade(job.submissions))
        finally:
            idle.put(one)

    with ThreadPoolExecutor(len(slots), "grading") as pool:
        try:
            running = {pool.submit(grade, job) for job in islice(waiting, AHEAD * len(slots))}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    running.update(pool.submit(grade, job) for job in islice(waiting, 1))
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if running:
                for one in slots:
                    one.stop()
