"""Files of grades: the columns that each platform imports, and nothing that a spreadsheet would run."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.exports import FORMATS, ExportError, export
from graders.exports.formats import number
from graders.overview.records import CourseRecord, Exercise, Student, Unit, UnitResult

ONE, TWO = (
    Unit("01-transfer-learning", (Exercise("check-a", 4.0), Exercise("essay", 1.0, True))),
    Unit("02-which-layers-to-train", (Exercise("check-b", 3.0),)),
)


def result(points: float, penalty: float = 0.0, waiting: bool = False) -> UnitResult:
    return UnitResult(points, penalty, {}, waiting)


ADA = Student("ada", "Ada", "Lovelace", "ada@school.example", "4711", {ONE.name: result(4.5, 1.25)})
BO = Student("bo", "Bố", "Nguyễn, Jr.", "bo@school.example", "",
             {ONE.name: result(2, waiting=True), TWO.name: result(1, 2)})  # fmt: skip
COURSE = CourseRecord((ONE, TWO), (ADA, BO))


def rows(made, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(made.content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_moodle_gets_a_heading_for_every_column_and_empty_fields_for_what_was_not_handed_in():
    made = export(COURSE, "moodle")
    assert rows(made) == [
        ["First name", "Last name", "Username", "ID number", "Email address", ONE.name, TWO.name],
        ["Ada", "Lovelace", "ada", "4711", "ada@school.example", "3.25", ""],
        ["Bố", "Nguyễn, Jr.", "bo", "", "bo@school.example", "2", "0"],  # a penalty above the points
    ]
    assert (made.waiting, made.left_out) == (1, ())
    assert made.content.decode().startswith("First name")  # a byte order mark would be part of the heading


def test_canvas_gets_its_five_columns_and_a_row_of_points():
    assert rows(export(COURSE, "canvas")) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ONE.name, TWO.name],
        ["    Points Possible", "", "", "", "", "5", "3"],
        ["Lovelace, Ada", "", "", "ada", "", "3.25", ""],
        ["Nguyễn, Jr., Bố", "", "", "bo", "", "2", "0"],
    ]


def test_canvas_finds_students_by_its_own_number_and_the_points_of_its_assignments_are_left_alone():
    made = export(COURSE, "canvas", identity="lms", headings={ONE.name: "Transfer learning (99)"})
    assert rows(made)[1:] == [
        ["    Points Possible", "", "", "", "", "", "3"],
        ["Lovelace, Ada", "4711", "", "", "", "3.25", ""],
    ]
    assert b'""' not in made.content  # quoted, an empty field would be a value
    assert made.left_out == (("bo", "the gradebook has no lms_user_id"),)


@pytest.mark.parametrize("heading", ["Final Score", "Unposted Current Grade", "Section", "ID"])
def test_a_heading_that_canvas_would_drop_is_refused(heading):
    with pytest.raises(ExportError, match="for one of its own columns"):
        export(COURSE, "canvas", headings={ONE.name: heading})


def test_blackboard_gets_every_field_in_quotes_and_its_own_headings():
    heading = "Transfer learning [Total Pts: 5 Score] |123_1"
    made = export(COURSE, "blackboard", units=[ONE.name], headings={ONE.name: heading})
    assert made.content.decode().splitlines() == [
        f'"Last Name","First Name","Username","{heading}"',
        '"Lovelace","Ada","ada","3.25"',
        '"Nguyễn, Jr.","Bố","bo","2"',
    ]


def test_the_table_has_a_column_for_each_unit_and_the_sum():
    made = export(COURSE, "table", zero=True)
    assert made.content.startswith(b"\xef\xbb\xbf")
    head, ada, bo = rows(made)
    assert head[4:] == [f"{ONE.name} (of 5)", f"{TWO.name} (of 3)", "sum (of 8)"]
    assert (ada[4:], bo[4:]) == (["3.25", "0", "3.25"], ["2", "0", "2"])


def test_a_student_whom_the_platform_could_not_find_is_left_out_and_told():
    twin = Student("ADA2", email="ADA@school.example ")
    formula = Student("=cmd()", email="-1@school.example")
    unseen = Student("eve", email="e\u202eve@school.example")
    course = CourseRecord((ONE, TWO), (ADA, BO, twin, formula, unseen))
    made = export(course, "moodle")
    assert [row[2] for row in rows(made)[1:]] == ["bo"]
    reasons = dict(made.left_out)
    assert "the same e-mail address" in reasons["ada"] and "the same e-mail address" in reasons["ADA2"]
    assert "for a formula" in reasons["=cmd()"] and "cannot be seen" in reasons["eve"]
    assert {row[2] for row in rows(export(course, "blackboard"))[1:]} >= {"ada", "bo", "ADA2", "eve"}
    assert len(rows(export(course, "table"))) == 6  # nobody is missing there


def test_what_cannot_be_exported_gets_a_sentence():
    with pytest.raises(ExportError, match="no students yet"):
        export(CourseRecord((ONE,), ()), "table")
    with pytest.raises(ExportError, match="no units yet"):
        export(CourseRecord((), (ADA,)), "table")
    with pytest.raises(ExportError, match="No student has a usable lms_user_id"):
        export(CourseRecord((ONE,), (BO,)), "canvas", identity="lms")
    with pytest.raises(ExportError, match="cannot be a heading"):
        export(COURSE, "moodle", headings={ONE.name: "=HYPERLINK(1)"})
    with pytest.raises(ExportError, match="Two columns would have the heading"):
        export(COURSE, "moodle", headings={ONE.name: TWO.name})


@given(st.floats(0, 1e6))
def test_a_number_is_written_without_an_exponent_and_to_four_digits(points):
    text = number(points)
    assert abs(float(text) - points) <= 0.00005001 and "e" not in text


def test_numbers():
    assert [number(one) for one in (0, 10, 0.1 + 0.2, 2.5, 100000, 1 / 3)] == [
        "0", "10", "0.3", "2.5", "100000", "0.3333",
    ]  # fmt: skip


text = st.text(alphabet=st.sampled_from("=+-@\t\r\n;,|\"' a1＝\u202e") | st.characters(), max_size=30)


@given(id=text, first=text, last=text, email=text, lms=text, kind=st.sampled_from(sorted(FORMATS)),
       identity=st.sampled_from(["id", "email", "lms"]))  # fmt: skip
def test_no_field_becomes_a_formula_whatever_separates_fields(id, first, last, email, lms, kind, identity):
    odd = Student(id, first, last, email, lms, {ONE.name: result(1)})
    sure = Student("z", "Z", "Z", "z@school.example", "99", {})
    made = export(CourseRecord((ONE,), (odd, sure)), kind, identity=identity)
    written = 2 + (kind == "canvas") + (not made.left_out or kind == "table")
    assert len(rows(made)) == written
    for delimiter in ",;|\t":
        for row in rows(made, delimiter):
            assert all(one.strip(' \t\r\n"')[:1] not in tuple("=+-@＝＋－＠") for one in row)


@pytest.mark.slow
def test_the_command_replaces_nothing_and_says_who_is_missing(tmp_path):
    from tests.overview.made_up_course import make

    make(tmp_path / "gradebook.db", [("ada", "Ada", "L"), ("=1+1", "Eve", "")])

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "graders.cli", "export", *arguments]
        command += ["--db", str(tmp_path / "gradebook.db")]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    out = tmp_path / "grades.csv"
    done = run("canvas", "01", "00", "--output", "grades.csv", "--column", "01=Transfer (7)")
    assert done.returncode == 0, done.stderr
    assert "=1+1 is not in the file: a spreadsheet would take the id =1+1 for a formula." in done.stderr
    head = out.read_text("utf-8").splitlines()[0]
    assert head == "Student,ID,SIS User ID,SIS Login ID,Section,00-where-we-left-off,Transfer (7)"
    before = out.read_bytes()
    again = run("blackboard", "--output", "grades.csv")
    assert again.returncode == 1 and "exists already" in again.stderr and out.read_bytes() == before
    assert run("blackboard", "--output", "grades.csv", "--force").returncode == 0
    assert out.read_bytes() != before
    assert {path.name for path in Path(tmp_path).iterdir()} == {"gradebook.db", "grades.csv"}
    for wrong in (("moodle", "09"), ("moodle", "--column", "Transfer"), ("table", "--output", ".")):
        failed = run(*wrong)
        assert (
            failed.returncode == 1 and "Expected" in failed.stderr or "is not UNIT=HEADING" in failed.stderr
        )
        assert "Traceback" not in failed.stderr
