"""A check that draws narrowly is refused with the dimension named, and overfitting programs show it; a wide
one is not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn

from graders.checks import Catalogue, Exercise
from graders.cli.lint import _weak
from graders.cli.width_table import print_widths
from graders.lint.lesson import Report
from graders.lint.trial import Trial
from graders.lint.width.dimensions import KIND, WAY, measure
from graders.lint.width.lesson_run import record_lesson
from graders.lint.width.measured import Overfit, Width, measure_width
from graders.lint.width.records import Record
from graders.lint.width.verdicts import Row, needed
from tests.lint.conftest import code

pytestmark = pytest.mark.slow

ANSWER = "def total(values, name):\n    return {name: sum(values)}\n"
HEAD = """
import math
from graders.checks.compare import same
from graders.checks.running import numbers

draw = numbers()
for _ in range(12):
"""
NARROW = (
    HEAD
    + """
    values, name = [draw.randint(-8, 8) / 4 for _ in range(3)], draw.choice(["salt", "soup"])
    same(total(list(values), name), {name: sum(values)}, "total")
"""
)
WIDE = (
    HEAD
    + """
    count = round(math.exp(draw.uniform(0, math.log(200))))
    values = [draw.uniform(-9, 9) for _ in range(count)]
    name = "".join(draw.choice("aeiourstlm") for _ in range(draw.randint(1, 9)))
    given = list(values)
    same(total(given, name), {name: sum(values)}, "total")
    same(given, values, "what was given")
"""
)


def exercise(*functions: str, id: str = "soup", folder: Path = Path("soup"), **others) -> Exercise:
    return Exercise(id, "01-soup", 1, 1, "Soup", functions, lambda *_: None, Catalogue(folder), **others)


def calls_of(*calls: tuple[str, dict]) -> Record:
    record = Record()
    for function, arguments in calls:
        record.add(function, measure(arguments))
    return record


SPOONS = calls_of(("total", {"values": [0.5, -3.25, 7.1], "name": "pepper"}))


def measured(check: str, calls: Record = SPOONS, answer: str = ANSWER, **others):
    functions = others.pop("functions", ("total",))
    width = measure_width(
        exercise(*functions, **others), answer, lambda one, seed: Trial((one,), check, seed), calls
    )
    assert width.caught == width.mutants - len(width.survivors)
    return width


def problems(width) -> dict[str, str]:
    return {row.dimension: row.problem for row in width.rows if row.refused}


def changes(width) -> set[str]:
    return {one.change for one in width.survivors}


def test_a_narrow_check_is_refused_with_its_dimensions_and_lets_overfitting_programs_pass():
    width = measured(NARROW)
    assert width.too_narrow and not width.problems
    found = problems(width)
    assert found["len(values)"] == "narrower than the lesson: 3 to 4 is needed; always 3"
    assert "narrower than the lesson: -4.285 to 8.135 is needed" in found["values[]"]
    assert "always a multiple of 0.25" in found["values[]"]
    assert found["name"] == "without names of the lesson; always among the same 2 names"
    assert changes(width) == {
        "right for 3 alone",
        "right for salt, soup alone",
        "right up to 7.1, the lesson's largest",
        "rounded to multiples of 0.25",
        "`values` overwritten",
    }


def test_a_wide_check_covers_the_lesson_and_catches_every_overfitting_program():
    width = measured(WIDE, narrow=(("len(values)", "three spoons"),))
    assert problems(width) == {}
    assert (width.survivors, width.too_narrow) == ((), False)
    assert width.mutants > 5
    (stale,) = width.problems  # and a declaration that it does not need is rejected
    assert "`len(values)` is declared as narrow on purpose, and it is not narrow" in stale


def test_what_is_narrow_on_purpose_is_declared_with_a_reason_and_no_longer_refused():
    marks = {"len(values)": "three spoons", "values[]": "spoons", "total: name": "two pots"}
    width = measured(NARROW, narrow=(*marks.items(), ("what becomes of *", "nobody looks")))
    assert not width.too_narrow and width.on_purpose == 5 and not width.problems
    assert {row.why for row in width.rows if row.problem} == set(marks.values())


def test_calls_that_the_lesson_does_not_make_are_declared(tmp_path):
    assert "the lesson never calls it" in problems(measured(WIDE, Record()))["calls"]
    (tmp_path / "right").mkdir()
    (tmp_path / "right" / "plain.py").write_text(ANSWER)
    record = exercise("total", folder=tmp_path, lesson_calls=lambda: [("total", ([1.0] * 5_000, "salt"))])
    width = measure_width(record, ANSWER, lambda one, seed: Trial((one,), WIDE, seed), Record())
    assert problems(width) == {"len(values)": "narrower than the lesson: 5,000 to 6,000 is needed"}
    assert {(one.dimension, one.change) for one in width.survivors} == {
        ("len(values)", "right up to 5,000, the lesson's largest")
    }


LAYER = "def layer(x, weight):\n    return x @ weight.T\n"
VALUES = """
import torch
from graders.checks.compare import same
from graders.checks.running import numbers

