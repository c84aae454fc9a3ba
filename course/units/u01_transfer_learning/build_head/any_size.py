"""Heads of any size: how many numbers they have, whether their scores are linear, where gradients reach."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed
from graders.checks.running import call
from graders.checks.worlds import World, sizes

# The lesson's head has 384 inputs and 2 classes.
_WORLD = World(
    hidden_size=sizes(1, 4096),
    num_classes=sizes(2, 160),
    fits=lambda hidden_size, num_classes: hidden_size * num_classes < 200_000,
)
_MOST = 20  # times the numbers of one layer


def any_sizes(numbers: random.Random) -> list[tuple[int, int]]:
    """Features and classes of heads to try."""
    return [(case["hidden_size"], case["num_classes"]) for case in _WORLD.draw(numbers, 10)]


def check_any_size(head: nn.Module, hidden_size: int, num_classes: int, mistakes: Catalogue) -> None:
    """Check a new head of any size: its numbers, its scores for features of any size, and its gradients."""
    made = f"build_head({hidden_size}, {num_classes})"
    needed, found = (hidden_size + 1) * num_classes, sum(one.numel() for one in head.parameters())
    if found > _MOST * needed:
        raise CheckFailed(
            f"The head of `{made}` has {found:,} numbers to learn, and one linear layer has {needed:,}: "
            "a weight for each feature and class, and a bias for each class. Leave further layers out."
        )
    head.eval()
    x = torch.randn(16, hidden_size) * torch.logspace(-2, 4, 16)[:, None]
    scores = call(head, x, what=f"{made}(features)")
    if not isinstance(scores, Tensor) or scores.shape != (16, num_classes):
        shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise CheckFailed(
            f"For 16 sentences `{made}` gave {shape}, and scores of shape {(16, num_classes)} were expected."
        )
    if scores.dtype != x.dtype:
        raise CheckFailed(f"The scores of `{made}` are {scores.dtype}, and {x.dtype} was expected.")
    with torch.no_grad():
        bias = head(torch.zeros(1, hidden_size))
        # A linear layer's scores grow with its features: those of x are x times those of a small part of x.
        parts = bias + 1000 * (head(x / 1000) - bias)
    size = float((scores.detach() - bias).abs().max()) + float(bias.abs().max())
    if not torch.allclose(scores.detach(), parts, rtol=1e-2, atol=1e-3 * size):
        mistakes.fail("not-linear")
    if not any(one.requires_grad for one in head.parameters()):
        mistakes.fail("cannot-learn")
    _check_gradients(head, hidden_size, num_classes)
    count_comparison()


def _check_gradients(head: nn.Module, hidden_size: int, num_classes: int) -> None:
    """What comes before the head can learn through it, and each class has a bias of its own."""
    start = torch.zeros(1, hidden_size, requires_grad=True)
    scores = head(start.clone())[0]
    weights = [one for one in head.parameters() if one.requires_grad]
    some = random.Random(hidden_size).sample(range(num_classes), min(num_classes, 3))
    biases = []
    for place in some:
        found = torch.autograd.grad(
            scores[place], [start, *weights], retain_graph=True, allow_unused=True, materialize_grads=True
        )
        with torch.no_grad():
            slope = (head(torch.eye(hidden_size)[:64])[:, place] - scores[place]).detach()
        if not torch.allclose(
            found[0][0][:64], slope, rtol=1e-2, atol=1e-3 * float(slope.abs().max()) + 1e-6
        ):
            raise CheckFailed(
                "No gradient flows through this head to its features, or a wrong one, so no backbone before "
                "it could be trained. Leave out no_grad and detach."
            )
        biases.append(torch.cat([one.flatten() for one in found[1:]]))
    if int(torch.linalg.matrix_rank(torch.stack(biases).double())) < len(some):
        raise CheckFailed(
            "The classes of this head share a bias. Expected one for each class, which learns by itself."
        )


def check_rank(head: nn.Module, hidden_size: int, num_classes: int) -> None:
    """Whether the scores of a trained head can differ in every way; those of a narrow middle layer cannot."""
    head.eval()
    with torch.no_grad():
        weight = head(torch.eye(hidden_size)) - head(torch.zeros(1, hidden_size))
    values = torch.linalg.svdvals(weight.double())
    ways = int((values > 1e-3 * values[0]).sum())
    if ways < min(hidden_size, num_classes) - 1:  # scores may all move together
        raise CheckFailed(
            f"The scores of this head for {num_classes} classes can only differ in {ways} ways: something in "
            "it is too narrow. One linear layer, from all features to all classes, is enough."
        )
    count_comparison()
