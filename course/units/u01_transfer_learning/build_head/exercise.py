"""`build_head(hidden_size, num_classes)` makes a head, from features to one score for each class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.registry import exercise
from graders.checks.running import call, numbers

from .any_size import any_sizes, check_any_size, check_rank

_SIZES = ((8, 3), (5, 2), (12, 7))
# Of one more head, which is trained; with more classes there is less luck.
_WIDTHS, _CLASSES = (10, 16), (8, 10)
_EXAMPLES = 4
_STEPS, _EVERY, _GROUP, _LEARNED = 200, 10, 64, 0.9

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "returns-nothing",
        "`build_head` returned None. It should return the head it made.",
        (
            "Put `return` before the layer: without it a function gives back `None`.",
            "`return nn.Linear(...)`.",
        ),
    ),
    Mistake(
        "not-a-module",
        "`build_head` returned something that is not an nn.Module. The head should be a layer with weights "
        "that can learn.",
        ("Return the layer itself, not its class, its output or its weights.",),
    ),
    Mistake(
        "swapped-sizes",
        "This head takes one number per class and gives one per feature: the two sizes are swapped.",
        ("`nn.Linear` takes the number of inputs first, then the number of outputs.",),
    ),
    Mistake(
        "fixed-sizes",
        "One size of this head stays the same whatever `hidden_size` and `num_classes` are. It should follow "
        "the arguments.",
        ("Look for a number that was typed in, such as 384 or 2, and put the argument in its place.",),
    ),
    Mistake(
        "no-forward",
        "This head cannot be called: PyTorch finds no `forward` in its class.",
        (
            "`def forward(self, x): ...`, inside the class and spelled exactly like that.",
            "`nn.Linear` has one already.",
        ),
    ),
    Mistake(
        "one-score",
        "This head gives a single score. It should give one for each class: shape (sentences, num_classes).",
        ("The number of outputs is the number of classes.",),
    ),
    Mistake(
        "chosen-class",
        "This head gives whole numbers: the class it chooses. It should give a score for each class, which "
        "the loss can learn from.",
        ("Leave the `argmax` out.",),
    ),
    Mistake(
        "softmax-in-head",
        "This head gives probabilities (or their logarithms) instead of scores. Cross-entropy applies "
        "softmax itself; applying it twice slows learning down.",
        ("Leave the softmax (or sigmoid) out: the loss takes care of that.",),
    ),
    Mistake(
        "cut-scores",
        "Some scores of this head are exactly 0 and others are not: something after the last layer (dropout, "
        "ReLU) cuts them off.",
        ("Let the linear layer come last: what it gives are the scores.",),
    ),
    Mistake(
        "cannot-learn",
        "Nothing in this head can learn: it has no parameters, or they are all frozen.",
        ("A new head starts out random and has to learn: leave its `requires_grad` on.",),
    ),
    Mistake(
        "no-bias",
        "This head has no bias: for features that are all 0 it can only give scores of 0.",
        ("`nn.Linear` has a bias by default.",),
    ),
    Mistake(
        "not-linear",
        "This head is more than a linear layer: the scores of a sum of features are not the sum of their "
        "scores. One linear layer is enough to read off what a frozen model holds in plain sight.",
        ("Leave out hidden layers, activations and normalisation: one `nn.Linear` is enough.",),
    ),
    Mistake(
        "same-head-twice",
        "Two calls of `build_head` returned the same object, so two models would share one head. Make a new "
        "one in each call.",
        ("Make the layer inside the function.",),
    ),
)

EQUIVALENT = (
    (
        "return x @ self.weight.T + self.bias => return x @ self.weight.T - self.bias",
        "a bias is learned, sign and all",
    ),
    (
        "self.weight = nn.Parameter(0.02 * torch.randn(outputs, inputs)) => self.weight = nn.Parameter(0.02 "
        "/ torch.randn(outputs, inputs))",
        "another random start",
    ),
    (
        "self.weight = nn.Parameter(0.02 * torch.randn(outputs, inputs)) => self.weight = nn.Parameter(0.02 "
        "+ torch.randn(outputs, inputs))",
        "another random start",
    ),
    (
        "self.weight = nn.Parameter(0.02 * torch.randn(outputs, inputs)) => self.weight = nn.Parameter(1.02 "
        "* torch.randn(outputs, inputs))",
        "another random start",
    ),
    ("nn.init.zeros_(head.weight) => pass", "another random start"),
    ("nn.init.zeros_(head.bias) => pass", "another random start"),
    (
        "self.weight = nn.Parameter(0.02 * torch.randn(outputs, inputs)) => self.weight = nn.Parameter(-0.98 "
        "* torch.randn(outputs, inputs))",
        "another random start",
    ),
)


@exercise(
    number=1,
    points=1,
    title="Build the head",
    functions=("build_head",),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
)
def check_build_head(build_head) -> None:
    """Check by effect: shapes, scores, and that it can learn.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    draw = numbers()
    tried = (*_SIZES, (draw.randint(*_WIDTHS), draw.randint(*_CLASSES)))
    heads = [_build(build_head, *one) for one in tried]
    for (hidden_size, num_classes), head in zip(tried, heads, strict=True):
        _check_scores(head, heads, hidden_size, num_classes)
    for one, head in zip(tried, heads, strict=True):
        if _share_weights(_build(build_head, *one), head):
            MISTAKES.fail("same-head-twice")
    _check_bias(heads[0], *tried[0])
    _check_learns(heads[-1], *tried[-1])
    _check_linear(heads[-1], tried[-1][0])  # once trained, it no longer starts with zeros
    check_rank(heads[-1], *tried[-1])
    for one in ((6, 6), *any_sizes(draw)):
        check_any_size(_build(build_head, *one), *one, MISTAKES)


