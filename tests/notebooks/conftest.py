"""Lessons run as on a student's machine: offline, in a kernel of their own, with time and memory measured."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import pytest

from tests.machine import slowness

COURSE = Path(__file__).parents[2] / "course"
SOURCES = sorted(COURSE.glob("source/*/*.ipynb"))
SAMPLE_S = 0.05
LIMIT_S = 60
# How fast a machine is, is known to within a factor of two: its neighbours change it while a lesson runs.
# Lessons took 37 to 51 s, and 77 to 97 s, on one kind of machine, with the same speed before and after.
KNOWN_WITHIN = 2.0


@dataclass(frozen=True)
class Execution:
    """A notebook after its run.

    `waited_s` is the part of `wall_s` in which it could have gone on, but the processors had other work:
    other tests, say. `slowness` is how slow the processors were. `peak_bytes` is the largest sum of the
    process tree's resident memory.
    """

    notebook: nbformat.NotebookNode
    returncode: int
    log: str
    wall_s: float
    waited_s: float
    slowness: float
    peak_bytes: int

    @property
    def took_s(self) -> float:
        """What it takes on two cores of 3 GHz that have nothing else to do."""
        return (self.wall_s - self.waited_s) / self.slowness


def execute(path: Path, out: Path, folder: Path | None = None) -> Execution:
    """Run a notebook in its folder, or another one, with papermill, without a network, watching the whole
    process tree."""
    nowhere = "http://127.0.0.1:9"  # the discard port: whoever tries to download fails at once
    env = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1,localhost",
        "TLWIDGETS_VIEW": "",
        "TLCOURSE_STRICT": "1",  # a run that does not show what the lesson says is an error here
    }
    command = [sys.executable, "-m", "papermill", str(path), str(out), "--cwd", str(folder or path.parent)]
    before = slowness()
    start = time.monotonic()
    with subprocess.Popen(
        [*command, "--no-progress-bar"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watch = Watch(process.pid)
        log, _ = process.communicate()
        waited, peak = watch.stop()
    wall = time.monotonic() - start
    slow = (before + slowness()) / 2
    return Execution(nbformat.read(out, as_version=4), process.returncode, log, wall, waited, slow, peak)


class Watch:
    """Looks at a process and all its descendants again and again until told to stop."""

    def __init__(self, pid: int):
        self._root = psutil.Process(pid)
        self._peak = 0
        self._waited: dict[int, float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[float, int]:
        """Seconds in which they waited for a processor, and the most memory that they had at a time."""
        self._done.set()
        self._thread.join()
        return sum(self._waited.values()), self._peak

    def _run(self) -> None:
        while not self._done.wait(SAMPLE_S):
            self._peak = max(self._peak, self._tree())

    def _tree(self) -> int:
        total = 0
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        for process in tree:
            try:
                total += process.memory_info().rss
                self._waited[process.pid] = _waited_s(process.pid)
            except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):  # it has just ended
                continue
        return total


def _waited_s(pid: int) -> float:
    """Seconds in which the main thread of a process was ready to run and did not; 0 but on Linux."""
    if not sys.platform.startswith("linux"):
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


@pytest.fixture(scope="session", params=SOURCES, ids=lambda path: path.parent.name)
def lesson(request) -> Path:
    """Each lesson's source notebook in turn."""
    return request.param


@pytest.fixture(scope="session")
def source_run(lesson, tmp_path_factory) -> Execution:
    """The solution version, run from top to bottom: once, or again if it took too long.

    The machine's speed is measured before and after a run, and neighbours may slow it down in between.
    """
    first = execute(lesson, tmp_path_factory.mktemp("source") / lesson.name)
    if first.took_s < LIMIT_S * KNOWN_WITHIN or first.returncode:
        return first
    again = execute(lesson, tmp_path_factory.mktemp("again") / lesson.name)
    return min(first, again, key=lambda run: run.took_s)


@pytest.fixture(scope="session")
def release(lesson, tmp_path_factory) -> Path:
    """The student's version, made by nbgrader itself in a course folder of its own."""
    course = tmp_path_factory.mktemp("course")
    unit = lesson.parent.name
    (course / "source").mkdir()
    (course / "source" / unit).symlink_to(lesson.parent, target_is_directory=True)
    config = COURSE / "nbgrader_config.py"
    if config.exists():
        (course / config.name).write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", unit, "--create", f"--course-dir={course}"],
        cwd=course,
        check=True,
        capture_output=True,
        text=True,
    )
    return course / "release" / unit / lesson.name


@pytest.fixture(scope="session")
def release_run(release, tmp_path_factory) -> Execution:
    """The student's version as it is handed out, run until it stops."""
    return execute(release, tmp_path_factory.mktemp("release") / release.name)
