"""Feedback is released for those who used the exchange; the others are named, and stop nobody."""

import logging
from pathlib import Path

import pytest
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import notebook_hash
from traitlets.config import Config

from graders.autograde.release import ReleaseFeedback

UNIT = "01-soup"


def feedback(root: Path, student: str, **files: str) -> None:
    folder = root / "feedback" / student / UNIT
    folder.mkdir(parents=True)
    (folder / f"{UNIT}.html").write_text(f"for {student}")
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)


@pytest.fixture
def released(tmp_path, caplog):
    """Release the feedback; the pages in the exchange, and what was said."""
    root = tmp_path / "course"

    def release(exclude: str = "", only: str = "*") -> tuple[dict[str, str], str]:
        config = Config()
        config.CourseDirectory.update(root=str(root), course_id="c", assignment_id=UNIT)
        config.CourseDirectory.update(student_id=only, student_id_exclude=exclude)
        config.Exchange.root = str(tmp_path / "exchange")
        (tmp_path / "exchange").mkdir(mode=0o777, exist_ok=True)
        (tmp_path / "exchange").chmod(0o777)
        log = logging.getLogger("release")
        with caplog.at_level(logging.WARNING):
            step = ReleaseFeedback(coursedir=CourseDirectory(config=config), config=config, log=log)
            step.start()
        pages = (tmp_path / "exchange" / "c" / "feedback").glob("*.html")
        return {page.stem: page.read_text() for page in pages}, caplog.text

    return root, release


def page(secret: str) -> str:
    return notebook_hash(secret=secret, notebook_id=UNIT)


def test_submissions_by_mail_are_named_and_the_others_released(released):
    root, release = released
    feedback(root, "ada", timestamp="2026-03-01 12:00:00 UTC", submission_secret="5ec2e7")
    feedback(root, "ben")
    feedback(root, "cleo", submission_secret="0ther", timestamp="")
    feedback(root, "dora", timestamp="2026-03-01 12:00:00 UTC", submission_secret=" ")
    feedback(root, "zoe [a]", timestamp="2026-03-01 12:00:00 UTC", submission_secret="1a57")
    pages, said = release()
    assert pages == {page("5ec2e7"): "for ada", page("1a57"): "for zoe [a]"}
    assert "Not released: the feedback of ben, cleo, dora." in said and "Send them the pages" in said


def test_who_is_excluded_is_not_named_and_nothing_is_said_where_all_is_released(released):
    root, release = released
    feedback(root, "ada", timestamp="2026-03-01 12:00:00 UTC", submission_secret="5ec2e7")
    feedback(root, "ben")
    pages, said = release(exclude="ben,cleo")
    assert list(pages) == [page("5ec2e7")] and "Not released" not in said
    assert "Not released: the feedback of ben." in release(only="ben")[1]


def test_the_course_is_configured_to_use_it():
    from graders.autograde.course.folder import open_course

    root = Path(__file__).resolve().parents[2] / "course"
    assert open_course(root).config.ExchangeFactory.release_feedback is ReleaseFeedback
