"""`choose_plan(runs, max_trainable=None)` reads results and chooses.

`runs` is a list of dicts, one for each training run: "plan" (a name), "seed", "train_accuracy",
"valid_accuracy", "test_accuracy" (0 to 1) and "trainable" (elements that learn). A plan may have several
runs, with different seeds. The function returns the name of the plan with the best *mean validation* accuracy
among those that train at most `max_trainable` elements (None: no limit). Of two equals it takes the one that
trains fewer; if no plan fits, it returns None.
"""

from __future__ import annotations

import copy
import random
from collections import defaultdict

from graders.checks.compare import same, to_builtin
from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.running import FORGOTTEN_RETURN, call, took_none_for_a_number
from graders.checks.worlds import World, names, reals, sizes

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "chose-by-test",
        "This chooses by the test accuracy. The test set is for the very end: once it has been used to "
        "choose, it is no longer a fair exam.",
        ("Which of the accuracies is meant for choosing?",),
    ),
    Mistake(
        "chose-by-training",
        "This chooses by the accuracy on the training data. Whoever learns the exercises by heart wins "
        "there, and fails the exam.",
        ("Choose by data that the model has not learned from: the validation accuracy.",),
    ),
    Mistake(
        "best-seed",
        "This chooses by the best single run. One lucky seed does not make a better plan: compare the means "
        "over each plan's seeds.",
        ("Collect the runs of each plan first, then take the mean of their validation accuracies.",),
    ),
    Mistake(
        "one-run-of-each",
        "Only one run of each plan counts here, the first or the last. Compare the means over each plan's "
        "seeds.",
        ("`accuracies[plan] = ...` overwrites what was there: collect a list for each plan.",),
    ),
    Mistake(
        "worst-instead-of-best",
        "This takes the plan with the lowest accuracy.",
        ("`sorted` begins with the smallest; `max` finds the largest.",),
    ),
    Mistake(
        "sum-instead-of-mean",
        "This adds the accuracies up, so a plan with more runs wins. Divide by the number of runs.",
        ("A mean is the sum divided by the number of values.",),
    ),
    Mistake(
        "ignored-the-budget",
        "This chose a plan that trains more than `max_trainable` allows.",
        ("Before you compare, leave out the runs whose 'trainable' is above the limit.",),
    ),
    Mistake(
        "limit-left-out",
        'A plan that trains exactly `max_trainable` elements is allowed: "at most", not "less than".',
        ("`<=`, not `<`.",),
    ),
    Mistake(
        "none-is-no-number",
        "`max_trainable=None` means that there is no limit, and a number cannot be compared with None.",
        ("Ask `max_trainable is None or ...` first.",),
    ),
    Mistake(
        "zero-is-a-limit",
        "With `max_trainable=0` this goes on as if there were no limit. In Python 0 counts as false, just as "
        "None does.",
        ("`if max_trainable is not None`, not `if max_trainable`.",),
    ),
    Mistake(
        "tie-to-the-larger",
        "Two plans are equally good, and this took the one that trains more. Of two equals, the smaller is "
        "the better choice.",
        ("The key of `max` may be a tuple: first the accuracy, then minus the number of trained elements.",),
    ),
    Mistake(
        "returned-the-run",
        "This returned a whole run (or a number). Return the plan's name alone.",
        ("Return the value of 'plan'.",),
    ),
    Mistake(
        "nothing-fits",
        "No plan is within the limit, so there is nothing to choose: return None in that case.",
        ("What does your function do when every run has been left out?",),
    ),
)

EQUIVALENT = (
    (
        "return (round(sum(values) / len(values), 9), -seen[plan][0]['trainable']) => return "
        "(round(sum(values) / len(values), 10), -seen[plan][0]['trainable'])",
        "means that differ at all differ by more",
    ),
    (
        "return (round(sum(values) / len(values), 9), -seen[plan][0]['trainable']) => return "
        "(round(sum(values) / len(values), 8), -seen[plan][0]['trainable'])",
        "means that differ at all differ by more",
    ),
    (
        "return (round(sum(values) / len(values), 9), -seen[plan][0]['trainable']) => return "
        "(round(sum(values) / len(values), 9), -seen[plan][-1]['trainable'])",
        "all runs of a plan train the same elements",
    ),
    (
        "if max_trainable is not None and own[0]['trainable'] > max_trainable: => if max_trainable is not "
        "None and own[-1]['trainable'] > max_trainable:",
        "all runs of a plan train the same elements",
    ),
    (
        "rank = (statistics.fmean((run['valid_accuracy'] for run in own)), -own[0]['trainable']) => rank = "
        "(statistics.fmean((run['valid_accuracy'] for run in own)), -own[-1]['trainable'])",
        "all runs of a plan train the same elements",
    ),
    (
        "if best is None or rank > best: => if best is None or rank >= best:",
        "the task does not say which of two plans to take that are equal in both",
    ),
)


