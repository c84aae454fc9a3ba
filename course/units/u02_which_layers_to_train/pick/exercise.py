"""`pick(bouts, examples, tolerance)` chooses with the cost in view.

`bouts` is a list of dicts, one for each run: "contender", "examples", "seed", "valid_accuracy",
"test_accuracy" (0 to 1) and "seconds". Only runs with exactly `examples` training examples count. A contender
is good if its mean validation accuracy is at most `tolerance` below the best mean. The function returns the
name of the good one with the lowest mean of seconds, or None if there are no such runs.
"""

from __future__ import annotations

import copy
from collections import defaultdict

from graders.checks.compare import same, to_builtin
from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.running import call

from .made_up_results import WORLD, draw, means_of, runs_of

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "chose-by-test",
        "This chooses by the test accuracy. The test set is for the very end: once it has been used to "
        "choose, it is no longer a fair exam.",
        ("Which of the accuracies is meant for choosing?",),
    ),
    Mistake(
        "mixed-the-sizes",
        "This compares runs with different numbers of training examples. The winner changes with the amount "
        "of data, so compare only runs with the amount that was asked for.",
        ("Before you compare, leave out the runs whose 'examples' is another number.",),
    ),
    Mistake(
        "ignored-the-cost",
        "This takes the most accurate contender, whatever it costs. Take the quickest of those within the "
        "tolerance.",
        (
            "First collect all whose mean is at least the best mean minus the tolerance, then compare their "
            "seconds.",
        ),
    ),
    Mistake(
        "slowest-instead",
        "This takes the slowest of the good contenders. Take the one with the lowest mean of seconds.",
        ("`min`, or `sorted(...)[0]`.",),
    ),
    Mistake(
        "seconds-not-averaged",
        "This does not compare the means of seconds. Added up, a contender with more runs looks slower; and "
        "the quickest run alone may be luck.",
        ("For seconds, too: the sum divided by the number of runs.",),
    ),
    Mistake(
        "tolerance-as-a-share",
        "This multiplies the best mean by the tolerance. A good contender is at most `tolerance` below the "
        "best: subtract it.",
        ("`best - tolerance`.",),
    ),
    Mistake(
        "ignored-the-accuracy",
        "This takes the quickest contender even if it is worse by more than the tolerance.",
        ("Before you compare seconds, leave out every contender below the best mean minus the tolerance.",),
    ),
    Mistake(
        "best-seed",
        "This compares the best single runs. One lucky seed is not a better way to train: compare the means "
        "over the seeds.",
        ("Collect each contender's runs first, then take the mean of their validation accuracies.",),
    ),
    Mistake(
        "edge-left-out",
        'A contender that is exactly `tolerance` below the best is still good enough: "at most", not "less '
        'than".',
        ("`>=`, not `>`.",),
    ),
    Mistake(
        "nothing-there",
        "There are no runs with this number of examples, so there is nothing to choose: return None in that "
        "case.",
        ("What does your function do when every run has been left out?",),
    ),
)

EQUIVALENT = (
    (
        "best = max((mean(name, 'valid_accuracy') for name in seen), default=0) => best = max((mean(name, "
        "'valid_accuracy') for name in seen), default=1)",
        "with no runs there is nothing to compare it with",
    ),
    (
        "best = max((mean(name, 'valid_accuracy') for name in seen), default=0) => best = max((mean(name, "
        "'valid_accuracy') for name in seen), default=-1)",
        "with no runs there is nothing to compare it with",
    ),
    (
        "accuracy[name] = round(sum(values) / len(values), 9) => accuracy[name] = round(sum(values) / "
        "len(values), 8)",
        "means that differ at all differ by more",
    ),
    (
        "accuracy[name] = round(sum(values) / len(values), 9) => accuracy[name] = round(sum(values) / "
        "len(values), 10)",
        "means that differ at all differ by more",
    ),
    (
        "seconds[name] = round(sum(times) / len(times), 9) => seconds[name] = round(sum(times) / len(times), "
        "8)",
        "means that differ at all differ by more",
    ),
    (
        "seconds[name] = round(sum(times) / len(times), 9) => seconds[name] = round(sum(times) / len(times), "
        "10)",
        "means that differ at all differ by more",
    ),
)


