"""An arena is fair, can be stopped and gone on with, and says what it found with intervals."""

from __future__ import annotations

import dataclasses
import errno
import importlib
import sys

import pytest
import torch
from torch import nn

import tlwidgets.train.arena as arena_module
from tests.train.conftest import examples
from tlwidgets.core import FreezePlan
from tlwidgets.train import Arena, ArenaError, ArenaResult, Bout, Contender, Control, Run, TaskData


def make(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def contender(name: str, preset: str, rates=(1e-3, 1e-1), **more) -> Contender:
    return Contender(name, make, lambda tree: FreezePlan.preset(tree, preset), rates, **more)


def task(size: int, seed: int) -> TaskData:
    return TaskData(examples(size, seed), examples(40, 500 + seed), examples(60, 900 + seed))


@pytest.fixture
def arena() -> Arena:
    return Arena(
        "points",
        [contender("head", "feature-extraction"), contender("full", "full")],
        task,
        sizes=(16, 48),
        seeds=(0, 1, 2),
        steps=12,
    )


@pytest.fixture
def fits(monkeypatch):
    """What each training was asked for, while it really trains."""
    calls = []
    real = arena_module.fit

    def noted(model, plan, data, *, config, control):
        run = real(model, plan, data, config=config, control=control)
        calls.append((plan.name, data, config, run))
        return run

    monkeypatch.setattr(arena_module, "fit", noted)
    return calls


def test_every_run_gets_the_same_budget_and_tuning_never_sees_the_test_data(arena, fits):
    result = arena.fight()
    assert {run.steps for *_, run in fits} == {12}
    tuning = [(data, config) for _, data, config, _ in fits if config.seed == arena_module.TUNING_SEED]
    assert len(tuning) == 2 * 2 * 2
    assert all(data.test is None for data, _ in tuning)
    assert len(result.bouts) == 2 * 2 * 3
    assert len(fits) == len(tuning) + len(result.bouts)


def test_the_rate_that_counts_is_the_one_that_validated_best(arena, fits):
    result = arena.fight()
    for name, preset in (("head", "feature-extraction"), ("full", "full")):
        for size in arena.sizes:
            tried = [
                (run.curves.valid_accuracy[-1], -run.curves.valid_loss[-1], config.lr)
                for plan, data, config, run in fits
                if plan == preset and config.seed == arena_module.TUNING_SEED and len(data.train[1]) == size
            ]
            assert {bout.rate for bout in result.of(name, size)} == {max(tried)[2]}


def test_the_same_arena_gives_the_same_numbers(arena):
    one, other = arena.fight(), arena.fight()
    assert [b.test_accuracy for b in one.bouts] == [b.test_accuracy for b in other.bouts]
    assert [b.losses for b in one.bouts] == [b.losses for b in other.bouts]


@pytest.mark.parametrize("after", [1, 5, 9, 17])
def test_a_stopped_arena_goes_on_where_it_was(arena, fits, tmp_path, after):
    control = Control()

    def stop(done, total, words):
        if done == after:
            control.stop()

    part = arena.fight(tmp_path, on_progress=stop, control=control)
    before = len([run for *_, run in fits if run.status == "finished"])
    assert before == after
    whole = arena.fight(tmp_path)
    assert len([run for *_, run in fits if run.status == "finished"]) == 8 + 12, "nothing is run twice"
    assert [b.test_accuracy for b in whole.bouts] == [b.test_accuracy for b in arena.fight().bouts]
    assert {(b.contender, b.examples, b.seed) for b in part.bouts} < {
        (b.contender, b.examples, b.seed) for b in whole.bouts
    }


def test_runs_are_told_as_they_come_and_found_ones_too(arena, tmp_path):
    told, bouts = [], []
    arena.fight(tmp_path, on_progress=lambda *what: told.append(what[:2]), on_bout=bouts.append)
    assert told == [(done, 20) for done in range(21)]
    told.clear()
    again = []
    result = arena.fight(tmp_path, on_progress=lambda *what: told.append(what), on_bout=again.append)
    assert told == [(20, 20, "done")], "only what is made is told as being made"
    assert tuple(again) == result.bouts
    assert bouts == again


def make_narrow(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))


@pytest.mark.parametrize(
    "change",
    [
        {"make": make_narrow},
        {"plan": lambda tree: FreezePlan.preset(tree, "norms-and-biases")},
        {"lr": lambda tree, rate: rate / 2},
        {"options": {"weight_decay": 0.5}},
    ],
)
def test_a_contender_whose_code_changed_runs_anew_and_the_other_does_not(arena, fits, tmp_path, change):
    arena.fight(tmp_path)
    fits.clear()
    head, full = arena.contenders
    dataclasses.replace(arena, contenders=[head, dataclasses.replace(full, **change)]).fight(tmp_path)
    assert len(fits) == 10
    assert {plan for plan, *_ in fits} == {"norms-and-biases" if "plan" in change else "full"}


