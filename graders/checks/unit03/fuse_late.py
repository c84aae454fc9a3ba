"""Exercise 4: `fuse_late(logits, present)` lets each modality vote, and takes the mean of the votes that are there.

`logits` has a tensor (examples, classes) a modality, `present` a bool an example (examples,) under the same names, in any
order. The function returns the mean of the probabilities of the modalities that an example has, (examples, classes), rows
that add up to 1; an example that has none gets the same probability for each class. What stands in `logits` where a modality
is missing means nothing.
"""

from __future__ import annotations

import random
from functools import partial

import torch
from torch import Tensor

from ..compare import plain, same
from ..mistakes import Catalogue, Exercise, Mistake
from ..reference import against_reference
from ..running import call, numbers, quiet

_NAMES = ("image", "text", "sound", "notes")
_CALL = "fuse_late(logits, present)"


def _program(
    vote: str = "scores.softmax(1)",
    there: str = "present[name].unsqueeze(1)",
    count: str = "there",
    mean: str = "total / count.clamp(min=1)",
    nothing: str = "torch.full_like(total, 1 / total.shape[1])",
    result: str = "torch.where(count > 0, mean, nothing)",
) -> str:
    return (
        "def fuse_late(logits, present):\n"
        "    total, count = 0, 0\n"
        "    for name, scores in logits.items():\n"
        f"        there = {there}\n"
        f"        total = total + there * {vote}\n"
        f"        count = count + {count}\n"
        f"    mean, nothing = {mean}, {nothing}\n"
        f"    return {result}\n"
    )


