"""A run survives being saved and loaded; a damaged file says so, and an interrupted save loses nothing."""

from __future__ import annotations

import json
import math
import os
import zipfile
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import Costs, Curves, Run, RunFileError, fit

numbers = st.floats(allow_nan=True, allow_infinity=True)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def runs(draw):
    steps, epochs = draw(st.integers(0, 6)), draw(st.integers(0, 3))

    def column(length):
        return draw(st.lists(numbers, min_size=length, max_size=length))

    curves = Curves(
        list(range(1, steps + 1)),
        column(steps),
        column(steps),
        list(range(1, epochs + 1)),
        column(epochs),
        column(epochs),
    )
    finite = st.floats(0, 1e9)
    costs = Costs(draw(finite), draw(finite), *(draw(st.integers(0, 2**60)) for _ in range(3)))
    return Run(
        draw(st.dictionaries(texts, plain, max_size=4)),
        curves,
        costs,
        draw(texts),
        draw(st.sampled_from(["finished", "stopped", "failed"])),
        draw(texts),
        draw(st.none() | st.floats(0, 1)),
    )


def same(first, second) -> bool:
    """Equality that takes NaN for equal to NaN, and looks at types, too."""
    if isinstance(first, float) and isinstance(second, float):
        return first == second or (math.isnan(first) and math.isnan(second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    return type(first) is type(second) and first == second


@given(run=runs())
@settings(max_examples=60, deadline=None)
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, run):
    path = run.save(tmp_path_factory.getbasetemp() / "run.zip")
    assert same(asdict(Run.load(path)), asdict(run))


@given(run=runs(), data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_damaged_file_is_refused_with_a_sentence_or_means_the_same(tmp_path_factory, run, data):
    path = run.save(tmp_path_factory.getbasetemp() / "damaged.zip")
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    byte = bytes([whole[at] ^ data.draw(st.integers(1, 255))])
    path.write_bytes(whole[:at] if cut else whole[:at] + byte + whole[at + 1 :])
    try:
        loaded = Run.load(path)
    except RunFileError as error:
        assert "does not hold a complete run" in str(error)
    else:  # the byte was one of the zip's own that nobody reads, such as a time stamp
        assert same(asdict(loaded), asdict(run))


def test_a_real_run_with_its_plan_comes_back_whole(tmp_path, make_model, data):
    model = make_model()
    plan = FreezePlan.preset(model, "feature-extraction")
    run = fit(model, plan, data, epochs=1)
    loaded = Run.load(run.save(tmp_path / "run.zip"))
    assert same(asdict(loaded), asdict(run))
    assert loaded.trace.groups == ["0", "1", "4"]
    assert FreezePlan.from_dict(ModelTree.of(model), loaded.config["plan"]) == plan


def test_a_run_of_a_newer_version_says_to_update(tmp_path):
    path = Run({}).save(tmp_path / "run.zip")
    with zipfile.ZipFile(path) as archive:
        record, curves = json.loads(archive.read("run.json")), archive.read("curves.npz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run.json", json.dumps({**record, "schema": 3, "new": 1}))
        archive.writestr("curves.npz", curves)
    with pytest.raises(RunFileError, match="has version 3, and a version up to 2 was expected. Update"):
        Run.load(path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_not_a_run_gets_a_sentence(tmp_path, content):
    path = tmp_path / "run.zip"
    path.write_bytes(content)
    with pytest.raises(
        RunFileError, match="does not hold a complete run.*Expected a file that Run.save wrote"
    ):
        Run.load(path)


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file .*gone.zip. Expected a run that Run.save"):
        Run.load(tmp_path / "gone.zip")


@pytest.mark.parametrize("place", ["while writing", "before moving"])
def test_a_crash_in_the_middle_of_a_save_keeps_the_older_file(tmp_path, monkeypatch, place):
    path = Run({"name": "old"}).save(tmp_path / "run.zip")

    def crash(*_):
        raise OSError("No space left on device")

    if place == "while writing":
        monkeypatch.setattr(zipfile.ZipFile, "writestr", crash)
    else:
        monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="No space left"):
        Run({"name": "new"}).save(path)
    monkeypatch.undo()
    assert Run.load(path).config == {"name": "old"}


def test_a_run_says_in_a_line_what_it_was(make_model, data):
    run = fit(make_model(), None, data, epochs=1)
    assert repr(run).startswith("Run(finished: 4 steps in ")
    assert repr(run).endswith(f"test accuracy {run.test_accuracy:.1%})")
