"""The one writer: a submission is written whole or not at all, and nothing that a person wrote is lost."""

import contextlib
import sqlite3
import threading

import pytest
from classroom import UNIT, Classroom
from ledger import attempts, grades, ledger
from nbgrader.api import Gradebook
from quick import BEST, RIGHT, wrong

from graders.autograde.batch.jobs import GradedJob, grader_failed
from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.records import GradingError
from graders.autograde.report.page import page
from graders.autograde.report.summary import summarise
from graders.autograde.report.table import csv_table
from graders.autograde.results.gradebook import GradeWriter
from graders.autograde.submission.folders import submission_folders

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def failing(jobs):
    """Workers that are lost whatever they are given."""
    for job in jobs:
        yield GradedJob(job, tuple(grader_failed(one, "The worker was lost.") for one in job.submissions))


def grade_of(book: Gradebook, student: str, cell: str):
    book.db.expire_all()
    return book.find_grade(cell, UNIT, UNIT, student)


def test_what_a_person_gave_and_wrote_stays(room, book, grade):
    room.hand_in("ada", wrong("build-head", "one-score"))
    grade()
    row = grade_of(book, "ada", "check-build-head")
    row.manual_score, row.extra_credit = 0.5, 0.25
    book.find_comment("build-head", UNIT, UNIT, "ada").manual_comment = "Nearly."
    book.db.commit()
    room.hand_in("ada", RIGHT)
    grade()
    row = grade_of(book, "ada", "check-build-head")
    assert (row.auto_score, row.manual_score, row.extra_credit) == (1, 0.5, 0.25)
    assert row.needs_manual_grade  # nbgrader's way to say: look again, the submission is another one
    assert book.find_comment("build-head", UNIT, UNIT, "ada").comment == "Nearly."
    assert room.xp()["ada"] == BEST - 0.25


def test_points_by_hand_wait_for_another_look_also_when_the_same_submission_is_graded_again(
    room, book, grade
):
    room.hand_in("ada", RIGHT)
    grade()
    grade_of(book, "ada", "check-build-head").manual_score = 0.5
    book.db.commit()
    remark = csv_table(grade(force=True).summary)
    assert "given by hand, before it was graded again: please review" in remark


def test_a_resubmission_that_crashes_does_not_keep_the_old_credit(room, grade):
    room.hand_in("ada", RIGHT)
    grade()
    assert room.xp()["ada"] == BEST
    room.hand_in("ada", {id: "raise SystemExit('crashed')" for id in RIGHT})
    grade()
    assert room.xp()["ada"] == 0
    room.put("ada", b"not even JSON")
    grade()
    assert (room.xp()["ada"], attempts(room.address)) == (0, {"ada": 3})


def test_going_back_to_an_earlier_submission_is_a_new_one(room, grade):
    for answers in (RIGHT, wrong("build-head", "one-score"), RIGHT):
        room.hand_in("ada", answers)
        grade()
    assert (room.xp()["ada"], attempts(room.address)) == (BEST, {"ada": 3})


def test_what_another_program_changed_or_deleted_is_graded_again(room, book, grade):
    room.hand_in("ada", RIGHT)
    grade()
    whole = ledger(room.address)
    grade_of(book, "ada", "check-build-head").auto_score = 0
    book.db.commit()
    grade()
    assert grades(room.address)["grades"] == whole["grades"]
    (room.folder / "autograded" / "ada" / UNIT / f"{UNIT}.ipynb").unlink()
    assert grade().graded == 1
    assert room.autograded("ada").cells


def test_force_grades_again(room, grade):
    room.hand_in("ada", RIGHT)
    grade()
    tally = grade(force=True)
    assert (tally.graded, tally.kept) == (1, 0)
    assert attempts(room.address) == {"ada": 2}


def test_a_failure_of_the_grader_is_never_a_zero(room, book, grade):
    room.hand_in("ada", RIGHT)
    grade()
    before = ledger(room.address)["grades"]
    room.hand_in("ada", wrong("build-head", "one-score"))
    room.hand_in("ben", RIGHT)
    tally = grade(failing)
    assert (tally.graded, tally.failed) == (0, 2)
    assert ("ada", "The worker was lost.") in tally.attention
    rows = ledger(room.address)["grades"]
    assert [row for row in rows if row[0] == "ada"] == before
    assert [row[4:] for row in rows if row[0] == "ben"] == [(None, None, None, 1)] * 3  # not 0: not graded
    assert {one["id"]: one["status"] for one in tally.summary["students"]} == dict.fromkeys(
        ("ada", "ben"), "grader-failed"
    )
    for student in ("ada", "ben"):
        assert book.find_submission_notebook(UNIT, UNIT, student).flagged
    grade()
    book.db.expire_all()
    assert room.xp() == {"ada": BEST - 1, "ben": BEST}
    assert not any(book.find_submission_notebook(UNIT, UNIT, one).flagged for one in ("ada", "ben"))


def test_a_lock_of_some_seconds_is_waited_for_and_said(room):
    room.hand_in("ada", RIGHT)
    course = open_course(room.folder)
    assignment = load_assignment(course, UNIT)
    said, waited = [], threading.Event()
    with GradeWriter(course, assignment, lambda text: (said.append(text), waited.set()), 60) as writer:
        writer.session.get_bind().dispose()
        with locked(room, waited, "IMMEDIATE"):
            writer.write("ada", (), None)
    assert said and "locked" in said[0] and "trying again" in said[0]
    assert grades(room.address)["students"] == ["ada"]