_CATALOGUE = Catalogue(
    Mistake(
        "averaged-logits",
        "This averages the scores and takes the softmax of their mean. A modality with large scores then outvotes the others: "
        "the mean of the probabilities was asked for.",
        ("Each modality casts its vote first: softmax before the mean, not after.",),
        _program(vote="scores", result="torch.where(count > 0, mean.softmax(1), nothing)"),
    ),
    Mistake(
        "no-softmax",
        "This averages the scores as they are. They are no probabilities: their rows don't add up to 1.",
        ("What turns a row of scores into probabilities?", "Do that to each modality, before the mean."),
        _program(vote="scores"),
    ),
    Mistake(
        "softmax-twice",
        "This takes a softmax of the mean of probabilities. They add up to 1 already; a second softmax makes them nearly equal.",
        ("One softmax a modality, and none after the mean.",),
        _program(result="torch.where(count > 0, mean.softmax(1), nothing)"),
    ),
    Mistake(
        "sigmoid",
        "A sigmoid makes each score a probability by itself, and those of a row don't add up to 1. Of several classes one is "
        "right: softmax.",
        ("`softmax` over the classes.",),
        _program(vote="scores.sigmoid()"),
    ),
    Mistake(
        "hard-votes",
        "Each modality gives its whole vote to its best class, however sure it is. Its probabilities were asked for.",
        ("`softmax` in place of `argmax`.",),
        _program(
            vote="torch.nn.functional.one_hot(scores.argmax(1), scores.shape[1]).to(scores.dtype)",
        ),
    ),
    Mistake(
        "softmax-over-examples",
        "This softmax runs over the examples, so that each class adds up to 1. Each example should.",
        ("`dim` is the axis whose numbers add up to 1. Examples are axis 0, classes the last one.",),
        _program(vote="scores.softmax(0)"),
    ),
    Mistake(
        "missing-counted",
        "This averages over all modalities, those that are missing as well. What stands in `logits` there means nothing.",
        (
            "`present[name]` says which examples have this modality.",
            "Count 0 for the others, in the sum and in the number.",
        ),
        _program(there="torch.ones_like(present[name]).unsqueeze(1)"),
    ),
    Mistake(
        "if-of-many",
        "`if present[name]` asks one question, and there is an answer for each example: Python can't tell which one counts.",
        ("Multiply with it, or use `torch.where`: both go by example.",),
        _program(there="torch.ones(len(scores), 1) if present[name] else torch.zeros(len(scores), 1)"),
    ),
    Mistake(
        "asked-the-batch",
        "This asks whether a modality is there for the batch. Each example has its own: one may have a text, the next none.",
        ("`present[name]` has an answer for each example. Keep it a tensor, without `any()` and `all()`.",),
        _program(there="present[name].any().expand(len(scores), 1)"),
    ),
    Mistake(
        "left-out-for-all",
        "A modality that one example lacks is left out for all of them here. Those that have it should hear its vote.",
        ("`present[name]` has an answer for each example. Keep it a tensor, without `any()` and `all()`.",),
        _program(there="present[name].all().expand(len(scores), 1)"),
    ),
    Mistake(
        "nothing-left-to-choose",
        "The softmax of a row that is -inf everywhere is NaN: 0 divided by 0. A missing modality has no probabilities to give.",
        ("Softmax first, then `torch.where(column, votes, 0.0)`.",),
        _program(
            vote="scores.masked_fill(~there, float('-inf')).softmax(1)",
        ),
    ),
    Mistake(
        "mask-along-classes",
        "`present[name]` has one answer for each example, and here it is laid along the classes.",
        ("With `unsqueeze(1)`, or `[:, None]`, it becomes a column, and goes along the examples.",),
        _program(there="present[name]"),
    ),
    Mistake(
        "divided-by-all",
        "What is missing adds nothing to the sum here, but the sum is divided by the number of all modalities: rows with "
        "something missing add up to less than 1.",
        ("Divide each example by the number of modalities that it has.",),
        _program(mean="total / len(logits)"),
    ),
    Mistake(
        "missing-votes",
        "A missing modality votes here, for all classes alike (scores of 0 do so, too), and pulls the mean to equal chances.",
        (
            "Set probabilities to 0 where the modality is missing, not scores, and leave it out of the number as well.",
        ),
        _program(
            vote="1", there="(scores * present[name].unsqueeze(1)).softmax(1)", mean="total / len(logits)"
        ),
    ),
    Mistake(
        "not-divided",
        "This adds the probabilities up, so that a row adds up to the number of modalities. Probabilities add up to 1.",
        ("Divide by how many modalities the example has. Count numbers: of two bools, True + True is True.",),
        _program(mean="total"),
    ),
    Mistake(
        "present-reversed",
        "This averages the modalities that are missing, and leaves out those that are there.",
        ("True in `present` means that the modality is there.",),
        _program(there="~present[name].unsqueeze(1)"),
    ),
    Mistake(
        "paired-by-place",
        "This pairs the two dicts by the order they are in, so that one modality gets the mask of another. They have the same "
        "names, not the same order.",
        ("`present[name]` finds it by its name.",),
        _program(there="list(present.values())[list(logits).index(name)].unsqueeze(1)"),
    ),
    Mistake(
        "nan-when-nothing",
        "An example that has no modality at all gets NaN: 0 divided by 0. It should get the same probability for each class.",
        (
            "What is known of an example of which nothing is there? Give that back, in place of a mean of nothing.",
            "`torch.where` picks row by row; `clamp(min=1)` keeps the division harmless.",
        ),
        _program(mean="total / count", result="mean"),
    ),
    Mistake(
        "zeros-when-nothing",
        "An example that has no modality at all gets zeros. Rows of probabilities add up to 1, this one too: all classes alike.",
        ("With C classes and nothing known, each has 1 / C. `torch.where` picks row by row.",),
        _program(result="mean"),
    ),
    Mistake(
        "overflow",
        "With large scores the answer has NaN: `exp` of a large number overflows.",
        ("`softmax` subtracts the largest score first; let it do that.",),
        _program(vote="(scores.exp() / scores.exp().sum(1, keepdim=True))"),
    ),
)


