"""The page of answers that are alike, as a file in a browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from graders.similar.answers import ExerciseLikeness, UnitLikeness
from graders.similar.compare import Likeness
from graders.similar.page import write_page

pytestmark = pytest.mark.browser

HOSTILE = "</pre><script>document.title = 'broken'</script>\x1b[31m\u202e"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_answers_stand_side_by_side_and_everybody_can_read_them(page, tmp_path, scheme):
    source = "def f(x):\n    return x.a(" + "1, " * 100 + f"x)  # {HOSTILE}\n"
    lines = (frozenset({2}), frozenset({1, 2}))
    pair = Likeness((("ada", HOSTILE), ("ben",)), (source, source), 0.8, 12.5, lines)
    group = Likeness((tuple(f"s{one}" for one in range(30)), ()), ("x = 1", "y = 2"), 1.0, 11.0, lines)
    exercise = ExerciseLikeness("build-head", 40, 2, [("eve", HOSTILE)], [pair, group])
    unit = UnitLikeness("01-x", 42, [exercise], [(HOSTILE, "no notebook")])
    page.set_viewport_size({"width": 900, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(write_page(unit, tmp_path / "page.html").as_uri())
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    left, right = (one.bounding_box() for one in page.locator("details[open] pre").all())
    assert left["y"] == right["y"] and left["x"] + left["width"] < right["x"]
    assert page.locator("details[open] mark").count() == 3
    assert Axe().run(page).response["violations"] == []
    assert page.title() == "Alike in 01-x"
    assert page.evaluate("document.documentElement.scrollWidth") <= 900
