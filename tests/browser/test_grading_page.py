"""The summary page of a grading run, as a file in a browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from graders.autograde.report import write_page

pytestmark = pytest.mark.browser


def student(id: str, score: float, status: str, *remarks: str) -> dict:
    return {
        "id": id, "name": "Ada Lovelace",
        "score": score, "lost": 0.5, "late_penalty": 1.0, "needs_manual_grade": True, "status": status, "isolation": "none",
        "seconds": 0.2, "attempt": 1, "remarks": list(remarks),
    }  # fmt: skip


SUMMARY = {
    "assignment": "01-transfer-learning", "made": "2026-01-10T10:00:00Z", "best": 5.0, "mean": 2.5, "median": 2.5,
    "seconds": 0.6, "not_isolated": 2, "not_handed_in": ["eve"],
    "students": [
        student("ada", 5.0, "graded"),
        student("<script>document.title = 'broken'</script>", 0.0, "not-rebuilt", "The notebook is an `empty` file."),
    ],
    "cells": [
        {
            "cell": "check-build-head", "notebook": "01", "points": 1.0, "graded": 2, "passed": 1,
            "mistakes": [
                {"id": "one-score", "students": 1, "message": "This head gives a `single` score.", "who": ["ben <b>"]},
                {"id": "", "students": 1, "message": "`build_head` stopped with <b>", "who": ["cleo"]},
            ],
        }
    ],
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_summary_page_can_be_read_by_everybody_in_both_themes(page, tmp_path, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(write_page(SUMMARY, tmp_path / "grades.html").as_uri())
    assert page.title() == "Grades of 01-transfer-learning"
    assert Axe().run(page).response["violations"] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[scheme]
    assert page.get_by_role("row", name="one-score").get_by_text("50%").is_visible()
    assert page.get_by_role("note").get_by_text("Not isolated.").is_visible()
    assert page.get_by_role("listitem").filter(has_text="not handed in: eve").is_visible()
    assert page.get_by_role("listitem").filter(has_text="graded earlier: ada (-0.5)").is_visible()


def test_who_made_a_mistake_opens_by_keyboard(page, tmp_path):
    page.goto(write_page(SUMMARY, tmp_path / "grades.html").as_uri())
    row = page.get_by_role("row", name="one-score")
    assert not row.get_by_text("ben <b>").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert row.get_by_text("ben <b>").is_visible()
    assert page.get_by_role("row", name="build_head stopped with <b>").is_visible()


def test_long_ids_break_rather_than_widen_the_page(page, tmp_path):
    page.set_viewport_size({"width": 600, "height": 800})
    long = SUMMARY | {"students": [student("x" * 200, 5.0, "graded", "y" * 200)]}
    page.goto(write_page(long, tmp_path / "grades.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
