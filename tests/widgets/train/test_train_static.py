"""The static view of a training: a picture, a table and words of the same numbers, without scripts."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlwidgets.widgets import TrainPanel
from tlwidgets.widgets.train.static import curves_html, curves_text, nice_ticks


@pytest.fixture
def trained(monkeypatch, make_model, data) -> TrainPanel:
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")
    panel = TrainPanel(make_model(), None, data, epochs=3, lr=0.02)
    panel.start()
    return panel


def test_before_the_start_it_says_that_training_has_not_begun(make_model, data):
    state = TrainPanel(make_model(), None, data).state
    for shown in (curves_html(state), curves_text(state)):
        assert "Training has not begun" in shown
    assert "<polyline" not in curves_html(state)


def test_it_is_well_formed_and_holds_no_script_no_class_and_no_address(trained):
    page = curves_html(trained.state)
    ElementTree.fromstring(page)
    assert not re.search(r"<script|<style|\bon\w+=|https?:|class=", page)


def test_training_is_drawn_faint_and_smoothed_and_validation_dashed_with_marks(trained):
    root = ElementTree.fromstring(curves_html(trained.state))
    figures = root.findall(".//figure")
    assert [figure.find("figcaption").text for figure in figures] == ["Loss", "Accuracy"]
    for figure in figures:
        raw, smooth, valid = figure.findall(".//polyline")
        assert len(raw.get("points").split()) >= 12
        assert float(raw.get("stroke-opacity")) <= 0.5
        assert smooth.get("stroke") == raw.get("stroke") != valid.get("stroke")
        assert valid.get("stroke-dasharray")
        assert len(valid.get("points").split()) == len(figure.findall(".//path")) == 3


def test_every_line_stays_within_the_picture(trained):
    root = ElementTree.fromstring(curves_html(trained.state))
    for line in root.findall(".//polyline"):
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 350
            assert 0 <= y <= 180


def test_a_picture_says_in_words_where_its_curves_begin_and_end(trained):
    root = ElementTree.fromstring(curves_html(trained.state))
    said = [svg.get("aria-label") for svg in root.findall(".//figure//svg")]
    assert re.fullmatch(
        r"Loss in training from [\d.]+ to [\d.]+, in validation from [\d.]+ to [\d.]+\.", said[0]
    )
    assert re.search(r"Accuracy in training from [\d.]+ % to [\d.]+ %", said[1])


def test_the_table_and_the_text_have_a_line_for_each_epoch(trained):
    rows = ElementTree.fromstring(curves_html(trained.state)).findall(".//details//tbody/tr")
    assert len(rows) == 3
    lines = curves_text(trained.state).splitlines()
    assert lines[1] == "Finished: 12 steps."
    assert [line.split()[0] for line in lines[-3:]] == ["1", "2", "3"]
    assert rows[-1].findall("td")[3].text == lines[-1].split()[-3]


def test_a_failure_is_told_and_its_words_are_escaped(trained):
    state = trained.state
    state["message"] = {"kind": "error", "text": "The loss <b>burst</b> & more."}
    assert "The loss &lt;b&gt;burst&lt;/b&gt; &amp; more." in curves_html(state)
    assert "The loss <b>burst</b> & more." in curves_text(state)


def test_a_long_training_makes_no_large_page(trained):
    state = trained.state
    state["points"] = [[step, 1.0, 1.0, 0.5, 0.5] for step in range(1, 400)]
    assert len(curves_html(state)) < 40_000


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_even_and_span_what_is_drawn(low, span):
    high = low + span
    ticks = nice_ticks(low, high)
    slack = 1e-6 * max(span, abs(low), abs(high), 1e-9)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 8
