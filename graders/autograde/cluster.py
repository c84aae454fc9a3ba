"""Grading on the workers of a Dask cluster: the same course everywhere, and no wait without an end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import logging
import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TypeVar

from .assignment import grader_version
from .batch import AHEAD, Done, Held, Job, grader_failed
from .records import KEPT, Evidence, GradingError, Isolation, Limits, Submission
from .sandbox import available_isolation

ANSWER_S = 20.0
"""In which a scheduler has to answer, however busy it is."""
ABOUT_S = 90.0
"""In which a worker has to say what it is: asked for the first time, it imports the course and tries how to hold code apart."""
CLOSE_S = 5.0
"""In which a connection is closed in order; after that it is left as it is."""
PATIENCE_S = 60.0
"""For which a scheduler may be without workers: one that died is started again by its nanny in some seconds."""

T = TypeVar("T")


def grade_on(client, jobs: Iterable[Job], limits: Limits, isolation: Isolation) -> Iterator[Done]:
    """Grade on the workers of a Dask cluster, in the order in which they are done.

    A task whose worker is lost goes to another one. Where that happens time and again, it is the grader's failure and
    the batch goes on.

    Args:
        client: of `distributed`.

    Raises:
        GradingError: the scheduler is gone or silent, has had no workers for a while, or one has another version of the
            course.
    """
    from distributed import wait

    waiting, running = iter(jobs), {}

    def send(count: int) -> None:
        for job in islice(waiting, count):
            future = client.submit(
                _grade_there, _course_version(), job.submissions, limits, isolation, pure=False
            )
            running[future] = job

    watch = _Watch(client)
    try:
        send(AHEAD * len(_workers(client)))
        while running:
            found = watch.patiently(
                lambda seconds: wait(list(running), timeout=seconds, return_when="FIRST_COMPLETED")
            )
            for future in found.done:
                job = running.pop(future)
                yield Done(job, _outcome(client, watch, future, job))
                future.release()
                send(1)
    except CancelledError as error:  # what becomes of all tasks when the connection is lost
        raise GradingError(f"The Dask scheduler is gone. {KEPT}") from error
    except OSError as error:
        raise GradingError(f"The Dask scheduler is gone ({error}). {KEPT}") from error


@contextlib.contextmanager
def remote_cluster(address: str):
    """A Dask client of a scheduler that runs elsewhere.

    Raises:
        GradingError: there is none, it has no workers, or no connection can be made to it.
    """
    from distributed import Client

    # What happens is said in a sentence, by whoever catches it. Each logger has a level of its own.
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "asyncio"):  # whose tasks die with a connection
            logging.getLogger(name).setLevel(logging.CRITICAL)
    start = f"`dask worker {address} --nthreads 1`"
    try:
        _ask_who(address)
        client = Client(address, timeout=ANSWER_S)
    except Exception as error:  # whatever a stranger's answer does to the protocol
        raise GradingError(
            f"No Dask scheduler answers at {address} ({str(error) or type(error).__name__}). Start one (`dask scheduler`) and "
            f"workers ({start}), then try again."
        ) from error
    try:
        if not _workers(client):
            raise GradingError(
                f"The scheduler {address} has no workers. Start some ({start}), then try again."
            )
        yield client
    finally:
        with contextlib.suppress(
            OSError, asyncio.TimeoutError, TimeoutError
        ):  # it need not be there any more
            client.close(timeout=CLOSE_S)


def isolation_of(client) -> tuple[Isolation, str]:
    """The weakest isolation among the workers, and why it is no better.

    Raises:
        GradingError: a worker does not answer, or has another version of the course.
    """
    ranked: tuple[Isolation, ...] = ("none", "landlock", "namespaces")
    found = _ask_workers(client)
    if not found:
        raise GradingError("The workers of the scheduler have just gone. Start them again, then try again.")
    return min(found, key=lambda one: ranked.index(one[0]))


def _ask_who(address: str) -> None:
    """Ask who is there: `Client` itself waits without end for one who takes calls and says nothing."""
    from distributed import Security, rpc

    async def ask() -> str:
        safe = Security().get_connection_args("client")
        async with rpc(address, timeout=ANSWER_S / 2, connection_args=safe) as there:
            return (await there.identity())["type"]

    async def ask_for_a_while() -> str:
        try:
            return await asyncio.wait_for(ask(), ANSWER_S)
        except asyncio.TimeoutError as error:
            raise ConnectionError(f"whoever is there has said nothing for {ANSWER_S:g} s") from error

    kind = asyncio.run(ask_for_a_while())
    if kind != "Scheduler":
        raise ConnectionError(f"there is a {kind.lower()}")


def _workers(client) -> dict:
    """What the scheduler knows of each of its workers, by address.

    Raises:
        OSError: it does not say.
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
            f"Not all workers answer: one has said nothing for {ABOUT_S:g} s. Stop those that hang, then try again. {KEPT}"
        ) from error
    except OSError as error:
        raise GradingError(f"The Dask scheduler is gone ({error}). {KEPT}") from error
    # One that died meanwhile can't be asked; its tasks go to others.
    there = {address: answer for address, answer in answers.items() if not isinstance(answer, OSError)}
    for address, answer in there.items():
        if isinstance(answer, BaseException):
            raise _another_version(address, f"can't say which: {type(answer).__name__}: {answer}")
        if answer[0] != _course_version():
            raise _another_version(address, f"has {answer[0]}")
    return [isolation for _, isolation in there.values()]


