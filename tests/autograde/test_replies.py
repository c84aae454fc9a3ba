"""Whatever a student's process replies, the checker gets a value, the student's error, or `StudentGone`."""

import contextlib
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from graders.autograde.checker.remote import RemoteStudent, StudentGone
from graders.autograde.codec import Extension, decode, encode

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-4, 4) | st.text(max_size=8) | st.binary(max_size=8)
    | st.sampled_from([torch.zeros(2), torch.ones(2, 2), 2**80, float("nan")]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
TOKENS = st.integers(-4, 6) | PLAIN
NAMES = st.sampled_from(
    ["weight", "bias", "0", "forward", "train", "__class__", "_parameters", "training", ""]
) | st.text(max_size=4)


def nearly(**fields):
    """A record, or one of which fields are something else or not there."""
    loose = {name: field | PLAIN for name, field in fields.items()}
    return st.fixed_dictionaries(fields) | st.fixed_dictionaries({}, optional=loose)


NODES = nearly(
    token=TOKENS,
    **{
        "class": st.tuples(
            st.sampled_from(["nn", "own"]), st.sampled_from(["Linear", "Sequential", "X"])
        ).map(list)
    },
    training=st.booleans(),
    attributes=st.dictionaries(NAMES, PLAIN, max_size=3),
    patched=st.lists(NAMES, max_size=3),
    transient=st.lists(NAMES, max_size=2),
    parameters=st.dictionaries(NAMES, TOKENS, max_size=3),
    buffers=st.dictionaries(NAMES, TOKENS, max_size=2),
    modules=st.dictionaries(NAMES, TOKENS, max_size=3),
)
ROWS = st.tuples(TOKENS, st.booleans(), st.booleans(), PLAIN, PLAIN).map(list)
MODULES = st.none() | nearly(modules=st.lists(NODES, max_size=4), tensors=st.lists(ROWS | PLAIN, max_size=5))
EXTENSIONS = st.builds(
    Extension, st.sampled_from(["module", "parameter", "callable", "unsendable", "x"]), PLAIN
)
BLOBS = st.binary(max_size=20) | (PLAIN | EXTENSIONS | st.lists(EXTENSIONS, max_size=3)).map(
    lambda value: encode(value, lambda thing: thing if isinstance(thing, Extension) else None)
)
ERRORS = st.none() | st.tuples(
    st.text(max_size=9), st.lists(st.sampled_from(["KeyError", "Exception", "x"])), st.text(), PLAIN
).map(list)
REPLIES = nearly(
    error=ERRORS,
    output=st.text(),
    value=BLOBS,
    args=st.lists(BLOBS | st.none(), min_size=1, max_size=2),
    kwargs=st.just({}),
    graph=st.integers(-1, 3),
    modules=MODULES,
    values=st.dictionaries(st.just("f"), BLOBS),
    imported=st.dictionaries(st.just("f"), PLAIN),
    gradients=st.lists(PLAIN, max_size=3),
)


class Scripted:
    """A channel at whose other end is a script."""

    def __init__(self, replies: list) -> None:
        self.replies, self.asked = list(replies), None

    def send(self, data: bytes, until: float) -> None:
        self.asked = decode(data)

    def receive(self, until: float) -> bytes:
        reply = self.replies.pop(0) if self.replies else {}
        return encode({"id": self.asked["id"], **reply} if isinstance(reply, dict) else reply)


@settings(deadline=None, max_examples=400)
@given(st.lists(REPLIES | PLAIN, min_size=1, max_size=4))
def test_no_reply_makes_the_checker_stumble(replies):
    remote = RemoteStudent(Scripted(replies), lambda cls: None)
    remote.until = time.monotonic() + 600
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    with contextlib.suppress(StudentGone):
        for ask in (
            lambda: remote.fetch({"f"}),
            *[lambda: remote.call(["token", -1], (model,), {})] * len(replies),
        ):
            try:
                ask()
            except Exception as error:
                if not any(error is raised for raised in remote.raised):
                    raise
    assert type(model) is nn.Sequential
    assert all(isinstance(module, nn.Module) for module in model.modules())


@pytest.mark.parametrize("reply", [{"id": 99, "error": None}, 3, {"error": None}])
def test_an_answer_to_another_question_is_none(reply):
    channel = Scripted([])
    channel.receive = lambda until: encode(reply)
    with pytest.raises(StudentGone) as gone:
        RemoteStudent(channel, lambda cls: None).run("a", "x = 1")
    assert gone.value.kind == "garbage"


def test_a_student_can_not_name_an_object_of_the_checks_as_another_kind():
    """A module's token is not a function's, and the checker's tokens are not the student's."""
    remote = RemoteStudent(Scripted([]), lambda cls: None)
    model = nn.Linear(2, 2)
    token = remote._mirrored.token(model)
    for payload in (
        [token, "function", "f"],
        [token + 1, "function", "f"],
        [0, "function", "f"],
        [True, "function", "f"],
    ):
        with pytest.raises((ValueError, TypeError)):
            remote._lower("callable", payload)
    assert remote._mirrored.get(token) is model
