"""A cell that is run again ends what its earlier panels were doing; others go on."""

import pytest
import torch
from torch import nn

from tlwidgets import TrainPanel
from tlwidgets.widgets.base import replaced

X, Y = torch.randn(8, 4), torch.randint(0, 2, (8,))


@pytest.fixture
def cell(monkeypatch):
    """Says which cell is running, and in which of its runs."""
    monkeypatch.setenv("TLWIDGETS_VIEW", "live")
    monkeypatch.setattr(replaced, "_made", {})

    def running(name: str, run: str) -> None:
        monkeypatch.setattr(replaced, "running_cell", lambda: (name, run))

    return running


def endless() -> TrainPanel:
    panel = TrainPanel(nn.Sequential(nn.Linear(4, 2)), None, (X, Y), epochs=1_000_000, trace=False)
    panel.start()
    return panel


def test_the_same_cell_ends_a_training_that_nobody_sees(cell):
    cell("train", "first run")
    before, beside = endless(), endless()
    assert before.state["phase"] == beside.state["phase"] == "running"
    cell("another", "its run")
    other = endless()
    cell("train", "second run")
    now = endless()
    assert not before._thread.is_alive() and not beside._thread.is_alive()
    assert other._thread.is_alive() and now._thread.is_alive()
    for panel in (other, now):
        panel.close()


def test_outside_a_notebook_nothing_is_ended(monkeypatch):
    monkeypatch.setenv("TLWIDGETS_VIEW", "live")
    assert replaced.running_cell() == ("", "")
    first, second = endless(), endless()
    assert first._thread.is_alive() and second._thread.is_alive()
    for panel in (first, second):
        panel.close()
