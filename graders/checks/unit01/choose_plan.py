"""Exercise 3: `choose_plan(runs, max_trainable=None)` reads results and chooses.

`runs` is a list of dicts, one a training run: "plan" (a name), "seed", "train_accuracy", "valid_accuracy",
"test_accuracy" (0 to 1) and "trainable" (elements that learn). A plan may have several runs, of other seeds. The function
returns the name of the plan with the best *mean validation* accuracy among those that train at most `max_trainable`
elements (None: no limit); of equals the one that trains fewer; None where no plan fits.
"""

from __future__ import annotations

import copy
import random
from collections import defaultdict

from ..compare import plain, same
from ..evidence import held
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..reference import against_reference
from ..running import call, quiet, took_none_for_a_number

_MEANS = (
    "def choose_plan(runs, max_trainable=None):\n"
    "    seen = {{}}\n"
    "    for run in runs:\n"
    "        if max_trainable is None or run['trainable'] <= max_trainable:\n"
    "            seen.setdefault(run['plan'], []).append(run)\n"
    "    if not seen:\n"
    "        return None\n"
    "    def score(plan):\n"
    "        values = [run['{which}_accuracy'] for run in seen[plan]]\n"
    "        return ({summary}, -seen[plan][0]['trainable'])\n"
    "    return max(seen, key=score)\n"
)
_MEAN = "round(sum(values) / len(values), 9)"

