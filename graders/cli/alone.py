"""One command at a time writes grades."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Lock the course against a second run; the system releases the lock when the process ends, however it
    ends.

    Raises:
        GradingError: another run has the lock, or the folder cannot be written to.
    """
    from graders.autograde.records import GradingError

    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(root / ".tlcourse-grade.lock", "w"))
        except OSError as error:
            raise GradingError(
                f"The course folder {root} cannot be written to ({error.strerror}), and grades, graded "
                "notebooks and "
                "the summary go there. Run this as the account that owns the folder, or on a copy."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise GradingError(
                f"Another `tlcourse grade` or `tlcourse dates` is running in {root}. Wait for it to end, or "
                "stop it, then try again."
            ) from error
        yield
