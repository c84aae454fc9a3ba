"""Exercise 1: `contrastive_loss(image, text, objects, log_scale)` is the loss that draws pairs together, as CLIP's does.

`image` and `text` (examples, width) are embeddings, row by row of the same thing; `objects` (examples,) says of which, and
rows of the same object are all right answers. Scores are the cosines of all pairs times `exp(log_scale)`. The function
returns the mean of two cross-entropies, of the text for each image and of the image for each text, with targets spread
evenly over the right answers: a tensor without axes that gradients flow through.

After Radford et al., "Learning transferable visual models from natural language supervision" (2021), where only
the diagonal is right; several rows of one object after Khosla et al. (2020) and Yang et al. (2022).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from ..compare import plain, same
from ..mistakes import CheckFailed, Exercise
from ..reference import against_reference
from ..running import backward, call, numbers, quiet
from ..show import a_type
from .contrastive_mistakes import CATALOGUE, LARGEST, right_program

_CALL = "contrastive_loss(image, text, objects, log_scale)"
_SMALLER = 0.05  # by what part a loss is less where probabilities are cut off


@quiet
def check_contrastive_loss(contrastive_loss) -> None:
    """Compare with a reference: losses of different objects, then of the same ones, then gradients, then a large scale.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    _check_kind(contrastive_loss)
    for twins, edge in ((False, _SMALL), (True, _TWINS)):
        against_reference(
            contrastive_loss,
            _loss,
            partial(_draw, twins=twins),
            name="contrastive_loss",
            edges=(edge,),
            catalogue=CATALOGUE,
            cases=20,
            rtol=1e-4,
            atol=1e-5,
        )
    _check_gradients(contrastive_loss)
    _check_large(contrastive_loss)


