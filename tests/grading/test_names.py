"""One row for each who handed in, whatever their folder is called; what is shown of a name only shows it."""

import csv
import io
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest
from classroom import UNIT, Classroom
from click.testing import CliRunner
from faults import Postgres
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from quick import BEST, RIGHT

from graders.autograde import grading, pending
from graders.cli import main
from graders.names import normal_name, shown, student_id
from graders.xp import read_students
from graders.xp.picture import draw
from graders.xp.rules import Student, standing

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

LONG = "many-names-" * 20
# A folder's name as bytes, and the id under which it is graded.
ODD = {
    b"m\xfcller": "m%FCller",
    "m\u00fcller".encode(): "m\u00fcller",
    "rene\u0301e".encode(): "ren\u00e9e",
    LONG.encode(): student_id(LONG),
    ("\u6f22" * 85).encode(): "\u6f22" * 85,
    b"new\nline": "new%0Aline",
    b".hidden": "%2Ehidden",
    b" spaced ": "%20spaced%20",
    b"esc\x1b[31m": "esc%1B%5B31m",
    "rtl\u200f\u202e".encode(): "rtl%E2%80%8F%E2%80%AE",
    b"=1+1": "=1+1",
    b"<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    b"[b]Anna [red]": "%5Bb]Anna %5Bred]",
    b"{student_id} %s $x^$": "{student_id} %s $x^$",
    b"-rf *?": "-rf *?",
}
LISTED = {"[/b]Anna": "[/bold]<b>Anna</b>", "eve\x1b[2J\n": "\u202e$\\frac$ =1+1"}  # known, nothing handed in


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.close()


def class_of_odd_names(room: Classroom) -> None:
    room.hand_in("ada", RIGHT)
    content = (room.folder / "submitted" / "ada" / UNIT / f"{UNIT}.ipynb").read_bytes()
    for name in ODD:
        folder = os.path.join(os.fsencode(room.folder), b"submitted", name, UNIT.encode())
        os.makedirs(folder)
        with open(os.path.join(folder, f"{UNIT}.ipynb".encode()), "wb") as file:
            file.write(content)
    submitted = room.folder / "submitted"
    (submitted / "a-file").mkdir()
    (submitted / "a-file" / UNIT).write_bytes(content)
    (submitted / "loose").mkdir()
    (submitted / "loose" / f"{UNIT}.ipynb").write_bytes(content)
    (submitted / "notes.txt").write_text("a file beside the folders")
    (submitted / ".DS_Store").write_bytes(b"of no student")
    (submitted / "gone").symlink_to("nowhere")


def expected() -> dict[str, float]:
    return {"ada": BEST, **dict.fromkeys(ODD.values(), BEST), "a-file": 0, **dict.fromkeys(LISTED, 0)}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def anywhere(request, room) -> tuple[Classroom, str]:
    """A course whose gradebook is in either database, and its address."""
    if request.param == "SQLite":
        return room, room.address
    url = request.getfixturevalue("postgres").url
    config = room.folder / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {url!r}\n")
    room.nbgrader("generate_assignment", UNIT, "--force")
    return room, url


def test_each_folder_is_one_row_in_either_database_and_what_is_none_gets_a_line(anywhere, grade):
    room, url = anywhere
    class_of_odd_names(room)
    with Gradebook(url, "transfer-learning") as book:
        for id, name in LISTED.items():
            book.add_student(id, first_name=name)
    tally = grade()
    assert {one.id: standing(one).xp for one in read_students(url)} == expected()
    assert (tally.graded, tally.failed) == (len(ODD) + 2, 0)
    assert [one["id"] for one in tally.summary["students"]] == sorted({*expected()} - {*LISTED})
    said = {name: sentence for name, sentence in tally.attention}
    assert "There is a file where a folder was expected" in said["a-file"]
    assert "in the student's folder itself" in said["loose"] and f"{UNIT}/" in said["loose"]
    assert "is not a folder" in said["notes.txt"] and "is not a folder" in said["gone"]
    renamed = {id for name, id in ODD.items() if normal_name(os.fsdecode(name)) != id}
    assert {id for id in renamed if "is listed as" in said[id]} == renamed
    assert set(said) == {*renamed, "a-file", "loose", "notes.txt", "gone"}
    again = grade()
    assert (again.graded, again.kept) == (0, len(ODD) + 2)
    assert grade(student=os.fsdecode(b"m\xfcller"), force=True).graded == 1


