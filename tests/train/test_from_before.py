"""What version 0.1.0 left on disk is read, and a run that it began ends in the bits of one that was never
interrupted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.train.from_before import make
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import ArenaResult, Run, Snapshots, fork, run_digest

ABOUT = json.loads((make.HERE / "about.json").read_text())

pytestmark = pytest.mark.filterwarnings("ignore:The model comes first now")


@pytest.fixture
def whole() -> tuple[Run, nn.Module]:
    """The run of `make.train`, made by today's code from its first step to its last."""
    model = make.make_model()
    return make.train(model, snapshots=Snapshots(5)), model


def assert_same(one: Run, other: Run) -> None:
    assert repr(one.curves) == repr(other.curves)  # repr: NaN is NaN
    assert repr(one.trace) == repr(other.trace)
    assert one.best_epoch == other.best_epoch
    assert one.test_accuracy == other.test_accuracy


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def same_machine(run: Run) -> bool:
    """Whether this machine computes the bits of the one that made the files."""
    return run.curves.loss == Run.load(make.HERE / "whole.run").curves.loss


def test_a_saved_run_is_read_and_its_options_are_those_of_the_same_run_today(whole):
    old, (new, _) = Run.load(make.HERE / "whole.run"), whole
    assert json.dumps(old.config, sort_keys=True) == json.dumps(new.config, sort_keys=True)
    assert old.curves.step == new.curves.step
    assert old.curves.loss == pytest.approx(new.curves.loss, rel=1e-4)
    assert old.trace.groups == new.trace.groups and old.trace.step == new.trace.step
    if same_machine(new):
        assert_same(old, new)
        assert run_digest(old) == run_digest(new)


def test_a_checkpoint_is_gone_on_with_to_the_same_bits(whole, tmp_path):
    expected, expected_model = whole
    path = shutil.copy(make.HERE / "checkpoint.pt", tmp_path)
    model = make.make_model()
    run = make.train(model, checkpoint=path)
    assert run.notes[0] == f"Continued from step {make.STOPPED_AFTER}, where an earlier run had stopped."
    assert not Path(path).exists()
    assert run.curves.loss == pytest.approx(expected.curves.loss, rel=1e-4)
    if same_machine(expected):
        assert_same(run, expected)
        assert_same_weights(model, expected_model)


def test_a_snapshot_is_forked_from_to_the_same_bits(whole):
    expected, expected_model = whole
    assert expected.snapshots.steps == ABOUT["snapshots"]
    home = Path(expected.snapshots._home.name)
    shutil.copy(make.HERE / "snapshot.pt", home / f"{make.SNAPSHOT_AT:08d}.pt")
    other = make.make_model()
    again = fork(expected, other, make.SNAPSHOT_AT)
    assert again.curves.loss == pytest.approx(expected.curves.loss, rel=1e-4)
    if same_machine(expected):
        assert_same(again, expected)
        assert_same_weights(other, expected_model)


def test_the_record_of_a_fork_is_read_and_is_that_of_the_same_fork_today(whole):
    (run, model), old = whole, Run.load(make.HERE / "fork.run")
    rates = {row: 0.01 for row in run.config["lr"]}
    new = fork(run, model, make.FORKED_AT, FreezePlan.preset(ModelTree.of(model), "full"), lr=rates)
    assert old.config["fork"]["step"] == make.FORKED_AT
    assert old.config["fork"]["changed"] == new.config["fork"]["changed"] == ["plan", "lr"]
    assert old.config.keys() == new.config.keys()
    if same_machine(run):
        assert_same(old, new)
        assert old.config == new.config and old.notes == new.notes


def test_the_results_and_the_runs_of_an_arena_are_read():
    result = ArenaResult.load(make.HERE / "arena.json")
    assert result.name == "points" and len(result.bouts) == 2 * 2
    runs = [Run.load(file) for file in (make.HERE / "arena").iterdir()]
    assert len(runs) == make.arena().runs
    assert {run.status for run in runs} == {"finished"}


def test_runs_that_an_arena_finished_are_kept_and_made_again_with_the_same_result(tmp_path):
    """A run is found by all the code that it leads to, and then it was found by its builder's alone."""
    folder = shutil.copytree(make.HERE / "arena", tmp_path / "arena")
    before = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = make.arena().fight(folder, machine="a machine")
    assert {path: (folder / path).read_bytes() for path in before} == before
    recorded = ArenaResult.load(make.HERE / "arena.json")
    assert [replace(bout, wall_s=0.0) for bout in again.bouts] == [
        replace(bout, wall_s=0.0) for bout in recorded.bouts
    ]