@pytest.mark.parametrize(
    "how", ["{name}.build", "lambda seed: {name}.build(seed)", "lambda seed: build(seed)"]
)
def test_a_model_made_in_another_file_that_changed_runs_anew(fits, tmp_path, monkeypatch, how):
    """Also where what changed is a helper that the builder there names."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it is told apart by the second
    name = f"builders_{len(how)}"

    def fought(width, helper):
        path = tmp_path / f"{name}.py"
        path.write_text(
            "import torch\nfrom torch import nn\n\n"
            f"def helper(width):\n    return {helper}\n\n"
            "def build(seed):\n    torch.manual_seed(seed)\n"
            f"    return nn.Sequential(nn.Linear(4, {width}), helper({width}), nn.Linear({width}, 2))\n"
        )
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        module = importlib.import_module(name)
        made = eval(how.format(name=name), {name: module, "build": module.build, "__name__": "a_notebook"})
        one = Contender("one", made, lambda tree: FreezePlan.preset(tree, "full"), (1e-2,))
        before = len(fits)
        Arena("points", [one], task, sizes=(16,), seeds=(0,), steps=4).fight(folder=tmp_path / "runs")
        return len(fits) - before

    assert fought(8, "nn.ReLU()") == 1
    assert fought(8, "nn.ReLU()") == 0
    assert fought(6, "nn.ReLU()") == 1
    assert fought(6, "nn.GELU()") == 1


def test_other_data_run_anew(arena, fits, tmp_path):
    def other(size: int, seed: int) -> TaskData:
        data = task(size, seed)
        return data if size == 16 else TaskData((data.train[0] + 1e-6, data.train[1]), data.valid, data.test)

    arena.fight(tmp_path)
    fits.clear()
    dataclasses.replace(arena, data=other).fight(tmp_path)
    assert {len(data.train[1]) for _, data, *_ in fits} == {48}


def test_code_that_was_only_defined_again_is_not_run_again(arena, fits, tmp_path):
    arena.fight(tmp_path)
    fits.clear()
    same = [contender("head", "feature-extraction"), contender("full", "full")]
    dataclasses.replace(arena, contenders=same).fight(tmp_path)
    assert fits == []


def test_a_folder_that_can_not_be_written_is_told_before_anything_is_run(arena, fits, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ArenaError, match="Finished runs cannot be kept in .*Expected a folder"):
        arena.fight(file / "runs")
    assert fits == []


def test_a_disk_that_is_full_is_told_and_what_was_kept_is_found_again(arena, fits, tmp_path, monkeypatch):
    real, kept = Run.save, []

    def save(run, path):
        if len(kept) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        kept.append(path)
        return real(run, path)

    monkeypatch.setattr(Run, "save", save)
    with pytest.raises(ArenaError, match="No space left on device. .*Make room"):
        arena.fight(tmp_path)
    monkeypatch.setattr(Run, "save", real)
    fits.clear()
    arena.fight(tmp_path)
    assert len(fits) == 20 - 3


def test_a_damaged_file_of_a_run_is_made_again(arena, tmp_path):
    first = arena.fight(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:40])
    again = arena.fight(tmp_path)
    assert [b.test_accuracy for b in again.bouts] == [b.test_accuracy for b in first.bouts]


def bout(name, seed, accuracy, examples=16) -> Bout:
    return Bout(name, examples, seed, 0.1, accuracy, accuracy, 1.0, 10, (1,), (0.5,))


def test_differences_are_paired_by_seed_and_have_an_interval():
    bouts = [bout("a", seed, 0.7 + 0.1 * seed) for seed in range(3)]
    bouts += [bout("b", seed, 0.6 + 0.1 * seed + 0.01 * (seed == 2)) for seed in range(3)]
    paired = ArenaResult("x", "here", tuple(bouts)).difference("a", "b", 16)
    assert paired.difference == pytest.approx((0.1 + 0.1 + 0.09) / 3)
    assert paired.low < paired.difference < paired.high < 0.15
    assert (paired.in_favour, paired.seeds) == (3, 3)


def test_results_of_ones_own_machine_replace_recorded_ones():
    recorded = ArenaResult("x", "a machine", (bout("a", 0, 0.5), bout("a", 1, 0.6)))
    mine = ArenaResult("x", "mine", (bout("a", 1, 0.9), bout("a", 2, 0.8)))
    both = recorded.replaced_by(mine)
    assert [(b.seed, b.test_accuracy) for b in both.bouts] == [(0, 0.5), (1, 0.9), (2, 0.8)]
    assert both.machine == "a machine; in part mine"
    assert recorded.replaced_by(ArenaResult("x", "mine", recorded.bouts)).machine == "mine"


def test_results_come_back_from_a_file(arena, tmp_path):
    result = arena.fight()
    assert ArenaResult.load(result.save(tmp_path / "arena.json")) == result


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 9}', '{"schema": 1, "bouts": [{}]}', "[1]"])
def test_a_file_without_results_gets_a_sentence(tmp_path, content):
    path = tmp_path / "arena.json"
    path.write_text(content)
    with pytest.raises(ArenaError, match="does not hold results|has version 9"):
        ArenaResult.load(path)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"contenders": []}, "at least one contender"),
        ({"contenders": [contender("a", "full"), contender("a", "full")]}, "same name"),
        (
            {"contenders": [contender("a", "full"), contender("b", "full", rates=(1e-3,))]},
            "same number of candidates.*2 for a, 1 for b",
        ),
        ({"seeds": (arena_module.TUNING_SEED,)}, "chooses the rates"),
    ],
)
def test_an_arena_that_is_not_fair_is_refused(arena, change, sentence):
    with pytest.raises(ArenaError, match=sentence):
        Arena(**{**vars(arena), **change})


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"weight_decy": 0.1}, TypeError, "no option 'weight_decy'. Did you mean 'weight_decay'?"),
        ({"warmup": 2}, ValueError, "warmup is 2"),
        ({"epochs": 9}, ArenaError, "full asks for 'epochs', which the arena sets for everyone"),
    ],
)
def test_options_of_a_contender_are_checked_when_it_is_made(options, error, sentence):
    with pytest.raises(error, match=sentence):
        contender("full", "full", options=options)


def test_asking_for_a_bout_that_was_not_fought_names_those_that_were(arena):
    with pytest.raises(ArenaError, match="no bout of 'heads' with 16 examples. It has head, full"):
        arena.fight().of("heads", 16)