@quiet
def check_fuse_late(fuse_late) -> None:
    """Compare with a reference: with nothing missing, then something, then everything, then large scores.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    for has, edges in (("all", ()), ("some", (_SMALL, _ONE_LEFT)), ("none", ())):
        if has == "none":
            _check_nothing(fuse_late)
        against_reference(
            fuse_late,
            _fused,
            partial(_draw, has=has),
            name="fuse_late",
            edges=edges,
            catalogue=_CATALOGUE,
            cases=15,
        )
    _check_large(fuse_late)


# Shown in full where it goes wrong: two examples of two classes, one of which has no text.
_SMALL = (
    {"image": torch.tensor([[2.0, 0.0], [0.0, 1.0]]), "text": torch.tensor([[0.0, 3.0], [9.0, 0.0]])},
    {"image": torch.tensor([True, True]), "text": torch.tensor([True, False])},
)
# A modality that no example has, beside one that all have.
_ONE_LEFT = (
    {"image": torch.tensor([[1.0, 0.0], [0.0, 2.0]]), "text": torch.tensor([[0.0, 5.0], [5.0, 0.0]])},
    {"image": torch.tensor([True, True]), "text": torch.tensor([False, False])},
)


def _draw(numbers: random.Random, has: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Random scores of one to four modalities. Each example has all of them, some, or one example has none."""
    names = numbers.sample(_NAMES, numbers.randint(1, 4))
    examples, classes = numbers.randint(2, 5), numbers.randint(2, 4)
    logits = {
        name: torch.tensor([[numbers.gauss(0, 3) for _ in range(classes)] for _ in range(examples)])
        for name in names
    }
    share = 1.0 if has == "all" else 0.6
    own = [{name for name in names if numbers.random() < share} for _ in range(examples)]
    if has == "none":
        own[numbers.randrange(examples)].clear()
    else:
        own = [one or {numbers.choice(names)} for one in own]
    order = numbers.sample(names, len(names))
    return logits, {name: torch.tensor([name in one for one in own]) for name in order}


def _check_nothing(fuse_late) -> None:
    """Of examples without any modality the two usual mistakes are told apart; what is wrong elsewhere was found before."""
    logits, present = _draw(numbers(), has="none")
    empty = ~torch.stack(list(present.values())).any(0)
    expected = _fused(logits, present)
    found = plain(call(fuse_late, dict(logits), dict(present), what=_CALL))
    if isinstance(found, Tensor) and found.shape == expected.shape:
        if found[empty].isnan().any():
            _CATALOGUE.fail("nan-when-nothing")
        if not found[empty].any():
            _CATALOGUE.fail("zeros-when-nothing")
    same(found, expected, f"`{_CALL}`, where an example has no modality at all,")


def _check_large(fuse_late) -> None:
    logits, present = _draw(numbers(), has="some")
    logits = {name: 1000 * scores for name, scores in logits.items()}
    expected = _fused(logits, present)  # before the call, which may change what it is given
    found = plain(call(fuse_late, logits, present, what=_CALL))
    if isinstance(found, Tensor) and not found.isfinite().all():
        _CATALOGUE.fail("overflow")
    same(found, expected, f"`{_CALL}`, with large scores,")


def _fused(logits: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
    some = next(iter(logits.values()))
    result = torch.full_like(some, 1 / some.shape[1])
    for row in range(len(some)):
        votes = [scores[row].softmax(0) for name, scores in logits.items() if present[name][row]]
        if votes:
            result[row] = torch.stack(votes).mean(0)
    return result


_ANSWER = "return torch.where(count > 0, total / count.clamp(min=1), 1 / total.shape[1])"
_LINE = "mean, nothing = (total / count.clamp(min=1), torch.full_like(total, 1 / total.shape[1]))"
_VOTES = "votes = [logits[name][row].softmax(0) for name in logits if present[name][row]]"

FUSE_LATE = Exercise(
    id="fuse-late",
    unit="03-multimodal-models",
    points=1,
    title="Fuse late",
    functions=("fuse_late",),
    check=check_fuse_late,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
        "def fuse_late(logits, present):\n"
        "    chances = torch.stack([scores for scores in logits.values()]).softmax(-1)\n"
        "    there = torch.stack([present[name] for name in logits]).float()\n"
        "    fused = (there[..., None] * chances).sum(0) / there.sum(0)[:, None]\n"
        "    return fused.nan_to_num(1 / fused.shape[1])\n",
        "def fuse_late(logits, present):\n"
        "    examples, classes = next(iter(logits.values())).shape\n"
        "    rows = []\n"
        "    for row in range(examples):\n"
        "        votes = [logits[name][row].softmax(0) for name in logits if present[name][row]]\n"
        "        rows.append(torch.stack(votes).mean(0) if votes else torch.ones(classes) / classes)\n"
        "    return torch.stack(rows)\n",
    ),
    equivalent=(
        (f"{_ANSWER} => {_ANSWER.replace('min=1', 'min=0')}", "where the number is 0 the mean is not taken"),
        (_LINE + " => " + _LINE.replace("min=1", "min=0"), "where the number is 0 the mean is not taken"),
        (
            f"{_VOTES} => {_VOTES.replace('softmax(0)', 'softmax(-1)')}",
            "the first axis of a vector is its last",
        ),
    ),
)
