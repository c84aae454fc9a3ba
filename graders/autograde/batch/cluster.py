"""Grading on the workers of a Dask cluster, all with the same version of the course; no wait is endless."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import logging
import platform
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import CancelledError
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ..course.version import grader_version
from ..records import KEPT_SO_FAR, Evidence, GradingError, Isolation, Limits, Submission
from ..sandbox import available_isolation
from .jobs import AHEAD, GradedJob, Job, deserves_another_try, grader_failed, tried_again
from .slot import WorkerSlot
from .verified import verified

ANSWER_S = 20.0
"""Time in which a scheduler has to answer, however busy it is."""
ABOUT_S = 90.0
"""Time in which a worker has to describe itself; the first time, it imports the course and tries the kinds of
isolation.
"""
CLOSE_S = 5.0
"""Time for closing a connection in order; after that it is abandoned."""
PATIENCE_S = 60.0
"""Time for which a scheduler may be without workers; a nanny restarts a dead worker within seconds."""

T = TypeVar("T")


def grade_on(
    client, jobs: Iterable[Job], limits: Limits, isolation: Isolation, mark: str = ""
) -> Generator[GradedJob, None, None]:
    """Grade on the workers of a Dask cluster; results come as they are finished.

    A task whose worker is lost goes to another one. If that happens repeatedly, the submission counts as a
    failure of the grader, and the batch continues.

    Args:
        client: a client of `distributed`.
        mark: a sentence for the audit of each result.

    Raises:
        GradingError: the scheduler is gone or silent, has had no workers for a while, or a worker has another
            version of the course.
    """
    from distributed import wait

    waiting, running = iter(jobs), {}

    def submit(job: Job):
        return client.submit(_grade_there, _course_version(), job.submissions, limits, isolation, pure=False)

    def send(count: int) -> None:
        for job in islice(waiting, count):
            running[submit(job)] = job

    watch = _Watch(client)
    try:
        send(AHEAD * len(_workers(client)))
        again: list[Job] = []
        while running:
            found = watch.patiently(
                lambda seconds: wait(list(running), timeout=seconds, return_when="FIRST_COMPLETED")
            )
            for future in found.done:
                job = running.pop(future)
                evidence = _outcome(client, watch, future, job, isolation, mark)
                future.release()
                if deserves_another_try(evidence):
                    again.append(job)
                else:
                    yield GradedJob(job, evidence)
                send(1)
        for job in again:
            evidence = _outcome(client, watch, submit(job), job, isolation, mark)
            yield GradedJob(job, tried_again(evidence))
    except CancelledError as error:  # raised for every task when the connection is lost
        raise GradingError(f"The Dask scheduler is gone. {KEPT_SO_FAR}") from error
    except OSError as error:
        raise GradingError(f"The Dask scheduler is gone ({error}). {KEPT_SO_FAR}") from error


@contextlib.contextmanager
def remote_cluster(address: str, security=None):
    """A Dask client of a scheduler that runs somewhere else.

    Args:
        security: what `cluster_security` gave.

    Raises:
        GradingError: it cannot be reached, or has no workers.
    """
    from distributed import Client

    # Whoever catches an error reports it in a sentence. Each logger has its own level.
    for name in list(logging.root.manager.loggerDict):
        # Asyncio logs tasks that end with a connection.
        if name.partition(".")[0] in ("distributed", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    start = f"`dask worker {address} --nthreads 1`"
    try:
        _ask_who(address, security)
        client = Client(address, timeout=ANSWER_S, security=security)
    except Exception as error:  # whatever the answer of another program does to the protocol
        raise GradingError(
            f"No Dask scheduler answers at {address} ({str(error) or type(error).__name__}). Start one "
            f"(`dask scheduler`) and workers ({start}), then try again."
        ) from error
    try:
        if not _workers(client):
            raise GradingError(
                f"The scheduler {address} has no workers. Start some ({start}), then try again."
            )
        yield client
    finally:
        with contextlib.suppress(OSError, asyncio.TimeoutError, TimeoutError):  # it may be gone already
            client.close(timeout=CLOSE_S)


def isolation_of(client) -> tuple[Isolation, str]:
    """The weakest isolation among the workers, and why it is no better.

    Raises:
        GradingError: a worker does not answer, or has another version of the course.
    """
    ranked: tuple[Isolation, ...] = ("none", "landlock", "namespaces")
    found = _ask_workers(client)
    if not found:
        raise GradingError(
            "The workers of the scheduler have just disappeared. Start them again, then try again."
        )
    return min(found, key=lambda one: ranked.index(one[0]))


def _ask_who(address: str, security) -> None:
    """Find out what is at the address: `Client` itself would wait forever for a program that accepts
    connections silently.
    """
    from distributed import Security, rpc

    async def ask() -> str:
        safe = (security or Security()).get_connection_args("client")
        async with rpc(address, timeout=ANSWER_S / 2, connection_args=safe) as there:
            return (await there.identity())["type"]

    async def ask_for_a_while() -> str:
        try:
            return await asyncio.wait_for(ask(), ANSWER_S)
        except asyncio.TimeoutError as error:
            raise ConnectionError(
                f"a program there accepts connections but has said nothing for {ANSWER_S:g} s"
            ) from error

    kind = asyncio.run(ask_for_a_while())
    if kind != "Scheduler":
        raise ConnectionError(f"a {kind.lower()} answered")


def _workers(client) -> dict:
    """What the scheduler knows about each of its workers, by address.

    Raises:
        OSError: it does not answer.
    """
    try:
        return client.sync(client.scheduler.identity, callback_timeout=ANSWER_S)["workers"]
    except (asyncio.TimeoutError, TimeoutError) as error:
        raise ConnectionError(f"it has said nothing for {ANSWER_S:g} s") from error


def _ask_workers(client) -> list[tuple[Isolation, str]]:
    """The isolation of each worker.

    Raises:
        GradingError: as `isolation_of`.
    """
    try:
        answers = client.run(_about, on_error="return", callback_timeout=ABOUT_S)
    except (asyncio.TimeoutError, TimeoutError) as error:
        raise GradingError(
            f"Not all workers answer: one has said nothing for {ABOUT_S:g} s. Stop workers that hang, then "
            f"try again. {KEPT_SO_FAR}"
        ) from error
    except OSError as error:
        raise GradingError(f"The Dask scheduler is gone ({error}). {KEPT_SO_FAR}") from error
    # One that died meanwhile cannot answer; its tasks go to others.
    there = {address: answer for address, answer in answers.items() if not isinstance(answer, OSError)}
    for address, answer in there.items():
        if isinstance(answer, BaseException):
            raise _another_version(address, f"cannot say which: {type(answer).__name__}: {answer}")
        if answer[0] != _course_version():
            raise _another_version(address, f"has {answer[0]}")
    return [isolation for _, isolation in there.values()]


def _another_version(address: str, which: str) -> GradingError:
    return GradingError(
        f"A worker has another version of the course ({address} {which}; here is {_course_version()}). "
        f"Install the same one everywhere, restart the workers, then try again. {KEPT_SO_FAR}"
    )


class _Watch:
    """Waits for a cluster, with limits."""

    def __init__(self, client) -> None:
        self._client = client
        self._alone_since: float | None = None

    def patiently(self, ask: Callable[[float], T]) -> T:
        """What `ask(seconds)` returns; it is called again after each timeout while the cluster has workers.

        Raises:
            GradingError: the scheduler has had no workers for `PATIENCE_S`.
            OSError: it does not answer.
        """
        while True:
            try:
                found = ask(min(ANSWER_S, PATIENCE_S / 4))
            except (asyncio.TimeoutError, TimeoutError):
                self._check_workers()
            else:
                self._alone_since = None
                return found

    def _check_workers(self) -> None:
        now = time.monotonic()
        if _workers(self._client):
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > PATIENCE_S:
            raise GradingError(
                f"The Dask scheduler has had no workers for {PATIENCE_S:g} s. Start some (`dask worker "
                f"ADDRESS --nthreads 1`). {KEPT_SO_FAR}"
            )


@functools.cache
def _course_version() -> str:
    """What a grade depends on: versions of the grader, of the lessons' toolkit, of PyTorch and of Python."""
    toolkit = hashlib.sha256()
    found = find_spec("tlwidgets")
    assert found is not None and found.origin is not None  # the grader needs it, too
    folder = Path(found.origin).parent
    for path in sorted(folder.rglob("*.py")):
        toolkit.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    try:
        torch = version("torch").partition("+")[0]  # without the build's name
    except PackageNotFoundError:
        torch = "none"
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{grader_version()}, tlwidgets {toolkit.hexdigest()[:12]}, PyTorch {torch}, Python {python}"


