"""`layer_rates(num_layers, lr, decay)` gives each part its learning rate.

Returns a list of `num_layers + 2` floats: embeddings, layer 1 to the last, head. The head gets `lr`; each
part before it gets the rate of the part after it times `decay`.
"""

from __future__ import annotations

import random

from graders.checks.mistakes import Catalogue, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.worlds import World, reals, sizes

# No rate falls below what float32 can hold: an answer may compute in that.
WORLD = World(
    layers=sizes(1, 250),
    lr=reals(1e-7, 10),
    decay=reals(0.01, 1),
    fits=lambda layers, lr, decay: lr * decay ** (layers + 1) > 1e-30,
)

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "upside-down",
        "The rates fall towards the head. Early layers hold what is general and should move least; the head "
        "is new and should move most.",
        ("The list begins with the embeddings. Reverse it.",),
    ),
    Mistake(
        "head-decayed",
        "The head's rate is already multiplied by `decay`. It should be `lr` itself.",
        ("The exponent of the head is 0.",),
    ),
    Mistake(
        "embeddings-left-out",
        "There is a rate for each layer and for the head, but none for the embeddings. They come first.",
        ("A model with n layers has n + 2 parts here.",),
    ),
    Mistake(
        "head-left-out",
        "There is no rate for the head: the list ends with the last layer.",
        ("A model with n layers has n + 2 parts here.",),
    ),
    Mistake(
        "linear",
        "The rates fall by the same amount from part to part. They should fall by the same factor: each is "
        "`decay` times the next.",
        ("A power: `decay ** how_far_from_the_head`.",),
    ),
    Mistake(
        "one-step-only",
        "All parts before the head have the same rate here. Each should get `decay` times the rate of the "
        "part after it.",
        ("A part that is `k` places before the head is multiplied by `decay` `k` times.",),
    ),
    Mistake(
        "times-not-power",
        "Here `decay` is multiplied by the number of places before the head. That number should be its "
        "exponent.",
        ("`decay ** k`: two asterisks.",),
    ),
    Mistake(
        "lr-in-the-power",
        "`lr` is raised to the power, too. Only `decay` is multiplied again with each part.",
        ("`lr * decay ** k`, without brackets around `lr * decay`.",),
    ),
    Mistake(
        "divided",
        "The rates grow towards the embeddings: this divides by `decay` where it should multiply.",
        ("`decay` is below 1: multiplying by it makes a rate smaller.",),
    ),
)


@exercise(
    number=3,
    points=1,
    title="A rate for each layer",
    functions=("layer_rates",),
    mistakes=MISTAKES,
    off_limits=("tlwidgets.train.optim.discriminative_rates",),
    lesson_calls=lambda: [("layer_rates", (6, 1e-3, 0.5)), ("layer_rates", (12, 2e-5, 0.95))],
)
def check_layer_rates(layer_rates) -> None:
    """Compare with the rule for fixed and for random numbers.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    against_reference(
        layer_rates,
        _rates,
        _draw,
        name="layer_rates",
        edges=((3, 0.1, 0.2), (0, 0.01, 0.5), (5, 0.3, 1.0)),
        world=WORLD,
        catalogue=MISTAKES,
        cases=36,
        rtol=1e-4,
        atol=0.0,
    )


def _draw(_numbers: random.Random, layers: int, lr: float, decay: float) -> tuple[int, float, float]:
    return layers, lr, decay


def _rates(num_layers: int, lr: float, decay: float) -> list[float]:
    return [lr * decay ** (num_layers + 1 - place) for place in range(num_layers + 2)]
