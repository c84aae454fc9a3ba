"""Made-up results of an arena, in which a small gap decides which contender is right."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from statistics import fmean

from graders.checks.worlds import World, names, reals, sizes

WORLD = World(
    contenders=sizes(1, 10),
    runs=sizes(1, 10),
    examples=sizes(1, 100_000),
    seconds=reals(0.01, 100_000),
    tolerance=reals(0.001, 0.5),
    small=reals(2e-6, 0.05),
)
_NAMES = names("feature extraction", "last two layers", "everything", "from scratch")
_SEED, _RATE, _TRAINABLE = sizes(1, 1_000_000), reals(1e-7, 10), sizes(1, 10**11)
_ROUNDING = 1e-6  # gaps below this may be rounding


def runs_of(name: str, examples: int, seconds: float | tuple, valid: tuple, test: tuple = ()) -> list[dict]:
    """Runs of a contender; all take the same time, or each its own."""
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


def draw(numbers: random.Random, **drawn) -> tuple[list[dict], int, float]:
    """Arguments for `pick`: results of contenders with made-up names, some of other numbers of examples.

    The gaps that decide are small, but wider than rounding. In every fourth call one of them is exactly the
    tolerance: all accuracies are then numbers that are exact in binary, and so are their means.
    """
    examples, drawn["tolerance"] = drawn["examples"], numbers.choice((drawn["tolerance"],) * 2 + (0.0,))
    contenders = _alike(_NAMES(numbers, drawn["contenders"]), numbers)
    exact = numbers.random() < 0.25
    if exact:
        drawn |= {"tolerance": _dyadic(drawn["tolerance"]), "small": 0.0}
    while True:
        bouts = _results(numbers, contenders, exact, **drawn)
        if _decided(means_of(bouts, examples), drawn["tolerance"], exact):
            return bouts, examples, drawn["tolerance"]


def means_of(bouts: list[dict], examples: int) -> dict[str, tuple[float, float]]:
    """Each contender's mean validation accuracy and mean of seconds."""
    own: dict[str, list[dict]] = defaultdict(list)
    for bout in bouts:
        if bout["examples"] == examples:
            own[bout["contender"]].append(bout)
    return {
        name: (fmean(b["valid_accuracy"] for b in rows), fmean(b["seconds"] for b in rows))
        for name, rows in own.items()
    }


def _alike(names: list[str], numbers: random.Random) -> list[str]:
    """The names; the second one differs from the first in capitals or its last letters alone."""
    first, *others = names
    twin = numbers.choice((str.swapcase, str.title, lambda name: f"{name} 2"))(first)
    return [first, twin, *others[1:]] if others and twin not in names else names


def _results(
    numbers: random.Random,
    names: list[str],
    exact: bool,
    *,
    contenders: int,
    runs: int,
    examples: int,
    seconds: float,
    tolerance: float,
    small: float,
) -> list[dict]:
    # The second contender is the quickest, and just good enough or just not; the others are anything.
    best = numbers.uniform(tolerance + 0.06, 0.94)
    gaps = [0.0, tolerance + numbers.choice((-1, 1)) * small]
    gaps += [numbers.choice((tolerance + small, best)) * numbers.random() for _ in names]
    times = [1 + (small or 0.1), 1.0, *(1 + numbers.random() ** 4 for _ in names)]
    if exact:
        best, gaps = _dyadic(best), [_dyadic(gap) for gap in gaps]
    groups = [
        (name, examples, best - gap, seconds * time)
        for name, gap, time in zip(numbers.sample(names, contenders), gaps, times, strict=False)
    ]
    for other in {examples + 1, max(examples - 1, 1), examples * 2} - {examples}:
        for name in numbers.sample(names, min(contenders, 2)):
            groups.append((name, other, numbers.random(), seconds * numbers.uniform(0.5, 2)))
    make = numbers.choice((_plain, _strange))
    counts = [2 ** numbers.randint(0, 3) if exact else numbers.randint(1, runs) for _ in groups]
    bouts = [
        bout for group, count in zip(groups, counts, strict=True) for bout in make(numbers, *group, count)
    ]
    numbers.shuffle(bouts)
    return bouts


def _plain(
    numbers: random.Random, name: str, examples: int, accuracy: float, seconds: float, runs: int
) -> list[dict]:
    """Runs with these means."""
    valid = _around(numbers, accuracy, min(accuracy, 1 - accuracy), runs)
    times = _around(numbers, seconds, seconds, runs)
    tests = tuple(numbers.random() for _ in range(runs))
    seeds = [numbers.choice((numbers.randint(0, 4), _SEED(numbers))) for _ in range(runs)]
    made = runs_of(name, examples, times, valid, tests)
    return [{**bout, "seed": seed} for bout, seed in zip(made, seeds, strict=True)]


def _strange(numbers: random.Random, *group) -> list[dict]:
    """Such runs with their keys in any order, and others besides, as those of an arena have."""
    bouts = [
        {**bout, "rate": _RATE(numbers), "trainable": _TRAINABLE(numbers)} for bout in _plain(numbers, *group)
    ]
    return [{key: bout[key] for key in numbers.sample(list(bout), len(bout))} for bout in bouts]


def _around(numbers: random.Random, mean: float, room: float, count: int) -> tuple[float, ...]:
    """Numbers with this mean, at most `room` away from it; most are equal, so the median is another."""
    step = _dyadic(numbers.choice((-1, 1)) * numbers.uniform(0.1, 0.9) * room / max(count - 1, 1), 4096)
    return tuple(numbers.sample([mean + step] * (count - 1) + [mean - step * (count - 1)], count))


def _dyadic(value: float, parts: int = 256) -> float:
    """The number rounded to such a part of one, which is exact in binary."""
    return round(value * parts) / parts


def _decided(means: dict[str, tuple[float, float]], tolerance: float, exact: bool) -> bool:
    """Whether rounding cannot change which contenders are good, and which is the quickest."""
    best, *others = sorted((accuracy for accuracy, _ in means.values()), reverse=True)
    gaps = [best - other for other in others]
    times = sorted(seconds for _, seconds in means.values())
    return all(abs(gap - tolerance) > _ROUNDING or (exact and gap == tolerance) for gap in gaps) and all(
        later > sooner * (1 + _ROUNDING) for sooner, later in pairwise(times)
    )
