"""Exercise 2: `perplexity(losses, tokens)` puts the losses of batches together.

`losses` are mean losses in nats, one a batch; `tokens` are the numbers of tokens that each is the mean of. The function
returns the exponential of the mean loss over all tokens, a float.
"""

from __future__ import annotations

import math

from ..compare import plain, same
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import call, numbers, quiet


def _program(result: str) -> str:
    return (
        "def perplexity(losses, tokens):\n"
        "    import math\n"
        "    total = sum(loss * count for loss, count in zip(losses, tokens))\n"
        f"    return {result}\n"
    )


_CATALOGUE = Catalogue(
    Mistake(
        "every-batch-alike",
        "Here a batch of few tokens counts as much as one of many. Each token should count once.",
        ("Weigh each loss with its number of tokens.",),
        _program("math.exp(sum(losses) / len(losses))"),
    ),
    Mistake(
        "mean-of-perplexities",
        "This is a mean of perplexities. The exponential comes last: one bad batch would outweigh all others.",
        ("First the mean of the losses, then `exp`, once.",),
        _program(
            "sum(math.exp(loss) * count for loss, count in zip(losses, tokens)) / sum(tokens)",
        ),
    ),
    Mistake(
        "plain-mean-of-perplexities",
        "This takes the plain mean of the batches' perplexities. The exponential comes last, and each token counts once.",
        ("First the mean loss over all tokens, then `exp`, once.",),
        _program("sum(math.exp(loss) for loss in losses) / len(losses)"),
    ),
    Mistake(
        "no-exponential",
        "This is the mean loss. Perplexity is its exponential: about as many equally likely tokens to choose from.",
        ("`math.exp(...)` of what you have.",),
        _program("total / sum(tokens)"),
    ),
    Mistake(
        "base-two",
        "This takes a power of 2. The losses are in nats (natural logarithms), so the base is e.",
        ("`math.exp`.",),
        _program("2 ** (total / sum(tokens))"),
    ),
    Mistake(
        "divided-by-batches",
        "The losses are weighted with their tokens, but their sum is divided by the number of batches.",
        ("What have you added up? Divide by as many.",),
        _program("math.exp(total / len(losses))"),
    ),
    Mistake(
        "not-divided",
        "The losses are weighted with their tokens and added up, but the sum is not divided.",
        ("A mean: divide by the number of all tokens, before `exp`.",),
        _program("math.exp(total)"),
    ),
    Mistake(
        "not-weighted",
        "The losses are added up as they are, and divided by the number of tokens. Each is a mean already: times its tokens it "
        "is the sum that can be divided so.",
        ("`loss * count` for each batch.",),
        _program("math.exp(sum(losses) / sum(tokens))"),
    ),
)


@quiet
def check_perplexity(perplexity) -> None:
    """Compare with a reference on drawn losses.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    draw = numbers()
    for batches in (3, 5, 1, 2):
        losses = [draw.uniform(0.5, 6.0) for _ in range(batches)]
        tokens = [draw.randint(2, 6) * 5 ** (place % 2) for place in range(batches)]
        _check(perplexity, losses, tokens)


def _check(function, losses: list[float], tokens: list[int]) -> None:
    what = f"perplexity({[round(loss, 2) for loss in losses]}, {tokens})"
    found = plain(call(function, list(losses), list(tokens), what=what))
    if found is None:
        raise CheckFailed(f"`{what}` is None, and a float was expected. Is a `return` missing?")
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
            _CATALOGUE.fail(name)
    same(found, expected, f"`{what}`")


PERPLEXITY = Exercise(
    id="perplexity",
    unit="00-where-we-left-off",
    points=1,
    title="Perplexity",
    functions=("perplexity",),
    check=check_perplexity,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program("math.exp(total / sum(tokens))"),
        "def perplexity(losses, tokens):\n"
        "    mean = torch.dot(torch.tensor(losses).double(), torch.tensor(tokens).double()) / sum(tokens)\n"
        "    return mean.exp().item()\n",
        "import numpy as np\n\n\n"
        "def perplexity(losses, tokens):\n    return np.exp(np.average(losses, weights=tokens))\n",
    ),
    equivalent=(
        (
            "total = sum((loss * count for loss, count in zip(losses, tokens))) => "
            "total = sum((loss * count for loss, count in zip(tokens, losses)))",
            "a product has no order",
        ),
        (
            "mean = torch.dot(torch.tensor(losses).double(), torch.tensor(tokens).double()) / sum(tokens) => "
            "mean = torch.dot(torch.tensor(tokens).double(), torch.tensor(losses).double()) / sum(tokens)",
            "a product has no order",
        ),
    ),
)
