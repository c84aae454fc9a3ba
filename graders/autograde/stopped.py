"""What a student reads when their code was stopped."""

from __future__ import annotations

import os
import signal

from .records import Isolation, Limits

# The check that says why.
NOT_REACHED = "This check was not reached because your code was stopped earlier. See"


def how_it_ended(
    gone: str, ended: dict, isolation: Isolation, too_large: bool, too_late: bool, limits: Limits
) -> str | None:
    """A sentence, or None if the student's code cannot have been the reason.

    Args:
        gone: what the checker saw: "late", "garbage" or "closed".
        ended: "status" as `os.wait` returns it, and "killed": whether we killed it at the end.
        too_large, too_late: whether it was stopped for using too much memory, or too much time.
    """
    if too_large:
        return (
            f"Your code used more than {limits.memory_bytes >> 20} MiB of memory and was stopped. Look for a "
            "list or a tensor that keeps growing."
        )
    if gone == "late" or too_late:
        return too_long(limits)
    if gone == "garbage":
        return "Your code sent malformed data to the checks, so nothing more could be read from it."
    if ended["killed"]:
        return "Your code closed its connection to the checks, so nothing more could be read from it."
    status = ended["status"]
    if os.WIFSIGNALED(status):
        if isolation == "namespaces":
            return None  # pid 1 of a namespace cannot be killed from inside it
        return _by_signal(os.WTERMSIG(status))
    code = os.WEXITSTATUS(status)
    return (
        _by_signal(code - 128)
        if code > 128
        else f"Your code ended the Python process (exit status {code}). Remove calls of exit."
    )


def too_long(limits: Limits) -> str:
    """A sentence for a student whose code took too long."""
    return (
        f"Your code ran longer than {limits.cell_s:g} seconds in one cell (or {limits.total_s:g} in total) "
        "and was stopped. Look for a loop that does not end."
    )


def _by_signal(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if name in ("SIGKILL", "SIGXCPU"):
        return f"Your code's process was killed ({name}): it may have used too much memory or time."
    return f"Your code made Python crash ({name})."