def _build(build_head, hidden_size: int, num_classes: int) -> nn.Module:
    head = call(build_head, hidden_size, num_classes, what=f"build_head({hidden_size}, {num_classes})")
    if head is None:
        MISTAKES.fail("returns-nothing")
    if not isinstance(head, nn.Module):
        MISTAKES.fail("not-a-module")
    return head


def _share_weights(one: nn.Module, other: nn.Module) -> bool:
    return one is other or not {*map(id, one.parameters())}.isdisjoint(map(id, other.parameters()))


def _check_scores(head: nn.Module, heads: list[nn.Module], hidden_size: int, num_classes: int) -> None:
    scores = _try(head, hidden_size)
    if scores is None:
        if _takes_the_same(heads) or _same_shapes(heads):
            MISTAKES.fail("fixed-sizes")
        if _try(head, num_classes) is not None:
            MISTAKES.fail("swapped-sizes")
        what = f"build_head({hidden_size}, {num_classes})(features)"
        try:
            call(head, torch.randn(_EXAMPLES, hidden_size), what=what)
        except CheckFailed as failed:
            # This is what PyTorch raises where there is no `forward`.
            if isinstance(failed.__context__, NotImplementedError):
                MISTAKES.fail("no-forward")
            raise
    if not isinstance(scores, torch.Tensor):
        raise CheckFailed(
            f"The head returned a {type(scores).__name__}, and a tensor of scores was expected."
        )
    if not scores.is_floating_point():
        MISTAKES.fail("chosen-class")
    if scores.shape in ((_EXAMPLES, 1), (_EXAMPLES,)):
        MISTAKES.fail("one-score")
    if scores.shape != (_EXAMPLES, num_classes):
        if _gives_the_same(heads):
            MISTAKES.fail("fixed-sizes")
        raise CheckFailed(
            f"For {_EXAMPLES} sentences of {hidden_size} numbers, build_head({hidden_size}, {num_classes}) "
            f"gave shape {tuple(scores.shape)}, and {(_EXAMPLES, num_classes)} was expected."
        )
    if not torch.isfinite(scores).all():
        raise CheckFailed("The head gives NaN or infinite scores. Expected finite numbers.")
    if _probabilities(scores) or _like_probabilities(head, hidden_size):
        MISTAKES.fail("softmax-in-head")
    if _cut_off(head, hidden_size):
        MISTAKES.fail("cut-scores")
    if not any(parameter.requires_grad and parameter.numel() for parameter in head.parameters()):
        MISTAKES.fail("cannot-learn")
    if not scores.requires_grad:
        raise CheckFailed(
            "No gradient flows through this head, so it cannot learn. Leave out no_grad and detach."
        )
    count_comparison()


def _same_shapes(heads: list[nn.Module]) -> bool:
    """Whether all heads have weights of the same shapes, though their arguments differ."""
    shapes = [[tuple(parameter.shape) for parameter in head.parameters()] for head in heads]
    return bool(shapes[0]) and all(shape == shapes[0] for shape in shapes)


def _takes_the_same(heads: list[nn.Module]) -> bool:
    """Whether all heads take inputs of the same size, though their arguments differ."""
    inputs = {tuple(parameter.shape)[-1:] for head in heads for parameter in list(head.parameters())[:1]}
    return len(inputs) == 1 and inputs != {()} and _gives(heads[0], *inputs.pop()) is not None


def _gives_the_same(heads: list[nn.Module]) -> bool:
    """Whether all heads give the same number of scores, though their arguments differ."""
    scores = {
        _gives(head, hidden_size) for head, (hidden_size, _) in zip(heads[: len(_SIZES)], _SIZES, strict=True)
    }
    return len(scores) == 1


