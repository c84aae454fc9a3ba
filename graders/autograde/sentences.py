"""What a student reads when their process is no more."""

from __future__ import annotations

import os
import signal

from .records import Isolation, Limits

NOT_REACHED = "This check was not reached: your code was stopped before it. See"  # the check that says why


def how_it_ended(gone: str, ended: dict, isolation: Isolation, too_large: bool, limits: Limits) -> str | None:
    """A sentence, or None where the student's code can't have been the reason.

    Args:
        gone: what the checker saw: "late", "garbage" or "closed".
        ended: "status" as `os.wait` gives it, and whether it was "killed" by us at the end.
        too_large: whether it was stopped for its memory.
    """
    if too_large:
        return (
            f"Your code used more than {limits.memory_bytes >> 20} MiB of memory and was stopped. Look for a list or a tensor "
            "that grows without end."
        )
    if gone == "late":
        return too_long(limits)
    if gone == "garbage":
        return "Your code broke the connection to the checks, so nothing more of it could be read."
    if ended["killed"]:
        return "Your code hung up on the checks, so nothing more of it could be read."
    status = ended["status"]
    if os.WIFSIGNALED(status):
        if isolation == "namespaces":
            return None  # pid 1 of the namespace can't be killed from within
        return _by_signal(os.WTERMSIG(status))
    code = os.WEXITSTATUS(status)
    return (
        _by_signal(code - 128)
        if code > 128
        else f"Your code ended Python itself (exit status {code}). Leave out exit calls."
    )


def too_long(limits: Limits) -> str:
    """A sentence for a student whose code was late."""
    return (
        f"Your code ran longer than {limits.cell_s:g} seconds in one cell (or {limits.total_s:g} in all) and was stopped. "
        "Look for a loop that does not end."
    )


def _by_signal(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if name in ("SIGKILL", "SIGXCPU"):
        return f"Your code's process was killed ({name}): it may have used too much memory or time."
    return f"Your code made Python crash ({name})."
