"""Features are found again where nothing that they depend on has changed, and only there."""

from __future__ import annotations

import importlib
import sys
import threading

import pytest
import torch
from torch import nn

from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import FeatureCache, TaskData, fit
from tlwidgets.train.features.key import model_key

CELL = """
import functools
from dataclasses import dataclass
import numpy as np
import helpers

LIMIT = 6.0
TABLE = {"scale": [1.0, 2.0]}
ROWS = np.array([3, 4])
SHIFT = torch.tensor([0.5])

def clean(ids, rare=7):
    return ids.masked_fill(ids == rare, 0)

def scaled(by):
    def decorate(function):
        @functools.wraps(function)
        def wrapped(*args):
            return function(*args) * by
        return wrapped
    return decorate

class Settings:
    deep = 3

@dataclass
class Choice:
    words: set
    rate: float = 0.5

class Base(nn.Module):
    def squash(self, h):
        return h.clamp(max=LIMIT)

class Body(Base):
    factor = 1.5
    def __init__(self):
        super().__init__()
        self.e, self.l = nn.Embedding(40, 8), nn.Linear(8, 8)
        self.skip, self.choice = [4], Choice({5, 6})
        self.act = functools.partial(torch.clamp, min=-1.0)
        self.inner = lambda h: h + 0.25
        self.aside = torch.zeros(2)
        self.unseen = [nn.Linear(8, 8)]

    @scaled(2.0)
    def forward(self, ids):
        from helpers import shifted
        h = self.e(clean(ids)).mean(1) * TABLE["scale"][0] * Settings.deep + SHIFT
        h = h + float(ROWS[0]) + len(self.skip) + self.choice.rate + self.aside.sum() + helpers.OFFSET
        return shifted(self.inner(self.act(self.squash(self.l(h * self.factor) + self.unseen[0](h)))))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = Body(), nn.Linear(8, 2)
    def forward(self, x):
        return self.head(self.body(x))
"""
HELPERS = "OFFSET = 1\ndef shifted(h):\n    return moved(h) + 1\ndef moved(h):\n    return h * 2\n"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Make the model of a cell, with a module `helpers` beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(cell: str = CELL, helpers: str = HELPERS) -> nn.Module:
        (tmp_path / "helpers.py").write_text(helpers)
        sys.modules.pop("helpers", None)
        importlib.invalidate_caches()
        scope = {"__name__": "a_notebook", "nn": nn, "torch": torch}
        exec(compile(cell, "a cell", "exec", dont_inherit=True), scope)
        torch.manual_seed(0)
        model = scope["Net"]()
        model.body.requires_grad_(False)
        return model

    yield make
    sys.modules.pop("helpers", None)


def test_the_same_cell_run_again_is_the_same_model(made):
    assert model_key(made()) == model_key(made("# with a comment\n" + CELL))


@pytest.mark.parametrize(
    "old, new",
    [
        ("LIMIT = 6.0", "LIMIT = 5.0"),
        ("[1.0, 2.0]", "[1.0, 2.5]"),
        ("np.array([3, 4])", "np.array([3, 5])"),
        ("tensor([0.5])", "tensor([0.6])"),
        ("rare=7", "rare=9"),
        ("ids == rare", "ids >= rare"),
        ("@scaled(2.0)", "@scaled(3.0)"),
        ("deep = 3", "deep = 4"),
        ("rate: float = 0.5", "rate: float = 0.6"),
        ("clamp(max=LIMIT)", "clamp(min=LIMIT)"),
        ("factor = 1.5", "factor = 1.6"),
        ("self.skip, self.choice = [4]", "self.skip, self.choice = [5]"),
        ("Choice({5, 6})", "Choice({5, 7})"),
        ("min=-1.0", "min=-2.0"),
        ("torch.clamp, min", "torch.clip, min"),
        ("h + 0.25", "h + 0.5"),
        ("torch.zeros(2)", "torch.ones(2)"),
        ("[nn.Linear(8, 8)]", "[nn.Linear(8, 8, bias=False)]"),
    ],
)
def test_an_edit_counts_wherever_it_is(made, old, new):
    assert CELL.count(old) == 1
    assert model_key(made()) != model_key(made(CELL.replace(old, new)))


@pytest.mark.parametrize("old, new", [("OFFSET = 1", "OFFSET = 2"), ("h * 2", "h * 3"), ("+ 1", "- 1")])
def test_an_edit_in_another_module_counts(made, old, new):
    assert model_key(made()) != model_key(made(helpers=HELPERS.replace(old, new)))


def test_a_method_put_on_an_object_or_on_a_librarys_class_counts(made, monkeypatch):
    model = made()
    before = model_key(model)
    model.body.forward = lambda ids: ids.float()
    assert model_key(model) != before
    del model.body.forward
    assert model_key(model) == before
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: x)
    assert model_key(model) != before


def test_precision_and_modes_that_hold_count(made):
    model = made()
    before = model_key(model)
    with torch.autocast("cpu", torch.bfloat16):
        assert model_key(model) != before


def test_what_refers_to_itself_comes_to_an_end(made):
    model = made()
    model.body.__dict__["parent"], model.body.skip = model, [model.body, [model]]
    model.body.skip.append(model.body.skip)
    assert model_key(model) == model_key(model)


def opened():
    return open(__file__)


def generated():
    return (number for number in range(3))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("thing", [opened, generated, sys._getframe], ids=["file", "iterator", "frame"])
def test_what_cannot_be_compared_switches_the_cache_off(tmp_path, thing):
    class Body(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.l, self.source = nn.Linear(4, 4), [thing()]

        def forward(self, x):
            return self.l(x)

    def run(cache):
        body = Body()
        model = nn.Sequential(body, nn.Linear(4, 2))
        x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
        plan = FreezePlan.preset(ModelTree.of(model), "feature-extraction")
        return fit(model, plan, TaskData((x, torch.arange(32) % 2)), epochs=2, cache=cache, lr=1e-2)

    cached, plain = run(FeatureCache(tmp_path)), run(False)
    assert not cached.cached and cached.curves.loss == plain.curves.loss
    assert "cannot be compared" in cached.cache[0]["why"] and "0.source" in cached.cache[0]["why"]


def test_a_lock_has_nothing_to_compare(made):
    model, other = made(), made()
    model.body.lock, other.body.lock = threading.Lock(), threading.Lock()
    assert model_key(model) == model_key(other)
