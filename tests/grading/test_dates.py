"""Due dates, extensions and rules by command: the file, the gradebook and the penalties say the same."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_course import UNIT, SmallCourse

from graders.autograde.dates.file import CourseDates, parse_dates, read_dates, write_dates
from graders.autograde.dates.moments import read_duration, read_moment, write_duration
from graders.autograde.dates.rule import PenaltyRule
from graders.autograde.records import GradingError

DUE = datetime(2026, 12, 24, 17)  # 18:00 in Paris
DAY = timedelta(days=1)


@pytest.fixture
def course(tmp_path) -> SmallCourse:
    """Handed in by ada in time, by ben an hour late, and by cleo two days and an hour late, with 5 points."""
    course = SmallCourse(tmp_path)
    course.hand_in("ada", DUE)
    course.hand_in("ben", DUE + timedelta(hours=1))
    course.hand_in("cleo", DUE + timedelta(days=2, hours=1), serve=1)
    return course


def late(course: SmallCourse) -> None:
    course.dates("due", UNIT, "2026-12-24 18:00 Europe/Paris")
    course.dates("rule", "--per-day", "10")


def test_a_due_date_and_a_rule_take_points_off_and_show_whose(course):
    assert "0 of 3 late penalties changed" in course.dates("due", "01", "2026-12-24 18:00 Europe/Paris")
    said = course.dates("rule", "--per-day", "10")
    assert course.penalties() == {"ada": 0, "ben": 1, "cleo": 1.5}
    assert "2 of 3 late penalties changed" in said and "0 → 1.5" in said and "5 → 3.5" in said
    assert f"nbgrader generate_feedback {UNIT} --force" in said
    with course.book() as book:  # where formgrader looks
        assert book.find_assignment(UNIT).duedate == DUE
        assert {row.score for row in book.assignment_submissions(UNIT)} == {10, 5}


def test_an_extension_moves_one_students_date_and_removing_it_moves_it_back(course):
    late(course)
    course.dates("extend", UNIT, "ben", "--by", "2d", "--reason", "ill")
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 1.5}
    course.dates("extend", UNIT, "cleo", "ben", "--until", "2026-12-26T18:00+01:00")
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 0.5}
    with course.book() as book:
        assert book.find_submission(UNIT, "cleo").extension == 2 * DAY
    shown = course.dates("show")
    assert "cleo: until 2026-12-26 18:00 +01:00" in shown and "10 % of the points for each day" in shown
    course.dates("remove", UNIT, "--extension", "cleo")
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 1.5}
    said = course.dates("remove", UNIT, "--extension", "cleo", status=1)
    assert f"cleo has no extension of {UNIT}. Extensions have: ben." in said


def test_a_group_has_an_extension_and_the_longest_one_counts(course):
    late(course)
    course.dates("extend", UNIT, "cleo+ben", "--by", "1d")
    course.dates("extend", UNIT, "cleo", "--by", "2d")
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 0.5}


def test_all_dates_of_a_unit_are_removed_from_the_gradebook_too(course):
    late(course)
    course.dates("extend", UNIT, "cleo", "--by", "2d")
    course.dates("remove", UNIT)
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 0}
    with course.book() as book:
        assert book.find_assignment(UNIT).duedate is None
        assert book.find_submission(UNIT, "cleo").extension is None
    assert read_dates(course.folder) == CourseDates(rule=PenaltyRule(10))
    course.dates("remove", "--rule")
    assert read_dates(course.folder) == CourseDates()


def test_a_dry_run_shows_the_same_and_writes_nothing(course):
    late(course)

    def files() -> dict:
        return {path: path.read_bytes() for path in course.folder.rglob("*") if path.is_file()}

    before = files()
    said = course.dates("rule", UNIT, "--none-after", "1d", "--dry-run", "--json")
    assert files() == before
    told = {one["id"]: one for one in json.loads(said)["students"]}
    assert told["cleo"]["late_penalty"] == {"before": 1.5, "after": 5}
    assert told["cleo"]["score"] == {"before": 3.5, "after": 0}
    assert told["ben"]["late_penalty"] == {"before": 1, "after": 0}
    assert "Dry run: nothing was written. 2 of 3" in course.dates("rule", "--per-day", "0", "--dry-run")
    course.dates("rule", UNIT, "--none-after", "1d")
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 5}


def test_extensions_that_nbgrader_granted_are_kept_when_the_file_begins_to_count(course):
    late(course)
    with course.book() as book:
        book.grant_extension(UNIT, "ben", days=1)
    course.dates("extend", UNIT, "cleo", "--by", "1d")
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 1}
    assert set(read_dates(course.folder).own(UNIT).extensions) == {"ben", "cleo"}


def test_a_unit_without_dates_in_the_file_keeps_those_of_the_gradebook(course):
    with course.book() as book:
        book.update_or_create_assignment(UNIT, duedate=DUE)
        book.grant_extension(UNIT, "ben", days=1)
    course.dates("rule", "--per-day", "10")
    assert course.penalties() == {"ada": 0, "ben": 0, "cleo": 1.5}
    assert "due 2026-12-24 17:00 UTC (in the gradebook alone)" in course.dates("show")


def test_nothing_is_changed_where_the_file_cannot_be_written(course, monkeypatch):
    from graders.cli import dates_work

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dates_work, "write_whole", full)
    said = course.dates("due", UNIT, "2026-12-24 18:00 Europe/Paris", status=1)
    assert "cannot be written (No space left on device). Nothing was changed." in said
    with course.book() as book:
        assert book.find_assignment(UNIT).duedate is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("due", UNIT, "2026-12-24 18:00"), "does not say in which time zone"),
        (("due", UNIT, "tomorrow"), "'tomorrow' is not a time. Expected a date, a time and a zone"),
        (("due", UNIT, "2026-02-30 18:00 UTC"), "is not a time"),
        (("due", UNIT, "2026-12-24 18:00 Europe/Atlantis"), "'Europe/Atlantis' is not a time zone"),
        (("due", UNIT, "2026-12-24 18:00 ../etc/passwd"), "is not a time zone"),
        (("due", UNIT, "2026-10-25 02:30 Europe/Paris"), "happens twice: the clocks change then"),
        (("due", UNIT, "2026-03-29 02:30 Europe/Paris"), "happens never: the clocks change then"),
        (("due", "77", "2026-12-24 18:00 UTC"), "77"),
        (("extend", UNIT, "ben", "--by", "soon"), "'soon' is not a duration. Expected weeks, days"),
        (("extend", UNIT, "ben", "--by", "0d"), "'0d' is not a duration"),
        (("extend", UNIT, "ben", "--until", "2026-12-26 18:00 UTC"), "has no due date"),
        (("rule", "--none-after", "1h", "--grace", "2h"), "none_after must not be shorter than grace"),
    ],
)
def test_bad_input_gets_a_sentence_and_changes_nothing(course, arguments, sentence):
    assert sentence in course.dates(*arguments, status=1)
    assert not (course.folder / "dates.json").exists()


def test_an_extension_that_ends_before_the_due_date_is_refused(course):
    late(course)
    said = course.dates("extend", UNIT, "ben", "--until", "2026-12-20 18:00 UTC", status=1)
    assert "would end before 01-soup is due (2026-12-24 17:00 UTC)" in said


def test_a_name_that_is_not_in_the_gradebook_is_said_and_kept(course):
    late(course)
    said = course.dates("extend", UNIT, "bne", "--by", "1d")
    assert "The gradebook has no student 'bne'" in said
    assert "bne" in read_dates(course.folder).own(UNIT).extensions


UNITS = '{"format": 1, "units": {"01": %s}}'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("due: tomorrow", "is not JSON"),
        ('{"format": 1, "format": 1}', "'format' is there twice in the same place"),
        ('{"units": {}}', 'expected an object with "format": 1'),
        ('{"format": 2}', "in format: expected 1; got 2"),
        ('{"format": 1, "unit": {}}', "'unit' has no meaning here"),
        (UNITS % '{"due": 5}', "in units.01.due: expected a time with its zone"),
        (UNITS % '{"due": "2026-12-24 18:00"}', "in units.01.due: '2026-12-24 18:00' does not say in which"),
        (UNITS % '{"rule": {"per_day": 110}}', "in units.01.rule.per_day: expected a number from 0 to 100"),
        (UNITS % '{"rule": {"per_day": true}}', "expected a number from 0 to 100; got true"),
        (UNITS % '{"extensions": {"ana": {}}}', "in units.01.extensions.ana: expected an extension with"),
        (UNITS % '{"extensions": {"ana": {"by": "1x"}}}', "in units.01.extensions.ana.by: '1x' is not a"),
    ],
)
def test_a_file_with_a_mistake_gets_a_sentence_that_names_the_place(text, sentence):
    with pytest.raises(GradingError, match="No grade was changed|set the dates again") as caught:
        parse_dates(text, "dates.json")
    assert sentence in str(caught.value)


def test_what_is_written_is_read_back(course):
    late(course)
    course.dates("rule", UNIT, "--per-day", "7.5", "--grace", "15m", "--floor", "50", "--none-after", "1w")
    course.dates("extend", UNIT, "ben", "Zoë", "--by", "1d12h", "--reason", "on a “trip”")
    dates = read_dates(course.folder)
    assert parse_dates(write_dates(dates)) == dates
    assert dates.of(UNIT).rule == PenaltyRule(7.5, timedelta(minutes=15), 50, timedelta(days=7))


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?[+-]\d\d:\d\d| \w+/\w+)?"))
def test_any_text_is_a_time_or_gets_a_sentence(text):
    try:
        moment = read_moment(text)
    except GradingError:
        return
    assert read_moment(moment.text) == moment


@given(st.integers(1, 10**6))
def test_a_duration_that_is_written_is_read_back(minutes):
    duration = timedelta(minutes=minutes)
    assert read_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(
    ("rule", "late", "lost"),
    [
        (PenaltyRule(10), timedelta(seconds=1), 2),
        (PenaltyRule(10), DAY, 2),
        (PenaltyRule(10), DAY + timedelta(seconds=1), 4),
        (PenaltyRule(10), 30 * DAY, 20),
        (PenaltyRule(10, grace=timedelta(hours=1)), timedelta(hours=1), 0),
        (PenaltyRule(10, grace=timedelta(hours=1)), timedelta(hours=1, seconds=1), 2),
        (PenaltyRule(10, floor=60), 30 * DAY, 8),
        (PenaltyRule(10, floor=60, none_after=7 * DAY), 7 * DAY, 8),
        (PenaltyRule(10, floor=60, none_after=7 * DAY), 7 * DAY + timedelta(seconds=1), 20),
        (PenaltyRule(), 30 * DAY, 0),
    ],
)
def test_a_rule_counts_days_begun(rule, late, lost):
    assert rule.penalty(20, late) == pytest.approx(lost)
    assert rule.penalty(0, late) == 0
