"""The bridge: a view can tell an answer to its request from what was already on its way."""

import pytest

from tests.widgets.conftest import click, shown
from tlwidgets.widgets.base.panel import Panel


@pytest.fixture(autouse=True)
def states_fit_their_records():
    """There is no record for a panel that only this test has."""


class Counter(Panel):
    """A panel of one number, drawn by another's front end."""

    __module__ = "tlwidgets.widgets.switchboard.panel"
    requests = {"add": ("add", "number"), "all": ("take", "request", "buffers"), "fail": ("fail",)}
    interval = 0.0

    def __init__(self):
        super().__init__()
        self.number = 0

    @property
    def state(self):
        return {"number": self.number, "message": dict(self._message)}

    def add(self, number):
        self.number += number
        self._say("info", f"{number} more")

    def take(self, request, buffers):
        self._reply({"type": "taken", "field": request["field"]}, buffers)

    def fail(self):
        raise KeyError("number")

    def _rendered(self):
        return "", str(self.number)


def test_the_update_after_a_request_repeats_its_tag_once(live):
    panel = Counter()
    sent = shown(panel)
    panel.add(1)  # from code: on its way when the click comes
    click(panel, type="add", number=2, tag="a")
    click(panel, type="add", number=3)
    assert [(each["state"]["number"], each.get("answered")) for each in sent] == [
        (1, None),
        (3, ["a"]),
        (6, None),
    ]


def test_what_goes_wrong_is_said_and_answered_too(live):
    panel = Counter()
    sent = shown(panel)
    click(panel, type="fail", tag="a")
    assert (sent[-1]["state"]["message"], sent[-1]["answered"]) == (
        {"kind": "error", "text": "KeyError: 'number'"},
        ["a"],
    )
    click(panel, type="dance", tag="b")
    assert "does not understand the request 'dance'" in sent[-1]["state"]["message"]["text"]
    assert sent[-1]["answered"] == ["b"]


def test_a_request_may_take_the_whole_message_and_its_buffers(live):
    panel = Counter()
    shown(panel)
    sent = []
    panel._widget.send = lambda content, buffers=None: sent.append((content, buffers))
    panel._widget._handle_custom_msg({"type": "all", "field": 3}, [b"bytes"])
    assert sent == [({"type": "taken", "field": 3}, [b"bytes"])]
