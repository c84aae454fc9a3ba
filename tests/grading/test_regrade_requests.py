"""Requests lie beside the submission; answers are kept with them, and shown in feedback."""

import json

import pytest
from classroom import UNIT as LESSON
from click.testing import CliRunner
from made_up_grading import grade, share
from nbformat import v4
from quick import RIGHT
from small_course import UNIT, SmallCourse

from graders.autograde.regrade.show import ShowAnswers
from graders.cli.regrade import regrade_requests


@pytest.fixture
def course(tmp_path) -> SmallCourse:
    return SmallCourse(tmp_path)


def ask(course: SmallCourse, student: str, text: str) -> None:
    path = course.folder / "submitted" / student / UNIT / "regrade-request.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(course: SmallCourse, *arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(regrade_requests, ["--course", str(course.folder), *arguments])
    assert done.exit_code == status, done.output
    return done.output


def shown_to(course: SmallCourse, student: str) -> str:
    """What is added above the student's notebook."""
    folder = course.folder / "autograded" / student / UNIT
    notebook, _ = ShowAnswers().preprocess(v4.new_notebook(), {"metadata": {"path": str(folder)}})
    return "\n".join(cell.source for cell in notebook.cells)


def test_a_request_is_listed_answered_and_shown_to_that_student(course):
    ask(course, "ada", "My soup is <b>salty</b> on purpose.")
    ask(course, "ben", "Please look again.")
    assert "2 open, 2 in all" in run(course)
    assert "Answered." in run(course, "01", "--student", "ada", "--answer", "You are right: 4 points.")
    said = run(course, "--open")
    assert "ben: open" in said and "ada" not in said
    page = shown_to(course, "ada")
    assert "You are right: 4 points." in page and "<b>" not in page and "salty" in page
    assert shown_to(course, "ben") == ""
    (ada, ben) = json.loads(run(course, "--json").partition("\n]")[0] + "]")
    assert (ada["open"], ben["open"]) == (False, True)


def test_an_answer_stays_when_the_submission_is_collected_again_and_a_new_request_is_open(course):
    ask(course, "ada", "Please look again.")
    run(course, UNIT, "--student", "ada", "--answer", "I did.")
    (course.folder / "submitted" / "ada" / UNIT / "regrade-request.md").unlink()
    assert "0 open, 1 in all" in run(course) and "I did." in shown_to(course, "ada")
    ask(course, "ada", "And once more?")
    assert "ada: open" in run(course)
    run(course, UNIT, "--student", "ada", "--answer", "No.")
    assert shown_to(course, "ada").index("I did.") < shown_to(course, "ada").index("No.")


def test_an_answer_to_a_group_is_shown_to_each_member(course):
    ask(course, "ben+fay", "Please look again.")
    run(course, UNIT, "--student", "ben+fay", "--answer", "I did.")
    assert "I did." in shown_to(course, "ben") and "I did." in shown_to(course, "fay")
    assert shown_to(course, "be") == ""


def test_what_cannot_be_read_or_answered_gets_a_sentence(course):
    ask(course, "ada", "x" * 20_000)
    assert "ada: open" in run(course)
    assert "can be answered" in run(course, UNIT, "--student", "ada", "--answer", "?", status=1)
    assert "zoe has no request for 01-soup" in run(
        course, UNIT, "--student", "zoe", "--answer", "?", status=1
    )
    assert "needs a text, a UNIT and --student" in run(course, "--answer", "?", status=2)
    (course.folder / "regrade-requests" / UNIT).mkdir(parents=True)
    (course.folder / "regrade-requests" / UNIT / "ada.json").write_text('{"format": 1}')
    assert "ada.json has a mistake" in run(course, status=1)


@pytest.mark.slow
def test_feedback_shows_the_request_and_its_answer(room):
    path = room.hand_in("ada", RIGHT)
    (path.parent / "regrade-request.md").write_text("Please look again.")
    grade(room, share(1))
    answer = ["--course", str(room.folder), LESSON, "--student", "ada", "--answer", "I did: 5 points."]
    assert CliRunner().invoke(regrade_requests, answer).exit_code == 0
    room.nbgrader("generate_feedback", LESSON)
    page = room.feedback("ada")
    assert "Please look again." in page and "I did: 5 points." in page
    assert grade(room, share(0)).kept == 1  # an answer is no reason to grade again
