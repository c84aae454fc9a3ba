"""Exercise 3: `lora_linear(x, weight, A, B, alpha)` computes a linear layer with LoRA; `merge(weight, A, B, alpha)` folds it in.

`x` (..., inputs), `weight` (outputs, inputs), `A` (r, inputs), `B` (outputs, r). The layer gives x W^T plus alpha / r times
x A^T B^T, shape (..., outputs); the merged weight (outputs, inputs) gives the same alone. E. Hu et al. (2022), LoRA.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..compare import difference, plain, same
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import call, numbers, quiet

# x's leading axes, inputs, outputs, rank. The first is square, so that a wrong order shows in the values.
_CASES = (((4,), 5, 5, 2), ((2, 3), 4, 7, 3), ((), 6, 5, 1), ((3,), 5, 4, 4))


def _program(
    layer: str = "x @ weight.T + alpha / len(A) * (x @ A.T @ B.T)",
    merged: str = "weight + alpha / len(A) * (B @ A)",
) -> str:
    return (
        f"def lora_linear(x, weight, A, B, alpha):\n    return {layer}\n\n\n"
        f"def merge(weight, A, B, alpha):\n    return {merged}\n"
    )


_CATALOGUE = Catalogue(
    Mistake(
        "base-missing",
        "`lora_linear` gives only what LoRA adds. The layer's own weight still does its part.",
        ("The card is clipped beside the recipe: compute `x @ weight.T` as well.",),
        _program("alpha / len(A) * (x @ A.T @ B.T)"),
    ),
    Mistake(
        "addition-missing",
        "`lora_linear` gives what the layer gave before: A and B have no part in it.",
        ("Add the way through A and B.",),
        _program("x @ weight.T"),
    ),
    Mistake(
        "not-scaled",
        "What LoRA adds is not scaled. It is multiplied by alpha / r.",
        ("r is the number of rows of A.",),
        _program("x @ weight.T + x @ A.T @ B.T"),
    ),
    Mistake(
        "alpha-without-r",
        "What LoRA adds is multiplied by alpha, and alpha / r was asked for: so one may change r and keep the learning rate.",
        ("Divide by the number of rows of A.",),
        _program("x @ weight.T + alpha * (x @ A.T @ B.T)"),
    ),
    Mistake(
        "whole-division",
        "alpha / r is rounded down to a whole number: `//` does that.",
        ("`/` gives the fraction.",),
        _program("x @ weight.T + alpha // len(A) * (x @ A.T @ B.T)"),
    ),
    Mistake(
        "factor-upside-down",
        "What LoRA adds is multiplied by r / alpha. The factor is alpha / r.",
        ("A larger alpha makes the addition larger.",),
        _program("x @ weight.T + len(A) / alpha * (x @ A.T @ B.T)"),
    ),
    Mistake(
        "wrong-r",
        "What LoRA adds is divided by a size other than r. r is the narrow side: rows of A, columns of B.",
        ("`A.shape[0]` or `B.shape[1]`.",),
        _program("x @ weight.T + alpha / len(B) * (x @ A.T @ B.T)"),
    ),
    Mistake(
        "base-scaled",
        "alpha / r multiplies the layer's own part, too. It belongs to the addition alone.",
        ("Mind the brackets.",),
        _program("alpha / len(A) * (x @ weight.T + x @ A.T @ B.T)"),
    ),
    Mistake(
        "not-transposed",
        "`weight` is used the wrong way round. It is (outputs, inputs), as in nn.Linear, so x meets its transpose.",
        ("`x @ weight.T`.",),
        _program("x @ weight + alpha / len(A) * (x @ A.T @ B.T)"),
    ),
    Mistake(
        "merged-only-the-addition",
        "`merge` gives only what was learned. Merged means: added to the weight.",
        ("`weight + ...`",),
        _program(merged="alpha / len(A) * (B @ A)"),
    ),
    Mistake(
        "merged-without-scale",
        "`merge` adds B A without the factor alpha / r, so the merged layer does something else than `lora_linear`.",
        ("The same factor as in `lora_linear`.",),
        _program(merged="weight + B @ A"),
    ),
    Mistake(
        "merged-another-factor",
        "`merge` multiplies B A by another factor than alpha / r, so the merged layer does something else than `lora_linear`.",
        ("r is the number of rows of A, and alpha is divided by it: the same factor as in `lora_linear`.",),
        _program(merged="weight + alpha / len(B) * (B @ A)"),
    ),
    Mistake(
        "merged-transposed",
        "`merge` adds the transpose of B A. The merged weight is (outputs, inputs), and so is B A as it is.",
        ("x A^T B^T is x (B A)^T, and the layer transposes its weight anyway.",),
        _program(merged="weight + alpha / len(A) * (A.T @ B.T)"),
    ),
    Mistake(
        "changed-what-it-was-given",
        "This changes the matrices that it was given, so the next call starts from others. *W* is frozen: the book stays as it "
        "was.",
        ("`weight + ...` makes a new tensor; `weight += ...` changes the old one.",),
        _program().replace("    return weight +", "    weight +=") + "    return weight\n",
    ),
)


@quiet
def check_lora_linear(lora_linear, merge) -> None:
    """Compare both functions with a reference on random matrices and scales.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    draw = numbers()
    for lead, inputs, outputs, rank in _CASES:
        # Known from nothing but the argument. Rounded down it is neither 0 nor 1 times r, which are other mistakes.
        alpha = rank * (draw.randint(2, 6) + draw.uniform(0.1, 0.9))
        weight, down, up = torch.randn(outputs, inputs), torch.randn(rank, inputs), torch.randn(outputs, rank)
        x = torch.randn(*lead, inputs)
        _check_layer(lora_linear, x, weight, down, up, alpha)
        _check_merged(merge, weight, down, up, alpha)


