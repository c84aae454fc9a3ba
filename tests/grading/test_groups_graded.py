"""A group is graded once: each member gets grades, XP, a graded notebook and an audit entry of their own."""

import json
from datetime import datetime, timedelta

import pytest
from classroom import UNIT
from ledger import attempts, ledger
from made_up_grading import grade, share
from quick import BEST, RIGHT

from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.report.summary import summarise
from graders.autograde.results.gradebook import GradeWriter

pytestmark = pytest.mark.slow


def test_a_group_is_graded_once_and_each_member_is_credited(room):
    room.hand_in("ben+fay", RIGHT)
    room.hand_in("ada", RIGHT)
    tally = grade(room, share(0.5))
    assert [job.student for job in tally.jobs] == ["ada", "ben+fay"]
    assert (tally.graded, tally.failed, tally.attention) == (3, 0, [])
    assert room.xp() == dict.fromkeys(("ada", "ben", "fay"), BEST / 2)
    for student in ("ben", "fay"):
        assert room.autograded(student).cells
    assert not (room.folder / "autograded" / "ben+fay").exists()
    again = grade(room, share(1))
    assert (again.jobs, again.kept) == ([], 3)
    room.hand_in("ben+fay", {"build-head": RIGHT["build-head"]})
    assert [job.student for job in grade(room, share(1)).jobs] == ["ben+fay"]
    assert attempts(room.address) == {"ada": 1, "ben": 2, "fay": 2}
    course = open_course(room.folder)
    assignment = load_assignment(course, UNIT)
    with GradeWriter(course, assignment, print) as writer:
        summary = writer.read(lambda session: summarise(session, assignment))
    assert [one["group"] for one in summary["students"]] == ["", "ben+fay", "ben+fay"]


def test_where_one_member_s_grades_are_not_those_written_the_group_is_graded_again(room, book):
    room.hand_in("ben+fay", RIGHT)
    grade(room, share(1))
    before = ledger(room.address)["grades"]
    book.find_grade("check-build-head", UNIT, UNIT, "fay").auto_score = 0
    book.db.commit()
    tally = grade(room, share(1))
    assert len(tally.jobs) == 1 and "check-build-head had 1 and has 0" in str(tally.attention)
    assert ledger(room.address)["grades"] == before


def test_each_member_has_a_late_penalty_of_their_own_and_one_exercise_is_graded_again_for_all(room):
    due = datetime(2026, 3, 1)
    room.hand_in("ben+fay", RIGHT)
    (room.folder / "submitted" / "ben+fay" / UNIT / "timestamp.txt").write_text(
        f"{due + timedelta(hours=1)} UTC"
    )
    dates = {"due": "2026-03-01 00:00 UTC", "rule": {"per_day": 10}, "extensions": {"fay": {"by": "1d"}}}
    (room.folder / "dates.json").write_text(json.dumps({"format": 1, "units": {UNIT: dates}}))
    grade(room, share(1))
    assert room.xp() == pytest.approx({"ben": 0.9 * BEST, "fay": BEST})
    assert grade(room, share(0), exercise="build-head").graded == 2
    assert room.xp() == pytest.approx({"ben": 0.9 * (BEST - 1), "fay": BEST - 1})


def test_the_secret_of_the_exchange_goes_to_one_member_so_that_no_page_takes_another_s_place(room):
    path = room.hand_in("ben+fay", RIGHT)
    (path.parent / "submission_secret.txt").write_text("5ec2e7")
    grade(room, share(1))
    found = sorted((room.folder / "autograded").rglob("submission_secret.txt"))
    assert [one.parent.parent.name for one in found] == ["ben"]


def test_a_group_that_cannot_be_read_gets_nothing_and_each_member_the_reason(room):
    room.put("ben+fay", b"{")
    tally = grade(room, share(1))
    assert room.xp() == {"ben": 0, "fay": 0} and tally.graded == 2
    assert [who for who, _ in tally.attention] == ["ben+fay"]
