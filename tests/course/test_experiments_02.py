"""Unit 02's recorded arenas are complete and are what the claims rest on; its parts work as described."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from course.claims import read_table
from course.units.u02_which_layers_to_train import experiments as lesson
from course.units.u02_which_layers_to_train.experiments import forgetting

pytestmark = pytest.mark.slow

TABLE = read_table(Path(__file__).parents[2] / "docs" / "claims.md")
TASKS = {"near": lesson.NEAR, "far": lesson.FAR}


@pytest.mark.parametrize("task", TASKS.values())
def test_a_recorded_arena_has_every_bout_and_says_where_it_was_fought(task):
    result = lesson.recorded(task)
    assert result.name == task
    assert "torch" in result.machine and "threads" in result.machine
    bouts = {(bout.contender, bout.examples, bout.seed) for bout in result.bouts}
    assert bouts == {(who, size, seed) for who in lesson.RATES for size in lesson.SIZES for seed in range(5)}
    assert all(bout.rate in lesson.RATES[bout.contender] for bout in result.bouts)
    for examples in lesson.SIZES:  # the same budget for all
        assert len({result.of(who, examples)[0].steps[-1] for who in lesson.RATES}) == 1


@pytest.mark.parametrize(
    "claim", [c for c in lesson.LESSON.claims if c.experiment == "arena"], ids=lambda c: c.id
)
def test_the_recorded_runs_are_those_that_the_claims_were_judged_on(claim):
    task, examples, one = claim.this.split(", ", 2)
    other = claim.against.split(", ", 2)[2]
    paired = lesson.recorded(TASKS[task]).difference(one, other, int(examples))
    row = TABLE[claim.id]
    assert f"{100 * paired.difference:.1f}" == row["difference"]
    assert (f"{100 * paired.low:.1f}", f"{100 * paired.high:.1f}") == (row["low"], row["high"])
    assert paired.in_favour == paired.seeds == 5


@pytest.mark.parametrize("task", TASKS.values())
def test_the_parts_of_a_task_share_no_sentence_and_have_both_classes(task):
    data = lesson.task(task, 128, seed=3)
    parts = [data.train, data.valid, data.test]
    rows = [{tuple(ids.tolist()) for ids in part["input_ids"]} for part in parts]
    assert not (rows[0] & rows[1] or rows[0] & rows[2] or rows[1] & rows[2])
    assert [len(part["labels"]) for part in parts] == [128, lesson.VALID, lesson.TEST]
    for part in parts:
        assert 0.3 < float(part["labels"].float().mean()) < 0.7


def test_the_trap_moves_running_statistics_and_nothing_else():
    model = lesson.digit_network(seed=1)
    trap = lesson.fall_into_the_trap(model, seed=1, hold=False)
    assert {name.rpartition(".")[2] for name in trap.moved} == {
        "running_mean",
        "running_var",
        "num_batches_tracked",
    }
    assert trap.after < trap.before
    held = lesson.fall_into_the_trap(model, seed=1, hold=True)
    assert held.moved == () and held.after == held.before


def test_the_old_head_is_asked_the_old_question_and_stays_as_it_was(monkeypatch):
    monkeypatch.setattr(forgetting, "FORGETTING_STEPS", 1)
    model = lesson.classifier(from_scratch=False, seed=0)
    old = model.head
    before = {name: tensor.clone() for name, tensor in old.state_dict().items()}
    source = lesson.task(lesson.NEAR, 16, seed=0).test
    run = lesson.fine_tune_far(model, source, seed=0, gentle=False)
    assert len(run.curves.source_accuracy) == 2
    assert all(torch.equal(tensor, before[name]) for name, tensor in old.state_dict().items())
    assert model.head is not old
