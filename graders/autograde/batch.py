"""The queue: submissions go to workers, a few ahead of those that are done, and evidence comes back as it is found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue

from .records import CheckOutcome, Evidence, Isolation, Limits, Submission
from .worker import Worker
from .zygote import Zygote

AHEAD = 4  # submissions sent for each worker: enough to keep it busy, few enough to keep memory flat


@dataclass(frozen=True)
class Job:
    """A student's submission: its notebooks, to be graded one after the other."""

    student: str
    submissions: tuple[Submission, ...]


@dataclass(frozen=True)
class Done:
    """A job with what was found, an evidence for each notebook."""

    job: Job
    evidence: tuple[Evidence, ...]


def grade_here(
    jobs: Iterable[Job], limits: Limits, isolation: Isolation, workers: int = 1, zygote: Zygote | None = None
) -> Iterator[Done]:
    """Grade on this machine, with one worker in the order given, with more in the order in which they are done.

    A worker is a thread here and processes of its own, all forks of `zygote` (one is made without it). Close the iterator
    to stop early.
    """
    with contextlib.ExitStack() as stack:
        zygote = zygote or stack.enter_context(Zygote())
        held = [Held(limits, isolation, zygote) for _ in range(workers)]
        for one in held:
            stack.callback(one.close)
        if workers == 1:
            for job in jobs:
                yield Done(job, held[0].grade(job.submissions))
        else:
            yield from _on_threads(jobs, held)


def _on_threads(jobs: Iterable[Job], held: list[Held]) -> Iterator[Done]:
    waiting, idle = iter(jobs), SimpleQueue()
    for one in held:
        idle.put(one)

    def grade(job: Job) -> Done:
        one = idle.get()
        try:
            return Done(job, one.grade(job.submissions))
        finally:
            idle.put(one)

    with ThreadPoolExecutor(len(held), "grading") as pool:
        try:
            running = {pool.submit(grade, job) for job in islice(waiting, AHEAD * len(held))}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    running.update(pool.submit(grade, job) for job in islice(waiting, 1))
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if running:
                for one in held:
                    one.stop()


class Held:
    """A grading worker that is started when it is needed and started anew when it is lost."""

    def __init__(self, limits: Limits, isolation: Isolation, zygote: Zygote | None = None) -> None:
        self._limits, self._isolation, self._zygote = limits, isolation, zygote
        self._worker: Worker | None = None
        self._stopped = False

    def grade(self, submissions: tuple[Submission, ...]) -> tuple[Evidence, ...]:
        return tuple(self._grade(submission) for submission in submissions)

    def close(self) -> None:
        if self._worker is not None:
            self._worker, worker = None, self._worker
            worker.close()

    def stop(self) -> None:
        """From another thread: end at once what is being graded, and grade nothing more."""
        self._stopped = True
        worker = self._worker
        if worker is not None:
            worker.stop()

    def _grade(self, submission: Submission) -> Evidence:
        evidence = self._try(submission)
        if evidence.status == "grader-failed" and not self._stopped:
            self.close()  # a killed fork server says nothing about the submission: once more, with a new one
            evidence = self._try(submission)
        return evidence

    def _try(self, submission: Submission) -> Evidence:
        if self._stopped:
            return grader_failed(submission, "Grading was stopped.")
        try:
            if self._worker is None:
                self._worker = Worker(self._limits, self._isolation, zygote=self._zygote)
            return self._worker.grade(submission)
        except Exception as error:  # one submission's trouble must not end the batch
            return grader_failed(submission, f"The grader stopped with {type(error).__name__}: {error}")


def grader_failed(submission: Submission, reason: str) -> Evidence:
    """Evidence that nothing is known of a submission."""
    checks = tuple(
        CheckOutcome(cell.grade_id, 0.0, cell.points, False, 0, reason)
        for cell in submission.cells
        if cell.kind == "test"
    )
    return Evidence("grader-failed", reason, checks)
