"""Exercise 2: `layer_rates(num_layers, lr, decay)` gives each part its learning rate.

Returns a list of `num_layers + 2` floats: embeddings, layer 1 to the last, head. The head gets `lr`; each part before it
gets the rate of the part after it times `decay`.
"""

from __future__ import annotations

import random

from ..compare import same
from ..evidence import seed_of_submission
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import call, quiet


def _program(body: str) -> str:
    return f"def layer_rates(num_layers, lr, decay):\n    {body}\n"


_RIGHT = "[lr * decay ** (num_layers + 1 - place) for place in range(num_layers + 2)]"

_CATALOGUE = Catalogue(
    Mistake(
        "upside-down",
        "The rates fall towards the head. Early layers hold what is general and should move least; the head is new and should "
        "move most.",
        ("The list begins with the embeddings. Reverse it.",),
        _program(f"return {_RIGHT}[::-1]"),
    ),
    Mistake(
        "head-decayed",
        "The head's rate is already multiplied by `decay`. It gets `lr` itself.",
        ("The exponent of the head is 0.",),
        _program("return [lr * decay ** (num_layers + 2 - place) for place in range(num_layers + 2)]"),
    ),
    Mistake(
        "embeddings-left-out",
        "There is a rate for each layer and the head, but none for the embeddings. They come first.",
        ("A model of n layers has n + 2 parts here.",),
        _program("return [lr * decay ** (num_layers - place) for place in range(num_layers + 1)]"),
    ),
    Mistake(
        "head-left-out",
        "There is no rate for the head: the list ends with the last layer.",
        ("A model of n layers has n + 2 parts here.",),
        _program(f"return {_RIGHT}[:-1]"),
    ),
    Mistake(
        "linear",
        "The rates fall by the same amount at each part. They should fall by the same factor: each is `decay` times the next.",
        ("A power: `decay ** how_far_from_the_head`.",),
        _program(
            "return [lr * (1 - (1 - decay) * (num_layers + 1 - place)) for place in range(num_layers + 2)]"
        ),
    ),
    Mistake(
        "divided",
        "The rates grow towards the embeddings: this divides by `decay` where it should multiply.",
        ("`decay` is below 1. Times `decay` makes a rate smaller.",),
        _program("return [lr / decay ** (num_layers + 1 - place) for place in range(num_layers + 2)]"),
    ),
)


@quiet
def check_layer_rates(layer_rates) -> None:
    """Compare with the rule for fixed and for random numbers.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    numbers = random.Random(seed_of_submission())
    cases = [(3, 1.0, 0.5)]
    cases += [
        (numbers.randint(1, 12), 10 ** numbers.uniform(-5, -2), numbers.uniform(0.3, 0.95)) for _ in range(20)
    ]
    for num_layers, lr, decay in cases:
        what = f"layer_rates({num_layers}, {lr:g}, {decay:g})"
        found = call(layer_rates, num_layers, lr, decay, what=what)
        if not isinstance(found, list):
            raise CheckFailed(
                f"`{what}` returned a {type(found).__name__}, and a list of floats was expected."
            )
        expected = _rates(num_layers, lr, decay)
        for id, wrong in _wrong(num_layers, lr, decay).items():
            if _close(found, wrong):
                _CATALOGUE.fail(id)
        same(found, expected, f"`{what}`", rtol=1e-6, atol=0.0)


def _rates(num_layers: int, lr: float, decay: float) -> list[float]:
    return [lr * decay ** (num_layers + 1 - place) for place in range(num_layers + 2)]


def _wrong(n: int, lr: float, decay: float) -> dict[str, list[float]]:
    right = _rates(n, lr, decay)
    return {
        "upside-down": right[::-1],
        "head-decayed": [rate * decay for rate in right],
        "embeddings-left-out": right[1:],
        "head-left-out": right[:-1],
        "linear": [lr * (1 - (1 - decay) * (n + 1 - place)) for place in range(n + 2)],
        "divided": [lr * lr / rate for rate in right],
    }


def _close(found: list, wrong: list[float]) -> bool:
    numbers = all(isinstance(rate, (int, float)) for rate in found)
    if not numbers or len(found) != len(wrong):
        return False
    return all(abs(one - other) <= 1e-6 * abs(other) for one, other in zip(found, wrong, strict=True))


LAYER_RATES = Exercise(
    id="layer-rates",
    unit="02-which-layers-to-train",
    points=1,
    title="A rate for each layer",
    functions=("layer_rates",),
    check=check_layer_rates,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(f"return {_RIGHT}"),
        "def layer_rates(num_layers, lr, decay):\n"
        "    rates = [lr]\n"
        "    for _ in range(num_layers + 1):\n"
        "        rates.insert(0, rates[0] * decay)\n"
        "    return rates\n",
    ),
)
