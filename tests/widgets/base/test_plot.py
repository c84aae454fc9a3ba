"""Axes hold what is drawn on them, and a drawn chart is where its numbers say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlwidgets.widgets.base.plot import axis, chart_html, log_ticks, nice_ticks, series


@given(st.floats(1e-9, 1e9), st.floats(1, 1e6))
def test_ticks_of_a_logarithmic_axis_are_few_ascend_and_hold_both_ends(low, ratio):
    high = low * ratio
    ticks = log_ticks(low, high)
    assert ticks == sorted(set(ticks))
    assert 2 <= len(ticks) <= 9
    assert ticks[0] <= low * (1 + 1e-6) and ticks[-1] >= high * (1 - 1e-6)


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
def test_an_axis_has_room_on_both_sides(low, span):
    ticks = nice_ticks(low, low + span)
    made = axis([[tick, str(tick)] for tick in ticks], room=0.1)
    assert made["low"] < ticks[0] and made["high"] > ticks[-1]


def chart(**more) -> dict:
    one = series(
        0, "one", [(1, 0.0), (10, 0.5), (100, 1.0)], band=[(1, 0, 0.2), (10, 0.4, 0.6), (100, 0.9, 1)]
    )
    x = axis([[1, "1"], [100, "100"]], "examples", log=True)
    y = axis([[0.0, "0 %"], [1.0, "100 %"]])
    return {
        "title": "A title",
        "x": x,
        "y": y,
        "series": [one],
        "level": None,
        "words": "from low to high.",
        **more,
    }


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis():
    html = chart_html(chart())
    line = re.search(r'<path d="(M[^"]+)" fill="none"', html)[1]
    places = [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([\d.]+ [\d.]+)", line)]
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.11)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.11)
    assert y0 > y1 > y2


def test_a_chart_is_said_in_words_and_names_are_escaped():
    html = chart_html(chart(title="<b>", words='"quoted"'))
    assert 'aria-label="&lt;b&gt;: &quot;quoted&quot;"' in html
    assert "<b>" not in html


def test_marks_tell_recorded_from_own_and_an_interval_of_one_point_is_a_whisker():
    marks = [(10, 0.5, "mine", "", 1), (10, 0.5, "theirs", "recorded", 1)]
    html = chart_html(chart(series=[series(1, "one", [(10, 0.5)], band=[(10, 0.4, 0.6)], marks=marks)]))
    own, other = re.findall(r"<path transform[^>]*>", html)
    assert 'fill-opacity="0"' in other and 'fill-opacity="0"' not in own
    assert "<title>theirs</title>" in html
    assert len(re.findall(r'd="M[\d. ]+V[\d.]+"', html)) == 1
