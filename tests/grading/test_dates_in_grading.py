"""`tlcourse grade` and formgrader's gradebook follow dates.json."""

from datetime import datetime, timedelta

import pytest
from classroom import UNIT
from quick import BEST, RIGHT, wrong

from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.records import GradingError
from graders.autograde.results.gradebook import GradeWriter

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

DUE = datetime(2026, 3, 1, 12)
DATES = """{"format": 1, "units": {"%s": {
    "due": "2026-03-01 12:00 UTC", "rule": {"per_day": 10}, "extensions": {"ben": {"by": "2d"}}}}}"""


def hand_in(room, student: str, late: timedelta) -> None:
    room.hand_in(student, RIGHT if student != "cleo" else wrong("pick", "best-seed"))
    path = room.folder / "submitted" / student / UNIT / "timestamp.txt"
    path.write_text(f"{DUE + late:%Y-%m-%d %H:%M:%S} UTC")


def test_grading_takes_dates_and_rule_from_the_file_also_for_who_never_handed_in_before(room, book, grade):
    (room.folder / "dates.json").write_text(DATES % UNIT)
    for student in ("ada", "ben", "cleo"):
        hand_in(room, student, timedelta(days=1, hours=1))
    grade(trust="file")
    assert room.xp() == pytest.approx({"ada": 0.8 * BEST, "ben": BEST, "cleo": 0.8 * (BEST - 2)})
    assert book.find_assignment(UNIT).duedate == DUE
    assert book.find_submission(UNIT, "ben").extension == timedelta(days=2)
    # What formgrader or another program sets is said, and the file is what counts.
    book.find_submission(UNIT, "ada").extension = timedelta(days=9)
    book.find_assignment(UNIT).duedate = DUE + timedelta(days=9)
    book.db.commit()
    course = open_course(room.folder)
    with GradeWriter(course, load_assignment(course, UNIT), print) as writer:
        said = dict(writer.moved_dates())
    assert "had another due date (2026-03-10 12:00 UTC)" in said[UNIT]
    assert "had an extension of 9d" in said["ada"] and "it has none" in said["ada"]
    tally = grade(trust="file")
    assert (tally.graded, tally.kept, tally.penalties) == (0, 3, 0)
    book.db.expire_all()
    assert (book.find_assignment(UNIT).duedate, book.find_submission(UNIT, "ada").extension) == (DUE, None)
    (room.folder / "dates.json").write_text("{")
    with pytest.raises(GradingError, match=r"dates\.json is not JSON"):
        grade()
