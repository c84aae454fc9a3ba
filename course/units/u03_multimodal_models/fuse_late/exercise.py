"""`fuse_late(logits, present)` lets each modality vote, and takes the mean of the votes that are there.

`logits` has a tensor (examples, classes) for each modality, and `present` a bool for each example (examples,)
under the same names, in any order. The function returns, for each example, the mean of the probabilities of
the modalities it
has: (examples, classes), rows that add up to 1. An example without any gets the same probability for each
class. What `logits` hold where a modality is missing means nothing.
"""

from __future__ import annotations

import random
from functools import partial

import torch
from torch import Tensor

from graders.checks.compare import same, to_builtin
from graders.checks.mistakes import Catalogue, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.running import call, numbers
from graders.checks.worlds import World, names, normal, reals, sizes

WORLD = World(
    modalities=sizes(1, 10),
    examples=sizes(1, 300),
    classes=sizes(1, 500),
    spread=reals(0.05, 30),
    fits=lambda modalities, examples, classes, **_: modalities * examples * classes < 20_000,
)
_NAMES = names("image", "text", "sound", "notes")
_CALL = "fuse_late(logits, present)"

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "averaged-logits",
        "This averages the scores and takes the softmax of their mean. A modality with large scores then "
        "outvotes the others: take the mean of the probabilities instead.",
        ("Each modality casts its vote first: softmax before the mean, not after.",),
    ),
    Mistake(
        "no-softmax",
        "This averages the scores as they are. They are not probabilities: their rows do not add up to 1.",
        (
            "What turns a row of scores into probabilities?",
            "Do that to each modality, before the mean.",
        ),
    ),
    Mistake(
        "softmax-twice",
        "This takes a softmax of the mean of the probabilities. They add up to 1 already; a second softmax "
        "makes them nearly equal.",
        ("One softmax for each modality, and none after the mean.",),
    ),
    Mistake(
        "sigmoid",
        "A sigmoid makes each score a probability on its own, so a row does not add up to 1. Exactly one of "
        "several classes is right: use softmax.",
        ("`softmax` over the classes.",),
    ),
    Mistake(
        "hard-votes",
        "Each modality gives its whole vote to its best class here, however sure it is. Use its "
        "probabilities.",
        ("`softmax` in place of `argmax`.",),
    ),
    Mistake(
        "softmax-over-examples",
        "This softmax runs over the examples, so each class adds up to 1. Each example should.",
        ("`dim` is the axis whose numbers add up to 1. Examples are axis 0, classes the last one.",),
    ),
    Mistake(
        "missing-counted",
        "This averages over all modalities, including those that are missing. What stands in `logits` there "
        "means nothing.",
        (
            "`present[name]` says which examples have this modality.",
            "Count 0 for the others, in the sum and in the number.",
        ),
    ),
    Mistake(
        "if-of-many",
        "`if present[name]` asks one question, and there is an answer for each example: Python cannot tell "
        "which one counts.",
        ("Multiply by it, or use `torch.where`: both go example by example.",),
    ),
    Mistake(
        "asked-the-batch",
        "This asks whether a modality is there for the batch. Each example has its own answer: one may have "
        "a text and the next none.",
        ("`present[name]` has an answer for each example. Keep it a tensor, without `any()` and `all()`.",),
    ),
    Mistake(
        "left-out-for-all",
        "A modality that one example lacks is left out for all of them here. The examples that have it "
        "should get its vote.",
        ("`present[name]` has an answer for each example. Keep it a tensor, without `any()` and `all()`.",),
    ),
    Mistake(
        "nothing-left-to-choose",
        "The softmax of a row that is -inf everywhere is NaN: 0 divided by 0. A missing modality has no "
        "probabilities to give.",
        ("Softmax first, then `torch.where(column, votes, 0.0)`.",),
    ),
    Mistake(
        "mask-along-classes",
        "`present[name]` has one answer for each example, and here it is laid along the classes.",
        ("With `unsqueeze(1)`, or `[:, None]`, it becomes a column and goes along the examples.",),
    ),
    Mistake(
        "divided-by-all",
        "What is missing adds nothing to the sum here, but the sum is divided by the number of all "
        "modalities: rows with something missing add up to less than 1.",
        ("Divide each example by the number of modalities that it has.",),
    ),
    Mistake(
        "missing-votes",
        "A missing modality votes here, equally for all classes (scores of 0 do so, too), and pulls the mean "
        "towards equal chances.",
        (
            "Where the modality is missing, set its probabilities to 0, not its scores, and leave it out of "
            "the number as well.",
        ),
    ),
    Mistake(
        "not-divided",
        "This adds the probabilities up, so a row adds up to the number of modalities. Probabilities add up "
        "to 1.",
        (
            "Divide by how many modalities the example has. Count with numbers: for bools, True + True is "
            "True.",
        ),
    ),
    Mistake(
        "present-reversed",
        "This averages the modalities that are missing and leaves out those that are there.",
        ("True in `present` means that the modality is there.",),
    ),
    Mistake(
        "paired-by-place",
        "This pairs the two dicts by their order, so one modality gets the mask of another. They have the "
        "same names, not the same order.",
        ("`present[name]` finds it by its name.",),
    ),
    Mistake(
        "nan-when-nothing",
        "An example without any modality gets NaN here: 0 divided by 0. It should get the same probability "
        "for each class.",
        (
            "What do you know about an example of which nothing is there? Return that in place of a mean of "
            "nothing.",
            "`torch.where` picks row by row; `clamp(min=1)` keeps the division harmless.",
        ),
    ),
    Mistake(
        "zeros-when-nothing",
        "An example without any modality gets zeros here. Rows of probabilities add up to 1, and so should "
        "this one: the same for each class.",
        ("With C classes and nothing known, each has 1 / C. `torch.where` picks row by row.",),
    ),
    Mistake(
        "overflow",
        "With large scores the answer has NaN in it: `exp` of a large number overflows.",
        ("`softmax` subtracts the largest score first; let it do that.",),
    ),
)

