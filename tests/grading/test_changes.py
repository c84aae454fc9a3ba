"""What another program does to grades is noticed cell by cell and put right; what a person gave stays."""

import pytest
from classroom import UNIT
from ledger import grades
from nbgrader.apps.api import NbGraderAPI
from quick import BEST, RIGHT, wrong

from graders.autograde.course.folder import open_course

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def score(book, cell: str):
    """Ada's grade of a cell."""
    book.db.expire_all()
    return book.find_grade(cell, UNIT, UNIT, "ada")


def test_points_that_were_moved_between_cells_are_noticed_though_the_sum_is_the_same(room, book, grade):
    room.hand_in("ada", wrong("layer-rates", "linear"))
    room.hand_in("ben", RIGHT)
    grade()
    before = grades(room.address)
    for cell, points in {"check-layer-rates": 1, "check-pick": 1}.items():
        score(book, cell).auto_score = points
        book.db.commit()
    tally = grade()
    assert (tally.graded, tally.kept) == (1, 1)
    ((who, sentence),) = tally.attention
    assert who == "ada" and "check-layer-rates had 0 and has 1" in sentence
    assert "check-pick had 2 and has 1" in sentence and "was graded again" in sentence
    assert grades(room.address) == before
    (ada, _) = tally.summary["students"]
    assert sentence in ada["remarks"]
    assert grade().attention == []


def test_points_given_by_hand_are_no_change_and_stay_when_another_programs_are_put_back(room, book, grade):
    room.hand_in("ada", RIGHT)
    grade()
    row = score(book, "check-build-head")
    row.manual_score, row.extra_credit = 0.5, 0.25
    book.find_comment("build-head", UNIT, UNIT, "ada").manual_comment = "Nearly."
    book.db.commit()
    assert (grade().kept, grade().attention) == (1, [])
    score(book, "check-build-head").auto_score = 0
    book.db.commit()
    assert grade().graded == 1
    row = score(book, "check-build-head")
    assert (row.auto_score, row.manual_score, row.extra_credit) == (1, 0.5, 0.25)
    assert room.xp() == {"ada": BEST - 0.25}


def test_a_graded_notebook_that_another_program_wrote_is_written_again(room, grade):
    room.hand_in("ada", RIGHT)
    grade()
    path = room.folder / "autograded" / "ada" / UNIT / f"{UNIT}.ipynb"
    ours = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(b"as stock autograding would write it")
    tally = grade()
    assert tally.graded == 1 and f"{UNIT}.ipynb since it was written" in tally.attention[0][1]
    assert path.read_bytes() == ours


def test_formgraders_autograde_says_what_to_run_instead_and_changes_nothing(room, grade):
    room.hand_in("ada", RIGHT)
    grade()
    course = open_course(room.folder)
    before = grades(room.address)
    path = room.folder / "autograded" / "ada" / UNIT / f"{UNIT}.ipynb"
    ours = path.read_bytes()
    done = NbGraderAPI(course.directory, config=course.config).autograde(UNIT, "ada")
    assert not done["success"]
    assert f"Run `tlcourse grade {UNIT} --student ada` in a terminal instead" in done["error"]
    assert (grades(room.address), path.read_bytes()) == (before, ours)
