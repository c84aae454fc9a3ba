"""Grading an assignment: find what was handed in, leave out what is graded already, and write down each result."""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from .assignment import Assignment, Lesson, grader_version
from .audit import Line
from .autograded import autograded_notebook, scores, write_notebook, write_whole
from .batch import Done, Job
from .course import Course
from .gradebook import Graded, GradeWriter
from .handed_in import RebuildError, find_notebooks, read_file
from .rebuild import Rebuilt, rebuild
from .records import CheckOutcome, Evidence, GradingError, Isolation
from .timestamps import HandedIn


@dataclass(frozen=True)
class Part:
    """A notebook of a submission: rebuilt, or with the reason why not."""

    lesson: Lesson
    digest: str
    rebuilt: Rebuilt | None
    problem: str = ""


@dataclass(frozen=True)
class Work:
    """A submission to grade."""

    student: str
    parts: tuple[Part, ...]
    handed_in: HandedIn

    @property
    def job(self) -> Job:
        """What goes to a worker."""
        return Job(self.student, tuple(part.rebuilt.submission for part in self.parts if part.rebuilt))


@dataclass
class Tally:
    """What a run did: students graded, students left as they were, and (student, sentence) for each to look at."""

    graded: int = 0
    kept: int = 0
    failed: int = 0
    attention: list[tuple[str, str]] = field(default_factory=list)


def submissions(course: Course, assignment: Assignment) -> dict[str, Path]:
    """Folder of each student who handed the assignment in, by id."""
    pattern = re.compile(
        course.directory.format_path(
            course.directory.submitted_directory, "(?P<student>.*)", assignment.name, escape=True
        )
    )
    # The course's own path may have brackets in it, which mean something to glob.
    place = "\0"
    there = course.directory.format_path(course.directory.submitted_directory, place, assignment.name)
    found = {}
    for folder in map(Path, sorted(glob.glob(glob.escape(there).replace(place, "*")))):
        match = pattern.fullmatch(str(folder))
        if match and (folder.is_dir() or folder.is_symlink()):
            found[match["student"]] = folder
    return found


def choose(folders: dict[str, Path], student: str | None, assignment: Assignment) -> dict[str, Path]:
    """The submissions to look at.

    Raises:
        GradingError: there are none.
    """
    if student is not None and student not in folders:
        known = ", ".join(list(folders)[:10]) or "nobody yet"
        raise GradingError(
            f"Student {student!r} has not handed in {assignment.name}. Who has: {known}"
            + (" and others." if len(folders) > 10 else ".")
        )
    if not folders:
        raise GradingError(
            f"Nobody has handed in {assignment.name}. Expected submitted/STUDENT/{assignment.name}/ in the course folder: run "
            f"`nbgrader collect {assignment.name}`, or put submissions there."
        )
    return {name: folder for name, folder in folders.items() if student in (None, name)}


def work(
    course: Course,
    assignment: Assignment,
    folders: dict[str, Path],
    finished: dict[tuple[str, str], Line],
    isolation: Isolation,
    when: Callable[[str, Path], HandedIn],
    kept: Callable[[str], None],
) -> Iterator[Work]:
    """Rebuild the submissions one by one; `kept` is told of each that is graded already."""
    names = tuple(lesson.name for lesson in assignment.lessons)
    for student, folder in folders.items():
        parts, done = [], True
        for lesson, handed in zip(assignment.lessons, find_notebooks(folder, names), strict=True):
            part = _part(assignment, lesson, student, handed)
            parts.append(part)
            there = (course.folder("autograded", student, assignment.name) / f"{lesson.name}.ipynb").exists()
            line = finished.get((student, lesson.name))
            done = done and there and _is_done(line, part, assignment, isolation)
        if done:
            kept(student)
        else:
            linked = folder.is_symlink() or folder.parent.is_symlink()
            yield Work(student, tuple(parts), HandedIn(None) if linked else when(student, folder))