def _check_layer(function, x: Tensor, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> None:
    shapes = f"x {tuple(x.shape)}, weight {tuple(weight.shape)}, A {tuple(down.shape)}, B {tuple(up.shape)}"
    found = _called(function, (x, weight, down, up), alpha, f"lora_linear({shapes})")
    base, addition, rank = x @ weight.T, x @ down.T @ up.T, len(down)
    expected = base + alpha / rank * addition
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
    """What it gives for copies of these, which it has to leave as they are."""
    own = tuple(one.clone() for one in given)
    found = plain(call(function, *own, alpha, what=what))
    if difference(own, given, "", rtol=0, atol=0):
        _CATALOGUE.fail("changed-what-it-was-given")
    if found is None:
        raise CheckFailed(f"`{what}` returned None, and a tensor was expected. Is a `return` missing?")
    return found


def _judge(found, expected: Tensor, mistaken: dict[str, Tensor], what: str) -> None:
    for name, value in mistaken.items():
        if _alike(found, value) and not _alike(expected, value):
            _CATALOGUE.fail(name.partition(" ")[0])
    if isinstance(found, Tensor):
        found = found.detach()
    same(found, expected, what, rtol=1e-4, atol=1e-5)


def _alike(found, value: Tensor) -> bool:
    try:
        same(found.detach() if isinstance(found, Tensor) else found, value, "", rtol=1e-4, atol=1e-5)
    except CheckFailed:
        return False
    return True


LORA_LINEAR = Exercise(
    id="lora-linear",
    unit="00-where-we-left-off",
    points=2,
    title="A layer with LoRA, and merged",
    functions=("lora_linear", "merge"),
    check=check_lora_linear,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
        "def lora_linear(x, weight, A, B, alpha):\n"
        "    linear = nn.functional.linear\n"
        "    return linear(x, weight) + linear(linear(x, A), B) * (alpha / B.shape[1])\n\n\n"
        "def merge(weight, A, B, alpha):\n"
        "    return torch.addmm(weight, B, A, alpha=alpha / A.shape[0])\n",
        "def lora_linear(x, weight, A, B, alpha):\n    return x @ merge(weight, A, B, alpha).T\n\n\n"
        "def merge(weight, A, B, alpha):\n    return weight + B @ A * alpha / A.shape[0]\n",
    ),
)
