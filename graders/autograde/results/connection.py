"""The open gradebook: one session, and patience while the database is locked or restarting."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nbgrader.api import Gradebook
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from ..course.folder import Course
from ..records import KEPT_SO_FAR, GradingError

PATIENCE_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S, _UNSAID_S = 0.05, 2.0, 1.0

T = TypeVar("T")


class OpenGradebook:
    """A gradebook that is opened when it is first used, and again after its connection was lost.

    One session stays open, since opening a gradebook takes 0.2 s or more.

    Args:
        say: called with a sentence when the database keeps it waiting.

    Raises:
        GradingError: there is no gradebook.
    """

    def __init__(
        self, course: Course, say: Callable[[str], None], patience_s: float = PATIENCE_S, unit: str = ""
    ) -> None:
        self._course, self._say, self._patience_s = course, say, patience_s
        self._url = make_url(course.directory.db_url)
        file = self.file
        if file and not file.exists():
            raise GradingError(
                f"There is no gradebook at {file}. Run `nbgrader generate_assignment {unit or 'UNIT'}` in "
                "the course folder first: it writes one."
            )
        self._gradebook: Gradebook | None = None

    @property
    def file(self) -> Path | None:
        """Where it is, if it is a file."""
        name = self._url.database if self._url.get_backend_name() == "sqlite" else None
        return Path(name) if name else None

    @property
    def engine(self):
        """The engine. Call this within `patiently`: it opens the gradebook."""
        return self._opened().engine

    @property
    def session(self) -> Session:
        """The session. Call this within `patiently`: it opens the gradebook."""
        return self._opened().db

    def close(self) -> None:
        """Close it; what was not committed is rolled back."""
        if self._gradebook is not None:
            self._gradebook.close()

    def _opened(self) -> Gradebook:
        if self._gradebook is None:
            directory = self._course.directory
            self._gradebook = Gradebook(directory.db_url, directory.course_id)
        return self._gradebook

    def patiently(self, action: Callable[[], T]) -> T:
        """Retry, with growing waits, while the database is locked or unreachable; say so once.

        What the database does not take (`DataError`) and other programs' errors pass, rolled back.
        """
        start, wait, said = time.monotonic(), _FIRST_WAIT_S, False
        while True:
            try:
                return action()
            except DataError:
                self._forget()
                raise
            except DBAPIError as error:
                self._forget()
                reason = str(error.orig).strip().splitlines()[0]
                left = start + self._patience_s - time.monotonic()
                if not _is_temporary(error) or left < 0:
                    raise GradingError(self._explain(reason, left < 0)) from error
                if not said and time.monotonic() - start > _UNSAID_S:
                    self._say(f"The gradebook cannot be reached just now ({reason}); trying again ...")
                    said = True
            except GradingError:
                raise
            except Exception:
                self._forget()
                raise
            time.sleep(min(wait, max(left, 0.0)))
            wait = min(wait * 2, _LONGEST_WAIT_S)

    def _forget(self) -> None:
        if self._gradebook is not None:
            self._gradebook.db.remove()  # rolls back
            self._gradebook.engine.dispose()

    def _explain(self, reason: str, waited: bool) -> str:
        where = self._url.render_as_string(hide_password=True)
        if "full" in reason:
            return f"The disk of the gradebook {where} is full. Free some space. {KEPT_SO_FAR}"
        if waited:
            return (
                f"The gradebook {where} could not be reached for {self._patience_s:g} s ({reason}). "
                f"{KEPT_SO_FAR}"
            )
        if "no such" in reason or "does not exist" in reason:
            return (
                f"The gradebook {where} comes from an older nbgrader or is incomplete ({reason}). Run "
                "`nbgrader db upgrade` in the course folder (it makes a backup first), then try again."
            )
        return (
            f"The gradebook {where} cannot be written to ({reason}). Check its address and your permissions. "
            f"{KEPT_SO_FAR}"
        )


def _is_temporary(error: DBAPIError) -> bool:
    """Whether waiting may help: a lock, a lost or refused connection, or two programs adding the same row."""
    reason = str(error.orig)
    if isinstance(error, IntegrityError) or "locked" in reason or "busy" in reason:
        return True
    if (
        type(error.orig).__module__.startswith("sqlite3")
        or "authentication" in reason
        or "does not exist" in reason
    ):
        return False
    return error.connection_invalidated or type(error.orig).__name__ in (
        "OperationalError",
        "InterfaceError",
        "AdminShutdown",
        "CannotConnectNow",
        "CrashShutdown",
        "ConnectionTimeout",
    )
