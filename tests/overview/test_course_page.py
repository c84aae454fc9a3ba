"""The course's page says what nbgrader's gradebook and the audit say, quickly, whatever a name contains."""

import re
import sqlite3
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from graders.autograde.results.audit import add_entry
from graders.overview.page import course_page, write_course_page
from graders.overview.reading import read_course
from graders.overview.records import CourseRecord
from graders.xp import GradebookError, read_students, standing
from tests.machine import slowness
from tests.overview.made_up_course import UNITS, check, class_of, entry, make

pytestmark = pytest.mark.slow

NOW = datetime(2026, 4, 1, 10)
HOSTILE = "<script>document.title = 'broken'</script>"


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("overview") / "gradebook.db"
    make(path, [*class_of(40), (HOSTILE, '"><img src=x onerror=alert(1)>', "\u202eevil\x1b[31m")])
    return path


@pytest.fixture(scope="module")
def course(book) -> CourseRecord:
    return read_course(str(book))


def test_every_score_is_what_nbgrader_computes(book, course):
    with Gradebook(f"sqlite:///{book}") as gradebook:
        for student in course.students:
            for unit, result in student.units.items():
                row = gradebook.find_submission(unit, student.id)
                assert (result.score, result.penalty) == (row.score, row.late_submission_penalty)
                assert result.waiting is bool(row.needs_manual_grade)
        handed_in = sum(len(one.units) for one in course.students)
        assert handed_in == sum(len(one.submissions) for one in gradebook.students) > 80
    assert {one.id: one.xp for one in course.students} == {
        one.id: standing(one).xp for one in read_students(str(book))
    }


def test_units_have_their_exercises_and_due_dates(course):
    assert {unit.name: unit.best for unit in course.units} == {
        name: sum(cells.values()) for name, cells in UNITS.items()
    }
    second = course.units[1]
    assert second.due == datetime(2026, 3, 20, 23, 59)
    assert {one.cell for one in second.exercises if one.by_hand} == {"essay"}


def test_a_mistake_of_the_last_grading_is_there_now_and_one_of_an_earlier_grading_is_fixed(tmp_path):
    path, unit = tmp_path / "gradebook.db", "02-which-layers-to-train"
    make(path, [("ada", "", "")], seed=1)
    with Gradebook(f"sqlite:///{path}") as gradebook:
        for attempt, (points, mistake) in enumerate(((0, "a"), (0, "b"), (0, "b")), 11):
            checks = [check("check-pick", points, 10.0, mistake, f"Mistake {mistake}.\nMore.")]
            add_entry(gradebook.db, str(attempt), entry(unit, "ada", attempt, checks))
        failed = entry(unit, "ada", 14, [], status="grader-failed", auto_score=None)
        add_entry(gradebook.db, "14", failed)
        gradebook.db.commit()
    (ada,) = read_course(str(path)).students
    result = ada.units[unit]
    assert [(one.id, one.message) for one in result.mistakes] == [("b", "Mistake b.")]
    assert "a" in {one.id for one in result.fixed} and "b" not in {one.id for one in result.fixed}
    assert result.attempts == 13  # the grader's own failure says nothing about the student


def test_a_gradebook_that_only_nbgrader_wrote_has_no_mistakes_and_all_scores(book, course, tmp_path):
    copy = tmp_path / "gradebook.db"
    copy.write_bytes(book.read_bytes())
    with sqlite3.connect(copy) as database:
        database.execute("DROP TABLE tlcourse_audit")
    stock = read_course(str(copy))
    assert [one.xp for one in stock.students] == [one.xp for one in course.students]
    assert not any(one.mistakes for one in stock.students)
    assert "The audit has no named mistake yet." in course_page(stock, NOW)


def test_what_is_in_a_name_stays_text(course):
    page = course_page(course, NOW)
    assert page.count("<script>") == 1 and "<img" not in page
    assert "\u202e" not in page and "\x1b" not in page
    assert "&lt;script&gt;document.title" in page
    assert re.search(r"script-src 'sha256-[\w+/=]+'", page)
    assert not re.search(r"https?://", page)


def test_a_gradebook_without_students_or_units_makes_a_page(tmp_path):
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}"):
        pass
    page = course_page(read_course(str(tmp_path / "gradebook.db")), NOW)
    assert "no students yet" in page and "no units yet" in page


def test_what_is_not_a_gradebook_gets_a_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("no database" * 100)
    for name in ("notes.txt", "gone.db"):
        with pytest.raises(GradebookError, match="Expected"):
            read_course(str(tmp_path / name))


def test_a_unit_links_to_its_own_summary_where_there_is_one(course, tmp_path):
    (tmp_path / "01-transfer-learning.html").write_text("")
    page = write_course_page(course, tmp_path / "page.html", NOW).read_text(encoding="utf-8")
    assert re.findall(r'href="([^#"]+)"', page) == ["01-transfer-learning.html"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_page_of_a_thousand_students_is_made_in_two_seconds(tmp_path):
    address, before = make(tmp_path / "gradebook.db", class_of(1000)), slowness()
    start = time.perf_counter()
    page = write_course_page(read_course(address), tmp_path / "page.html", NOW)
    took = time.perf_counter() - start
    assert took < 2 * max(before, slowness())
    assert page.stat().st_size < 3_000_000


def test_the_command_writes_the_page_and_overwrites_only_its_own(book, tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "graders.cli", "course-page", "--db", str(book), *arguments]
        return subprocess.run(command, cwd=room, capture_output=True, text=True)

    room = tmp_path / "spring"
    (room / "source").mkdir(parents=True)
    (room / "nbgrader_config.py").write_text("")
    for _ in range(2):  # the page in grading/ is renewed
        assert run().returncode == 0
    assert "Chloé" in (room / "grading" / "course-page.html").read_text(encoding="utf-8")
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    refused = run("--output", str(mine))
    assert refused.returncode == 1 and "exists already" in refused.stderr and mine.read_text() == "mine"
    assert run("--output", str(mine), "--force").returncode == 0 and "Chloé" in mine.read_text("utf-8")
    nowhere = run("--output", str(mine / "page.html"))
    assert nowhere.returncode == 1 and "cannot be written" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr


def test_reading_changes_no_byte(book):
    before = book.read_bytes()
    read_course(str(book))
    assert book.read_bytes() == before


def test_points_are_shown_with_two_digits_at_most(course):
    page = course_page(course, NOW)
    assert not re.search(
        r"\d\.\d{3,}", re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.S)
    )
