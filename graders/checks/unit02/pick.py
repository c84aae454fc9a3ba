"""Exercise 3: `pick(bouts, examples, tolerance)` chooses with the bill in view.

`bouts` is a list of dicts, one a run: "contender", "examples", "seed", "valid_accuracy", "test_accuracy" (0 to 1) and
"seconds". Of the contenders that have runs with exactly `examples` training examples, those count as good whose mean
validation accuracy is at most `tolerance` below the best mean. The function returns the name of the good one with the
lowest mean of seconds; None where there are no such runs.
"""

from __future__ import annotations

import copy
import random
from collections import defaultdict

from ..compare import plain, same
from ..evidence import held
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..reference import against_reference
from ..running import call, quiet


def _program(
    which: str = "valid_accuracy",
    rows: str = "bout['examples'] == examples",
    good: str = "accuracy[name] >= best - tolerance",
    cost: str = "seconds[name]",
    best: str = "max(accuracy.values())",
    summary: str = "round(sum({0}) / len({0}), 9)",
    times: str = "round(sum(times) / len(times), 9)",
    empty: str = "    if not seen:\n        return None\n",
) -> str:
    return (
        "def pick(bouts, examples, tolerance):\n"
        "    seen = {}\n"
        "    for bout in bouts:\n"
        f"        if {rows}:\n"
        "            seen.setdefault(bout['contender'], []).append(bout)\n"
        f"{empty}"
        "    accuracy, seconds = {}, {}\n"
        "    for name, own in seen.items():\n"
        f"        values, times = [b['{which}'] for b in own], [b['seconds'] for b in own]\n"
        f"        accuracy[name] = {summary.format('values')}\n"
        f"        seconds[name] = {times}\n"
        f"    best = {best}\n"
        f"    good = [name for name in accuracy if {good}]\n"
        f"    return min(good, key=lambda name: {cost})\n"
    )


_CATALOGUE = Catalogue(
    Mistake(
        "chose-by-test",
        "This chooses by the test accuracy. The test set is for the very end: what chose by it is no longer a fair exam.",
        ("Which of the accuracies is there for choosing?",),
        _program(which="test_accuracy"),
    ),
    Mistake(
        "mixed-the-sizes",
        "This compares runs with different numbers of training examples. The winner changes with the amount of data, so look "
        "only at runs with the amount that was asked for.",
        ("Leave out the runs whose 'examples' is another number, before you compare.",),
        _program(rows="True"),
    ),
    Mistake(
        "ignored-the-cost",
        "This takes the most accurate contender, whatever it costs. Of those within the tolerance, the quickest was asked for.",
        (
            "First collect all whose mean is at least the best mean minus the tolerance, then compare their seconds.",
        ),
        _program(cost="-accuracy[name]"),
    ),
    Mistake(
        "slowest-instead",
        "This takes the slowest of the good contenders. The one with the lowest mean of seconds was asked for.",
        ("`min`, or `sorted(...)[0]`.",),
        _program(cost="-seconds[name]"),
    ),
    Mistake(
        "seconds-not-averaged",
        "This does not compare the mean of seconds: added up, a contender with more runs looks slower; the quickest run alone "
        "may be luck.",
        ("For seconds, too, the sum divided by the number of runs.",),
        _program(times="sum(times)"),
    ),
    Mistake(
        "tolerance-as-a-share",
        "This multiplies the best mean with the tolerance. What is good lies at most `tolerance` below the best: take it away.",
        ("`best - tolerance`.",),
        _program(good="accuracy[name] >= best * (1 - tolerance)"),
    ),
    Mistake(
        "ignored-the-accuracy",
        "This takes the quickest contender even where it is worse by more than the tolerance.",
        ("Leave out, before you compare seconds, whoever is below the best mean minus the tolerance.",),
        _program(good="True"),
    ),
    Mistake(
        "best-seed",
        "This compares the best single runs. One lucky seed is not a better way to train: compare the means over the seeds.",
        ("Collect each contender's runs first, then take the mean of their validation accuracies.",),
        _program(summary="max({0})"),
    ),
    Mistake(
        "edge-left-out",
        "A contender that is exactly `tolerance` below the best is still good enough: at most, not less than.",
        ("`>=`, not `>`.",),
        _program(good="accuracy[name] > best - tolerance or accuracy[name] == best"),
    ),
    Mistake(
        "nothing-there",
        "There are no runs with this number of examples, so there is nothing to choose: return None then.",
        ("What does your function do when every run was left out?",),
        _program(empty=""),
    ),
)


