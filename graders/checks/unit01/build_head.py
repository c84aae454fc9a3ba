"""Exercise 1: `build_head(hidden_size, num_classes)` makes a head: features in, one score for each class out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..evidence import held
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import call, numbers, quiet

_SIZES = ((8, 3), (5, 2), (12, 7))
_WIDTHS, _CLASSES = (10, 16), (8, 10)  # of one more head, which is trained; the more classes, the less luck
_EXAMPLES = 4
_STEPS, _EVERY, _GROUP, _LEARNED = 200, 10, 64, 0.9

_CATALOGUE = Catalogue(
    Mistake(
        "returns-nothing",
        "`build_head` returned None. It should return the head that it made.",
        ("A function hands its result back with `return`.", "`return nn.Linear(...)`."),
        "def build_head(hidden_size, num_classes):\n    head = nn.Linear(hidden_size, num_classes)\n",
    ),
    Mistake(
        "not-a-module",
        "`build_head` returned something that is no nn.Module. The head should be a layer with weights that can learn.",
        ("Return the layer itself, not its class, its output or its weights.",),
        "def build_head(hidden_size, num_classes):\n    return nn.Linear\n",
    ),
    Mistake(
        "swapped-sizes",
        "This head takes as many numbers as there are classes and gives as many as there are features: the two sizes are "
        "swapped.",
        ("nn.Linear takes the number of inputs first, then the number of outputs.",),
        "def build_head(hidden_size, num_classes):\n    return nn.Linear(num_classes, hidden_size)\n",
    ),
    Mistake(
        "fixed-sizes",
        "This head has a size that stays the same whatever `hidden_size` and `num_classes` are. It should use its arguments.",
        ("Look for numbers that were typed in, such as 384 or 2, and put the argument there.",),
        "def build_head(hidden_size, num_classes):\n    return nn.Linear(384, num_classes)\n",
    ),
    Mistake(
        "no-forward",
        "This head can't be called: PyTorch finds no `forward` in its class.",
        ("`def forward(self, x): ...`, inside the class and spelt so.", "`nn.Linear` has one already."),
        "class Head(nn.Module):\n    def __init__(self, inputs, outputs):\n        super().__init__()\n"
        "        self.linear = nn.Linear(inputs, outputs)\n\n\n"
        "def build_head(hidden_size, num_classes):\n    return Head(hidden_size, num_classes)\n",
    ),
    Mistake(
        "one-score",
        "This head gives a single score. It should give one for each class: shape (sentences, num_classes).",
        ("The number of outputs is the number of classes.",),
        "def build_head(hidden_size, num_classes):\n    return nn.Linear(hidden_size, 1)\n",
    ),
    Mistake(
        "chosen-class",
        "This head gives whole numbers: the class that it chooses. It should give a score for each class, from which the loss "
        "can learn.",
        ("Leave the `argmax` out.",),
        "class Head(nn.Linear):\n    def forward(self, x):\n        return super().forward(x).argmax(-1)\n\n\n"
        "def build_head(hidden_size, num_classes):\n    return Head(hidden_size, num_classes)\n",
    ),
    Mistake(
        "softmax-in-head",
        "This head gives probabilities (or their logarithms) rather than scores. Cross-entropy applies softmax itself; twice "
        "makes learning slow.",
        ("Leave the softmax (or sigmoid) out: the loss does that part.",),
        "def build_head(hidden_size, num_classes):\n"
        "    return nn.Sequential(nn.Linear(hidden_size, num_classes), nn.Softmax(dim=-1))\n",
    ),
    Mistake(
        "cut-scores",
        "Some scores of this head are exactly 0, others are not: something after the last layer (dropout, ReLU) cuts them off.",
        ("Let the linear layer be the last one: what it gives are the scores.",),
        "def build_head(hidden_size, num_classes):\n"
        "    return nn.Sequential(nn.Linear(hidden_size, num_classes), nn.Dropout(0.1))\n",
    ),
    Mistake(
        "cannot-learn",
        "This head has no weight that can learn: it has no parameters, or they are all frozen.",
        ("A new head starts random and has to learn: leave its requires_grad on.",),
        "def build_head(hidden_size, num_classes):\n"
        "    return nn.Linear(hidden_size, num_classes).requires_grad_(False)\n",
    ),
    Mistake(
        "no-bias",
        "This head has no bias: of features that are all 0 its scores can be nothing but 0.",
        ("A bias is the default of `nn.Linear`.",),
        "def build_head(hidden_size, num_classes):\n    return nn.Linear(hidden_size, num_classes, bias=False)\n",
    ),
    Mistake(
        "not-linear",
        "This head is more than a linear layer: the scores of a sum of features are not the sum of their scores. What a frozen "
        "model holds in plain sight is read off by a single linear layer.",
        ("Leave out hidden layers, activations and normalisation by example: one `nn.Linear` is enough.",),
        "def build_head(hidden_size, num_classes):\n"
        "    return nn.Sequential(nn.Linear(hidden_size, 16), nn.ReLU(), nn.Linear(16, num_classes))\n",
    ),
    Mistake(
        "same-head-twice",
        "Two calls of `build_head` gave the same object, so two models would share one head. Make a new one in each call.",
        ("Make the layer inside the function.",),
        "_head = {}\n\n\ndef build_head(hidden_size, num_classes):\n"
        "    return _head.setdefault((hidden_size, num_classes), nn.Linear(hidden_size, num_classes))\n",
    ),
)


@quiet
def check_build_head(build_head) -> None:
    """Check by effect: shapes, scores, and that it can learn.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    draw = numbers()
    sizes = (*_SIZES, (draw.randint(*_WIDTHS), draw.randint(*_CLASSES)))
    heads = [_build(build_head, *one) for one in sizes]
    for (hidden_size, num_classes), head in zip(sizes, heads, strict=True):
        _check_scores(head, heads, hidden_size, num_classes)
    for one, head in zip(sizes, heads, strict=True):
        if _share_weights(_build(build_head, *one), head):
            _CATALOGUE.fail("same-head-twice")
    _check_bias(heads[0], *sizes[0])
    _check_learns(heads[-1], *sizes[-1])
    _check_linear(heads[-1], sizes[-1][0])  # what has learned does not begin with zeros any more


