"""A gradebook is read, never written; one that cannot be read gets a sentence."""

import sqlite3
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from graders.xp import GradebookError, read_students, standing

pytestmark = pytest.mark.slow


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A gradebook with one graded submission: 3 of 5 points, a late penalty of 1."""
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin", prepend=":")
    path = tmp_path / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as gradebook:
        gradebook.add_assignment("01-transfer-learning")
        gradebook.add_notebook("01-transfer-learning", "01-transfer-learning")
        for id, points in (("check-build-head", 1), ("check-freeze-backbone", 2), ("check-choose-plan", 2)):
            gradebook.add_grade_cell(
                id, "01-transfer-learning", "01-transfer-learning", max_score=points, cell_type="code"
            )
        gradebook.add_student("ada", first_name="Ada", last_name="Lovelace")
        submission = gradebook.add_submission("01-transfer-learning", "ada")
        grades = {grade.name: grade for grade in submission.notebooks[0].grades}
        grades["check-build-head"].auto_score = 1
        grades["check-freeze-backbone"].auto_score = 2
        grades["check-choose-plan"].auto_score = 0
        submission.notebooks[0].late_submission_penalty = 1
        gradebook.db.commit()
    return path


def test_score_less_penalty_is_the_xp(book):
    (ada,) = read_students(f"sqlite:///{book}")
    assert (ada.name, standing(ada).xp) == ("Ada Lovelace", 2)


def test_reading_changes_no_byte(book):
    before = book.read_bytes()
    read_students(f"sqlite:///{book}")
    assert book.read_bytes() == before


def test_a_missing_gradebook_is_not_made(tmp_path):
    with pytest.raises(GradebookError, match="There is no gradebook"):
        read_students(f"sqlite:///{tmp_path / 'gone.db'}")
    with pytest.raises(GradebookError, match="There is no gradebook at .*--db"):
        read_students(f"sqlite:///{tmp_path}")  # the course's folder, not the file in it
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_a_database_gets_a_sentence(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("this is not a database, it is only a text file that has its name" * 20)
    with pytest.raises(GradebookError, match="is not a gradebook"):
        read_students(f"sqlite:///{path}")


def test_an_older_gradebook_says_how_to_upgrade(book):
    with sqlite3.connect(book) as database:
        database.execute("ALTER TABLE student DROP COLUMN lms_user_id")
    with pytest.raises(GradebookError, match="nbgrader db upgrade"):
        read_students(f"sqlite:///{book}")


def test_a_locked_gradebook_says_so(book):
    database = sqlite3.connect(book, isolation_level=None)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(GradebookError, match="locked"):
        read_students(f"sqlite:///{book}")
    database.close()


@pytest.mark.parametrize("address", ["nosuchdatabase://x", "sqlite//x://"])
def test_what_is_not_an_address_gets_a_sentence(address):
    with pytest.raises(GradebookError, match="is not the address of a gradebook"):
        read_students(address)


def test_a_file_will_do_for_an_address(book):
    assert read_students(str(book)) == read_students(f"sqlite:///{book}")


def test_the_command_prints_draws_and_explains(book, tmp_path):
    command = [sys.executable, "-m", "graders.cli", "xp", "--db", f"sqlite:///{book}"]
    picture = tmp_path / "xp.svg"
    shown = subprocess.run([*command, "--picture", str(picture)], capture_output=True, text=True, check=True)
    assert "Ada Lovelace" in shown.stdout
    assert "2 XP" in picture.read_text() or "XP: Ada Lovelace: 2 XP" in picture.read_text()
    nowhere = str(tmp_path / "nowhere" / "xp.svg")
    undrawn = subprocess.run([*command, "--picture", nowhere], capture_output=True, text=True)
    assert undrawn.returncode == 1 and "Traceback" not in undrawn.stderr
    assert "cannot be drawn" in undrawn.stderr and ".svg, .png or .pdf" in undrawn.stderr
    unknown = subprocess.run([*command, "--student", "bob"], capture_output=True, text=True)
    assert unknown.returncode == 1
    assert "has no student 'bob'. It has ada" in unknown.stderr
