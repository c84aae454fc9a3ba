"""Exercise 2: `layer_rates(num_layers, lr, decay)` gives each part its learning rate.

Returns a list of `num_layers + 2` floats: embeddings, layer 1 to the last, head. The head gets `lr`; each part before it
gets the rate of the part after it times `decay`.
"""

from __future__ import annotations

import random

from ..mistakes import Catalogue, Exercise, Mistake
from ..reference import against_reference
from ..running import quiet


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
        "one-step-only",
        "All parts before the head have the same rate here. Each gets `decay` times the rate of the part after it.",
        ("A part that is `k` places before the head is multiplied by `decay` `k` times.",),
        _program("return [lr * decay] * (num_layers + 1) + [lr]"),
    ),
    Mistake(
        "times-not-power",
        "The number of places before the head multiplies `decay` here. It is its exponent.",
        ("`decay ** k`: two asterisks.",),
        _program("return [lr * decay * (num_layers + 1 - place) for place in range(num_layers + 2)]"),
    ),
    Mistake(
        "lr-in-the-power",
        "The power is taken of `lr`, too. Only `decay` is multiplied again with each part.",
        ("`lr * decay ** k`, without brackets around `lr * decay`.",),
        _program("return [(lr * decay) ** (num_layers + 1 - place) for place in range(num_layers + 2)]"),
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
    against_reference(
        layer_rates,
        _rates,
        _draw,
        name="layer_rates",
        edges=((3, 0.1, 0.2),),
        catalogue=_CATALOGUE,
        cases=20,
        rtol=1e-5,
        atol=0.0,
    )


def _draw(numbers: random.Random) -> tuple[int, float, float]:
    return numbers.randint(1, 12), 10 ** numbers.uniform(-5, -2), numbers.uniform(0.3, 0.95)


def _rates(num_layers: int, lr: float, decay: float) -> list[float]:
    return [lr * decay ** (num_layers + 1 - place) for place in range(num_layers + 2)]


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
        "import numpy as np\n\n\n" + _program("return list(lr * decay ** np.arange(num_layers + 1, -1, -1))"),
    ),
)
