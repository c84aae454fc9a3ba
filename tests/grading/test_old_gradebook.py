"""A gradebook that version 0.1.0 wrote is read, and grading goes on in it.

`gradebook-0.1.0/` holds what that version graded: ada's answer is right, ben's is wrong, cleo's file is not a
notebook. A person gave half a point for ada's written answer. The database is kept as SQL, and notebooks
under names that formatters leave alone, since the audit has the digests of their bytes.
"""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from ledger import attempts, grades
from nbgrader.api import Gradebook

from graders.autograde import grading
from graders.autograde.batch.jobs import GradedJob
from graders.autograde.batch.slot import WorkerSlot
from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.records import Limits
from graders.autograde.report.summary import summarise
from graders.autograde.results.gradebook import GradeWriter
from graders.autograde.sandbox import available_isolation
from graders.autograde.submission.folders import submission_folders
from graders.autograde.submission.timestamps import timestamps

BEFORE = Path(__file__).parent / "gradebook-0.1.0"
STUDENTS = ["ada", "ben", "cleo"]


@pytest.fixture
def folder(tmp_path) -> Path:
    """The course as version 0.1.0 left it."""
    folder = tmp_path / "course"
    for kind in ("submitted", "autograded"):
        for student in STUDENTS:
            (folder / kind / student / "soup").mkdir(parents=True)
            (file,) = BEFORE.glob(f"{student}.*")
            shutil.copy(file, folder / kind / student / "soup" / "soup.ipynb")
    (folder / "source" / "soup").mkdir(parents=True)
    shutil.copy(BEFORE / "soup.json", folder / "source" / "soup" / "soup.ipynb")
    with contextlib.closing(sqlite3.connect(folder / "gradebook.db")) as connection:
        connection.executescript((BEFORE / "gradebook.sql").read_text(encoding="utf-8"))
    (folder / "nbgrader_config.py").write_text("c.CourseDirectory.course_id = 'kitchen'\n")
    return folder


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'gradebook.db'}"


def pending(folder: Path, finished: dict) -> tuple[list, list[str]]:
    """What is to be graded, and who is graded already."""
    course = open_course(folder)
    assignment = load_assignment(course, "soup")
    folders, kept = submission_folders(course, assignment), []
    isolation, when = available_isolation()[0], timestamps(course, "soup", "exchange")
    works = grading.pending_submissions(
        course, assignment, folders, finished, isolation, when, lambda name, submitted: kept.append(name)
    )
    return list(works), kept


@contextlib.contextmanager
def writer(folder: Path):
    course = open_course(folder)
    with GradeWriter(course, load_assignment(course, "soup"), print) as writer:
        yield writer


def test_its_audit_is_read(folder):
    with writer(folder) as book:
        found = book.finished()
    assert {who: (entry.status, entry.auto_score, entry.attempt) for (who, _), entry in found.items()} == {
        "ada": ("graded", 2.0, 1), "ben": ("graded", 0.0, 1), "cleo": ("not-rebuilt", 0.0, 1),
    }  # fmt: skip
    ada = found["ada", "soup"]
    assert (ada.grader_version.partition("+")[0], ada.isolation) == ("0.1.0", "namespaces")
    assert [(check["grade_id"], check["points"], check["assertions"]) for check in ada.checks] == [
        ("check-season", 2.0, 1)
    ]


def test_nothing_but_the_graders_version_makes_it_grade_again(folder, monkeypatch):
    with writer(folder) as book:
        found = book.finished()
    assert [one.student for one in pending(folder, found)[0]] == STUDENTS  # this version is another one
    version = found["ada", "soup"].grader_version
    monkeypatch.setattr("graders.autograde.pending.grader_version", lambda: version)
    assert pending(folder, found) == ([], STUDENTS)


@pytest.mark.slow
def test_this_version_goes_on_in_it_and_keeps_what_a_person_gave(folder):
    course, before = open_course(folder), grades(url(folder))
    assignment, tally = load_assignment(course, "soup"), grading.Tally()
    with contextlib.closing(WorkerSlot(Limits(), available_isolation()[0])) as slot, writer(folder) as book:
        grading.grade_all(
            course, assignment, book, pending(folder, book.finished())[0],
            lambda jobs: (GradedJob(job, slot.grade(job.submissions)) for job in jobs), tally, print,
        )  # fmt: skip
        assert pending(folder, book.finished()) == ([], STUDENTS)
        summary = book.read(lambda session: summarise(session, assignment))
    assert (tally.graded, tally.failed, attempts(url(folder))) == (3, 0, dict.fromkeys(STUDENTS, 2))
    scores = [[row[:6] for row in found["grades"]] for found in (before, grades(url(folder)))]
    assert scores[0] == scores[1]
    assert {one["id"]: (one["score"], one["lost"]) for one in summary["students"]} == {
        "ada": (2.5, 0), "ben": (0, 0), "cleo": (0, 0),
    }  # fmt: skip
    with Gradebook(url(folder), "kitchen") as book:
        assert book.find_comment("words", "soup", "soup", "ada").comment == "Nearly."
        assert book.find_grade("words", "soup", "soup", "ada").needs_manual_grade  # to be reviewed
