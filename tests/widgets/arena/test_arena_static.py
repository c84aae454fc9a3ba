"""An arena's pictures say in words and in a table what they draw."""

from __future__ import annotations

import dataclasses
import re

import pytest

from tlwidgets.train import ArenaError, ArenaResult, Bout
from tlwidgets.widgets.arena.static import arena_page, cost_page, curves_page


def result(name: str = "near") -> ArenaResult:
    bouts = [
        Bout(
            who,
            size,
            seed,
            0.01,
            level + seed / 100,
            level,
            2.0 * size,
            770,
            (1, 2, 3),
            (0.9, 0.6, 0.3 + seed / 10),
        )
        for who, level in (("frozen", 0.7), ("full", 0.8))
        for size in (16, 64)
        for seed in range(3)
    ]
    return ArenaResult(name, "a small machine", tuple(bouts))


@pytest.mark.parametrize("page", [arena_page, cost_page])
def test_every_number_that_is_drawn_stands_in_the_table_and_in_the_words(page):
    shown = page(result("near"), result("far <b>"), chance=0.5)
    html = shown._repr_html_()
    said = " ".join(re.findall(r'aria-label="([^"]+)"', html))
    assert len(re.findall("<figure", html)) == 2
    for name in ("frozen", "full"):
        for size in (16, 64):
            assert f"{name} with {size} examples" in said or re.search(
                rf"near: .*{name} [^;]*with {size}", said
            )
    for words in ("71%", "81%"):
        assert words in said
    assert html.count("<tr>") == 2 * (1 + 4)
    for cell in ("71.0%", "68.5% to 73.5%", "a small machine", "far &lt;b&gt;"):
        assert cell in html
    assert "<b>" not in html
    assert "71.0%" in repr(shown)


def test_charts_side_by_side_have_the_same_height_for_the_same_share():
    low = ArenaResult(
        "far",
        "here",
        tuple(dataclasses.replace(b, test_accuracy=b.test_accuracy - 0.4) for b in result().bouts),
    )
    one, other = arena_page(result(), low).charts
    assert one["y"] == other["y"]
    assert one["y"]["low"] <= 0.3 and one["y"]["high"] >= 0.82


def test_curves_are_means_with_the_range_of_the_seeds():
    html = curves_page(result(), 64)._repr_html_()
    assert "frozen from 0.90 to 0.40; full from 0.90 to 0.40" in html


def test_what_can_not_be_drawn_says_so():
    with pytest.raises(ValueError, match="without bouts cannot be drawn"):
        arena_page(ArenaResult("x", "here", ()))
    with pytest.raises(ArenaError, match="no bout of 'frozen' with 99 examples"):
        curves_page(result(), 99)