def _about() -> tuple[str, tuple[Isolation, str]]:
    return _course_version(), available_isolation()


# One slot in each Dask worker process; it ends with the process.
_HERE: dict[tuple[Limits, Isolation], WorkerSlot] = {}
_LOCK = threading.Lock()


def _grade_there(
    course: str, submissions: tuple[Submission, ...], limits: Limits, isolation: Isolation
) -> tuple[Evidence, ...]:
    if course != _course_version():  # this worker joined after the others were asked
        raise GradingError("another version of the course")
    with _LOCK:
        slot = _HERE.get((limits, isolation))
        if slot is None:
            slot = _HERE[limits, isolation] = WorkerSlot(limits, isolation)
        return slot.grade(submissions)


def _outcome(
    client, watch: _Watch, future, job: Job, isolation: Isolation, mark: str
) -> tuple[Evidence, ...]:
    """The evidence of a finished task as far as it can be true, or evidence that the grader failed.

    Raises:
        GradingError: a worker that joined later has another version of the course.
        CancelledError, OSError: the scheduler is gone.
    """
    try:
        result = watch.patiently(lambda seconds: future.result(timeout=seconds))
        found = verified(job.submissions, result, isolation)
        return tuple(replace(one, audit_notes=(*one.audit_notes, mark)) if mark else one for one in found)
    except (CancelledError, OSError, asyncio.TimeoutError):
        raise
    except Exception as error:  # the task's own error; `distributed` has many types
        lost = error
    _ask_workers(client)
    reason = f"The grader's worker was lost repeatedly ({type(lost).__name__}: {str(lost)[:200]})"
    return tuple(grader_failed(submission, reason) for submission in job.submissions)
