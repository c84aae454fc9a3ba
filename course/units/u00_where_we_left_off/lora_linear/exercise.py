"""`lora_linear(x, weight, A, B, alpha)`: a linear layer with LoRA. `merge(weight, A, B, alpha)` folds it in.

`x` (..., inputs), `weight` (outputs, inputs), `A` (r, inputs), `B` (outputs, r). The layer gives x W^T plus
alpha / r times x A^T B^T, shape (..., outputs); the merged weight (outputs, inputs) gives the same by itself.
E. Hu et al. (2022), LoRA.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

from graders.checks.compare import same, to_builtin
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.running import ArgumentsChanged, call, numbers, refuse_none
from graders.checks.worlds import World, reals, sizes

# x's leading axes, inputs, outputs, rank. The first is square, so that a wrong order shows in the values.
_CASES = (((4,), 5, 5, 2), ((2, 3), 4, 7, 3), ((), 6, 5, 1), ((3,), 5, 4, 4), ((2, 40), 3, 6, 2))

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "base-missing",
        "`lora_linear` gives only what LoRA adds. The layer's own weight still does its part.",
        ("The card is clipped beside the recipe: compute `x @ weight.T` as well.",),
    ),
    Mistake(
        "addition-missing",
        "`lora_linear` gives what the layer gave before: A and B play no part in it.",
        ("Add the path through A and B.",),
    ),
    Mistake(
        "not-scaled",
        "What LoRA adds is not scaled. Multiply it by alpha / r.",
        ("r is the number of rows of A.",),
    ),
    Mistake(
        "alpha-without-r",
        "What LoRA adds is multiplied by alpha alone. The factor is alpha / r: with it one can change r and "
        "keep the learning rate.",
        ("Divide by the number of rows of A.",),
    ),
    Mistake(
        "whole-division",
        "alpha / r is rounded down to a whole number: that is what `//` does.",
        ("`/` keeps the fraction.",),
    ),
    Mistake(
        "factor-upside-down",
        "What LoRA adds is multiplied by r / alpha. The factor is alpha / r.",
        ("A larger alpha makes the addition larger.",),
    ),
    Mistake(
        "wrong-r",
        "What LoRA adds is divided by a size other than r. r is the narrow side: the rows of A, the columns "
        "of B.",
        ("`A.shape[0]` or `B.shape[1]`.",),
    ),
    Mistake(
        "base-scaled",
        "alpha / r multiplies the layer's own part, too. It belongs to the addition alone.",
        ("Check the brackets.",),
    ),
    Mistake(
        "not-transposed",
        "`weight` is used the wrong way round. It is (outputs, inputs), as in nn.Linear, so x is multiplied "
        "by its transpose.",
        ("`x @ weight.T`.",),
    ),
    Mistake(
        "merged-only-the-addition",
        "`merge` gives only what was learned. To merge is to add it to the weight.",
        ("`weight + ...`",),
    ),
    Mistake(
        "merged-without-scale",
        "`merge` adds B A without the factor alpha / r, so the merged layer does not do what `lora_linear` "
        "does.",
        ("The same factor as in `lora_linear`.",),
    ),
    Mistake(
        "merged-another-factor",
        "`merge` multiplies B A by a factor other than alpha / r, so the merged layer does not do what "
        "`lora_linear` does.",
        ("r is the number of rows of A, and alpha is divided by it: the same factor as in `lora_linear`.",),
    ),
    Mistake(
        "merged-transposed",
        "`merge` adds the transpose of B A. The merged weight is (outputs, inputs), and so is B A as it "
        "stands.",
        ("x A^T B^T is x (B A)^T, and the layer transposes its weight anyway.",),
    ),
    Mistake(
        "changed-what-it-was-given",
        "This changes the matrices that it was given, so the next call starts from different ones. *W* is "
        "frozen: the book stays as it was.",
        ("`weight + ...` makes a new tensor; `weight += ...` changes the old one.",),
    ),
)


@exercise(
    number=3,
    points=2,
    title="A layer with LoRA, and merged",
    functions=("lora_linear", "merge"),
    mistakes=MISTAKES,
    lesson_calls=lambda: [
        ("lora_linear", (torch.randn(2, 24, 576), torch.randn(1536, 576), *_small(576, 1536), 16.0)),
        ("lora_linear", (torch.randn(2, 24, 1536), torch.randn(576, 1536), *_small(1536, 576), 16.0)),
    ],
    narrow=(
        ("lora_linear: gradient of weight", "LoRA leaves this weight frozen"),
        ("merge: gradient*", "a merged weight is for use, not for training"),
        ("merge: *.requires_grad", "an answer in NumPy is right, too, and takes no tensor that learns"),
        ("lora_linear: x.shape[2]", "the last of three leading axes, which the lesson does not have"),
    ),
)
def check_lora_linear(lora_linear, merge) -> None:
    """Compare both functions with a reference on random matrices and scales.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    draw = numbers()
    for lead, inputs, outputs, rank in _CASES:
        # Only the argument tells alpha. Rounded down, alpha / r is neither 0 nor 1, which are other mistakes.
        alpha = rank * (draw.randint(2, 6) + draw.uniform(0.1, 0.9))
        weight, down, up = torch.randn(outputs, inputs), torch.randn(rank, inputs), torch.randn(outputs, rank)
        x = torch.randn(*lead, inputs)
        _check_layer(lora_linear, x, weight, down, up, alpha)
        _check_merged(merge, weight, down, up, alpha)
    _check_widely(lora_linear, merge)