def _build(build_head, hidden_size: int, num_classes: int) -> nn.Module:
    head = call(build_head, hidden_size, num_classes, what=f"build_head({hidden_size}, {num_classes})")
    if head is None:
        _CATALOGUE.fail("returns-nothing")
    if not isinstance(head, nn.Module):
        _CATALOGUE.fail("not-a-module")
    return head


def _share_weights(one: nn.Module, other: nn.Module) -> bool:
    return one is other or not {*map(id, one.parameters())}.isdisjoint(map(id, other.parameters()))


def _check_scores(head: nn.Module, heads: list[nn.Module], hidden_size: int, num_classes: int) -> None:
    scores = _try(head, hidden_size)
    if scores is None:
        if _takes_the_same(heads) or _same_shapes(heads):
            _CATALOGUE.fail("fixed-sizes")
        if _try(head, num_classes) is not None:
            _CATALOGUE.fail("swapped-sizes")
        what = f"build_head({hidden_size}, {num_classes})(features)"
        try:
            call(head, torch.randn(_EXAMPLES, hidden_size), what=what)
        except CheckFailed as failed:
            # PyTorch raises that in place of a `forward`.
            if isinstance(failed.__context__, NotImplementedError):
                _CATALOGUE.fail("no-forward")
            raise
    if not isinstance(scores, torch.Tensor):
        raise CheckFailed(
            f"The head returned a {type(scores).__name__}, and a tensor of scores was expected."
        )
    if not scores.is_floating_point():
        _CATALOGUE.fail("chosen-class")
    if scores.shape in ((_EXAMPLES, 1), (_EXAMPLES,)):
        _CATALOGUE.fail("one-score")
    if scores.shape != (_EXAMPLES, num_classes):
        if _gives_the_same(heads):
            _CATALOGUE.fail("fixed-sizes")
        raise CheckFailed(
            f"For {_EXAMPLES} sentences of {hidden_size} numbers, build_head({hidden_size}, {num_classes}) gave shape "
            f"{tuple(scores.shape)}, and {(_EXAMPLES, num_classes)} was expected."
        )
    if not torch.isfinite(scores).all():
        raise CheckFailed("The head gives NaN or infinite scores. Expected finite numbers.")
    if _probabilities(scores) or _like_probabilities(head, hidden_size):
        _CATALOGUE.fail("softmax-in-head")
    if _cut_off(head, hidden_size):
        _CATALOGUE.fail("cut-scores")
    if not any(parameter.requires_grad and parameter.numel() for parameter in head.parameters()):
        _CATALOGUE.fail("cannot-learn")
    if not scores.requires_grad:
        raise CheckFailed(
            "No gradient flows through this head, so it can't learn. Leave out no_grad and detach."
        )
    held()