def _another_version(address: str, which: str) -> GradingError:
    return GradingError(
        f"A worker has another version of the course ({address} {which}; here is {_course_version()}). Install the same one "
        f"everywhere, restart the workers, then try again. {KEPT}"
    )


class _Watch:
    """Over a cluster that one waits for."""

    def __init__(self, client) -> None:
        self._client, self._alone_since = client, None

    def patiently(self, ask: Callable[[float], T]) -> T:
        """What `ask(seconds)` returns, asked again whenever it times out, while there is somebody to wait for.

        Raises:
            GradingError: the scheduler has had no workers for `PATIENCE_S`.
            OSError: it does not answer.
        """
        while True:
            try:
                found = ask(min(ANSWER_S, PATIENCE_S / 4))
            except (asyncio.TimeoutError, TimeoutError):
                self._look()
            else:
                self._alone_since = None
                return found

    def _look(self) -> None:
        now = time.monotonic()
        if _workers(self._client):
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > PATIENCE_S:
            raise GradingError(
                f"The Dask scheduler has had no workers for {PATIENCE_S:g} s. Start some (`dask worker ADDRESS --nthreads 1`). "
                f"{KEPT}"
            )


@functools.cache
def _course_version() -> str:
    """What a grade depends on: the grader, the toolkit that the lesson's cells use, PyTorch, Python."""
    toolkit = hashlib.sha256()
    folder = Path(find_spec("tlwidgets").origin).parent
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


# One in each Dask worker process, with which it ends.
_HERE: dict[tuple[Limits, Isolation], Held] = {}
_LOCK = threading.Lock()


def _grade_there(
    course: str, submissions: tuple[Submission, ...], limits: Limits, isolation: Isolation
) -> tuple[Evidence, ...]:
    if course != _course_version():  # it joined after the others were asked
        raise GradingError("another version of the course")
    with _LOCK:
        held = _HERE.get((limits, isolation))
        if held is None:
            held = _HERE[limits, isolation] = Held(limits, isolation)
        return held.grade(submissions)


def _outcome(client, watch: _Watch, future, job: Job) -> tuple[Evidence, ...]:
    """What was found, or that the grader failed.

    Raises:
        GradingError: a worker that joined later has another version of the course.
        CancelledError, OSError: the scheduler is gone.
    """
    try:
        return watch.patiently(lambda seconds: future.result(timeout=seconds))
    except (CancelledError, OSError, asyncio.TimeoutError):
        raise
    except Exception as error:  # the task's: `distributed` has many of its own
        found = error
    _ask_workers(client)
    reason = f"The grader's worker was lost time and again ({type(found).__name__}: {str(found)[:200]})"
    return tuple(grader_failed(submission, reason) for submission in job.submissions)
