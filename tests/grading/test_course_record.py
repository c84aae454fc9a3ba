"""The record of a course, from which its page and exports are made, on PostgreSQL as on SQLite."""

import contextlib

import pytest
from faults import Postgres

from graders.overview.reading import read_course
from tests.overview.made_up_course import class_of, make

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_postgresql_and_sqlite_say_the_same(tmp_path):
    names = [*class_of(30), ("Ægir'; --", "\\N", "\u202e")]
    with contextlib.closing(Postgres()) as server:
        found = read_course(make(server.url, names))
    expected = read_course(make(tmp_path / "gradebook.db", names))
    assert found == expected
    assert sum(len(one.mistakes) for one in found.students) > 5
    assert found.units[1].due is not None and found.students[0].units