_CATALOGUE = Catalogue(
    Mistake(
        "chose-by-test",
        "This chooses by the test accuracy. The test set is for the very end: what chose by it is no longer a fair exam.",
        ("Which of the accuracies is there for choosing?",),
        _MEANS.format(which="test", summary=_MEAN),
    ),
    Mistake(
        "chose-by-training",
        "This chooses by the accuracy on the training data. Whoever learns the exercises by heart wins there, and fails the "
        "exam.",
        ("Choose by data that the model did not learn from: the validation accuracy.",),
        _MEANS.format(which="train", summary=_MEAN),
    ),
    Mistake(
        "best-seed",
        "This chooses by the best single run. One lucky seed is not a better plan: compare the mean over a plan's seeds.",
        ("Collect the runs of each plan first, then take the mean of their validation accuracies.",),
        _MEANS.format(which="valid", summary="max(values)"),
    ),
    Mistake(
        "one-run-of-each",
        "Only one run of each plan counts here, the first or the last. Compare the mean over a plan's seeds.",
        ("`accuracies[plan] = ...` forgets what was there: collect a list for each plan.",),
        _MEANS.format(which="valid", summary="values[-1]"),
    ),
    Mistake(
        "worst-instead-of-best",
        "This takes the plan with the lowest accuracy.",
        ("`sorted` begins with the smallest; `max` finds the largest.",),
        _MEANS.format(which="valid", summary="-" + _MEAN),
    ),
    Mistake(
        "sum-instead-of-mean",
        "This adds the accuracies up, so a plan with more runs wins. Divide by the number of runs.",
        ("A mean is the sum divided by how many there are.",),
        _MEANS.format(which="valid", summary="round(sum(values), 9)"),
    ),
    Mistake(
        "ignored-the-budget",
        "This chose a plan that trains more than `max_trainable` allows.",
        ("Leave out the runs whose 'trainable' is above the limit, before you compare.",),
        _MEANS.format(which="valid", summary=_MEAN).replace(
            "if max_trainable is None or run['trainable'] <= max_trainable:", "if True:"
        ),
    ),
    Mistake(
        "limit-left-out",
        "A plan that trains exactly `max_trainable` elements is allowed: at most, not less than.",
        ("`<=`, not `<`.",),
        _MEANS.format(which="valid", summary=_MEAN).replace("<= max_trainable", "< max_trainable"),
    ),
    Mistake(
        "none-is-no-number",
        "`max_trainable=None` means that there is no limit, and nothing can be compared with None.",
        ("Ask `max_trainable is None or ...` first.",),
        _MEANS.format(which="valid", summary=_MEAN).replace("max_trainable is None or ", ""),
    ),
    Mistake(
        "zero-is-a-limit",
        "With `max_trainable=0` this goes on as if there were no limit. In Python 0 counts as false, as None does.",
        ("`if max_trainable is not None`, not `if max_trainable`.",),
        _MEANS.format(which="valid", summary=_MEAN).replace("max_trainable is None", "not max_trainable"),
    ),
    Mistake(
        "tie-to-the-larger",
        "Two plans are equally good, and this took the one that trains more. Of equals, the smaller is the better choice.",
        (
            "`max` with a key may return a tuple: first the accuracy, then minus the number of trained elements.",
        ),
        _MEANS.format(which="valid", summary=_MEAN).replace("-seen[plan]", "seen[plan]"),
    ),
    Mistake(
        "returned-the-run",
        "This returned a whole run (or a number). Only the plan's name was asked for.",
        ("Return the value of 'plan'.",),
        _MEANS.format(which="valid", summary=_MEAN).replace(
            "return max(seen, key=score)", "return seen[max(seen, key=score)][0]"
        ),
    ),
    Mistake(
        "nothing-fits",
        "No plan fits the limit, so there is nothing to choose: return None then.",
        ("What does your function do when every run was left out?",),
        _MEANS.format(which="valid", summary=_MEAN).replace("    if not seen:\n        return None\n", ""),
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


# Each case has one right answer, and wrong ones that show which way of choosing gave them.
_CASES = (
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


@quiet
def check_choose_plan(choose_plan) -> None:
    """Compare with the right choice on made-up results, fixed ones and random ones.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    for runs, limit, expected, wrong in _CASES:
        found = _choose(choose_plan, runs, limit)
        if isinstance(found, str) and found in wrong:
            _CATALOGUE.fail(wrong[found])
        what = f"`choose_plan` of {_described(runs)}, {'no limit' if limit is None else f'at most {limit}'},"
        same(found, expected, what + (" (is a `return` missing?)" if found is None else ""))
    _check_nothing_fits(choose_plan)
    against_reference(choose_plan, _right, _draw, name="choose_plan", cases=60, shrink=True)


def _described(runs: list[dict]) -> str:
    """Plans with what chooses them."""
    return ", ".join(
        f"{plan} ({rows[0]['trainable']} learn, validation {' '.join(str(row['valid_accuracy']) for row in rows)})"
        for plan, rows in _by_plan(runs).items()
    )


def _choose(choose_plan, runs: list[dict], limit: int | None):
    given = copy.deepcopy(runs)
    try:
        found = plain(call(choose_plan, given, limit, what=f"choose_plan(runs, max_trainable={limit})"))
    except CheckFailed as failed:
        if limit is None and took_none_for_a_number(failed):
            _CATALOGUE.fail("none-is-no-number")
        raise
    if given != runs:
        raise CheckFailed("`choose_plan` changed the runs it was given. Expected it to read them only.")
    if not isinstance(found, str) and found is not None:
        _CATALOGUE.fail("returned-the-run")
    return found


def _check_nothing_fits(choose_plan) -> None:
    for runs, limit in (([], None), (_runs("full", 900, (0.9,)), 5), (_runs("full", 900, (0.9,)), 0)):
        try:
            found = choose_plan(copy.deepcopy(runs), limit)
        except Exception:  # whatever `max` of nothing, an index or the student raises
            _CATALOGUE.fail("nothing-fits")
        if found is not None:
            _CATALOGUE.fail("nothing-fits" if limit != 0 else "zero-is-a-limit")
        held()


def _draw(numbers: random.Random) -> tuple[list[dict], int | None]:
    """Runs, and a limit: none, one that hardly a plan keeps to, or exactly what one of the plans trains."""
    runs = _random_runs(numbers)
    return runs, numbers.choice([None, 10, *(run["trainable"] for run in numbers.sample(runs, 3))])


def _random_runs(numbers: random.Random) -> list[dict]:
    runs = []
    for plan in ("head", "norms", "last-1", "last-2", "full"):
        seeds = numbers.randint(1, 4)
        # Quarters are exact in binary, so that no answer hangs on how a mean is rounded; and plans are often equally good.
        values = tuple(numbers.randint(1, 4) / 4 for _ in range(seeds))
        others = tuple(round(numbers.random(), 2) for _ in range(seeds))
        runs += _runs(plan, numbers.randint(1, 200_000), values, others, others)
    numbers.shuffle(runs)
    means = {plan: _mean(rows) for plan, rows in _by_plan(runs).items()}
    close = any(0 < abs(one - other) < 1e-6 for one in means.values() for other in means.values())
    return _random_runs(numbers) if close else runs


def _by_plan(runs: list[dict]) -> dict[str, list[dict]]:
    plans: dict[str, list[dict]] = defaultdict(list)
    for run in runs:
        plans[run["plan"]].append(run)
    return plans


def _mean(runs: list[dict]) -> float:
    return sum(run["valid_accuracy"] for run in runs) / len(runs)


def _right(runs: list[dict], limit: int | None) -> str | None:
    fitting = _by_plan([run for run in runs if limit is None or run["trainable"] <= limit])
    return max(fitting, key=lambda plan: (_mean(fitting[plan]), -fitting[plan][0]["trainable"]), default=None)


_RANK = "return (round(sum(values) / len(values), 9), -seen[plan][0]['trainable'])"
_FMEAN = "rank = (statistics.fmean((run['valid_accuracy'] for run in own)), -own[0]['trainable'])"

CHOOSE_PLAN = Exercise(
    id="choose-plan",
    unit="01-transfer-learning",
    points=2,
    title="Read a result and choose",
    functions=("choose_plan",),
    check=check_choose_plan,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _MEANS.format(which="valid", summary=_MEAN),
        "def choose_plan(runs, max_trainable=None):\n"
        "    import statistics\n"
        "    best, answer = None, None\n"
        "    for plan in {run['plan'] for run in runs}:\n"
        "        own = [run for run in runs if run['plan'] == plan]\n"
        "        if max_trainable is not None and own[0]['trainable'] > max_trainable:\n"
        "            continue\n"
        "        rank = (statistics.fmean(run['valid_accuracy'] for run in own), -own[0]['trainable'])\n"
        "        if best is None or rank > best:\n"
        "            best, answer = rank, plan\n"
        "    return answer\n",
    ),
    equivalent=(
        (_RANK + " => " + _RANK.replace("9)", "10)"), "means that differ at all differ by more"),
        (_RANK + " => " + _RANK.replace("9)", "8)"), "means that differ at all differ by more"),
        (_RANK + " => " + _RANK.replace("[0]", "[-1]"), "all runs of a plan train the same elements"),
        (
            "if max_trainable is not None and own[0]['trainable'] > max_trainable: => "
            "if max_trainable is not None and own[-1]['trainable'] > max_trainable:",
            "all runs of a plan train the same elements",
        ),
        (_FMEAN + " => " + _FMEAN.replace("[0]", "[-1]"), "all runs of a plan train the same elements"),
        (
            "if best is None or rank > best: => if best is None or rank >= best:",
            "the task does not say which of two plans to take that are equal in both",
        ),
    ),
)
