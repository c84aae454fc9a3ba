"""Late penalties: which time of submission counts, and what the configured plugin makes of it."""

import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from classroom import UNIT, Classroom
from ledger import grades
from nbgrader.api import Gradebook
from nbgrader.utils import notebook_hash
from quick import BEST, RIGHT

from graders.autograde.records import GradingError

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


# Some hours from now: what is handed in here, at whatever time it says, is not changed after that time.
DUE = datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=12)
ZERO = "c.LateSubmissionPlugin.penalty_method = 'zero'\n"


def late_course(room: Classroom, book: Gradebook) -> None:
    """A due date, no points after it, and an exchange."""
    config = room.folder / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\n{ZERO}c.Exchange.root = {str(room.folder / 'exchange')!r}\n")
    book.update_or_create_assignment(UNIT, duedate=DUE)


def stamp(room: Classroom, student: str, when: datetime | str, through_exchange: bool) -> None:
    """Hand in at a time, through the exchange (as `nbgrader submit` and `collect` do) or another way."""
    text = when if isinstance(when, str) else f"{when:%Y-%m-%d %H:%M:%S.%f} UTC"
    room.hand_in(student, RIGHT)
    folder = room.folder / "submitted" / student / UNIT
    (folder / "timestamp.txt").write_text(text)
    if through_exchange:
        shutil.copytree(folder, inbound(room, student, text))


def inbound(room: Classroom, student: str, text: str) -> Path:
    """A folder that the exchange has, or may have, of a student."""
    place = room.folder / "exchange" / "transfer-learning" / "inbound"
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{student}+{UNIT}+{text}+abc123"


def test_a_late_submission_is_penalised_where_its_time_can_be_believed(room, book, grade):
    late_course(room, book)
    stamp(room, "early", DUE - timedelta(hours=1), through_exchange=True)
    stamp(room, "late", DUE + timedelta(hours=1), through_exchange=True)
    stamp(room, "own", DUE - timedelta(days=3), through_exchange=False)
    stamp(room, "odd", "yesterday, honestly", through_exchange=False)
    stamp(room, "endless", f",Jan1.5h{'9' * 60}", through_exchange=False)
    stamp(room, "future", "9999-01-01 00:00:00 UTC", through_exchange=True)
    room.hand_in("unknown", RIGHT)
    said = "\n".join(f"{student}: {sentence}" for student, sentence in grade().attention)
    assert room.xp() == {student: 0 if student == "late" else BEST for student in room.xp()}
    own = f"{DUE - timedelta(days=3):%Y-%m-%d}"
    assert f"own: Its timestamp.txt says {own}" in said and "the exchange has no such submission" in said
    assert "endless: Its timestamp.txt is not a valid time" in said
    assert (
        "odd: Its timestamp.txt is not a valid time" in said and "future: Its timestamp.txt says 9999" in said
    )
    times = {row[0]: row[-1] for row in grades(room.address)["comments"]}
    assert [student for student, when in times.items() if when] == ["early", "late"]


def test_a_time_that_the_exchange_does_not_bear_out_is_said_and_the_penalty_stays(room, book, grade):
    """Whoever hands in can make folders in the exchange, and write any time into their names and files."""
    late_course(room, book)
    earlier = f"{DUE - timedelta(hours=3):%Y-%m-%d %H:%M:%S.%f} UTC"
    students = ("empty", "other", "several")
    for student in students:
        stamp(room, student, DUE + timedelta(hours=1), through_exchange=True)
    grade()
    assert room.xp() == dict.fromkeys(students, 0)
    for student in students:
        (room.folder / "submitted" / student / UNIT / "timestamp.txt").write_text(earlier)
        inbound(room, student, earlier).mkdir()
    (inbound(room, "other", earlier) / f"{UNIT}.ipynb").write_text("{}")
    for student in ("empty", "other"):  # and the folder that was collected is gone
        for one in inbound(room, student, "").parent.glob(f"{student}+*"):
            if earlier not in one.name:
                shutil.rmtree(one)
    said = dict(grade(force=True).attention)
    assert "the exchange's folder of that time has no notebook, so it was not collected" in said["empty"]
    assert "the exchange's folder of that time has other notebooks" in said["other"]
    assert "what was collected is in the exchange under" in said["several"]
    assert room.xp() == dict.fromkeys(students, 0)


def test_files_that_were_changed_after_the_time_they_claim_count_from_their_change(room, book, grade):
    late_course(room, book)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    book.update_or_create_assignment(UNIT, duedate=now - timedelta(hours=2))
    stamp(room, "ada", now - timedelta(hours=3), through_exchange=True)
    folder = next(inbound(room, "ada", "").parent.glob("ada+*"))
    for path in (folder, *folder.iterdir()):
        os.utime(path, (0, 0))  # which sets back every time but that of the change
    said = dict(grade().attention)
    assert "were changed after that, at" in said["ada"] and "--timestamps file" in said["ada"]
    assert room.xp() == {"ada": 0}
    grade(force=True, trust="file")
    assert room.xp() == {"ada": BEST}