def _small(inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    """A and B of the lesson's rank."""
    return torch.randn(8, inputs), torch.randn(outputs, 8)


# The lesson's matrices have 576 or 1,536 rows and columns, its rank is 8.
_WORLD = World(
    axes=sizes(1, 4),
    examples=sizes(1, 40),
    inputs=sizes(1, 3000),
    outputs=sizes(1, 3000),
    rank=sizes(1, 100),
    alpha=reals(0.01, 1000),
    size=reals(1e-3, 1e4),
    fits=lambda examples, inputs, outputs, rank, **_: (
        inputs * outputs < 200_000 and (inputs + outputs) * rank < 200_000 and examples * inputs < 50_000
    ),
)


def _draw(
    draw: random.Random,
    axes: int,
    examples: int,
    inputs: int,
    outputs: int,
    rank: int,
    alpha: float,
    size: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    """Matrices of which both parts of the output count, whatever the factor is."""
    lead = {1: (), 2: (examples,), 3: (examples, draw.randint(1, 3)), 4: (draw.randint(1, 3), examples, 2)}[
        axes
    ]
    if draw.random() < 0.3:
        outputs = inputs if inputs < 400 else outputs
    part = (rank / alpha) ** 0.5 / inputs**0.25
    grown = draw.uniform(0.5, 8)
    weight = grown * torch.randn(outputs, inputs) / inputs**0.5
    down, up = grown * part * torch.randn(rank, inputs), part * torch.randn(outputs, rank)
    return size * torch.randn(*lead, inputs), weight, down, up, alpha


def _check_widely(lora_linear, merge) -> None:
    options: dict = {"world": _WORLD, "catalogue": MISTAKES, "rtol": 1e-4, "atol": _rounding}
    # A and B learn, and what comes before the layer learns through it.
    against_reference(
        lora_linear, _layer, _draw, name="lora_linear", cases=14, gradients=_reached(lora_linear), **options
    )
    against_reference(merge, _merged, _draw_matrices, name="merge", cases=14, gradients=False, **options)


def _draw_matrices(draw: random.Random, **sizes) -> tuple[Tensor, Tensor, Tensor, float]:
    return _draw(draw, **sizes)[1:]


def _reached(lora_linear) -> tuple[int, ...]:
    """The places of `x`, A and B, which gradients have to reach; none for an answer in NumPy, which says so
    loudly."""
    x = torch.ones(1, 2, requires_grad=True)
    try:
        lora_linear(x, torch.ones(2, 2), torch.ones(1, 2), torch.ones(2, 1), 1.0)
    except RuntimeError as error:
        return () if "numpy() on Tensor that requires grad" in str(error) else (0, 2, 3)
    return (0, 2, 3)


def _rounding(expected: Tensor) -> float:
    return 1e-5 * float(expected.detach().abs().max())


def _layer(x: Tensor, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> Tensor:
    return x @ weight.T + alpha / len(down) * (x @ down.T @ up.T)


def _merged(weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> Tensor:
    return weight + alpha / len(down) * (up @ down)


def _check_layer(function, x: Tensor, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> None:
    shapes = f"x {tuple(x.shape)}, weight {tuple(weight.shape)}, A {tuple(down.shape)}, B {tuple(up.shape)}"
    found = _called(function, (x, weight, down, up), alpha, f"lora_linear({shapes})")
    base, addition, rank = x @ weight.T, x @ down.T @ up.T, len(down)
    expected = _layer(x, weight, down, up, alpha)
    mistaken = {
        "base-missing": alpha / rank * addition,
        "addition-missing": base,
        "not-scaled": base + addition,
        "alpha-without-r": base + alpha * addition,
        "whole-division": base + alpha // rank * addition,
        "factor-upside-down": base + rank / alpha * addition,
        "base-scaled": alpha / rank * (base + addition),
    }
    for side in (len(up), x.shape[-1]):
        mistaken[f"wrong-r {side}"] = base + alpha / side * addition
    if weight.shape[0] == weight.shape[1]:
        mistaken["not-transposed"] = x @ weight + alpha / rank * addition
    _judge(found, expected, mistaken, "The output of lora_linear")


def _check_merged(function, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> None:
    shapes = f"weight {tuple(weight.shape)}, A {tuple(down.shape)}, B {tuple(up.shape)}"
    found = _called(function, (weight, down, up), alpha, f"merge({shapes})")
    addition = alpha / len(down) * (up @ down)
    mistaken = {"merged-only-the-addition": addition, "merged-without-scale": weight + up @ down}
    factors = (alpha, alpha / len(up), alpha / down.shape[1], alpha // len(down), len(down) / alpha)
    mistaken |= {f"merged-another-factor {one}": weight + one * (up @ down) for one in factors}
    if weight.shape[0] == weight.shape[1]:
        mistaken["merged-transposed"] = weight + addition.T
    _judge(found, weight + addition, mistaken, "The merged weight")


def _called(function, given: tuple[Tensor, ...], alpha: float, what: str):
    """What the function returns for copies of these, which it must not change."""
    try:
        found = to_builtin(call(function, *(one.clone() for one in given), alpha, what=what))
    except ArgumentsChanged:
        MISTAKES.fail("changed-what-it-was-given")
    refuse_none(found, what, "a tensor")
    return found


def _judge(found, expected: Tensor, mistaken: dict[str, Tensor], what: str) -> None:
    for name, value in mistaken.items():
        if _alike(found, value) and not _alike(expected, value):
            MISTAKES.fail(name.partition(" ")[0])
    if isinstance(found, Tensor):
        found = found.detach()
    same(found, expected, what, rtol=1e-4, atol=1e-5)


def _alike(found, value: Tensor) -> bool:
    try:
        same(found.detach() if isinstance(found, Tensor) else found, value, "", rtol=1e-4, atol=1e-5)
    except CheckFailed:
        return False
    return True
