"""What the fork panel says of its marker, and its static view."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.fork_tasks import make_data, make_model
from tests.widgets.fork.runs import STEPS, STEPS_PER_EPOCH, train
from tlwidgets.train import fit
from tlwidgets.widgets import ForkPanel
from tlwidgets.widgets.fork.static import fork_html, fork_text

RUN = train()


@given(step=st.integers(0, STEPS - 1))
@settings(max_examples=20, deadline=None)
def test_the_marker_says_where_it_is_and_how_far_back_the_snapshot(step):
    run, model = RUN
    panel = ForkPanel(run, model)
    panel.move(step)
    state = panel.state
    again = step - max(kept for kept in run.snapshots.steps if kept <= step)
    assert state["place"].startswith(f"after step {step} ")
    assert f"epoch {step // STEPS_PER_EPOCH + 1}" in state["place"]
    assert state["how"].startswith(f"{again} step" if again else "a snapshot was kept there")


def test_without_a_browser_the_static_view_becomes_both_curves_in_the_same_place(static, published):
    run, model = train()
    panel = ForkPanel(run, model)
    panel._ipython_display_()
    panel.move(10)
    panel.choose_plan("full")
    panel.fork()
    (before, _, first), (after, _, update) = published[0], published[-1]
    assert not first and update and panel._widget is None
    assert before["text/html"].count("<polyline") == 4  # two charts, training and validation
    assert after["text/html"].count("<polyline") == 8
    assert after == {"text/html": fork_html(panel.state), "text/plain": fork_text(panel.state)}


def test_the_static_view_has_every_number_of_the_state_and_no_script(static):
    run, model = train()
    panel = ForkPanel(run, model)
    panel.move(5)
    panel.choose_rate("tenth")
    panel.fork()
    state = panel.state
    html, text = fork_html(state), fork_text(state)
    assert "<script" not in html and "<style" not in html
    for each in state["rows"]:
        for key in ("loss", "valid_loss", "valid_accuracy", "test", "since", "change"):
            assert each[key] in html and each[key] in text
    for line in state["lines"]:
        for numbers in line["epochs"]:
            assert all(cell in html for cell in numbers[3:])
    assert state["status"] in text and "Fork A ended with a validation loss of" in state["status"]


def test_without_validation_data_training_is_compared(static):
    model = make_model()
    run = fit(model, None, make_data().train, epochs=2, batch_size=8, snapshots=5)
    panel = ForkPanel(run, model)
    panel.fork()
    assert "ended with a training loss of" in panel.state["status"]
    assert math.isnan(panel.wait().curves.valid_loss[0])
    json.dumps(panel.state, allow_nan=False)
