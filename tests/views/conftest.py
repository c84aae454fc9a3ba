"""Where a cell's outputs go, and a front end that only listens."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def published(monkeypatch):
    """What was put into the cells' outputs: (data, transient, update)."""
    import IPython.display

    found = []

    def publish(data, metadata=None, *, transient=None, update=False, **_):
        found.append((data, transient, update))

    monkeypatch.setattr(IPython.display, "publish_display_data", publish)
    return found


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")


@pytest.fixture
def live(monkeypatch, published):
    monkeypatch.setenv("TLWIDGETS_VIEW", "live")


def shown(panel) -> list[dict]:
    """Display a panel live; returns the list that all messages to the browser go into."""
    panel._ipython_display_()
    messages = []
    panel._widget.send = lambda content, buffers=None: messages.append(json.loads(json.dumps(content)))
    return messages


def click(panel, **content):
    panel._widget._handle_custom_msg(content, [])
