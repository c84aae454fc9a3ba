"""The queue: submissions go to workers, a few ahead of those that are done, and evidence comes back as it is found."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue

from .assignment import grader_version
from .records import CheckOutcome, Evidence, GradingError, Isolation, Limits, Submission
from .sandbox import available_isolation
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


def grade_on(client, jobs: Iterable[Job], limits: Limits, isolation: Isolation) -> Iterator[Done]:
    """Grade on the workers of a Dask cluster, in the order in which they are done.

    A task whose worker is lost goes to another one. Where that happens time and again, it is the grader's failure and
    the batch goes on.

    Args:
        client: of `distributed`.

    Raises:
        GradingError: the scheduler is gone, or its workers have another version of the grader.
    """
    from distributed import as_completed

    _same_version(client)
    waiting, sent = iter(jobs), {}

    def send(count: int) -> list:
        fresh = []
        for job in islice(waiting, count):
            future = client.submit(_grade_there, job.submissions, limits, isolation, pure=False)
            sent[future.key] = job
            fresh.append(future)
        return fresh

    try:
        width = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        running = as_completed(send(AHEAD * width))
        for future in running:
            job = sent.pop(future.key)
            yield Done(job, _outcome(future, job))
            future.release()
            running.update(send(1))
    except (CancelledError, OSError) as error:  # a lost connection is an OSError
        raise GradingError(
            f"The Dask scheduler is gone ({error}). What is graded so far is kept; run the same command again and it goes on "
            "from there."
        ) from error


@contextlib.contextmanager
def remote_cluster(address: str):
    """A Dask client of a scheduler that runs elsewhere.

    Raises:
        GradingError: there is none, or it has no workers.
    """
    from distributed import Client

    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise GradingError(
            f"No Dask scheduler answers at {address} ({error}). Start one (`dask scheduler`) and workers (`dask worker "
            f"{address} --nthreads 1`), then try again."
        ) from error
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise GradingError(
                f"The scheduler {address} has no workers. Start some (`dask worker {address} --nthreads 1`), then try again."
            )
        yield client


def isolation_of(client) -> tuple[Isolation, str]:
    """The weakest isolation among the workers, and why it is no better."""
    ranked: tuple[Isolation, ...] = ("none", "landlock", "namespaces")
    return min(client.run(available_isolation).values(), key=lambda found: ranked.index(found[0]))


def _same_version(client) -> None:
    mine = grader_version()
    other = {address: theirs for address, theirs in client.run(grader_version).items() if theirs != mine}
    if other:
        address, theirs = next(iter(other.items()))
        raise GradingError(
            f"{len(other)} of the workers have another version of the grader ({address} has {theirs}, this is {mine}). "
            "Install the same one everywhere, restart the workers, then try again."
        )


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


# One in each Dask worker process; its plugin closes it when the worker ends.
_HERE: dict[tuple[Limits, Isolation], Held] = {}
_LOCK = threading.Lock()


def _grade_there(
    submissions: tuple[Submission, ...], limits: Limits, isolation: Isolation
) -> tuple[Evidence, ...]:
    with _LOCK:
        held = _HERE.get((limits, isolation))
        if held is None:
            held = _HERE[limits, isolation] = Held(limits, isolation)
        return held.grade(submissions)


def _outcome(future, job: Job) -> tuple[Evidence, ...]:
    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise ConnectionError("it does not know its tasks any more")
    error = future.exception()
    reason = f"The grader's worker was lost time and again ({type(error).__name__}: {str(error)[:200]})"
    return tuple(grader_failed(submission, reason) for submission in job.submissions)