EQUIVALENT = (
    (
        "return torch.where(count > 0, total / count.clamp(min=1), 1 / total.shape[1]) => return "
        "torch.where(count > 0, total / count.clamp(min=0), 1 / total.shape[1])",
        "where the number is 0 the mean is not taken",
    ),
    (
        "mean, nothing = (total / count.clamp(min=1), torch.full_like(total, 1 / total.shape[1])) => mean, "
        "nothing = (total / count.clamp(min=0), torch.full_like(total, 1 / total.shape[1]))",
        "where the number is 0 the mean is not taken",
    ),
    (
        "votes = [logits[name][row].softmax(0) for name in logits if present[name][row]] => votes = "
        "[logits[name][row].softmax(-1) for name in logits if present[name][row]]",
        "the first axis of a vector is its last",
    ),
)


@exercise(
    number=4,
    points=1,
    title="Fuse late",
    functions=("fuse_late",),
    mistakes=MISTAKES,
    lesson_calls=lambda: [
        (
            "fuse_late",
            (
                {name: 3 * torch.randn(150, 2) for name in ("text", "voice")},
                {"text": torch.rand(150) < 0.8, "voice": torch.rand(150) < 0.8},
            ),
        )
    ],
    equivalent=EQUIVALENT,
)
def check_fuse_late(fuse_late) -> None:
    """Compare with a reference: with nothing missing, then something, then everything, then large scores.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    for has, edges in (("all", ()), ("some", (_SMALL, _ONE_LEFT, _ALIKE)), ("none", ())):
        if has == "none":
            _check_nothing(fuse_late)
        against_reference(
            fuse_late,
            _fused,
            partial(_draw, has=has),
            name="fuse_late",
            edges=edges,
            world=WORLD,
            catalogue=MISTAKES,
            cases=12,
            gradients=has != "none",  # of an example without any, gradients may be anything
        )
    _check_large(fuse_late)


# Small enough to be shown in full: two examples of two classes, one of them without a text.
_SMALL = (
    {"image": torch.tensor([[2.0, 0.0], [0.0, 1.0]]), "text": torch.tensor([[0.0, 3.0], [9.0, 0.0]])},
    {"image": torch.tensor([True, True]), "text": torch.tensor([True, False])},
)
# A modality that no example has, beside one that all of them have.
_ONE_LEFT = (
    {"image": torch.tensor([[1.0, 0.0], [0.0, 2.0]]), "text": torch.tensor([[0.0, 5.0], [5.0, 0.0]])},
    {"image": torch.tensor([True, True]), "text": torch.tensor([False, False])},
)

# Two modalities of which one's name begins with the other's.
_ALIKE = (
    {"voice": torch.tensor([[2.0, 0.0], [0.0, 1.0]]), "voices": torch.tensor([[0.0, 3.0], [9.0, 0.0]])},
    {"voices": torch.tensor([True, False]), "voice": torch.tensor([True, True])},
)


def _draw(
    numbers: random.Random, has: str, modalities: int, examples: int, classes: int, spread: float
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Scores of some modalities: each example has all, each has some, or one has none.

    Where a modality is missing stand numbers that mean nothing, some of them huge.
    """
    names = _NAMES(numbers, modalities)
    share = 1.0 if has == "all" else numbers.uniform(0.2, 0.9)
    own = [{name for name in names if numbers.random() < share} for _ in range(examples)]
    if has == "none":
        own[numbers.randrange(examples)].clear()
    else:
        own = [one or {numbers.choice(names)} for one in own]
    present = {name: torch.tensor([name in one for one in own]) for name in numbers.sample(names, modalities)}
    logits = {
        name: torch.where(
            present[name][:, None],
            normal(numbers, examples, classes, scale=spread),
            normal(numbers, examples, classes, scale=numbers.choice((0.0, spread, 1e20))),
        )
        for name in names
    }
    return logits, present


def _small(numbers: random.Random, has: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    return _draw(numbers, has, numbers.randint(2, 4), numbers.randint(2, 5), numbers.randint(2, 4), 3.0)


def _check_nothing(fuse_late) -> None:
    """Tell apart the two usual mistakes for an example without any modality."""
    logits, present = _small(numbers(), "none")
    empty = ~torch.stack(list(present.values())).any(0)
    expected = _fused(logits, present)
    found = to_builtin(call(fuse_late, dict(logits), dict(present), what=_CALL))
    if isinstance(found, Tensor) and found.shape == expected.shape:
        if found[empty].isnan().any():
            MISTAKES.fail("nan-when-nothing")
        if not found[empty].any():
            MISTAKES.fail("zeros-when-nothing")
    same(found, expected, f"`{_CALL}`, where an example has no modality at all,")


def _check_large(fuse_late) -> None:
    logits, present = _small(numbers(), "some")
    logits = {name: 1000 * scores for name, scores in logits.items()}
    expected = _fused(logits, present)  # before the call, which may change what it is given
    found = to_builtin(call(fuse_late, logits, present, what=_CALL))
    if isinstance(found, Tensor) and not found.isfinite().all():
        MISTAKES.fail("overflow")
    same(found, expected, f"`{_CALL}`, with large scores,")


def _fused(logits: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
    votes = torch.stack([scores.softmax(1) for scores in logits.values()])
    there = torch.stack([present[name] for name in logits])[:, :, None]
    count = there.sum(0)
    total = votes.masked_fill(~there, 0).sum(0)
    return torch.where(count == 0, 1 / total.shape[1], total / count.clamp(min=1))
