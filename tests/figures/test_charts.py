"""A chart says in words what it shows, and refuses data that don't fit together."""

import re

import pytest
from matplotlib import pyplot

from tlwidgets.figures.charts import bars, before_after, heatmap, line_panels
from tlwidgets.figures.figure import picture

PANELS = {
    "Meaning": {"one": [0.7, 0.8], "other": [0.5, 0.55]},
    "Form": {"one": [0.9, 0.6], "other": [0.9, 0.9]},
}


def test_line_panels_say_where_each_series_starts_and_ends():
    chart = line_panels(PANELS, ["first", "last"], xlabel="layer", ylabel="right", chance=0.5)
    assert "Meaning one goes from 70% at first to 80% at last; other" in chart.alt
    assert "Form one goes from 90% at first to 60% at last" in chart.alt
    assert pyplot.get_fignums() == []


def test_bars_say_each_value():
    chart = bars({"frozen": 0.75, "scratch": 0.6}, ylabel="accuracy", notes=("a", "b"), chance=0.5)
    assert chart.alt == "Bars of accuracy: frozen 75.0%; scratch 60.0%; chance 50%."


def test_many_bars_stand_closer_so_that_their_words_stay_readable_where_the_page_is_narrow():
    four, six = (bars(dict.fromkeys("abcdef"[:number], 0.5), ylabel="right") for number in (4, 6))
    assert six.width < 1.1 * four.width


def test_pairs_of_bars_say_both_values():
    chart = before_after({"film": (161.4, 108.2), "news": (155.0, 126.0)}, ylabel="perplexity")
    assert chart.alt == "Bars of perplexity: film 161 before, 108 after; news 155 before, 126 after."
    assert pyplot.get_fignums() == []


def test_a_heatmap_says_where_each_row_is_largest():
    chart = heatmap([("glad", (0.2, 0.8)), ("sad", (0.6, 0.4))], ["first", "last"], xlabel="stretch")
    assert (
        chart.alt
        == "Table of shares by stretch. The largest of each row: glad 80% at last; sad 60% at first."
    )
    assert pyplot.get_fignums() == []


def test_a_picture_shows_its_words_to_a_page_and_to_a_terminal():
    chart = bars({"<frozen> & co": 0.75}, ylabel='"right"')
    html = chart._repr_html_()
    assert re.search(r'<img alt="[^"]*&lt;frozen&gt; &amp; co 75.0%', html)
    assert "data:image/png;base64,iVBOR" in html
    assert repr(chart) == f"[Figure: {chart.alt}]"


def test_data_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="has 2 values for 3 ticks"):
        line_panels(PANELS, ["a", "b", "c"], xlabel="", ylabel="")
    with pytest.raises(ValueError, match="'glad' has 1 values for 2 columns"):
        heatmap([("glad", [1.0])], ["a", "b"], xlabel="")
    with pytest.raises(ValueError, match="no rows"):
        heatmap([], ["a"], xlabel="")
    with pytest.raises(ValueError, match="1 notes for 2 bars"):
        bars({"a": 0.1, "b": 0.2}, ylabel="", notes=("x",))


def test_a_figure_without_words_is_refused():
    figure = pyplot.figure()
    with pytest.raises(ValueError, match="needs an alternative text"):
        picture(figure, " ")
    pyplot.close(figure)
