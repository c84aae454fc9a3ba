"""A run that differs from the lesson stops the course's own tests, and no student."""

import pytest

from course.claims import expect
from course.claims.expected import STRICT

WORDS = ("the head wins.", "60.0 % with it, 61.0 % without.")


def test_a_student_whose_run_differs_reads_what_was_expected_and_measured(monkeypatch, capsys):
    monkeypatch.delenv(STRICT, raising=False)
    expect(False, *WORDS)
    said = capsys.readouterr().out
    assert all(word in said for word in WORDS) and "can differ" in said


def test_the_same_is_an_error_where_the_course_is_tested(monkeypatch):
    monkeypatch.setenv(STRICT, "1")
    with pytest.raises(AssertionError, match="the head wins"):
        expect(False, *WORDS)


def test_a_run_that_shows_it_says_nothing(monkeypatch, capsys):
    monkeypatch.setenv(STRICT, "1")
    expect(True, *WORDS)
    assert capsys.readouterr().out == ""