draw = numbers()
for _ in range(8):
    examples, inputs, outputs = (round(2 ** draw.uniform(0, 5)) for _ in range(3))
    x, weight = torch.randn(examples, inputs), torch.randn(outputs, inputs)
    given = [x.clone(), weight.clone()]
    same(layer(*given).detach(), x @ weight.T, "layer", rtol=1e-4, atol=1e-4)
    same(given, [x, weight], "what was given")
"""
GRADIENTS = (
    VALUES
    + """
    given = [one.requires_grad_() for one in given]
    layer(*given).square().sum().backward()
    own = [x.requires_grad_(), weight.requires_grad_()]
    (own[0] @ own[1].T).square().sum().backward()
    for one, other in zip(given, own):
        same(one.grad, other.grad, "the gradient", rtol=1e-3, atol=1e-3)
"""
)


def test_a_check_that_compares_no_gradients_lets_answers_without_them_pass():
    alone = {"functions": ("layer",), "calls": Record(), "answer": LAYER}
    without = {"computed under `no_grad`", "`x` detached", "`weight` detached"}
    assert changes(measured(VALUES, **alone)) == without
    assert changes(measured(GRADIENTS, **alone)) == set()


FREEZE = "def freeze(model):\n    for one in model.children():\n        one.requires_grad_(False)\n"
MODEL = """
from torch import nn
from graders.checks.compare import same
from graders.checks.running import numbers

draw = numbers()
for _ in range(6):
    model = nn.Module()
    for name in ["backbone", "head"]EXTRA:
        inner = [nn.Linear(2, 2) for _ in range(draw.randint(1, 12))]
        setattr(model, name, nn.Sequential(*inner) if draw.random() < 0.5 else wrapped(inner))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    freeze(model)
    same([one.requires_grad for one in model.parameters()], [False] * len(before), "what learns")
    COMPARE
"""
PLAIN_MODEL = (
    MODEL.replace("EXTRA", "").replace("COMPARE", "").replace("wrapped(inner)", "nn.Sequential(*inner)")
)
OTHER_MODEL = """
from torch import nn


def wrapped(parts):
    whole = nn.Module()
    for part in parts:
        whole.add_module("".join(draw.choice("aeiourstlm") for _ in range(6)), part)
    return whole