# Each case has one right answer, and wrong ones that show which way of choosing gave them. Eighths are exact
# in binary.
_CASES = (
    (
        runs_of("frozen", 128, 9.0, (0.5, 0.5), test=(0.875, 0.875))
        + runs_of("full", 128, 1.0, (0.875, 0.875), test=(0.5, 0.5)),
        128,
        0.125,
        "full",
        {"frozen": "chose-by-test"},
    ),
    (
        runs_of("frozen", 16, 1.0, (0.75, 0.75))
        + runs_of("scratch", 16, 9.0, (0.5, 0.5))
        + runs_of("frozen", 1024, 1.0, (0.5, 0.5, 0.5, 0.5))
        + runs_of("scratch", 1024, 9.0, (1.0, 1.0, 1.0, 1.0)),
        16,
        0.0625,
        "frozen",
        {"scratch": "mixed-the-sizes"},
    ),
    (
        runs_of("scratch", 1024, 1.0, (0.75, 0.75))
        + runs_of("frozen", 1024, 9.0, (0.5, 0.5))
        + runs_of("scratch", 16, 1.0, (0.125, 0.125, 0.125, 0.125))
        + runs_of("frozen", 16, 9.0, (0.75, 0.75, 0.75, 0.75)),
        1024,
        0.0625,
        "scratch",
        {"frozen": "mixed-the-sizes"},
    ),
    (
        runs_of("scratch", 64, 5.0, (0.8125, 0.8125))
        + runs_of("full", 64, 7.0, (0.875, 0.875))
        + runs_of("last two", 64, 9.0, (0.84375, 0.84375))
        + runs_of("frozen", 64, 1.0, (0.8125, 0.8125)),
        64,
        0.125,
        "frozen",
        {"full": "ignored-the-cost", "last two": "slowest-instead"},
    ),
    (
        runs_of("full", 64, 9.0, (0.5, 0.5)) + runs_of("frozen", 64, 1.0, (0.40625, 0.40625)),
        64,
        0.125,
        "frozen",
        {"full": "tolerance-as-a-share"},
    ),
    (
        runs_of("full", 64, 9.0, (0.875, 0.875)) + runs_of("frozen", 64, 1.0, (0.5, 0.5)),
        64,
        0.125,
        "full",
        {"frozen": "ignored-the-accuracy"},
    ),
    (
        runs_of("lucky", 64, 1.0, (1.0, 0.25, 0.25)) + runs_of("steady", 64, 9.0, (0.75, 0.75, 0.75)),
        64,
        0.0625,
        "steady",
        {"lucky": "best-seed"},
    ),
    (
        runs_of("full", 64, 2.0, (0.75,)) + runs_of("frozen", 64, 1.0, (0.75, 0.75, 0.75)),
        64,
        0.125,
        "frozen",
        {"full": "seconds-not-averaged"},
    ),
    (
        runs_of("full", 64, (1.0, 9.0), (0.75, 0.75)) + runs_of("frozen", 64, 2.0, (0.75, 0.75)),
        64,
        0.125,
        "frozen",
        {"full": "seconds-not-averaged"},
    ),
    (
        runs_of("full", 64, 9.0, (1.0, 1.0)) + runs_of("frozen", 64, 1.0, (0.875, 0.875)),
        64,
        0.125,
        "frozen",
        {"full": "edge-left-out"},
    ),
)


@exercise(
    number=2,
    points=2,
    title="Choose with the bill in view",
    functions=("pick",),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
)
def check_pick(pick) -> None:
    """Compare with the right choice on made-up results, fixed ones and random ones.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    for bouts, examples, tolerance, expected, wrong in _CASES:
        found = _picked(pick, bouts, examples, tolerance)
        if isinstance(found, str) and found in wrong:
            MISTAKES.fail(wrong[found])
        same(
            found,
            expected,
            f"`pick` of {_described(bouts)}, with {examples} examples, tolerance {tolerance},",
        )
    _check_nothing_there(pick)
    against_reference(pick, _right, draw, name="pick", world=WORLD, cases=60, shrink=True)


def _described(bouts: list[dict]) -> str:
    """Contenders by number of examples, with the numbers to choose by."""
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
    found = to_builtin(call(pick, given, examples, tolerance, what=f"pick(bouts, {examples}, {tolerance})"))
    if given != bouts:
        raise CheckFailed("`pick` changed the runs it was given. Expected it to read them only.")
    return found


def _check_nothing_there(pick) -> None:
    for bouts in ([], runs_of("full", 128, 1.0, (0.5,))):
        try:
            found = pick(copy.deepcopy(bouts), 99, 0.1)
        except Exception:  # whatever `max` of nothing, an index or the student raises
            MISTAKES.fail("nothing-there")
        if found is not None:
            MISTAKES.fail("nothing-there")
        count_comparison()


def _right(bouts: list[dict], examples: int, tolerance: float) -> str | None:
    means = means_of(bouts, examples)
    best = max((accuracy for accuracy, _ in means.values()), default=0.0)
    good = [name for name, (accuracy, _) in means.items() if accuracy >= best - tolerance]
    return min(good, key=lambda name: means[name][1], default=None)
