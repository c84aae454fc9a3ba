"""A digest is equal where code, data and settings are, and differs where one of them does."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tlwidgets.train.digest import digest

pytestmark = pytest.mark.slow

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(plain, plain)
def test_plain_values_have_the_same_digest_when_they_are_the_same(one, other):
    assert (digest(one) == digest(other)) == (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=repr)}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_sorted, value))
    return value


def defined(source: str, name: str = "make"):
    """What a cell defines."""
    scope = {"__name__": "a_notebook", "torch": torch, "nn": nn}
    exec(source, scope)
    return scope[name]


BASE = """
WIDTH = 8
class Net(nn.Module):
    scale = 2.0
    def forward(self, x):
        return self.scale * x
def inner(n):
    return nn.Linear(n, WIDTH)
def make(seed, depth=2):
    torch.manual_seed(seed)
    layers = [inner(4) for _ in range(depth)]
    return nn.Sequential(*layers, Net())
"""


def test_the_same_code_run_again_is_the_same():
    assert digest(defined(BASE)) == digest(defined("\n\n# moved, with a comment\n" + BASE))


@pytest.mark.parametrize(
    "old, new",
    [
        ("manual_seed(seed)", "manual_seed(seed + 1)"),
        ("depth=2", "depth=3"),
        ("WIDTH = 8", "WIDTH = 16"),
        ("nn.Linear(n, WIDTH)", "nn.Linear(n, WIDTH, bias=False)"),
        ("self.scale * x", "self.scale + x"),
        ("scale = 2.0", "scale = 3.0"),
        ("inner(4) for", "inner(5) for"),
    ],
)
def test_a_change_is_found_wherever_it_is(old, new):
    assert old in BASE
    assert digest(defined(BASE)) != digest(defined(BASE.replace(old, new)))


def test_what_a_function_closes_over_counts():
    def closing(value):
        return lambda tree: (tree, value)

    assert digest(closing(1)) == digest(closing(1)) != digest(closing(2))
    assert digest(closing(torch.ones(3))) != digest(closing(torch.zeros(3)))
    assert digest(closing(closing(1))) != digest(closing(closing(2)))


def test_a_cached_or_partial_function_is_what_it_wraps():
    assert digest(functools.partial(pow, 2)) != digest(functools.partial(pow, 3))
    one, other = (functools.lru_cache(defined(f"def make():\n    return {n}")) for n in (1, 2))
    assert digest(one) != digest(other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool, torch.bfloat16])
def test_of_a_tensor_every_byte_counts_and_the_layout_does_not(dtype):
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    assert digest(tensor) == digest(tensor.t().contiguous().t()) != digest(tensor.reshape(3, 2))
    changed = tensor.clone()
    changed[0, 0] = 1
    assert digest(changed) != digest(tensor)
    assert digest(torch.empty(0)) != digest(torch.empty(0, 2))


def test_arrays_models_and_records_count_with_their_contents():
    @dataclass
    class Record:
        texts: tuple[str, ...]

    assert digest(Record(("a",))) == digest(Record(("a",))) != digest(Record(("b",)))
    assert digest(np.ones(2)) != digest(np.zeros(2))
    model = nn.Linear(2, 2)
    before = digest(model)
    assert before == digest(model)
    nn.init.zeros_(model.weight)
    assert digest(model) != before


def test_functions_that_call_each_other_come_to_an_end():
    source = "def make(n):\n    return other(n)\ndef other(n):\n    return n and make(n - {})"
    assert digest(defined(source.format(1))) != digest(defined(source.format(2)))


def test_another_process_finds_the_same(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from course.units.u02_which_layers_to_train.experiments import FAR, arena\nfrom "
        "tlwidgets.train.digest import digest\n"
        "print(digest([(c.make, c.plan, c.options) for c in arena(FAR).contenders]))"
    )
    found = {_printed(program, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(found) == 1 and len(found.pop()) == 64


def _printed(program: Path, **environment: str) -> str:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), **environment}
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
