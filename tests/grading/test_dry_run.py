"""A dry run says what a run would do, and writes nothing; one exercise is graded again, and no other."""

import json
from datetime import datetime, timedelta

import pytest
from classroom import UNIT
from ledger import ledger
from made_up_grading import grade, share
from quick import BEST, RIGHT
from sqlalchemy import create_engine, text

from graders.autograde.records import GradingError
from graders.autograde.results.planned import PlannedChange
from graders.cli.plan import tell_plan

pytestmark = pytest.mark.slow

CELLS = ("check-build-head", "check-layer-rates")


def files(room) -> dict:
    """Every file of the course, and when it was written."""
    found = [path for path in room.folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def grades_of(room, student: str) -> dict[str, float]:
    return {row[3]: row[4] for row in ledger(room.address)["grades"] if row[0] == student}


def test_a_dry_run_before_the_first_grading_writes_nothing_and_says_everything(room):
    room.hand_in("ada", RIGHT)
    room.put("ben", b"{")
    before = files(room)
    tally = grade(room, share(1), dry=True)
    assert files(room) == before
    ada, ben = tally.planned
    assert (ada.student, ada.before, ada.after.score) == ("ada", None, BEST)
    assert (ben.student, ben.after.score) == ("ben", 0)


def test_a_dry_run_says_per_student_what_a_run_then_does(room, capsys):
    for student in ("ada", "ben"):
        room.hand_in(student, RIGHT)
    grade(room, share(1))
    before, said = files(room), ledger(room.address)
    tally = grade(room, share(0.5), dry=True, force=True)
    assert files(room) == before and ledger(room.address) == said
    assert [one.student for one in tally.planned if one.changed] == ["ada", "ben"]
    assert tally.planned[0].cells()["check-build-head"] == (1, 0.5)
    tell_plan(tally.planned, tally, False, as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out)["students"][0]["score"] == {"before": BEST, "after": BEST / 2}
    assert "Dry run: nothing was written. 2 would be graded" in err
    assert "2 of 2 would have other points or penalties" in err
    grade(room, share(0.5), force=True)
    assert room.xp() == {one.student: one.after.score for one in tally.planned}
    tell_plan(tally.planned, tally, False, as_json=False)
    assert "check-build-head" in capsys.readouterr().out


def test_a_dry_run_says_which_late_penalties_would_change(room, book):
    room.hand_in("ada", RIGHT)
    stamp = room.folder / "submitted" / "ada" / UNIT / "timestamp.txt"
    due = datetime(2026, 3, 1)
    stamp.write_text(f"{due + timedelta(hours=1)} UTC")
    grade(room, share(1))
    dates = {"due": f"{due:%Y-%m-%d %H:%M} UTC", "rule": {"per_day": 10}}
    (room.folder / "dates.json").write_text(json.dumps({"format": 1, "units": {UNIT: dates}}))
    before = files(room)
    (ada,) = grade(room, share(1), dry=True).planned
    assert files(room) == before
    assert ada.changed and not ada.cells()
    assert (ada.before.late_penalty, ada.after.late_penalty) == (0, pytest.approx(BEST / 10))


def test_a_dry_run_finds_nothing_where_nothing_would_change(room):
    room.hand_in("ada", RIGHT)
    grade(room, share(1))
    (ada,) = grade(room, share(0), dry=True).planned
    assert not ada.changed and ada.after.score == BEST
    assert isinstance(ada, PlannedChange)


@pytest.mark.parametrize("name", ["build-head", "check-build-head"])
def test_one_exercise_is_graded_again_and_the_rest_stays_to_the_digit(room, book, name):
    for student in ("ada", "ben"):
        room.hand_in(student, RIGHT)
    grade(room, share(1 / 3))
    book.find_grade("check-layer-rates", UNIT, UNIT, "ada").manual_score = 0.7
    book.db.commit()
    before = {student: grades_of(room, student) for student in ("ada", "ben")}
    by_hand = [row for row in ledger(room.address)["grades"] if row[3] != "check-build-head"]
    tally = grade(room, share(1), exercise=name)
    assert (tally.graded, tally.kept) == (2, 0)
    for student in before:
        after = grades_of(room, student)
        assert after.pop("check-build-head") == 1
        assert after == {cell: points for cell, points in before[student].items() if cell in after}
    assert [row for row in ledger(room.address)["grades"] if row[3] != "check-build-head"] == by_hand
    (note,) = notes(room, "ada")
    assert "Only build-head was graded again. All other points are those of attempt 1" in note
    cells = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in room.autograded("ada").cells
        if "nbgrader" in cell.metadata
    }
    assert cells["check-build-head"].outputs == [] and cells["check-layer-rates"].outputs != []
    # It holds: the next run changes nothing, and neither does it see another program's change.
    tally = grade(room, share(0))
    assert (tally.graded, tally.kept, tally.attention) == (0, 2, [])


def test_a_failure_of_the_grader_leaves_all_points_when_one_exercise_is_graded_again(room):
    from test_grade_writer import failing

    room.hand_in("ada", RIGHT)
    grade(room, share(1))
    before = grades_of(room, "ada")
    assert grade(room, failing, exercise="build-head").failed == 1
    assert grades_of(room, "ada") == before


def test_who_has_no_grade_or_handed_in_again_is_left_out_with_a_line(room):
    for student in ("ada", "ben"):
        room.hand_in(student, RIGHT)
    room.put("dora", b"{")
    grade(room, share(1))
    room.hand_in("ben", {})
    room.hand_in("cleo", RIGHT)
    tally = grade(room, share(0), exercise="build-head")
    said = dict(tally.attention)
    assert tally.graded == 1 and set(said) == {"ben", "cleo", "dora"}
    assert "it was handed in again since it was graded. `tlcourse grade" in said["ben"]
    assert "it has no grades yet" in said["cleo"] and "it could not be read" in said["dora"]
    assert room.xp()["ben"] == BEST and "cleo" not in room.xp()


def test_an_exercise_that_is_not_there_gets_a_sentence(room):
    room.hand_in("ada", RIGHT)
    with pytest.raises(GradingError, match="has no exercise 'soup'. Its exercises are: .*build-head"):
        grade(room, share(1), exercise="soup")


def test_the_command_does_both(room):
    room.hand_in("ada", RIGHT)
    said = room.grade("--dry-run")
    assert "1 of 1 would have other points" in said and "none → 1" in said
    assert room.xp() == {} and not (room.folder / "grading").exists()
    assert "no exercise 'soup'" in room.grade("--exercise", "soup", status=1)


def notes(room, student: str) -> list[str]:
    """What the newest audit entry says."""
    engine = create_engine(room.address)
    with engine.connect() as connection:
        query = "SELECT notes FROM tlcourse_audit WHERE student = :who ORDER BY attempt DESC"
        found = connection.execute(text(query), {"who": student}).scalar()
    engine.dispose()
    return json.loads(found)