def test_the_page_the_list_and_the_terminal_show_names_and_nothing_else_of_them(room, book):
    class_of_odd_names(room)
    for id, name in LISTED.items():
        book.add_student(id, first_name=name)
    said = room.grade()
    assert not _unseen(said)
    page = (room.folder / "grading" / f"{UNIT}.html").read_text()
    tags = _tags(page)
    assert "img" not in tags and not _unseen(page) and tags.count("script") == 1
    text = (room.folder / "grading" / f"{UNIT}.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(ODD) + 3 and not any(
        re.match(r"\s*[=+@-]", field) for row in rows for field in row
    )
    told = CliRunner().invoke(main, ["xp", "--db", str(room.folder / "gradebook.db")], env={"COLUMNS": "400"})
    assert told.exit_code == 0 and not _unseen(told.output)
    for folder in (room.folder / "autograded").iterdir():
        if not set(folder.name) & set("[{*"):
            shutil.rmtree(folder)
    room.nbgrader("generate_feedback", UNIT)  # which finds folders by patterns
    assert len(list(room.folder.glob(f"feedback/*/{UNIT}/{UNIT}.html"))) == 2
    assert "[/b]Anna ([/bold]<b>Anna</b>)" in told.output


def _unseen(text: str) -> set[str]:
    return {sign for sign in text if sign != "\n" and shown(sign) != sign}


def _tags(page: str) -> list[str]:
    found, parser = [], HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(tag)
    parser.feed(page)
    return found


def test_a_picture_shows_any_name(tmp_path):
    names = ["$x^$", "[/b]Anna", "<b>&\x1b[2J\n\u202e", "\u05d0\u05d3\u05d4", "x" * 500, "", "a\x00b"]
    standings = [standing(Student(f"id-{place}", name, {})) for place, name in enumerate(names)]
    for ending in ("svg", "png", "pdf"):
        text = draw(standings, tmp_path / f"xp.{ending}")
        assert not _unseen(text)
    root = ElementTree.parse(tmp_path / "xp.svg").getroot()
    assert "$x^$" in " ".join(root.itertext())


@pytest.mark.parametrize("step", ["read_submission", "write_notebook"])
def test_an_error_of_any_kind_on_one_submission_is_its_row_and_the_others_are_graded(
    room, grade, monkeypatch, step
):
    for student in ("ada", "ben", "cleo"):
        room.hand_in(student, RIGHT)
    module = pending if step == "read_submission" else grading
    whole = getattr(module, step)

    def stops_at_ben(*arguments):
        if any(one == "ben" or (isinstance(one, Path) and one.parent.name == "ben") for one in arguments):
            raise RuntimeError("of a kind that nobody thought of")
        return whole(*arguments)

    monkeypatch.setattr(module, step, stops_at_ben)
    tally = grade()
    assert (tally.graded, tally.failed) == (2, 1)
    assert room.xp() == {"ada": BEST, "ben": 0, "cleo": BEST}
    ((who, sentence),) = tally.attention
    assert who == "ben" and "RuntimeError: of a kind that nobody thought of" in sentence
    state = {one["id"]: one["status"] for one in tally.summary["students"]}
    assert state == {"ada": "graded", "ben": "grader-failed", "cleo": "graded"}
    monkeypatch.undo()
    assert (grade().graded, room.xp()["ben"]) == (1, BEST)


def test_what_stands_in_the_way_of_one_students_files_stops_nobody_else(room, grade):
    for student in ("ada", "ben"):
        room.hand_in(student, RIGHT)
    (room.folder / "autograded").mkdir()
    (room.folder / "autograded" / "ada").write_text("a file in place of a folder")
    tally = grade()
    assert (tally.graded, tally.failed) == (1, 1)
    assert room.xp() == {"ada": 0, "ben": BEST}


@given(st.binary(min_size=1, max_size=255).filter(lambda name: b"/" not in name and b"\0" not in name))
def test_any_folders_name_gives_an_id_that_a_database_a_path_and_a_terminal_take(name):
    id = student_id(os.fsdecode(name))
    assert 1 <= len(id) <= 128 and len(id.encode()) <= 255
    assert not _unseen(id) and not id.startswith(".") and id == id.strip() and "/" not in id
    assert student_id(id) == id
    assert (id == normal_name(os.fsdecode(name))) or "%" in id or "~" in id
