"""What experiments read off a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlwidgets.train import Run


def share_right(run: Run) -> float:
    """The share of the test examples that a run got right.

    Raises:
        ValueError: it had no test examples.
    """
    if run.test_accuracy is None:
        raise ValueError(
            "This run was not scored on test examples. Train on data that have some: "
            "TaskData(train, None, test)."
        )
    return run.test_accuracy