def _gives(head: nn.Module, hidden_size: int) -> int | None:
    """How many scores a head gives for inputs of this size; None if it does not take them."""
    scores = _try(head, hidden_size)
    return scores.shape[-1] if isinstance(scores, Tensor) and scores.dim() else None


def _try(head: nn.Module, width: int):
    try:
        return head(torch.randn(_EXAMPLES, width))
    except (RuntimeError, ValueError, IndexError, TypeError):
        return None


def _like_probabilities(head: nn.Module, hidden_size: int) -> bool:
    """Whether large inputs give small scores, because something squashes them."""
    scores = head(1000 * torch.randn(64, hidden_size)).detach()
    inside = bool(((scores >= 0) & (scores <= 1)).all()) and bool(scores.any())  # a head may start with zeros
    return inside or _probabilities(scores)


def _probabilities(scores: torch.Tensor) -> bool:
    """Whether rows add up to 1, or their exponentials do."""
    rows, ones = scores.detach().double(), torch.ones(len(scores), dtype=torch.float64)
    whole = bool((rows >= 0).all()) and torch.allclose(rows.sum(-1), ones, atol=1e-3)
    return whole or (bool((rows <= 0).all()) and torch.allclose(rows.exp().sum(-1), ones, atol=1e-3))


def _cut_off(head: nn.Module, hidden_size: int) -> bool:
    """Whether a class gets scores of exactly 0 for some inputs only. A head of zeros gives 0 for all."""
    zero = head(torch.randn(64, hidden_size)).detach() == 0
    return bool((zero.any(0) & ~zero.all(0)).any())


def _check_bias(head: nn.Module, hidden_size: int, num_classes: int) -> None:
    """For features that are all 0, only a bias gets a gradient."""
    head.eval()
    head.zero_grad()
    nn.functional.cross_entropy(
        head(torch.zeros(num_classes, hidden_size)), torch.zeros(num_classes).long()
    ).backward()
    gradients = [one.grad for one in head.parameters() if one.grad is not None]
    head.zero_grad()
    if not any(gradient.any() for gradient in gradients):
        MISTAKES.fail("no-bias")
    count_comparison()


def _check_linear(head: nn.Module, hidden_size: int) -> None:
    """The scores of a sum are the sum of the scores, except for the bias, which counts once too often."""
    head.eval()  # dropout does not count against a head
    one, other = 3 * torch.randn(2, 64, hidden_size)
    with torch.no_grad():
        whole, parts = head(one + other) + head(0 * one), head(one) + head(other)
    if not torch.allclose(whole, parts, rtol=1e-3, atol=1e-3 * float(parts.abs().max())):
        MISTAKES.fail("not-linear")
    count_comparison()


def _check_learns(head: nn.Module, hidden_size: int, num_classes: int) -> None:
    """Train the head on groups that lie far apart: one that uses its features soon tells them apart.

    A new head may do so by luck, so the groups are numbered such that it gets most of them wrong at first.
    """
    centres = 4 * torch.nn.init.orthogonal_(torch.empty(num_classes, hidden_size))
    centres = centres.roll(_worst_shift(head, centres), 0)
    optimizer = torch.optim.Adam([one for one in head.parameters() if one.requires_grad], lr=0.05)
    for step in range(_STEPS + 1):
        if step % _EVERY == 0:
            right = _share_right(head, centres)
            if right >= _LEARNED:
                count_comparison()
                return
        features, labels = _group(centres)
        head.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
    raise CheckFailed(
        f"After {_STEPS} steps of training on {num_classes} groups of features that lie far apart this head "
        f"gets {right:.0%} right. Expected its scores to depend on its features, by weights that learn."
    )


def _group(centres: Tensor) -> tuple[Tensor, Tensor]:
    """Features of shape (examples, numbers) around the centres of their labels."""
    labels = torch.randint(len(centres), (_GROUP,))
    return centres[labels] + 0.3 * torch.randn(_GROUP, centres.shape[1]), labels


def _answers(head: nn.Module, centres: Tensor) -> tuple[Tensor, Tensor]:
    """The classes that a head chooses for a group, and the right ones."""
    features, labels = _group(centres)
    head.eval()  # dropout does not count against a head
    with torch.no_grad():
        return head(features).argmax(1), labels


def _share_right(head: nn.Module, centres: Tensor) -> float:
    chosen, labels = _answers(head, centres)
    return float((chosen == labels).float().mean())


def _worst_shift(head: nn.Module, centres: Tensor) -> int:
    """By how many places to roll the centres so that an untrained head is right least often."""
    chosen, labels = _answers(head, centres)
    return min(range(len(centres)), key=lambda shift: int((chosen == (labels + shift) % len(centres)).sum()))
