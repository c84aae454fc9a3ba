"""The page of a course, as a file in a browser: sorted, filtered, and read by everybody."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from graders.overview.page import write_course_page
from graders.overview.reading import read_course
from graders.overview.records import CourseRecord, Exercise, Student, Unit, UnitResult
from tests.overview.made_up_course import class_of, make

pytestmark = pytest.mark.browser

HOSTILE = "<script>document.title = 'broken'</script>"


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    address = make(folder / "gradebook.db", [*class_of(60), (HOSTILE, "x" * 200, HOSTILE)])
    return write_course_page(read_course(address), folder / "page.html", datetime(2026, 4, 1, 10))


def column(page, number: int) -> list[str]:
    cells = f"#class tbody tr:not([hidden]) > :nth-child({number})"
    return page.eval_on_selector_all(
        cells, "cells => cells.map((cell) => cell.dataset.sort ?? cell.innerText)"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [900, 1400])
def test_everybody_can_read_it_in_both_themes_and_the_page_never_scrolls_sideways(page, file, scheme, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(file.as_uri())
    assert Axe().run(page).response["violations"] == []
    assert page.title() == "The course"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_sorted_by_keyboard(page, file):
    page.goto(file.as_uri())
    head = page.locator("#class thead th").nth(1)
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    points = [float(one) for one in column(page, 2)]
    assert points == sorted(points, reverse=True) and len(set(points)) > 3
    assert head.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Space")
    assert [float(one) for one in column(page, 2)] == sorted(points)


def test_filters_add_up_and_say_how_many_are_left(page, file):
    page.goto(file.as_uri())
    everybody = len(column(page, 1))
    page.get_by_label("name or id").fill("nguyen")  # accents need not be typed
    names = column(page, 1)
    assert 0 < len(names) < everybody and all("Nguyễn" in one for one in names)
    assert page.get_by_role("status").inner_text() == f"{len(names)} of {everybody} shown"
    page.get_by_label("in unit").select_option(label="02-which-layers-to-train")
    page.get_by_label("state").select_option(label="not handed in")
    absent = column(page, 6)
    assert len(absent) < len(names) and set(absent) <= {"-1"}
    page.get_by_role("button", name="Show all").click()
    assert len(column(page, 1)) == everybody


def test_a_mistake_shows_who_has_it(page, file):
    page.goto(file.as_uri())
    row = page.locator("#mistakes tbody tr").first
    count, name = int(row.locator("td").nth(1).inner_text()), row.locator("th").inner_text().split()[0]
    row.get_by_role("button").click()
    assert len(column(page, 1)) == count
    first = page.locator("#class tbody tr:not([hidden])").first
    first.locator("summary").click()
    assert name in first.locator("li").all_inner_texts()[0] or count > 1


def test_without_its_script_everything_is_there_to_read(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("#class tbody tr").count() == 61
    assert not page.locator(".filters").is_visible()
    context.close()


def test_many_units_scroll_inside_the_table_and_names_stay_in_sight(page, tmp_path):
    units = tuple(Unit(f"{one:02}-a-unit-with-a-long-name", (Exercise("check-x", 5.0),)) for one in range(24))
    results = {unit.name: UnitResult(5.0, 0.0, {"check-x": 5.0}) for unit in units[:20]}
    course = CourseRecord(units, tuple(Student(f"s{one}", units=results) for one in range(30)))
    page.set_viewport_size({"width": 900, "height": 700})
    page.goto(write_course_page(course, tmp_path / "page.html", datetime(2026, 4, 1, 10)).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 900
    name = page.locator("#class tbody th").first
    before = name.bounding_box()
    page.evaluate("document.querySelector('#class .grid').scrollLeft = 600")
    assert name.bounding_box() == before
