"""A training's curves as a panel keeps them: never many points, and one row for each epoch."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.train import EpochEnded, Stepped
from tlwidgets.widgets.train.state import MOST_POINTS, CurveBuffer

values = st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(float("inf"))


@given(st.lists(st.tuples(values, st.none() | st.floats(0, 1)), max_size=3 * MOST_POINTS))
@settings(max_examples=30, deadline=None)
def test_curves_stay_short_keep_the_last_step_and_have_json(steps):
    buffer = CurveBuffer()
    for number, (loss, accuracy) in enumerate(steps, 1):
        buffer.step(Stepped(number, loss, accuracy, 0.0))
    buffer.finish()
    json.dumps(buffer.points, allow_nan=False)
    assert len(buffer.points) < MOST_POINTS or not steps
    order = [point[0] for point in buffer.points]
    assert order == sorted(set(order))
    assert order[-1:] == ([len(steps)] if steps else [])
    finite = [loss for loss, _ in steps if loss == loss and abs(loss) != float("inf")]
    slack = 1e-6 * max(map(abs, finite), default=0.0)
    for point in buffer.points:
        for value in point[1:3]:
            assert value is None or min(finite) - slack <= value <= max(finite) + slack


def test_a_row_has_the_means_of_its_epoch():
    buffer = CurveBuffer()
    for step, (loss, accuracy) in enumerate([(4.0, 0.5), (2.0, 1.0)], 1):
        buffer.step(Stepped(step, loss, accuracy, 0.0))
    buffer.epoch(EpochEnded(2, 1, None, None))
    buffer.step(Stepped(3, 1.0, 1.0, 0.0))
    buffer.epoch(EpochEnded(3, 2, 0.5, 0.75))
    assert [row[:6] for row in buffer.rows] == [[1, 2, 3.0, 0.75, None, None], [2, 3, 1.0, 1.0, 0.5, 0.75]]
    assert [row[6] for row in buffer.rows] == [
        ["1", "3", "75.0 %", "–", "–"],
        ["2", "1", "100 %", "0.5", "75.0 %"],
    ]


def test_smoothing_begins_at_the_first_value_and_follows():
    buffer = CurveBuffer()
    for step in range(1, 101):
        buffer.step(Stepped(step, 5.0 if step <= 50 else 1.0, None, 0.0))
    assert buffer.points[0][2] == pytest.approx(5.0)
    assert buffer.points[99][2] == pytest.approx(1.0, abs=0.05)
