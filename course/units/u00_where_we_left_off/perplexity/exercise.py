"""`perplexity(losses, tokens)` combines the losses of batches.

`losses` are mean losses in nats, one for each batch; `tokens` are the numbers of tokens they are means over.
The function returns the exponential of the mean loss over all tokens, a float.
"""

from __future__ import annotations

import math
import operator
import random

from graders.checks.compare import same, to_builtin
from graders.checks.mistakes import Catalogue, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.relations import doubled, order_of, take
from graders.checks.running import call, numbers, refuse_none
from graders.checks.worlds import World, reals, sizes

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "every-batch-alike",
        "Here a batch with few tokens counts as much as one with many. Each token should count once.",
        ("Weight each loss by its number of tokens.",),
    ),
    Mistake(
        "mean-of-perplexities",
        "This is a mean of perplexities. The exponential comes last: otherwise one bad batch outweighs all "
        "the others.",
        ("First the mean of the losses, then `exp`, once.",),
    ),
    Mistake(
        "plain-mean-of-perplexities",
        "This takes the unweighted mean of the batches' perplexities. The exponential comes last, and each "
        "token counts once.",
        ("First the mean loss over all tokens, then `exp`, once.",),
    ),
    Mistake(
        "no-exponential",
        "This is the mean loss. Perplexity is its exponential: about how many equally likely tokens there "
        "are to choose from.",
        ("`math.exp(...)` of what you have.",),
    ),
    Mistake(
        "base-two",
        "This takes a power of 2. The losses are in nats (natural logarithms), so the base is e.",
        ("`math.exp`.",),
    ),
    Mistake(
        "divided-by-batches",
        "The losses are weighted by their tokens, but their sum is divided by the number of batches.",
        ("What have you added up? Divide by that many.",),
    ),
    Mistake(
        "not-divided",
        "The losses are weighted by their tokens and added up, but the sum is not divided.",
        ("A mean: divide by the number of all tokens, before `exp`.",),
    ),
    Mistake(
        "not-weighted",
        "The losses are added up as they are and divided by the number of tokens. Each loss is already a "
        "mean: multiply it by its tokens before you add.",
        ("`loss * count` for each batch.",),
    ),
)

EQUIVALENT = (
    (
        "total = sum((loss * count for loss, count in zip(losses, tokens))) => total = sum((loss * count for "
        "loss, count in zip(tokens, losses)))",
        "a product has no order",
    ),
    (
        "mean = torch.dot(torch.tensor(losses).double(), torch.tensor(tokens).double()) / sum(tokens) => "
        "mean = torch.dot(torch.tensor(tokens).double(), torch.tensor(losses).double()) / sum(tokens)",
        "a product has no order",
    ),
)


@exercise(
    number=2,
    points=1,
    title="Perplexity",
    functions=("perplexity",),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
)
def check_perplexity(perplexity) -> None:
    """Compare with a reference on drawn losses.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    draw = numbers()
    for batches in (3, 5, 1, 2):
        losses = [draw.uniform(0.5, 6.0) for _ in range(batches)]
        tokens = [draw.randint(2, 6) * 5 ** (place % 2) for place in range(batches)]
        _check(perplexity, losses, tokens)
    against_reference(
        perplexity,
        _reference,
        _draw,
        name="perplexity",
        edges=[_of_many_tokens(draw)],
        world=World(batches=sizes(1, 400), loss=reals(0.002, 25), count=sizes(1, 200_000)),
        cases=24,
        variations=(_reordered, _doubled),
        catalogue=MISTAKES,
        rtol=1e-4,
        atol=0.0,
    )


def _draw(draw: random.Random, batches: int, loss: float, count: int) -> tuple[list[float], list[int]]:
    """Losses up to `loss` and counts up to `count`; some are equal, as those of full batches are."""
    losses = [loss * draw.uniform(0.2, 1) for _ in range(batches)]
    tokens = [round(count ** draw.random()) for _ in range(batches)]
    if draw.random() < 0.4:
        tokens[:-1] = [count] * (batches - 1)
    if draw.random() < 0.4:
        losses = [draw.choice(losses) for _ in range(batches)]
    return losses, tokens


def _of_many_tokens(draw: random.Random) -> tuple[list[float], list[int]]:
    """A hopeless model's loss, and more tokens than a number of sixteen bits can count."""
    return [draw.uniform(0.5, 2), draw.uniform(15, 25)], [draw.randint(66_000, 200_000) for _ in range(2)]


def _reordered(draw: random.Random, given: tuple[list, list]) -> tuple[list, list]:
    order = order_of(draw, len(given[0]))
    return take(given[0], order), take(given[1], order)


def _doubled(draw: random.Random, given: tuple[list, list]) -> tuple[list, list]:
    return doubled(given[0]), doubled(given[1])


def _reference(losses: list[float], tokens: list[int]) -> float:
    return math.exp(math.fsum(map(operator.mul, losses, tokens)) / sum(tokens))


def _check(function, losses: list[float], tokens: list[int]) -> None:
    what = f"perplexity({[round(loss, 2) for loss in losses]}, {tokens})"
    found = to_builtin(call(function, list(losses), list(tokens), what=what))
    refuse_none(found, what, "a float")
    total, count = sum(loss * count for loss, count in zip(losses, tokens, strict=True)), sum(tokens)
    each = [math.exp(loss) for loss in losses]
    expected = math.exp(total / count)
    mistaken = {
        "every-batch-alike": math.exp(sum(losses) / len(losses)),
        "mean-of-perplexities": sum(one * n for one, n in zip(each, tokens, strict=True)) / count,
        "plain-mean-of-perplexities": sum(each) / len(each),
        "no-exponential": total / count,
        "base-two": 2 ** (total / count),
        "divided-by-batches": math.exp(total / len(losses)),
        "not-divided": math.exp(total),
        "not-weighted": math.exp(sum(losses) / count),
    }
    for name, value in mistaken.items():
        close = isinstance(found, float) and math.isclose(found, value, rel_tol=1e-6)
        if close and not math.isclose(value, expected, rel_tol=1e-6):
            MISTAKES.fail(name)
    same(found, expected, f"`{what}`")