def _bouts(name: str, examples: int, seconds: float | tuple, valid: tuple, test: tuple = ()) -> list[dict]:
    """Runs of a contender; each takes as long, or each its own time."""
    return [
        {
            "contender": name,
            "examples": examples,
            "seed": seed,
            "valid_accuracy": value,
            "test_accuracy": (test or valid)[seed],
            "seconds": seconds[seed] if isinstance(seconds, tuple) else seconds,
        }
        for seed, value in enumerate(valid)
    ]


# Each case has one right answer, and wrong ones that show which way of choosing gave them. Eighths are exact in binary.
_CASES = (
    (
        _bouts("frozen", 128, 9.0, (0.5, 0.5), test=(0.875, 0.875))
        + _bouts("full", 128, 1.0, (0.875, 0.875), test=(0.5, 0.5)),
        128,
        0.125,
        "full",
        {"frozen": "chose-by-test"},
    ),
    (
        _bouts("frozen", 16, 1.0, (0.75, 0.75))
        + _bouts("scratch", 16, 9.0, (0.5, 0.5))
        + _bouts("frozen", 1024, 1.0, (0.5, 0.5, 0.5, 0.5))
        + _bouts("scratch", 1024, 9.0, (1.0, 1.0, 1.0, 1.0)),
        16,
        0.0625,
        "frozen",
        {"scratch": "mixed-the-sizes"},
    ),
    (
        _bouts("scratch", 1024, 1.0, (0.75, 0.75))
        + _bouts("frozen", 1024, 9.0, (0.5, 0.5))
        + _bouts("scratch", 16, 1.0, (0.125, 0.125, 0.125, 0.125))
        + _bouts("frozen", 16, 9.0, (0.75, 0.75, 0.75, 0.75)),
        1024,
        0.0625,
        "scratch",
        {"frozen": "mixed-the-sizes"},
    ),
    (
        _bouts("scratch", 64, 5.0, (0.8125, 0.8125))
        + _bouts("full", 64, 7.0, (0.875, 0.875))
        + _bouts("last two", 64, 9.0, (0.84375, 0.84375))
        + _bouts("frozen", 64, 1.0, (0.8125, 0.8125)),
        64,
        0.125,
        "frozen",
        {"full": "ignored-the-cost", "last two": "slowest-instead"},
    ),
    (
        _bouts("full", 64, 9.0, (0.5, 0.5)) + _bouts("frozen", 64, 1.0, (0.40625, 0.40625)),
        64,
        0.125,
        "frozen",
        {"full": "tolerance-as-a-share"},
    ),
    (
        _bouts("full", 64, 9.0, (0.875, 0.875)) + _bouts("frozen", 64, 1.0, (0.5, 0.5)),
        64,
        0.125,
        "full",
        {"frozen": "ignored-the-accuracy"},
    ),
    (
        _bouts("lucky", 64, 1.0, (1.0, 0.25, 0.25)) + _bouts("steady", 64, 9.0, (0.75, 0.75, 0.75)),
        64,
        0.0625,
        "steady",
        {"lucky": "best-seed"},
    ),
    (
        _bouts("full", 64, 2.0, (0.75,)) + _bouts("frozen", 64, 1.0, (0.75, 0.75, 0.75)),
        64,
        0.125,
        "frozen",
        {"full": "seconds-not-averaged"},
    ),
    (
        _bouts("full", 64, (1.0, 9.0), (0.75, 0.75)) + _bouts("frozen", 64, 2.0, (0.75, 0.75)),
        64,
        0.125,
        "frozen",
        {"full": "seconds-not-averaged"},
    ),
    (
        _bouts("full", 64, 9.0, (1.0, 1.0)) + _bouts("frozen", 64, 1.0, (0.875, 0.875)),
        64,
        0.125,
        "frozen",
        {"full": "edge-left-out"},
    ),
)


