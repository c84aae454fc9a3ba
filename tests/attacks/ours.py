"""Attacks on this grader: rebuilt, graded and recorded by the real parts, one by one in one worker."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from graders.autograde import Evidence, Limits, Worker
from graders.autograde.batch.jobs import GradedJob
from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.grading import Tally, grade_all, pending_submissions
from graders.autograde.results.gradebook import GradeWriter
from graders.autograde.submission.folders import submission_folders
from graders.autograde.submission.timestamps import timestamps

from .attack import UNIT, Attack
from .harm import Found, changes
from .scene import NEIGHBOUR, RIGHT, Scene, harmful, left_behind, mark

# Small, so that attacks on them are quick; a submission of lesson 01 needs a tenth of it.
LIMITS = Limits(cell_s=2.0, total_s=5.0, memory_bytes=512 << 20, processes=24, file_bytes=16 << 20)
# Attacks that use up what there is do so at once; others may need time for what they try.
EXHAUSTING = dataclasses.replace(LIMITS, cell_s=1.0, total_s=3.0)
_SUBREAPER = 36
_LEAVES_S = 5.0


class Ours:
    """A course and a worker that grades in it; a context manager.

    What escapes from its parent becomes this process's child (a subreaper), so that it is seen.

    Args:
        following: right answers of the student who is graded after each attack.
    """

    def __init__(self, scene: Scene, isolation: str, following: Mapping[str, str] = RIGHT) -> None:
        self.scene, self._following = scene, following
        self._course = open_course(scene.course)
        self._lesson = load_assignment(self._course, UNIT)
        self._own = {one.pid for one in psutil.Process().children(recursive=True)}
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
        with _environment(scene):
            self._worker = Worker(LIMITS, isolation, restart_after=1000)
            self._worker.start()
        self._heard = Listener(scene.home / "agent")
        self._writer = GradeWriter(self._course, self._lesson, lambda said: None)

    def __enter__(self) -> Ours:
        self.grade(NEIGHBOUR)
        return self

    def __exit__(self, *_) -> None:
        self._writer.__exit__()
        self._heard.close()
        self._worker.close()
        ctypes.CDLL(None).prctl(_SUBREAPER, 0, 0, 0, 0)

    def attack(self, attack: Attack, feedback: bool = False) -> Found:
        """Grade an attack, and an honest student after it in the same worker."""
        scene = self.scene
        self._heard.start(mark(attack))
        scene.attacked("attacker", attack, self._heard.port)
        before, grades, people = scene.state(), scene.scores(), scene.people()
        self._worker.limits = EXHAUSTING if attack.family == "exhaustion" else LIMITS
        started = time.monotonic()
        said, evidence = self.grade("attacker")
        seconds = time.monotonic() - started
        running = self.running()
        text = "\n".join([said, *map(_told, evidence), scene.shown("attacker")])
        after = scene.scores()
        written = changes(before, scene.state()) + left_behind(attack)
        if after[NEIGHBOUR] != grades[NEIGHBOUR] or scene.people() != people:
            written.append("the gradebook")
        if "canary-left" in "".join(one.output for one in evidence):
            written.append("something that a later submission finds")
        pages = [self.feedback("attacker")] if feedback else []
        earned = max(
            after.get("attacker", 0.0), *(check.points for one in evidence for check in one.checks), 0.0
        )
        following = self.honest(self._following)
        heard = ("somebody heard it",) if self._heard.stop() else ()
        found = Found(
            points=earned,
            next=following,
            leaked=(*scene.leaked(text + "".join(pages)), *heard),
            written=tuple(written),
            running=tuple(running),
            acting=tuple(one for page in pages for one in harmful(page)),
            ended=not any(one.status == "grader-failed" for one in evidence),
            seconds=round(seconds, 2),
        )
        shutil.rmtree(scene.course / "submitted" / "attacker")
        return found

    def honest(self, answers: Mapping[str, str] = RIGHT) -> float | None:
        """Grade right answers; what they got, None if they were not graded."""
        self._worker.limits = LIMITS
        self.scene.honest("honest", answers)
        self.grade("honest")
        return self.scene.scores().get("honest")

    def grade(self, student: str) -> tuple[str, tuple[Evidence, ...]]:
        """Grade a submission and write it to the gradebook; returns what the command says, and evidence."""
        course, lesson, found = self._course, self._lesson, []
        folders = {student: submission_folders(course, lesson)[student]}
        tally = Tally()

        def grade(jobs) -> Iterator[GradedJob]:
            for job in jobs:
                found.extend(self._worker.grade(one) for one in job.submissions)
                yield GradedJob(job, tuple(found))

        when = timestamps(course, UNIT, "exchange")
        works = pending_submissions(
            course, lesson, folders, {}, self._worker.isolation, when, lambda name, submitted: None
        )
        grade_all(course, lesson, self._writer, works, grade, tally, lambda name: None)
        return "\n".join(sentence for _, sentence in tally.attention), tuple(found)

    def feedback(self, student: str) -> str:
        """The page that nbgrader makes for a student, by its own exporter and configuration."""
        from nbgrader.converters import GenerateFeedback

        config = self._course.config.copy()
        config.CourseDirectory.student_id = student
        config.CourseDirectory.assignment_id = UNIT
        maker = GenerateFeedback(coursedir=type(self._course.directory)(config=config), config=config)
        maker.force = True
        maker.start()
        page = self.scene.course / "feedback" / student / UNIT / f"{UNIT}.html"
        return page.read_text(encoding="utf-8")

    def running(self) -> list[str]:
        """Processes that should have ended, given a moment for it."""
        until = time.monotonic() + _LEAVES_S
        while True:
            allowed = self._own | self._worker.pids
            left = [
                one
                for one in psutil.Process().children(recursive=True)
                if one.pid not in allowed and _runs(one)
            ]
            if not left or time.monotonic() > until:
                return [f"{one.pid} {one.name()}" for one in left]
            time.sleep(0.02)


class Listener:
    """Somebody who listens on this machine, for submissions that have something to tell."""

    def __init__(self, path: Path) -> None:
        self._texts: list[str] = []
        self._ends: list[socket.socket] = []
        self.port = self._listen(socket.socket(socket.AF_INET), ("127.0.0.1", 0)).getsockname()[1]
        self._listen(socket.socket(socket.AF_UNIX), str(path))
        self._own: socket.socket | None = None

    def start(self, name: str) -> None:
        """Forget what was said, and listen under a name as well."""
        self._texts = []
        self._own = self._listen(socket.socket(socket.AF_UNIX), f"\0{name}")

    def stop(self) -> list[str]:
        """Listen under that name no more; what was heard until now, "" for a caller who said nothing."""
        self._ends.remove(self._own)
        _close(self._own)
        return list(self._texts)

    def close(self) -> None:
        for end in self._ends:
            _close(end)

    def _listen(self, end: socket.socket, address) -> socket.socket:
        end.bind(address)
        end.listen()
        self._ends.append(end)
        threading.Thread(target=self._serve, args=(end,), daemon=True).start()
        return end

    def _serve(self, end: socket.socket) -> None:
        while True:
            try:
                caller = end.accept()[0]
            except OSError:  # it was closed
                return
            with caller:
                caller.settimeout(2)
                self._texts.append(caller.recv(1 << 16).decode(errors="replace"))


def make(folder: Path, isolation: str) -> Ours:
    """A new scene with a worker in it."""
    return Ours(Scene.make(folder), isolation)


@contextlib.contextmanager
def _environment(scene: Scene) -> Iterator[None]:
    """What whoever grades has in the environment, while the worker starts."""
    before = dict(os.environ)
    os.environ.update(scene.environment())
    tempfile.tempdir = None
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        tempfile.tempdir = None


def _told(evidence: Evidence) -> str:
    return repr(dataclasses.asdict(evidence)) + evidence.output


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