""" + MODEL.replace("EXTRA", ' + ["".join(draw.choice("aeiourstlm") for _ in range(5))]').replace(
    "COMPARE", 'same(dict(model.state_dict()), before, "the weights")'
)  # fmt: skip


def test_models_with_the_named_parts_alone_let_programs_pass_that_know_no_others():
    alone = {"functions": ("freeze",), "calls": Record(), "answer": FREEZE}
    narrow = measured(PLAIN_MODEL, **alone)
    assert problems(narrow)["kind of model.backbone"] == "always a list"
    assert problems(narrow)["parts of model"] == "always among the same 2 names"
    assert changes(narrow) == {
        "right for a list alone",
        "right for backbone, head alone",
        "parts of `model` left alone: all but backbone, head",
        "parts of `model.backbone` left alone: any with a name",
        "parts of `model.head` left alone: any with a name",
        "the weights of `model.backbone` overwritten",
        "the weights of `model.head` overwritten",
    }
    wide = measured(OTHER_MODEL, **alone)
    assert changes(wide) == set()
    assert set(problems(wide)) == {"calls"}


def test_a_check_that_cannot_be_measured_says_why():
    (failing,) = measured("raise ValueError('no soup')").problems
    assert "the check fails on it (seed 1000) with ValueError: no soup" in failing
    by_name = WIDE + "\nassert total.__code__.co_varnames[0] in ('values', 'args'), total\nassert 0"
    (broken,) = measured(by_name).problems
    assert "the check fails on it" in broken


def test_a_lesson_is_run_with_its_answers_and_what_it_gives_them_is_recorded(lesson, tmp_path):
    lesson.cells.append(code("meal", "salt(3.5), salt([1, 2] * 8), salt(x=-1.0)", "demo"))
    lesson.cells.append(code("coffee", "raise RuntimeError('no water')", "demo"))
    done: list[tuple[int, int]] = []
    calls = record_lesson(lesson, (exercise("salt", id="salt"),), tmp_path, lambda *now: done.append(now))
    assert calls.problem == "The cell coffee stopped: RuntimeError: no water"
    assert done == [(place, len(done) + 1) for place in range(1, len(done) + 1)]
    ranges = calls.record.ranges("salt")
    assert {name: one.shown() for name, one in ranges.items()} == {
        "type of x": "float, list",
        "x": "-1 to 3.5",
        "len(x)": "16",
        "type of x[]": "int",
        "x[]": "1 to 2",
    }  # fmt: skip


def test_dimensions_say_what_a_call_is_given():
    model = nn.Module()
    model.backbone, model.head = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), nn.Linear(3, 2)
    model.head.requires_grad_(False)
    model.layers = nn.ModuleList([nn.Sequential(nn.ReLU())])
    measured = measure(
        {
            "runs": [{"plan": "head", "seed": 3, "right": 0.5}, {"plan": "full", "seed": 4, "right": 0.75}],
            "features": {"text": torch.ones(5, 2), "voice": torch.zeros(5, 3)},
            "labels": torch.tensor([0, 2, 2]),
            "model": model.eval(),
            "limit": None,
        }
    )
    seen = {name: sorted(set(one.values), key=str) for name, one in measured.items()}
    assert {
        "len(runs)": [2],
        "runs[].plan": ["full", "head"],
        "runs[].right": [0.5, 0.75],
        "names in features": ["text", "voice"],
        "features{}.shape[0]": [5],
        "features{}.shape[-1]": [2, 3],
        "values of features{}": [0.0, 1.0],
        "labels.dtype": ["int64"],
        "values of labels": [0, 2],
        "distinct values of labels": [2],
        "model.training": [False],
        "what learns in model": ["some"],
        "running statistics in model": [True],
        "parts of model": ["backbone", "head", "layers"],
        "kind of model.backbone": ["a list"],
        "len(model.backbone)": [2],
        "type of limit": ["NoneType"],
    }.items() <= seen.items()
    assert measured["kind of model.backbone"].kind == WAY
    assert measured["kind of model.layers"].kind == KIND  # nothing else could be in its place


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([384], 384, 461),
        ([1, 2, 10], 1, 12),
        ([0.25, 0.75], 0.2, 0.8),
        ([0.25, 1.0], 0.175, 1.0),
        ([-5.0, 5.0], -6.0, 6.0),
        ([2.0, 12.0], 1.0, 13.0),
    ],
)
def test_a_check_needs_a_margin_around_the_lesson_within_what_is_possible(values, low, high):
    (spread,) = lesson_of(values).ranges("f").values()
    assert needed(spread) == pytest.approx((low, high))


def lesson_of(values: list) -> Record:
    record = Record()
    for value in values:
        record.add("f", {"x": measure({"x": value})["x"]})
    return record


def test_a_record_is_the_same_after_it_was_written_and_read():
    record = lesson_of([1.5, 2.0, 1.5])
    record.add("g", measure({"name": "salt", "x": torch.ones(2, 3)}))
    assert Record.from_plain(json.loads(json.dumps(record.plain()))) == record


def test_the_table_names_what_is_too_narrow_and_why_the_rest_is_not(capsys):
    rows = (
        Row("f", "len(x)", "3", "1 to 9"),
        Row("f", "x.shape[0]", "", "4", "always 4"),
        Row("f", "names in x", "[b]salt", "pepper", "always 'pepper'", "one pot"),
        Row("f", "type of x", "list", "list", varies=False),
    )
    narrow = Width("soup", 40, rows, 3, 5, 0, (Overfit("f", "x.shape[0]", "a"), Overfit("f", "y", "b")))
    print_widths(Console(width=200), [narrow, Width("salt", problems=("no",))])
    said = capsys.readouterr().out
    assert "soup: 3 of 5 overfitting mutants caught, 1 dimension too narrow (40 runs of the check)" in said
    assert "always 4" in said and "on purpose: one pot" in said and "[b]salt" in said and "✓" in said
    assert "type of x" not in said and "salt:" not in said
    assert "f: y (b) passes" in said and "(a)" not in said  # its dimension is in the table


def test_strict_rejects_a_narrow_check_that_is_not_marked():
    report = Report("01-soup", (), (), (Width("soup"),))
    assert not _weak(report)
    assert _weak(replace(report, widths=(Width("soup", survivors=(Overfit("f", "x", "a"),)),)))
    assert _weak(replace(report, widths=(Width("soup", rows=(Row("f", "x", "", "4", "always 4"),)),)))
    assert not _weak(
        replace(report, widths=(Width("soup", rows=(Row("f", "x", "", "4", "always 4", "so"),)),))
    )