def _runs(plan: str, trainable: int, valid: tuple, test: tuple = (), train: tuple = ()) -> list[dict]:
    return [
        {
            "plan": plan,
            "seed": seed,
            "train_accuracy": (train or valid)[seed],
            "valid_accuracy": valid[seed],
            "test_accuracy": (test or valid)[seed],
            "trainable": trainable,
        }
        for seed in range(len(valid))
    ]


# Each case: runs, the most parameters that may learn, the one right answer, and wrong ones with the way of
# choosing that gives them.
_CASES: tuple[tuple[list[dict], int | None, str, dict[str, str]], ...] = (
    (
        _runs("head", 770, (0.80, 0.82), test=(0.60, 0.60), train=(0.81, 0.83))
        + _runs("last-2", 3_550_000, (0.70, 0.72), test=(0.90, 0.90), train=(0.80, 0.80))
        + _runs("full", 22_700_000, (0.71, 0.73), test=(0.70, 0.70), train=(1.0, 1.0))
        # Best by the mean of all three, and smallest; then worst by each.
        + _runs("norms", 500, (0.79, 0.79), test=(0.85, 0.85), train=(0.95, 0.95))
        + _runs("last-1", 1_700_000, (0.50, 0.52), test=(0.40, 0.42), train=(0.60, 0.62)),
        None,
        "head",
        {"last-2": "chose-by-test", "full": "chose-by-training", "last-1": "worst-instead-of-best"},
    ),
    (
        _runs("full", 900, (0.50, 0.85)) + _runs("head", 10, (0.90, 0.70)),
        None,
        "head",
        {"full": "one-run-of-each"},
    ),
    (
        _runs("full", 900, (0.85, 0.50)) + _runs("head", 10, (0.70, 0.90)),
        None,
        "head",
        {"full": "one-run-of-each"},
    ),
    (
        _runs("full", 900, (0.95, 0.50, 0.52)) + _runs("head", 10, (0.80, 0.81, 0.79)),
        None,
        "head",
        {"full": "best-seed"},
    ),
    (
        _runs("full", 900, (0.60, 0.60, 0.60, 0.60)) + _runs("head", 10, (0.85, 0.85)),
        None,
        "head",
        {"full": "sum-instead-of-mean"},
    ),
    (
        # A mean that is taken anew with each run counts the last one half.
        _runs("full", 900, (0.25, 0.25, 1.0)) + _runs("head", 10, (0.6, 0.5, 0.55)),
        None,
        "head",
        {},
    ),
    (
        _runs("full", 900, (0.9,)) + _runs("last-1", 100, (0.8,)) + _runs("head", 10, (0.7,)),
        100,
        "last-1",
        {"full": "ignored-the-budget", "head": "limit-left-out"},
    ),
    (
        _runs("full", 900, (0.75, 0.25)) + _runs("head", 10, (0.5, 0.5)) + _runs("last-1", 100, (0.25, 0.75)),
        None,
        "head",
        {"full": "tie-to-the-larger", "last-1": "tie-to-the-larger"},
    ),
    (
        _runs("head", 10, (0.25, 0.75)) + _runs("full", 900, (0.5, 0.5)),
        None,
        "head",
        {"full": "tie-to-the-larger"},
    ),
)


