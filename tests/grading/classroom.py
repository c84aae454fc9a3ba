"""A class that hands in lesson 01: a course folder, submissions of many kinds, and the real commands."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from graders.checks import Exercise, exercises
from graders.xp import read_students, standing

ROOT = Path(__file__).resolve().parents[2]
UNIT = "01-transfer-learning"


@dataclass(frozen=True)
class Answers:
    """Answers to some exercises, from the catalogue of right and wrong programs.

    Attributes:
        by_id: the exercises, in the lesson's order.
    """

    by_id: Mapping[str, Exercise]

    @property
    def best(self) -> float:
        """The points of all exercises."""
        return sum(exercise.points for exercise in self.by_id.values())

    @property
    def right(self) -> dict[str, str]:
        return {id: next(iter(exercise.right.values())) for id, exercise in self.by_id.items()}

    def wrong(self, exercise: str, id: str) -> dict[str, str]:
        """Right answers, but for one named mistake."""
        return self.right | {exercise: self.by_id[exercise].wrong[id]}

    def programs(self, number: int) -> tuple[dict[str, str], float]:
        """A made-up student's answers, and their points."""
        answers, worth = {}, 0.0
        for place, (id, exercise) in enumerate(self.by_id.items()):
            turn = number // 3**place
            if turn % 3:
                answers[id], worth = (
                    [*exercise.right.values()][turn % len(exercise.right)],
                    worth + exercise.points,
                )
            else:
                answers[id] = [*exercise.wrong.values()][turn % len(exercise.mistakes)]
        return answers, worth


WHOLE = Answers({exercise.id: exercise for exercise in exercises(UNIT)})
BY_ID, BEST, RIGHT = WHOLE.by_id, WHOLE.best, WHOLE.right
wrong, programs = WHOLE.wrong, WHOLE.programs

Change = Callable[[dict], None]  # of a notebook as JSON


class Classroom:
    """A course folder in a temporary place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path, config: str = "", change: Change | None = None) -> "Classroom":
        """Copy the course and generate lesson 01, by nbgrader itself; `change` is done to its source."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / "course" / "source" / UNIT, folder / "source" / UNIT)
        if change is not None:
            source = folder / "source" / UNIT / f"{UNIT}.ipynb"
            notebook = json.loads(source.read_text(encoding="utf-8"))
            change(notebook)
            source.write_text(json.dumps(notebook), encoding="utf-8")
        text = (ROOT / "course" / "nbgrader_config.py").read_text(encoding="utf-8")
        (folder / "nbgrader_config.py").write_text(f"{text}\n{config}", encoding="utf-8")
        room = cls(folder)
        room.nbgrader("generate_assignment", UNIT)
        return room

    def copy(self, folder: Path) -> "Classroom":
        """A course like this one, gradebook included."""
        shutil.copytree(self.folder, folder)
        return Classroom(folder)

    def hand_in(self, student: str, answers: dict[str, str], change: Change | None = None) -> Path:
        """Hand in the released notebook with these answers; `change` is done to its JSON."""
        notebook = json.loads((self.folder / "release" / UNIT / f"{UNIT}.ipynb").read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in answers:
                cell["source"] = answers[grade_id]
        if change is not None:
            change(notebook)
        return self.put(student, json.dumps(notebook).encode())

    def put(self, student: str, content: bytes, name: str = f"{UNIT}.ipynb") -> Path:
        """Hand in a file."""
        path = self.folder / "submitted" / student / UNIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def nbgrader(self, *arguments: str, good: bool = True) -> str:
        """Run one of nbgrader's own commands."""
        return _run([sys.executable, "-c", NBGRADER, *arguments], self.folder, good)

    def grade(self, *options: str, status: int = 0, under: tuple[str, ...] = ()) -> str:
        """Run `tlcourse grade` as a process, by default with one worker; what it said.

        Args:
            under: a command that starts it.
        """
        done = subprocess.run([*under, *self.command(*options)], cwd=self.folder, env=environment(), **_TEXT)
        assert done.returncode == status, done.stdout
        return done.stdout

    def command(self, *options: str) -> list[str]:
        """The command line of `tlcourse grade`."""
        workers = () if "--workers" in options or "--scheduler" in options else ("--workers", "1")
        return [
            sys.executable,
            "-m",
            "graders.cli",
            "grade",
            UNIT,
            "--course",
            str(self.folder),
            *workers,
            *options,
        ]

    @property
    def address(self) -> str:
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    def xp(self) -> dict[str, float]:
        """XP of each student, as `tlcourse xp` computes it."""
        return {student.id: standing(student).xp for student in read_students(self.address)}

    def autograded(self, student: str) -> nbformat.NotebookNode:
        return nbformat.read(self.folder / "autograded" / student / UNIT / f"{UNIT}.ipynb", as_version=4)

    def feedback(self, student: str) -> str:
        return (self.folder / "feedback" / student / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")


# `python -m nbgrader`, without what takes a second to import and is not used (see graders/cli/__init__.py).
NBGRADER = """
import sys
sys.modules["rfc3987_syntax"] = None
from nbgrader.apps.nbgraderapp import main
main()
"""
_TEXT = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}


def environment() -> dict[str, str]:
    """As in an activated environment: nbgrader calls `alembic` by name."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    here = {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return {**os.environ, **here}


def _run(command: list[str], folder: Path, good: bool) -> str:
    done = subprocess.run(command, cwd=folder, env=environment(), **_TEXT)
    assert (done.returncode == 0) is good, done.stdout
    return done.stdout