def _same_shapes(heads: list[nn.Module]) -> bool:
    """Whether all heads have weights of the same shapes, though their arguments differ."""
    shapes = [[tuple(parameter.shape) for parameter in head.parameters()] for head in heads]
    return bool(shapes[0]) and all(shape == shapes[0] for shape in shapes)


def _takes_the_same(heads: list[nn.Module]) -> bool:
    """Whether all heads take as many numbers, though their arguments differ."""
    inputs = {tuple(parameter.shape)[-1:] for head in heads for parameter in list(head.parameters())[:1]}
    return len(inputs) == 1 and inputs != {()} and _gives(heads[0], *inputs.pop()) is not None


def _gives_the_same(heads: list[nn.Module]) -> bool:
    """Whether all heads give as many scores, though their arguments differ."""
    scores = {
        _gives(head, hidden_size) for head, (hidden_size, _) in zip(heads[: len(_SIZES)], _SIZES, strict=True)
    }
    return len(scores) == 1


def _gives(head: nn.Module, hidden_size: int) -> int | None:
    """How many scores a head gives for so many numbers, None where it takes others."""
    scores = _try(head, hidden_size)
    return scores.shape[-1] if isinstance(scores, Tensor) and scores.dim() else None


def _try(head: nn.Module, width: int):
    try:
        return head(torch.randn(_EXAMPLES, width))
    except (RuntimeError, ValueError, IndexError, TypeError):
        return None


def _like_probabilities(head: nn.Module, hidden_size: int) -> bool:
    """Large inputs give large scores, unless something squashes them."""
    scores = head(1000 * torch.randn(64, hidden_size)).detach()
    inside = bool(((scores >= 0) & (scores <= 1)).all()) and bool(scores.any())  # a head may start with zeros
    return inside or _probabilities(scores)


def _probabilities(scores: torch.Tensor) -> bool:
    """Whether rows add up to 1, or their exponentials do."""
    rows, ones = scores.detach().double(), torch.ones(len(scores), dtype=torch.float64)
    whole = bool((rows >= 0).all()) and torch.allclose(rows.sum(-1), ones, atol=1e-3)
    return whole or (bool((rows <= 0).all()) and torch.allclose(rows.exp().sum(-1), ones, atol=1e-3))


def _cut_off(head: nn.Module, hidden_size: int) -> bool:
    """Whether scores of a class are exactly 0 for some inputs alone. A head that starts with zeros gives 0 for all."""
    zero = head(torch.randn(64, hidden_size)).detach() == 0
    return bool((zero.any(0) & ~zero.all(0)).any())


def _check_bias(head: nn.Module, hidden_size: int, num_classes: int) -> None:
    """Of features that are all 0 a loss says something to a bias, and to nothing else."""
    head.eval()
    head.zero_grad()
    nn.functional.cross_entropy(
        head(torch.zeros(num_classes, hidden_size)), torch.zeros(num_classes).long()
    ).backward()
    gradients = [one.grad for one in head.parameters() if one.grad is not None]
    head.zero_grad()
    if not any(gradient.any() for gradient in gradients):
        _CATALOGUE.fail("no-bias")
    held()


def _check_linear(head: nn.Module, hidden_size: int) -> None:
    """A linear layer gives for a sum the sum of what it gives, but for its bias, which counts once too often."""
    head.eval()  # what dropout takes away is not held against a head
    one, other = 3 * torch.randn(2, 64, hidden_size)
    with torch.no_grad():
        whole, parts = head(one + other) + head(0 * one), head(one) + head(other)
    if not torch.allclose(whole, parts, rtol=1e-3, atol=1e-3 * float(parts.abs().max())):
        _CATALOGUE.fail("not-linear")
    held()


