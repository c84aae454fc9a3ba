"""The drift page says how far each group moved, and where gradients stop and why."""

from __future__ import annotations

import pytest

from tests.train.test_features import bert, texts
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.render.drift import drift_page, why_no_gradient
from tlwidgets.train import Run, TaskData, fit

NAN = float("nan")


@pytest.fixture(scope="module")
def runs():
    def train(plan_of):
        model = bert()
        return fit(model, plan_of(ModelTree.of(model)), TaskData(texts()), epochs=2, lr=1e-3)

    return {
        "last two": train(lambda tree: FreezePlan.preset("last", tree, k=2)),
        "everything": train(lambda tree: FreezePlan.preset("full", tree)),
    }


def test_a_frozen_prefix_is_where_gradients_stop(runs):
    page = drift_page(runs["last two"])
    assert "Gradients stop at bert.encoder.layer.2: the 3 groups before it are frozen." in page.picture.alt
    by_group = {row[0]: row for row in page.rows}
    assert by_group["bert.embeddings"] == (
        "bert.embeddings",
        "–",
        "–",
        "frozen, and so is all before it: no gradient is computed here",
    )
    moved = runs["last two"].trace.drift[-1][3]
    assert by_group["bert.encoder.layer.2"][2:] == (f"{moved:.2%}", "learns")


def test_runs_are_compared_group_by_group(runs):
    page = drift_page(runs)
    assert page.head[1:5] == (
        "Gradient norm, last two",
        "Moved, last two",
        "Gradient norm, everything",
        "Moved, everything",
    )
    html = page._repr_html_()
    assert html.count("<tr>") == 1 + len(runs["everything"].trace.groups)
    assert "last two: frozen, and so is all before it" in html
    assert "everything: " in page.picture.alt


def test_a_frozen_group_between_learning_ones_lets_gradients_through():
    values = [0.5, NAN, 0.2]
    assert why_no_gradient(values, 1) == "frozen; gradients pass through it to the layers before it"
    assert why_no_gradient(values, 0) == ""
    assert why_no_gradient([NAN, 0.1], 0).startswith("frozen, and so is all before it")


def test_what_can_not_be_drawn_says_so(runs):
    with pytest.raises(ValueError, match="has no measurements of its layers. Train with trace=True"):
        drift_page(Run({}))
    with pytest.raises(ValueError, match="There is no run to draw"):
        drift_page({})
    other = Run({}, trace=type(runs["everything"].trace)(["a"], [1], [[0.1]], [[0.1]]))
    with pytest.raises(ValueError, match="'b' has other groups"):
        drift_page({"a": runs["everything"], "b": other})
