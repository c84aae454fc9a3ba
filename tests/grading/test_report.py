"""What an instructor sees of a class: points and mistakes by exercise, on the page and in a spreadsheet."""

import csv
import io
import json
import re

import nbformat
import pytest
from classroom import UNIT, Classroom
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from quick import BEST, QUICK, RIGHT, with_quick_exercises, wrong

from graders.autograde.report.table import csv_table

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

FORMULA = "=1+1;=2+2 <b>"
ESSAY = 1.0  # a point that the exercise before it has less


def with_a_question(notebook: dict) -> None:
    """Quick exercises, and a question that a person grades."""
    with_quick_exercises(notebook)
    question = nbformat.v4.new_markdown_cell("*Which layers would you freeze, and why?*")
    question.metadata["nbgrader"] = {
        "grade": True, "grade_id": "essay", "locked": False, "points": ESSAY, "schema_version": 3,
        "solution": True, "task": False,
    }  # fmt: skip
    check = next(
        one
        for one in notebook["cells"]
        if one["metadata"].get("nbgrader", {}).get("grade_id") == "check-pick"
    )
    check["metadata"]["nbgrader"]["points"] -= ESSAY
    notebook["cells"].append(question)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    """A class of three, graded once."""
    fit = "c.RefuseUnfitLesson.enabled = False\n"
    room = Classroom.make(tmp_path_factory.mktemp("report") / "course", fit, with_a_question)
    room.hand_in("ada", RIGHT | {"essay": "The lower ones."})
    room.hand_in("ben", wrong("build-head", "one-score"))
    room.hand_in(FORMULA, RIGHT | {"build-head": f"raise RuntimeError({FORMULA!r})", "essay": "None."})
    room.first = summary(room)
    return room


def summary(room: Classroom) -> dict:
    said = room.grade("--json")
    return json.loads(said[said.index("{") : said.rindex("}") + 1])


def exercises(summary: dict, student: str) -> dict[str, dict]:
    row = next(one for one in summary["students"] if one["id"] == student)
    return {one["cell"]: one for one in row["exercises"]}


def spreadsheet(room: Classroom) -> dict[str, dict[str, str]]:
    text = (room.folder / "grading" / f"{UNIT}.csv").read_text(encoding="utf-8-sig")
    return {row["student"]: row for row in csv.DictReader(io.StringIO(text))}


def test_each_exercise_has_its_points_and_its_mistake(room):
    ben = exercises(room.first, "ben")
    assert list(ben) == [f"check-{id}" for id in QUICK.by_id] + ["essay"]
    message = next(one.message for one in QUICK.by_id["build-head"].mistakes if one.id == "one-score")
    assert (ben["check-build-head"]["points"], ben["check-build-head"]["mistake"]) == (0, "one-score")
    assert ben["check-build-head"]["message"] == message.partition("\n")[0]
    others = [one for id, one in ben.items() if id not in ("check-build-head", "essay")]
    assert all(one["points"] == one["best"] and not one["mistake"] for one in others)
    score = next(one["score"] for one in room.first["students"] if one["id"] == "ben")
    assert (
        score == sum(one["points"] for one in ben.values()) == BEST - ESSAY - QUICK.by_id["build-head"].points
    )
    page = (room.folder / "grading" / f"{UNIT}.html").read_text()
    assert re.search(r'title="one-score: [^"]+"><span aria-hidden="true">✗ </span>0<span', page)


def test_what_a_person_has_to_grade_waits_and_then_is_told_as_given_by_hand(room):
    essay = exercises(room.first, "ada")["essay"]
    assert (essay["points"], essay["needs_manual_grade"]) == (None, True)
    assert exercises(room.first, "ben")["essay"]["points"] == 0  # it is as it was handed out
    assert spreadsheet(room)["ada"]["essay: remark"] == "a person has to grade it"
    with Gradebook(room.address, "transfer-learning") as book:
        row = book.find_grade("essay", UNIT, UNIT, "ada")
        row.manual_score, row.extra_credit, row.needs_manual_grade = 1.0, 0.5, False
        book.db.commit()
    essay = exercises(summary(room), "ada")["essay"]
    assert (essay["points"], essay["by_hand"], essay["extra_credit"]) == (1.5, True, 0.5)
    ada = spreadsheet(room)["ada"]
    assert (ada["essay"], ada["essay: remark"]) == ("1.5", "given by hand; with +0.5 extra credit")
    assert float(ada["score"]) == BEST - ESSAY + 1.5


def test_the_spreadsheet_says_what_the_page_says(room):
    rows = spreadsheet(room)
    assert set(rows) == {"ada", "ben", f"'{FORMULA.replace(';=', chr(59) + chr(39) + '=')}"}
    assert (rows["ben"]["build-head"], rows["ben"]["build-head: remark"]) == ("0.0", "one-score")
    assert (rows["ben"]["best"], rows["ben"]["state"], rows["ben"]["name"]) == (
        f"{BEST:.1f}",
        "graded",
        "",
    )


text = st.text(alphabet=st.sampled_from("=+-@\t\r\n;,|\"' a1＝\u202e") | st.characters(), max_size=30)


@given(id=text, name=text, message=text)
def test_no_text_becomes_a_formula_whatever_ends_a_field_in_the_spreadsheet(id, name, message):
    exercise = {"cell": "check-x", "notebook": "n", "best": 1.0, "points": 0.0, "extra_credit": 0.0}
    exercise |= {"by_hand": False, "needs_manual_grade": False, "mistake": "", "message": message}
    student = {"id": id, "name": name, "score": 0.0, "late_penalty": 0.0, "needs_manual_grade": False}
    student |= {"status": "graded", "isolation": "namespaces", "attempt": 1, "exercises": [exercise]}
    written = csv_table({"best": 1.0, "exercises": [exercise | {"points": 1.0}], "students": [student]})
    assert len(list(csv.reader(io.StringIO(written)))) == 2
    for ends in ",;|\t":
        for row in csv.reader(io.StringIO(written), delimiter=ends):
            assert all(field.strip(' \t\r\n"')[:1] not in tuple("=+-@＝＋－＠") for field in row)