@exercise(
    number=3,
    points=2,
    title="Read a result and choose",
    functions=("choose_plan",),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
)
def check_choose_plan(choose_plan) -> None:
    """Compare with the right choice on made-up results, fixed ones and random ones.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    for runs, limit, expected, wrong in _CASES:
        found = _choose(choose_plan, runs, limit)
        if isinstance(found, str) and found in wrong:
            MISTAKES.fail(wrong[found])
        what = f"`choose_plan` of {_described(runs)}, {'no limit' if limit is None else f'at most {limit}'},"
        same(found, expected, what + (f" ({FORGOTTEN_RETURN})" if found is None else ""))
    _check_nothing_fits(choose_plan)
    against_reference(choose_plan, _right, _draw, name="choose_plan", world=_WORLD, cases=100, shrink=True)


def _described(runs: list[dict]) -> str:
    """The plans, with the numbers to choose by."""
    return ", ".join(
        f"{plan} ({rows[0]['trainable']} learn, validation "
        f"{' '.join(str(row['valid_accuracy']) for row in rows)})"
        for plan, rows in _by_plan(runs).items()
    )


def _choose(choose_plan, runs: list[dict], limit: int | None):
    try:
        found = to_builtin(
            call(choose_plan, copy.deepcopy(runs), limit, what=f"choose_plan(runs, max_trainable={limit})")
        )
    except CheckFailed as failed:
        if limit is None and took_none_for_a_number(failed):
            MISTAKES.fail("none-is-no-number")
        raise
    if not isinstance(found, str) and found is not None:
        MISTAKES.fail("returned-the-run")
    return found


def _check_nothing_fits(choose_plan) -> None:
    for runs, limit in (([], None), (_runs("full", 900, (0.9,)), 5), (_runs("full", 900, (0.9,)), 0)):
        try:
            found = choose_plan(copy.deepcopy(runs), limit)
        except Exception:  # whatever `max` of nothing, an index or the student raises
            MISTAKES.fail("nothing-fits")
        if found is not None:
            MISTAKES.fail("nothing-fits" if limit != 0 else "zero-is-a-limit")
        count_comparison()


_WORLD = World(
    plans=sizes(2, 30),
    seeds=sizes(1, 20),
    largest=sizes(50, 10**11),
    gap=reals(1e-4, 0.3),
    fits=lambda plans, seeds, **_: plans * seeds < 160,
)
_NAMES = names("head", "full", "norms", "last-1", "last-2", "from scratch")
_STEP = 1 / 4096  # accuracies on this grid add up without rounding, so that equals are equal to the last bit


def _draw(numbers: random.Random, plans: int, seeds: int, largest: int, gap: float) -> tuple:
    """Runs in any order, and a limit: none, not even named, or one that some plans are exactly at.

    In a third of the cases all plans are equally good, in another the best is ahead by no more than `gap` and
    trains most.
    """
    kind = numbers.choice(("equal", "close", "any"))
    best = numbers.choice((0.0, 1.0, *(numbers.randint(0, 4096) * _STEP for _ in range(5))))
    trainable = sorted({round(largest ** numbers.random()) for _ in range(plans)}, reverse=True)
    runs = []
    for place, (plan, size) in enumerate(zip(_NAMES(numbers, len(trainable)), trainable, strict=True)):
        count = numbers.choice((seeds, numbers.randint(1, seeds)))
        if kind == "equal" or not place:
            valid = _around(numbers, best, count)
        elif kind == "close":
            valid = (max(best - gap ** numbers.uniform(0.5, 1) / 10, 0.0),) * count
        else:
            valid = tuple(numbers.random() for _ in range(count))
        others = (tuple(numbers.random() for _ in valid) for _ in range(2))
        runs += _runs(plan, size, valid, *others)
    for run in runs:
        run["seed"] += numbers.choice((0, 0, 41, 10**6))
    numbers.shuffle(runs)
    means = sorted(map(_mean, _by_plan(runs).values()))
    if any(0 < b - a < 1e-6 for a, b in zip(means, means[1:], strict=False)):
        return _draw(numbers, plans, seeds, largest, gap)  # a tie but for rounding
    limit = numbers.choice((None, None, 2 * largest, trainable[-1] - 1, *numbers.choices(trainable, k=2)))
    return (runs,) if numbers.random() < 0.2 else (runs, limit)


def _around(numbers: random.Random, mean: float, count: int) -> tuple[float, ...]:
    """Accuracies with exactly this mean; they differ where there is room on both sides."""
    room = int(min(mean, 1 - mean) / _STEP)
    pairs = [numbers.randint(0, room) * _STEP for _ in range(count // 2)]
    values = [mean] * (count % 2) + [mean + sign * one for one in pairs for sign in (1, -1)]
    numbers.shuffle(values)
    return tuple(values)


def _by_plan(runs: list[dict]) -> dict[str, list[dict]]:
    plans: dict[str, list[dict]] = defaultdict(list)
    for run in runs:
        plans[run["plan"]].append(run)
    return plans


def _mean(runs: list[dict]) -> float:
    return sum(run["valid_accuracy"] for run in runs) / len(runs)


def _right(runs: list[dict], limit: int | None = None) -> str | None:
    fitting = _by_plan([run for run in runs if limit is None or run["trainable"] <= limit])
    return max(fitting, key=lambda plan: (_mean(fitting[plan]), -fitting[plan][0]["trainable"]), default=None)