# Shown in full where it goes wrong: different objects, then twice the same one.
_PAIR = (torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
_SMALL = (*_PAIR, torch.tensor([5, 7]), torch.tensor(1.5))
_TWINS = (*_PAIR, torch.tensor([7, 7]), torch.tensor(0.5))


def _draw(numbers: random.Random, twins: bool = True) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random embeddings; of different objects, or of some that come more than once."""
    examples, width = numbers.randint(3, 6), numbers.randint(2, 5)
    objects = numbers.sample(range(50), examples)
    if twins:
        objects = numbers.choices(objects[:-1], k=examples)
    image, text = (
        torch.tensor([[numbers.uniform(0.5, 4.0)] for _ in range(examples)])
        * torch.tensor([[numbers.gauss(0, 1) for _ in range(width)] for _ in range(examples)])
        for _ in range(2)
    )
    return image, text, torch.tensor(objects), torch.tensor(numbers.uniform(0.2, 2.0))


def _check_kind(function: Callable) -> None:
    try:
        found = call(function, *(one.clone() for one in _SMALL), what=_CALL)
    except CheckFailed as failed:
        if failed.__cause__ is None:
            raise
        return  # it will raise below, too, where its mistake may be known
    if found is None or isinstance(found, (tuple, list)):
        raise CheckFailed(
            f"`contrastive_loss` returned {a_type(found)}. Expected one tensor: `return` the mean of both directions."
        )
    if not isinstance(found, Tensor):
        CATALOGUE.fail("not-a-tensor")
    if found.dim():
        CATALOGUE.fail("not-one-number")


def _check_gradients(function: Callable) -> None:
    source = numbers()
    for _ in range(3):
        drawn = _draw(source)
        own, expected = _followed(drawn), _followed(drawn)
        image, text, objects, log_scale = own
        # A model's output is no leaf: it may be changed in place.
        found = plain(call(function, image.clone(), text.clone(), objects, log_scale, what=_CALL))
        if not found.requires_grad:
            CATALOGUE.fail("no-gradient")
        backward(found)
        _loss(*expected).backward()
        if own[0].grad is None and own[1].grad is None:
            CATALOGUE.fail("embeddings-cut-off")
        if own[3].grad is None:
            CATALOGUE.fail("scale-cut-off")
        for place, name in ((0, "image"), (1, "text"), (3, "log_scale")):
            what = f"The gradient that reaches `{name}`"
            if own[place].grad is None:
                raise CheckFailed(f"{what} is None, and one was expected: it is cut off on the way.")
            same(own[place].grad, expected[place].grad, what, rtol=1e-3, atol=1e-5)


def _followed(drawn: tuple[Tensor, ...]) -> list[Tensor]:
    return [one.clone().requires_grad_(one.is_floating_point()) for one in drawn]


def _check_large(function: Callable) -> None:
    source = numbers()
    # Four directions, two of them opposite to the others. Each image's own text lies opposite, another one lies as it does:
    # cosines of -1 and 1, probabilities that round to 0, and exponentials that overflow.
    image = torch.cat([torch.eye(2), -torch.eye(2)]) * torch.tensor(
        [[source.uniform(0.5, 4.0)] for _ in range(4)]
    )
    given = (image, -image, torch.tensor(source.sample(range(50), 4)), torch.tensor(math.log(LARGEST)))
    expected = _loss(*given)
    found = plain(call(function, *(one.clone() for one in given), what=_CALL))
    if not found.isfinite():
        CATALOGUE.fail("overflow")
    if found < expected * (1 - _SMALLER):
        CATALOGUE.fail("surprise-cut-off")
    same(found.detach(), expected, f"The loss at a scale of {LARGEST:.0f}", rtol=1e-3, atol=1e-4)


def _loss(image: Tensor, text: Tensor, objects: Tensor, log_scale: Tensor) -> Tensor:
    image, text = (nn.functional.normalize(one, dim=1) for one in (image, text))
    scores = log_scale.exp() * image @ text.T
    right = objects[:, None] == objects[None, :]
    shares = right / right.sum(1, keepdim=True)
    texts, images = -(shares * scores.log_softmax(1)).sum(1), -(shares * scores.log_softmax(0)).sum(0)
    return (texts.mean() + images.mean()) / 2


_SHARES = "shares = right / right.sum(1, keepdim=True)"
_UNIT = "image, text = (nn.functional.normalize(one, dim=1) for one in (image, text))"
_TARGETS = "targets = same / same.sum(1, keepdim=True)"
_PICKED = "return (picked.sum(1) / right.sum(1)).mean() / 2"

CONTRASTIVE_LOSS = Exercise(
    id="contrastive-loss",
    unit="03-multimodal-models",
    points=2,
    title="Draw pairs together",
    functions=("contrastive_loss",),
    check=check_contrastive_loss,
    mistakes=CATALOGUE.mistakes,
    right=(
        right_program(),
        "def contrastive_loss(image, text, objects, log_scale):\n"
        "    normalize = nn.functional.normalize\n"
        "    scores = normalize(image) @ normalize(text).T * torch.exp(log_scale)\n"
        "    right = objects.unsqueeze(0) == objects.unsqueeze(1)\n"
        "    picked = -(scores.log_softmax(0) + scores.log_softmax(1)) * right\n"
        "    return (picked.sum(1) / right.sum(1)).mean() / 2\n",
        "def contrastive_loss(image, text, objects, log_scale):\n"
        "    a = torch.stack([row / row.square().sum().sqrt() for row in image])\n"
        "    b = torch.stack([row / row.square().sum().sqrt() for row in text])\n"
        "    scores = log_scale.exp() * torch.einsum('iw,jw->ij', a, b)\n"
        "    losses = []\n"
        "    for row, own in enumerate(objects):\n"
        "        right = objects == own\n"
        "        losses.append(scores[row].logsumexp(0) - scores[row][right].mean())\n"
        "        losses.append(scores[:, row].logsumexp(0) - scores[:, row][right].mean())\n"
        "    return torch.stack(losses).mean()\n",
    ),
    equivalent=(
        (
            f"{_UNIT} => {_UNIT.replace(', dim=1', '')}",
            "rows are what `normalize` makes 1 long when not told",
        ),
        *(
            (
                f"{_TARGETS} => targets = same / same.sum({other})",
                "rows of one object have equally many right answers",
            )
            for other in ("1", "0, keepdim=True", "1, keepdim=False")
        ),
        *(
            (
                f"{_SHARES} => shares = right / right.sum({other})",
                "rows of one object have equally many right answers",
            )
            for other in ("1", "0, keepdim=True", "1, keepdim=False")
        ),
        *(
            (f"{_PICKED} => {other}", "a table of who belongs together reads the same by rows and by columns")
            for other in (
                "return (picked.sum(0) / right.sum(1)).mean() / 2",
                "return (picked.sum(1) / right.sum(0)).mean() / 2",
            )
        ),
        *(
            (
                f"losses.append({line}) => losses.append({line.replace('logsumexp(0)', 'logsumexp(-1)')})",
                "the first axis of a vector is its last",
            )
            for line in (
                "scores[row].logsumexp(0) - scores[row][right].mean()",
                "scores[:, row].logsumexp(0) - scores[:, row][right].mean()",
            )
        ),
    ),
)
