"""A progress bar says how far it is and what comes next; where nobody looks it shows nothing."""

from __future__ import annotations

import ipywidgets

from tlwidgets import progress_bar


def shown(monkeypatch, view):
    boxes = []
    monkeypatch.setenv("TLWIDGETS_VIEW", view)
    monkeypatch.setattr("IPython.display.display", boxes.append)
    return progress_bar("the arena"), boxes


def test_it_says_how_far_it_is_and_what_comes_next(monkeypatch):
    tell, boxes = shown(monkeypatch, "live")
    bar, text = boxes[0].children
    assert isinstance(bar, ipywidgets.IntProgress) and bar.description == "the arena"
    tell(3, 10, "everything, 16 examples")
    assert (bar.value, bar.max) == (3, 10)
    assert text.value == "3 of 10: everything, 16 examples", "nothing is known of the pace yet"
    tell(4, 10, "from scratch")
    assert text.value.startswith("4 of 10, about ") and text.value.endswith(" left: from scratch")
    tell(10, 10, "done")
    assert text.value == "10 of 10: done"


def test_where_nobody_looks_it_shows_nothing(monkeypatch):
    tell, boxes = shown(monkeypatch, "static")
    tell(1, 2, "on")
    assert boxes == []
