"""The drift page says how far each group moved, and where gradients stop and why."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.train.feature_tasks import bert, texts
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import Run, TaskData, Trace, fit
from tlwidgets.widgets.drift.state import MOST_FRAMES, drift_state, why_no_gradient
from tlwidgets.widgets.drift.static import drift_page

NAN = float("nan")


@pytest.fixture(scope="module")
def runs():
    def train(plan_of):
        model = bert()
        return fit(model, plan_of(ModelTree.of(model)), TaskData(texts()), epochs=2, lr=1e-3)

    return {
        "last two": train(lambda tree: FreezePlan.preset(tree, "last", k=2)),
        "everything": train(lambda tree: FreezePlan.preset(tree, "full")),
    }


def test_a_frozen_prefix_is_where_gradients_stop(runs):
    page = drift_page(runs["last two"])
    assert "Gradients stop at bert.encoder.layer.2: the 3 groups before it are frozen." in page.words
    by_group = {row[0]: row for row in page.rows}
    assert by_group["bert.embeddings"] == (
        "bert.embeddings",
        "–",
        "–",
        "frozen by requires_grad, as is everything before it",
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
    assert html.count("<tr>") == 2 * (1 + len(runs["everything"].trace.groups))
    assert "last two: frozen by requires_grad, as is everything before it" in html
    assert "everything: " in page.words
    for row in page.rows:
        assert all(cell in html for cell in row[1:5])


GRADIENTS = [[0.5, NAN, 0.2, 0.0, NAN, NAN], [0.5, NAN, NAN, 0.1, 0.3, NAN]]
DRIFTS = [[0.1, NAN, 0.1, 0.0, NAN, 0.0], [0.2, NAN, 0.1, 0.1, 0.1, 0.0]]


@pytest.mark.parametrize(
    "at, place, why",
    [
        (0, 0, ""),
        (0, 1, "frozen by requires_grad; gradients pass through"),
        (0, 3, "dead: its gradient is exactly 0"),
        (1, 3, ""),
        (0, 4, "frozen by requires_grad; gradients pass through"),
        (1, 4, ""),
        (1, 2, "frozen since an earlier step; gradients pass through"),
        (1, 5, "no path leads from the loss to it"),
    ],
)
def test_why_a_gradient_stops_is_read_from_the_measurements(at, place, why):
    assert why_no_gradient(GRADIENTS, DRIFTS, at, place) == why


def test_a_frozen_beginning_has_nothing_before_it():
    assert (
        why_no_gradient([[NAN, NAN, 0.1]], [[NAN, NAN, 0.1]], 0, 1)
        == "frozen by requires_grad, as is everything before it"
    )


def test_a_real_dead_group_and_one_without_a_path_are_told_apart():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused, self.dead, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(8, 2)
            nn.init.constant_(self.dead.bias, -1e6)

        def forward(self, x):
            return self.head(torch.cat([x, self.dead(x).relu()], 1))

    torch.manual_seed(0)
    inputs = torch.randn(16, 4)
    run = fit(Odd(), None, TaskData((inputs, (inputs[:, 0] > 0).long())), epochs=1, cache=False)
    whys = {row[0]: row[-1] for row in drift_page(run).rows}
    assert whys == {
        "unused": "no path leads from the loss to it",
        "dead": "dead: its gradient is exactly 0",
        "head": "learns",
    }


def test_runs_measured_at_other_steps_show_their_last_measurement_before():
    one = Trace(["a"], [1, 4], [[0.1], [0.2]], [[0.0], [0.3]])
    other = Trace(["a"], [2], [[0.5]], [[0.1]])
    state = drift_state({"one": one, "other": other})
    assert [frame["step"] for frame in state["frames"]] == [1, 2, 4]
    cells = [[cell[0] for cell in frame["cells"][0]] for frame in state["frames"]]
    assert cells == [[0.1, None], [0.1, 0.5], [0.2, 0.5]]
    assert state["reasons"][state["frames"][0]["cells"][0][1][4]] == "not measured yet"


def test_a_long_training_keeps_its_first_and_last_step_and_stays_short():
    steps = list(range(1, 1001))
    trace = Trace(["a"], steps, [[1 / step] for step in steps], [[step / 1e4] for step in steps])
    state = drift_state({"": trace})
    shown = [frame["step"] for frame in state["frames"]]
    assert (shown[0], shown[-1], len(shown)) == (1, 1000, MOST_FRAMES)
    assert shown == sorted(set(shown))
    axis = state["axes"]["gradient"]
    assert axis["low"] <= 1e-3 and axis["high"] >= 1 and len(axis["ticks"]) <= 5
    json.dumps(state, allow_nan=False)


measured = st.floats(1e-40, 1e12) | st.sampled_from([0.0, NAN, float("inf")])


@given(st.lists(st.lists(measured, min_size=3, max_size=3), min_size=1, max_size=5))
def test_whatever_was_measured_is_plain_data_inside_the_axes(rows):
    trace = Trace(["a", "b", "c"], list(range(1, len(rows) + 1)), rows, rows)
    state = drift_state({"": trace})
    json.dumps(state, allow_nan=False)
    gradient, drift = state["axes"]["gradient"], state["axes"]["drift"]
    for frame in state["frames"]:
        for (cell,) in frame["cells"]:
            assert not cell[0] or gradient["low"] * (1 - 1e-9) <= cell[0] <= gradient["high"] * (1 + 1e-9)
            assert not cell[2] or cell[2] <= drift["high"] * (1 + 1e-9)


def test_what_can_not_be_drawn_says_so(runs):
    with pytest.raises(ValueError, match="has no measurements of its layers. Train with trace=True"):
        drift_page(Run({}))
    with pytest.raises(ValueError, match="There is no run to draw"):
        drift_page({})
    other = Run({}, trace=type(runs["everything"].trace)(["a"], [1], [[0.1]], [[0.1]]))
    with pytest.raises(ValueError, match="'b' has other groups"):
        drift_page({"a": runs["everything"], "b": other})
    with pytest.raises(IndexError, match="no measurement 99. Expected one from"):
        drift_page(runs, at=99)
