"""The summary page of a grading run, as a file in a browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from graders.autograde.report.page import write_report

pytestmark = pytest.mark.browser


def exercise(
    cell: str, points: float | None, best: float, mistake: str = "", message: str = "", **more
) -> dict:
    return {
        "cell": cell, "notebook": "01", "best": best, "points": points, "extra_credit": 0.0, "by_hand": False,
        "needs_manual_grade": False, "mistake": mistake, "message": message, **more,
    }  # fmt: skip


def student(id: str, score: float, status: str, *remarks: str, exercises=()) -> dict:
    return {
        "id": id, "name": "Ada Lovelace",
        "score": score, "lost": 0.5, "late_penalty": 1.0, "needs_manual_grade": True, "status": status,
        "isolation": "none",
        "seconds": 0.2, "attempt": 1, "remarks": list(remarks),
        "exercises": list(exercises),
    }  # fmt: skip


SUMMARY = {
    "assignment": "01-transfer-learning", "made": "2026-01-10T10:00:00Z", "best": 5.0, "mean": 2.5,
    "median": 2.5,
    "seconds": 0.6, "not_isolated": 2, "not_handed_in": ["eve"], "not_listed": [],
    "exercises": [
        {"cell": "check-build-head", "notebook": "01", "points": 1.0},
        {"cell": "essay", "notebook": "01", "points": 4.0},
    ],
    "students": [
        student("ada", 5.0, "graded", exercises=[
            exercise("check-build-head", 1.0, 1.0), exercise("essay", 4.0, 4.0, by_hand=True),
        ]),
        student("ben", 0.5, "graded", exercises=[
            exercise("check-build-head", 0.5, 1.0, "one-score", "This head gives a \"single\" score."),
            exercise("essay", None, 4.0, needs_manual_grade=True),
        ]),
        student("<script>document.title = 'broken'</script>", 0.0, "not-rebuilt",
                "The notebook is an `empty` file.", exercises=[
            exercise("check-build-head", 0.0, 1.0, "", "\"><script>document.title = 'broken'</script>"),
            exercise("essay", 0.0, 4.0),
        ]),
    ],
    "cells": [
        {
            "cell": "check-build-head", "notebook": "01", "points": 1.0, "graded": 2, "passed": 1,
            "mistakes": [
                {"id": "one-score", "students": 1, "message": "This head gives a `single` score.",
                "who": ["ben <b>"]},
                {"id": "", "students": 1, "message": "`build_head` stopped with <b>", "who": ["cleo"]},
            ],
        }
    ],
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_summary_page_can_be_read_by_everybody_in_both_themes(page, tmp_path, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(write_report(SUMMARY, tmp_path / "grades.html").as_uri())
    assert page.title() == "Grades of 01-transfer-learning"
    assert Axe().run(page).response["violations"] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[scheme]
    assert (
        page.get_by_role("table", name="1 of 2 passed")
        .get_by_role("row", name="one-score")
        .get_by_text("50%")
        .is_visible()
    )
    assert page.get_by_role("note").get_by_text("Not isolated.").is_visible()
    assert page.get_by_role("listitem").filter(has_text="not handed in: eve").is_visible()
    assert (
        page.get_by_role("listitem")
        .filter(has_text="more points in an earlier grading: ada (-0.5)")
        .is_visible()
    )


def test_who_made_a_mistake_opens_by_keyboard(page, tmp_path):
    page.goto(write_report(SUMMARY, tmp_path / "grades.html").as_uri())
    row = page.get_by_role("table", name="1 of 2 passed").get_by_role("row", name="one-score")
    assert not row.get_by_text("ben <b>").is_visible()
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    assert row.get_by_text("ben <b>").is_visible()
    assert page.get_by_role("row", name="build_head stopped with <b>").is_visible()


def test_long_ids_break_rather_than_widen_the_page(page, tmp_path):
    page.set_viewport_size({"width": 600, "height": 800})
    columns = [exercise("check-build-head", 1.0, 1.0), exercise("z" * 80, 4.0, 4.0)]
    long = SUMMARY | {"students": [student("x" * 200, 5.0, "graded", "y" * 200, exercises=columns)]}
    page.goto(write_report(long, tmp_path / "grades.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def rows_of(page) -> list[str]:
    return page.locator(".grid tbody th").all_inner_texts()


def test_the_table_of_students_is_sorted_by_any_column_from_the_keyboard(page, tmp_path):
    page.goto(write_report(SUMMARY, tmp_path / "grades.html").as_uri())
    ids = [name.splitlines()[0] for name in rows_of(page)]
    assert ids[:2] == ["ada", "ben"]
    head = page.get_by_role("columnheader", name="build-head")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert [name.splitlines()[0] for name in rows_of(page)] == [ids[2], "ben", "ada"]
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [name.splitlines()[0] for name in rows_of(page)] == ["ada", "ben", ids[2]]
    assert page.locator("[aria-sort]").count() == 1


def test_a_cell_tells_its_points_and_why_to_eyes_and_ears(page, tmp_path):
    page.goto(write_report(SUMMARY, tmp_path / "grades.html").as_uri())
    row = page.locator(".grid").get_by_role("row", name="ben")
    lost = row.get_by_role("cell", name="0.5 one-score")
    assert lost.get_attribute("title") == 'one-score: This head gives a "single" score.'
    assert lost.inner_text().startswith("◐ 0.5")
    assert row.get_by_role("cell", name="a person has to grade it", exact=False).first.is_visible()
    assert page.locator(".grid").get_by_role("row", name="ada").get_by_title("given by hand").is_visible()


def test_nothing_of_a_student_runs_even_where_it_gets_into_the_page(page, tmp_path):
    path = write_report(SUMMARY, tmp_path / "grades.html")
    path.write_text(path.read_text().replace("<main>", "<main><script>document.title = 'broken'</script>"))
    page.goto(path.as_uri())
    assert page.title() == "Grades of 01-transfer-learning"
    assert page.get_by_role("columnheader", name="build-head").get_by_role("button").is_visible()


def test_the_heads_stay_while_a_class_of_two_hundred_is_scrolled(page, tmp_path):
    columns = [
        exercise(f"check-exercise-number-{place}", 0.0, 1.0, "a-mistake", "m" * 200) for place in range(10)
    ]
    many = SUMMARY | {
        "exercises": [{"cell": one["cell"], "notebook": "01", "points": 1.0} for one in columns],
        "students": [
            student(f"student-{number:03d}", 5.0, "graded", exercises=columns) for number in range(200)
        ],
    }
    path = write_report(many, tmp_path / "grades.html")
    assert path.stat().st_size < 1_000_000
    page.goto(path.as_uri())
    last = page.locator(".grid tbody tr").last
    last.scroll_into_view_if_needed()
    head = page.get_by_role("columnheader", name="exercise-number-9")
    assert head.bounding_box()["y"] >= page.locator(".grid").bounding_box()["y"] - 1
    assert last.bounding_box()["y"] > head.bounding_box()["y"] + head.bounding_box()["height"] - 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