def test_why_a_time_does_not_count_is_for_the_instructor_alone(room, book, grade):
    late_course(room, book)
    stamp(room, "own", DUE - timedelta(days=3), through_exchange=False)
    for tally in (grade(), grade()):  # the summary says it however often it is made
        (own,) = tally.summary["students"]
        assert "the exchange has no such submission" in " ".join(own["remarks"])
    assert "timestamp" not in room.autograded("own").cells[0].source


PLUGIN = """
from nbgrader.plugins import BasePlugin

class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5
"""


def test_a_plugin_in_the_course_folder_decides_the_penalty(room, book, grade):
    late_course(room, book)
    stamp(room, "late", DUE + timedelta(hours=1), through_exchange=True)
    config = room.folder / "nbgrader_config.py"
    text = config.read_text()
    config.write_text(f"{text}\nc.AssignLatePenalties.plugin_class = 'late_by_half.HalfAPoint'\n")
    with pytest.raises(GradingError, match=r"plugin for late penalties cannot be loaded .*late_by_half"):
        grade()
    (room.folder / "late_by_half.py").write_text(PLUGIN)
    grade()
    assert room.xp() == {"late": BEST - 0.5}


def test_feedback_is_released_to_the_exchange_under_the_students_secret(room, book, grade):
    late_course(room, book)
    stamp(room, "ada", DUE - timedelta(hours=1), through_exchange=True)
    handed_in = room.folder / "submitted" / "ada" / UNIT
    (handed_in / "submission_secret.txt").write_text("5ec2e7")
    grade()
    room.nbgrader("generate_feedback", UNIT)
    room.nbgrader("release_feedback", UNIT)
    name = notebook_hash(secret="5ec2e7", notebook_id=UNIT)
    released = room.folder / "exchange" / "transfer-learning" / "feedback" / f"{name}.html"
    assert released.read_text() == room.feedback("ada")
    (handed_in / "submission_secret.txt").write_text("../../elsewhere")
    grade(force=True)
    assert not (room.folder / "autograded" / "ada" / UNIT / "submission_secret.txt").exists()


def test_timestamps_of_other_ways_count_when_told_to_as_with_stock_nbgrader(room, book, grade):
    late_course(room, book)
    stamp(room, "late", DUE + timedelta(hours=1), through_exchange=False)
    grade(trust="file")
    assert room.xp() == {"late": 0}
    grade(force=True, trust="none")
    assert room.xp() == {"late": 0}  # what the gradebook knows already stays


def test_penalties_follow_the_dates_and_rules_that_hold_now(room, book, grade):
    late_course(room, book)
    for student in ("late", "granted"):
        stamp(room, student, DUE + timedelta(hours=1), through_exchange=True)
    stamp(room, "again", DUE - timedelta(hours=1), through_exchange=True)

    def graded_again() -> tuple[int, dict[str, float]]:
        book.db.commit()
        tally = grade()
        assert (tally.graded, tally.kept) == (0, 3)  # no submission is run again
        return tally.penalties, room.xp()

    assert grade().graded == 3
    assert graded_again() == (0, {"late": 0, "granted": 0, "again": BEST})
    book.grant_extension(UNIT, "granted", hours=2)
    assert graded_again() == (1, {"late": 0, "granted": BEST, "again": BEST})
    assert book.find_submission(UNIT, "granted").extension == timedelta(hours=2)
    stamp(room, "again", DUE + timedelta(hours=5), through_exchange=True)  # the same file, late
    assert graded_again() == (1, {"late": 0, "granted": BEST, "again": 0})
    book.update_or_create_assignment(UNIT, duedate=DUE + timedelta(days=30))
    assert graded_again() == (2, {"late": BEST, "granted": BEST, "again": BEST})
    book.update_or_create_assignment(UNIT, duedate=DUE)
    (room.folder / "nbgrader_config.py").write_text(
        (room.folder / "nbgrader_config.py").read_text().replace(ZERO, "")
    )
    assert graded_again() == (0, {"late": BEST, "granted": BEST, "again": BEST})  # the rule takes nothing off


def test_feedback_that_shows_another_penalty_is_called_old(room, book):
    late_course(room, book)
    stamp(room, "late", DUE + timedelta(hours=1), through_exchange=True)
    room.grade()
    room.nbgrader("generate_feedback", UNIT)
    assert "older than the grades" not in room.grade()
    book.grant_extension(UNIT, "late", hours=2)
    said = room.grade()
    assert "0 graded, 1 graded before, 1 of them with a new late penalty" in said
    assert "The feedback of 'late' is older than the grades" in said