def _check_learns(head: nn.Module, hidden_size: int, num_classes: int) -> None:
    """Train it on groups that lie far apart: one that looks at its features tells them apart soon.

    A new head may tell them apart by luck. So they are numbered such that it starts with most of them wrong.
    """
    centres = 4 * torch.nn.init.orthogonal_(torch.empty(num_classes, hidden_size))
    centres = centres.roll(_worst_shift(head, centres), 0)
    optimizer = torch.optim.Adam([one for one in head.parameters() if one.requires_grad], lr=0.05)
    for step in range(_STEPS + 1):
        if step % _EVERY == 0:
            right = _share_right(head, centres)
            if right >= _LEARNED:
                held()
                return
        features, labels = _group(centres)
        head.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
    raise CheckFailed(
        f"After {_STEPS} steps of training on {num_classes} groups of features that lie far apart this head gets {right:.0%} "
        "right. Expected its scores to depend on its features, by weights that learn."
    )


def _group(centres: Tensor) -> tuple[Tensor, Tensor]:
    """Features of shape (examples, numbers) around the centres of their labels."""
    labels = torch.randint(len(centres), (_GROUP,))
    return centres[labels] + 0.3 * torch.randn(_GROUP, centres.shape[1]), labels


def _answers(head: nn.Module, centres: Tensor) -> tuple[Tensor, Tensor]:
    """The classes that a head chooses for a group, and the right ones."""
    features, labels = _group(centres)
    head.eval()  # what dropout takes away is not held against a head
    with torch.no_grad():
        return head(features).argmax(1), labels


def _share_right(head: nn.Module, centres: Tensor) -> float:
    told, labels = _answers(head, centres)
    return float((told == labels).float().mean())


def _worst_shift(head: nn.Module, centres: Tensor) -> int:
    """By how many places to roll the centres for a head that does not learn to be right least often: 1 time in `len(centres)`."""
    told, labels = _answers(head, centres)
    return min(range(len(centres)), key=lambda shift: int((told == (labels + shift) % len(centres)).sum()))


_START = "self.weight = nn.Parameter(0.02 * torch.randn(outputs, inputs)) => self.weight = nn.Parameter("

BUILD_HEAD = Exercise(
    id="build-head",
    unit="01-transfer-learning",
    points=1,
    title="Build the head",
    functions=("build_head",),
    check=check_build_head,
    mistakes=_CATALOGUE.mistakes,
    right=(
        "def build_head(hidden_size, num_classes):\n    return nn.Linear(hidden_size, num_classes)\n",
        "def build_head(hidden_size, num_classes):\n"
        "    return nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden_size, num_classes))\n",
        "class Head(nn.Module):\n    def __init__(self, inputs, outputs):\n        super().__init__()\n"
        "        self.weight = nn.Parameter(0.02 * torch.randn(outputs, inputs))\n"
        "        self.bias = nn.Parameter(torch.zeros(outputs))\n\n"
        "    def forward(self, x):\n        return x @ self.weight.T + self.bias\n\n\n"
        "def build_head(hidden_size, num_classes):\n    return Head(hidden_size, num_classes)\n",
        "def build_head(hidden_size, num_classes):\n"
        "    head = nn.Linear(hidden_size, num_classes)\n"
        "    nn.init.zeros_(head.weight)\n"
        "    nn.init.zeros_(head.bias)\n"
        "    return head\n",
    ),
    equivalent=(
        (
            "return x @ self.weight.T + self.bias => return x @ self.weight.T - self.bias",
            "a bias is learned, sign and all",
        ),
        (f"{_START}0.02 / torch.randn(outputs, inputs))", "another random start"),
        (f"{_START}0.02 + torch.randn(outputs, inputs))", "another random start"),
        (f"{_START}1.02 * torch.randn(outputs, inputs))", "another random start"),
        ("nn.init.zeros_(head.weight) => pass", "another random start"),
        ("nn.init.zeros_(head.bias) => pass", "another random start"),
        (f"{_START}-0.98 * torch.randn(outputs, inputs))", "another random start"),
    ),
)
