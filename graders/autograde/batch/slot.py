"""A slot for one worker: a lost worker is replaced, and its submission is graded again."""

from __future__ import annotations

from ..processes.worker import Worker
from ..processes.zygote import Zygote
from ..records import Evidence, Isolation, Limits, Submission
from .jobs import grader_failed


class WorkerSlot:
    """Holds a worker that is started on first use and replaced if it is lost."""

    def __init__(
        self,
        limits: Limits,
        isolation: Isolation,
        zygote: Zygote | None = None,
        cores: tuple[int, ...] = (),
    ) -> None:
        self._limits, self._isolation, self._zygote, self._cores = limits, isolation, zygote, cores
        self._worker: Worker | None = None
        self._stopped = False

    def grade(self, submissions: tuple[Submission, ...]) -> tuple[Evidence, ...]:
        """Grade the notebooks of a submission, one after the other."""
        return tuple(self._grade(submission) for submission in submissions)

    def close(self) -> None:
        """End the worker, if there is one."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def stop(self) -> None:
        """Called from another thread: end the current grading at once, and grade nothing more."""
        self._stopped = True
        worker = self._worker
        if worker is not None:
            worker.stop()

    def _grade(self, submission: Submission) -> Evidence:
        evidence = self._try(submission)
        if evidence.status == "grader-failed" and not self._stopped:
            self.close()  # a killed fork server says nothing about the submission: try again with a new one
            evidence = self._try(submission)
        return evidence

    def _try(self, submission: Submission) -> Evidence:
        if self._stopped:
            return grader_failed(submission, "Grading was stopped.")
        try:
            if self._worker is None:
                self._worker = Worker(self._limits, self._isolation, zygote=self._zygote, cores=self._cores)
            return self._worker.grade(submission)
        except Exception as error:  # one submission's trouble must not end the batch
            return grader_failed(submission, f"The grader stopped with {type(error).__name__}: {error}")
