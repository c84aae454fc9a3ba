"""The answers of a class to each exercise of a unit, and what the lesson gave everybody."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from graders.autograde.cells.magics import strip_magics
from graders.autograde.course.folder import Course
from graders.autograde.course.lesson import Assignment, Lesson
from graders.autograde.submission.files import SubmissionError
from graders.autograde.submission.folders import submission_folders
from graders.autograde.submission.notebook import read_submission
from graders.autograde.submission.rebuild import rebuild
from graders.checks.programs import folder_of, read_programs
from graders.units import exercise_packages, unit_packages

from .compare import Answer, Likeness, compare
from .forms import NotPython, imported
from .forms import subtrees as trusted_subtrees
from .parsing import Parser

OWN_CELLS = "cells of their own"


@dataclass
class ExerciseLikeness:
    """What is alike in an exercise.

    Attributes:
        exercise: the id of the cell to fill in, or `OWN_CELLS`.
        answers: how many were compared.
        untouched: how many are as they were handed out.
        unread: (student, reason) of answers that cannot be compared: not Python, or too long.
        found: what is alike, the most telling first.
    """

    exercise: str
    answers: int = 0
    untouched: int = 0
    unread: list[tuple[str, str]] = field(default_factory=list)
    found: list[Likeness] = field(default_factory=list)


@dataclass
class UnitLikeness:
    """What is alike in a unit; `skipped` has (name, reason) of submissions that were not compared."""

    unit: str
    students: int
    exercises: list[ExerciseLikeness]
    skipped: list[tuple[str, str]]


def compare_unit(course: Course, assignment: Assignment, at_least: float, evidence: float) -> UnitLikeness:
    """Compare all answers in code to all exercises of a unit.

    Args:
        at_least, evidence: as `compare.compare` takes them.

    Raises:
        GradingError: `submitted/` cannot be read.
    """
    skipped: list[tuple[str, str]] = []
    folders = submission_folders(course, assignment, (), lambda *said: skipped.append(said))
    names = tuple(lesson.name for lesson in assignment.lessons)
    written: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for student, folder in folders.items():
        notebooks = {one.name: one for one in read_submission(folder.path, names)}
        for lesson in assignment.lessons:
            try:
                rebuilt = rebuild(assignment, lesson, notebooks[lesson.name], student)
            except SubmissionError as error:
                skipped.append((student, str(error)))
                continue
            for id, source in rebuilt.answers.items():
                written[lesson.name, id].append((student, source))
            if rebuilt.extras:
                own = "\n".join(strip_magics(source) for _, source in rebuilt.extras)
                written[lesson.name, OWN_CELLS].append((student, own))
    right = dict(_right_programs(assignment.name))
    exercises = []
    for lesson in assignment.lessons:
        known = _imports(lesson)
        with Parser(known) as parser:
            given = frozenset(_given(lesson, known))
            for id in [*_code_answers(lesson), OWN_CELLS]:
                one = ExerciseLikeness(id)
                idioms = [_digests(program, known) for program in right.get(id, ())]
                answers = list(_answers(written[lesson.name, id], _stub(lesson, id), parser, one))
                one.answers = len(answers)
                one.found = compare(answers, given, idioms, at_least, evidence)
                exercises.append(one)
    return UnitLikeness(assignment.name, len(folders), exercises, skipped)


def _code_answers(lesson: Lesson) -> list[str]:
    return [cell.grade_id for cell in lesson.cells if cell.role == "solution" and cell.cell_type == "code"]


def _stub(lesson: Lesson, id: str) -> str:
    return next((cell.source for cell in lesson.cells if cell.grade_id == id), "")


def _answers(
    written: list[tuple[str, str]], stub: str, parser: Parser, count: ExerciseLikeness
) -> Iterator[Answer]:
    for student, source in written:
        if source.split() == stub.split():
            count.untouched += 1
            continue
        try:
            yield Answer(student, source, tuple(parser.subtrees(strip_magics(source))))
        except NotPython as error:
            count.unread.append((student, str(error)))


def _imports(lesson: Lesson) -> dict[str, str]:
    names: dict[str, str] = {}
    for source in _sources(lesson):
        with contextlib.suppress(NotPython):
            names |= imported(source)
    return names


def _given(lesson: Lesson, names: dict[str, str]) -> Iterable[str]:
    """What everybody was given: the lesson's code, with stubs and checks."""
    for source in _sources(lesson):
        yield from _digests(source, names)


def _sources(lesson: Lesson) -> Iterator[str]:
    return (strip_magics(cell.source) for cell in lesson.cells if cell.cell_type == "code")


def _digests(source: str, names: dict[str, str]) -> set[str]:
    try:
        return {one.digest for one in trusted_subtrees(source, names)}
    except NotPython:
        return set()


def _right_programs(unit: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The known right answers to each exercise of a unit; none for a unit of another course."""
    package = unit_packages().get(unit)
    for exercise in exercise_packages(package) if package else ():
        id = exercise.rpartition(".")[2].replace("_", "-")
        folder = folder_of(exercise)
        programs = {**read_programs(folder, "right"), **read_programs(folder, "right/idioms")}
        yield id, tuple(programs.values())
