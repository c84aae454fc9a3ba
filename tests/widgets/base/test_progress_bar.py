"""A progress bar says how far it is and what comes next; where nobody looks it shows nothing."""

from __future__ import annotations

from types import SimpleNamespace

import ipywidgets
import pytest

from tlwidgets import progress_bar
from tlwidgets.train import progress_listener
from tlwidgets.train.progress import report_progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when `clock.now` is set."""
    made = SimpleNamespace(now=0.0)
    made.monotonic = lambda: made.now
    monkeypatch.setattr("tlwidgets.widgets.base.progress.time", made)
    return made


def shown(monkeypatch, view):
    boxes = []
    monkeypatch.setenv("TLWIDGETS_VIEW", view)
    monkeypatch.setattr("IPython.display.display", boxes.append)
    return progress_bar("the arena"), boxes


def test_it_says_how_far_it_is_and_what_comes_next(monkeypatch, clock):
    tell, boxes = shown(monkeypatch, "live")
    assert boxes == [], "nothing to tell, nothing to see"
    tell(3, 10, "everything, 16 examples")
    bar, text = boxes[0].children
    assert isinstance(bar, ipywidgets.IntProgress) and bar.description == "the arena"
    assert (bar.value, bar.max) == (3, 10)
    assert text.value == "3 of 10: everything, 16 examples", "nothing is known of the pace yet"
    clock.now = 20.0
    tell(4, 10, "from scratch")
    assert text.value.startswith("4 of 10, about ") and text.value.endswith(" left: from scratch")
    tell(10, 10, "done")
    assert text.value == "10 of 10: done"


def test_it_is_drawn_ten_times_a_second_at_most_and_at_the_end(monkeypatch, clock):
    tell, boxes = shown(monkeypatch, "live")
    tell(0, 1000, "examples")
    bar, text = boxes[0].children
    drawn = []
    bar.observe(lambda change: drawn.append(change["new"]), "value")
    for done in range(1, 1001):
        clock.now = done / 1000
        tell(done, 1000, "examples")
    assert drawn[-1] == 1000 and 9 <= len(drawn) <= 11 and len(boxes) == 1


def test_the_next_piece_of_work_has_a_pace_of_its_own(monkeypatch, clock):
    tell, boxes = shown(monkeypatch, "live")
    for now, done, total in ((0, 10, 20), (100, 20, 20), (200, 1, 10), (201, 2, 10)):
        clock.now = float(now)
        tell(done, total, "examples")
    assert boxes[0].children[1].value.startswith("2 of 10, about 8")  # not what the first piece took


def test_work_within_is_told_however_deep_it_is_done_and_to_nobody_after():
    told = []
    with progress_listener(lambda *one: told.append(one)):
        report_progress(1, 2, "examples")
        with progress_listener(lambda *one: told.append("inner")):
            report_progress(2, 2, "examples")
    report_progress(2, 2, "more")
    assert told == [(1, 2, "examples"), "inner"]


def test_where_nobody_looks_it_shows_nothing(monkeypatch):
    tell, boxes = shown(monkeypatch, "static")
    tell(1, 2, "on")
    assert boxes == []