def record(
    course: Course, assignment: Assignment, writer: GradeWriter, one: Work, evidence: Iterable[Evidence]
) -> None:
    """Write a graded submission: its notebooks first, then the transaction.

    Ended in between, the gradebook has no line of it yet, so the next run grades it again and writes the same.

    Raises:
        GradingError: the disk or the database can't be written to.
    """
    found = iter(evidence)
    graded = []
    for part in one.parts:
        result = next(found) if part.rebuilt else _not_rebuilt(part)
        notebook = autograded_notebook(part.lesson, part.rebuilt, result)
        points = scores(notebook, part.rebuilt, part.lesson)
        if result.status != "grader-failed":
            try:
                write_notebook(course, assignment.name, one.student, part.lesson, notebook)
            except OSError as error:
                raise GradingError(
                    f"autograded/ can't be written to ({error.strerror}). What is graded so far is kept; see to that, then "
                    "run the same command again and it goes on from there."
                ) from error
        stubs = {cell.grade_id: cell.source for cell in part.lesson.cells if cell.role == "solution"}
        answers = part.rebuilt.answers if part.rebuilt else {}
        untouched = frozenset(id for id, source in answers.items() if source == stubs[id])
        if one.handed_in.note and not graded:  # for the audit and the summary page, not for the student
            result = replace(result, notes=(*result.notes, one.handed_in.note))
        graded.append(
            Graded(part.lesson.name, part.digest, part.rebuilt is not None, result, points, untouched)
        )
    _copy_of_exchange(course.folder("autograded", one.student, assignment.name), one.handed_in)
    writer.write(one.student, tuple(graded), one.handed_in.when)


def _copy_of_exchange(folder: Path, handed_in: HandedIn) -> None:
    """What nbgrader carries along to `feedback/`: without it, `nbgrader release_feedback` does not find a student."""
    carried = {"timestamp.txt": handed_in.text, "submission_secret.txt": handed_in.secret}
    with contextlib.suppress(OSError):  # no grade depends on it
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in carried.items():
            if text:
                write_whole(folder / name, text.encode())
            else:
                (folder / name).unlink(missing_ok=True)


def remarks(one: Work, evidence: Iterable[Evidence]) -> Iterator[str]:
    """Sentences on a submission that a person should look at."""
    found = iter(evidence)
    for part in one.parts:
        if part.rebuilt is None:
            yield part.problem
            continue
        result = next(found)
        yield from filter(None, (result.reason, *part.rebuilt.submission.notes))
    if one.handed_in.note:
        yield one.handed_in.note


def run(
    course: Course,
    assignment: Assignment,
    writer: GradeWriter,
    works: Iterable[Work],
    grade: Callable[[Iterable[Job]], Iterator[Done]],
    tally: Tally,
    progress: Callable[[str], None],
) -> None:
    """Grade and record each; `tally` is kept up to date, so that it is right whenever this is interrupted."""
    waiting: dict[str, Work] = {}
    unreadable: list[Work] = []

    def finish(one: Work, evidence: tuple[Evidence, ...]) -> None:
        record(course, assignment, writer, one, evidence)
        failed = any(result.status == "grader-failed" for result in evidence)
        tally.failed += failed
        tally.graded += not failed
        tally.attention += [(one.student, sentence) for sentence in remarks(one, evidence)]
        progress(one.student)

    def jobs() -> Iterator[Job]:
        for one in works:
            if one.job.submissions:
                waiting[one.student] = one
                yield one.job
            else:
                unreadable.append(one)

    with contextlib.closing(grade(jobs())) as graded:
        for done in graded:
            finish(waiting.pop(done.job.student), done.evidence)
            while unreadable:
                finish(unreadable.pop(), ())
    while unreadable:
        finish(unreadable.pop(), ())


def _part(assignment: Assignment, lesson: Lesson, student: str, handed) -> Part:
    digest = ""
    try:
        if handed.path is None:
            raise RebuildError(handed.problem)
        content = read_file(handed.path)
        digest = sha256(content).hexdigest()
        return Part(lesson, digest, rebuild(assignment, lesson, content, student, handed.notes))
    except RebuildError as error:
        return Part(lesson, digest, None, str(error))


def _is_done(line: Line | None, part: Part, assignment: Assignment, isolation: Isolation) -> bool:
    return (
        line is not None
        and (line.digest, line.assignment_digest, line.grader_version)
        == (part.digest, assignment.digest, grader_version())
        and (part.rebuilt is None) == (line.status == "not-rebuilt")
        and (part.rebuilt is None or line.isolation != "none" or isolation == "none")
    )


def _not_rebuilt(part: Part) -> Evidence:
    checks = tuple(
        CheckOutcome(cell.grade_id, 0.0, cell.points, False, 0, part.problem)
        for cell in part.lesson.cells
        if cell.role == "test"
    )
    return Evidence("student-failed", part.problem, checks)