def test_the_summary_waits_for_a_lock_as_grades_do(room):
    course = open_course(room.folder)
    assignment = load_assignment(course, UNIT)
    said, waited = [], threading.Event()
    with GradeWriter(course, assignment, lambda text: (said.append(text), waited.set()), 60) as writer:
        writer.write("ada", (), None)
        writer.session.get_bind().dispose()
        with locked(room, waited, "EXCLUSIVE"):
            summary = writer.read(lambda session: summarise(session, assignment))
    assert said and "trying again" in said[0]
    assert [one["id"] for one in summary["students"]] == ["ada"]


@contextlib.contextmanager
def locked(room: Classroom, until: threading.Event, how: str):
    """Another program holds the gradebook until it is said that one waits."""
    lock = sqlite3.connect(room.folder / "gradebook.db", check_same_thread=False)
    lock.execute(f"BEGIN {how}")

    def let_go():
        until.wait(60)
        lock.rollback()
        lock.close()

    thread = threading.Thread(target=let_go)
    thread.start()
    try:
        yield
    finally:
        until.set()
        thread.join()


def test_a_lock_that_stays_gets_a_sentence_and_nothing_is_half_written(room):
    room.hand_in("ada", RIGHT)
    course = open_course(room.folder)
    assignment = load_assignment(course, UNIT)
    before = grades(room.address)
    lock = sqlite3.connect(room.folder / "gradebook.db")
    with GradeWriter(course, assignment, print, 0.1) as writer:
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(GradingError, match=r"could not be reached for 0.1 s.*again to continue"):
            writer.write("ada", (), None)
    lock.rollback()
    assert grades(room.address) == before


def test_no_gradebook_and_another_lesson_get_a_sentence(room, grade):
    room.hand_in("ada", RIGHT)
    source = room.folder / "source" / UNIT / f"{UNIT}.ipynb"
    source.write_text(
        source.read_text().replace("check_build_head(build_head)", "check_build_head(build_head)  # as ever")
    )
    with pytest.raises(GradingError, match=f"Run `nbgrader generate_assignment {UNIT} --force`"):
        grade()
    (room.folder / "gradebook.db").unlink()
    with pytest.raises(GradingError, match="There is no gradebook at"):
        grade()
    assert not (room.folder / "gradebook.db").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--student", "nobody"), "Student 'nobody' has not handed in"),
        (("--scheduler", "tcp://127.0.0.1:9"), "without TLS is refused"),
        (
            ("--scheduler", "tcp://127.0.0.1:9", "--insecure-cluster"),
            "No Dask scheduler answers at tcp://127.0.0.1:9",
        ),
    ],
)
def test_what_is_not_there_gets_a_sentence(room, options, said):
    room.hand_in("ada", RIGHT)
    assert said in room.grade(*options, status=1)


def test_nobody_handed_in_and_a_second_run_at_once_get_a_sentence(room):
    import fcntl

    assert f"Nobody has handed in {UNIT}" in room.grade(status=1)
    with open(room.folder / ".tlcourse-grade.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "Another `tlcourse grade` or `tlcourse dates` is running" in room.grade(status=1)


def test_a_course_folder_may_have_any_name(generated, tmp_path):
    room = generated.copy(tmp_path / "course [2026] *")
    room.hand_in("ada", RIGHT)
    course = open_course(room.folder)
    assert list(submission_folders(course, load_assignment(course, UNIT))) == ["ada"]


def test_one_student_alone(room, grade):
    room.hand_in("ada", RIGHT)
    room.hand_in("ben", RIGHT)
    grade(student="ben")
    assert room.xp() == {"ben": BEST}


def test_the_summary_knows_names_and_who_has_not_handed_in(room, book, grade):
    book.add_student("ada", first_name="Ada", last_name="Lovelace")
    book.add_student("eve")
    room.hand_in("ada", RIGHT)
    room.hand_in("ben", RIGHT)
    summary = grade().summary
    assert [(one["id"], one["name"]) for one in summary["students"]] == [("ada", "Ada Lovelace"), ("ben", "")]
    assert (summary["not_handed_in"], summary["not_listed"]) == (["eve"], ["ben"])
    assert "misnamed?): <b><bdi>ben</bdi></b>" in page(summary, "grades.csv")


def test_where_nobody_has_a_name_nobody_is_missing_from_the_list(room, book, grade):
    book.add_student("eve")
    room.hand_in("ben", RIGHT)
    assert grade().summary["not_listed"] == []


def test_the_summary_says_who_had_more_points_before(room, grade):
    room.hand_in("ada", RIGHT)
    room.hand_in("ben", wrong("build-head", "one-score"))
    grade()
    room.hand_in("ada", wrong("build-head", "one-score"))
    room.hand_in("ben", RIGHT)
    for tally in (grade(), grade(force=True)):
        assert {one["id"]: one["lost"] for one in tally.summary["students"]} == {"ada": 1, "ben": 0}


def test_the_summary_says_who_made_which_mistake_named_or_not(room, grade):
    for student in ("ada", "ben"):
        room.hand_in(student, wrong("build-head", "one-score"))
    room.hand_in("cleo", RIGHT | {"build-head": "def build_head(hidden_size, num_classes):\n    return lyer"})
    room.hand_in("dan", {id: source for id, source in RIGHT.items() if id != "build-head"})
    cell = next(cell for cell in grade().summary["cells"] if cell["cell"] == "check-build-head")
    named, *others = cell["mistakes"]
    assert (named["id"], named["students"], named["who"]) == ("one-score", 2, ["ada", "ben"])
    said = {one["who"][0]: one["message"] for one in others}
    assert "NameError" in said["cleo"] and "not written yet" in said["dan"] and len(said) == 2
