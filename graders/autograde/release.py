"""`nbgrader release_feedback` that continues where a submission did not come through the exchange."""

from __future__ import annotations

import glob
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

from graders.names import shown

_NEEDED = ("timestamp.txt", "submission_secret.txt")
_SHOWN = 20  # names


class ReleaseFeedback(ExchangeReleaseFeedback):
    """Releases the feedback of those who handed in through the exchange, and names the others.

    `nbgrader submit` gives each submission a time and a secret, by which the student finds the feedback. One
    that came by mail has neither, and the stock command ends there, before it has reached the rest of the
    class. An empty secret does not count: anybody could compute the address of its feedback.
    """

    src_path: str

    def copy_files(self) -> None:
        """Copy the feedback of each student to the exchange."""
        pattern, left_out = self.src_path, []
        excluded = set(self.coursedir.student_id_exclude.split(","))
        try:
            for folder in map(Path, sorted(glob.glob(pattern))):
                student = folder.parent.name
                if student in excluded or not any(folder.glob("*.html")):
                    continue
                if not all(map(_has_text, (folder / name for name in _NEEDED))):
                    left_out.append(student)
                    continue
                self.src_path = glob.escape(str(folder))
                super().copy_files()
        finally:
            self.src_path = pattern
        if left_out:
            names = ", ".join(map(shown, left_out[:_SHOWN]))
            more = f" and {len(left_out) - _SHOWN} others" if len(left_out) > _SHOWN else ""
            self.log.warning(
                "Not released: the feedback of %s%s. These submissions did not come through the exchange, so "
                "their students cannot fetch it there. Send them the pages in feedback/ yourself. The "
                "feedback of all others is released.",
                names,
                more,
            )


def _has_text(path: Path) -> bool:
    try:
        return bool(path.read_bytes().strip())
    except OSError:
        return False
