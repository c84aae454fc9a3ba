"""Classrooms, each a copy of one in which nbgrader has generated lesson 01."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from classroom import Classroom


@pytest.fixture(scope="session")
def generated(tmp_path_factory) -> Classroom:
    return Classroom.make(tmp_path_factory.mktemp("generated") / "course")


@pytest.fixture
def room(generated, tmp_path) -> Classroom:
    """A course folder into which nobody has handed in anything."""
    return generated.copy(tmp_path / "course")