@quiet
def check_pick(pick) -> None:
    """Compare with the right choice on made-up results, fixed ones and random ones.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    for bouts, examples, tolerance, expected, wrong in _CASES:
        found = _picked(pick, bouts, examples, tolerance)
        if isinstance(found, str) and found in wrong:
            _CATALOGUE.fail(wrong[found])
        same(
            found,
            expected,
            f"`pick` of {_described(bouts)}, with {examples} examples, tolerance {tolerance},",
        )
    _check_nothing_there(pick)
    against_reference(pick, _right, _draw, name="pick", cases=60, shrink=True)


def _described(bouts: list[dict]) -> str:
    """Contenders by number of examples, with what chooses them."""
    groups: dict[tuple[str, int], list[dict]] = defaultdict(list)
    for bout in bouts:
        groups[bout["contender"], bout["examples"]].append(bout)
    return ", ".join(
        f"{name} with {examples} (validation {' '.join(str(b['valid_accuracy']) for b in own)}; seconds "
        f"{' '.join(str(b['seconds']) for b in own)})"
        for (name, examples), own in groups.items()
    )


def _picked(pick, bouts: list[dict], examples: int, tolerance: float):
    given = copy.deepcopy(bouts)
    found = plain(call(pick, given, examples, tolerance, what=f"pick(bouts, {examples}, {tolerance})"))
    if given != bouts:
        raise CheckFailed("`pick` changed the runs it was given. Expected it to read them only.")
    return found


def _check_nothing_there(pick) -> None:
    for bouts in ([], _bouts("full", 128, 1.0, (0.5,))):
        try:
            found = pick(copy.deepcopy(bouts), 99, 0.1)
        except Exception:  # whatever `max` of nothing, an index or the student raises
            _CATALOGUE.fail("nothing-there")
        if found is not None:
            _CATALOGUE.fail("nothing-there")
        held()


def _draw(numbers: random.Random) -> tuple[list[dict], int, float]:
    return _random_bouts(numbers), 64, numbers.choice([0.0, 0.125, 0.25, 0.375])


def _random_bouts(numbers: random.Random) -> list[dict]:
    bouts = []
    for place, name in enumerate(("frozen", "last two", "full", "scratch")):
        for examples in (16, 64):
            seeds = 2 ** numbers.randint(0, 2)
            # Quarters are exact in binary, and means are often exactly the tolerance apart.
            values = tuple(numbers.randint(1, 4) / 4 for _ in range(seeds))
            tests = tuple(round(numbers.random(), 2) for _ in range(seeds))
            # The mean is some whole seconds and `place` eighths: no two contenders take equally long.
            around, apart = numbers.randint(10, 40) + place / 8, numbers.randint(0, 9)
            times = tuple(around + (2 * seed - seeds + 1) * apart for seed in range(seeds))
            bouts += _bouts(name, examples, times, values, tests)
    numbers.shuffle(bouts)
    return bouts


def _right(bouts: list[dict], examples: int, tolerance: float) -> str | None:
    own: dict[str, list[dict]] = defaultdict(list)
    for bout in bouts:
        if bout["examples"] == examples:
            own[bout["contender"]].append(bout)
    means = {name: sum(b["valid_accuracy"] for b in rows) / len(rows) for name, rows in own.items()}
    good = [name for name, mean in means.items() if mean >= max(means.values()) - tolerance]
    return min(good, key=lambda name: sum(b["seconds"] for b in own[name]) / len(own[name]), default=None)


_BEST = "best = max((mean(name, 'valid_accuracy') for name in seen), default={})"

PICK = Exercise(
    id="pick",
    unit="02-which-layers-to-train",
    points=2,
    title="Choose with the bill in view",
    functions=("pick",),
    check=check_pick,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
        "def pick(bouts, examples, tolerance):\n"
        "    from statistics import fmean\n"
        "    fitting = [b for b in bouts if b['examples'] == examples]\n"
        "    rows = []\n"
        "    for name in {b['contender'] for b in fitting}:\n"
        "        own = [b for b in fitting if b['contender'] == name]\n"
        "        rows.append((fmean(b['seconds'] for b in own), fmean(b['valid_accuracy'] for b in own), name))\n"
        "    if not rows:\n"
        "        return None\n"
        "    line = max(row[1] for row in rows) - tolerance\n"
        "    return min(row for row in rows if row[1] >= line)[2]\n",
    ),
    equivalent=(
        *(
            (
                _BEST.format(0) + " => " + _BEST.format(other),
                "with no runs there is nothing to compare it with",
            )
            for other in (1, -1)
        ),
        *(
            (line + " => " + line.replace("9)", f"{digits})"), "means that differ at all differ by more")
            for line in (
                "accuracy[name] = round(sum(values) / len(values), 9)",
                "seconds[name] = round(sum(times) / len(times), 9)",
            )
            for digits in (8, 10)
        ),
    ),
)
