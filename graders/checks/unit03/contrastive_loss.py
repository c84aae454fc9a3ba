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
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..reference import against_reference
from ..running import backward, call, numbers, quiet
from ..show import a_type

_CALL = "contrastive_loss(image, text, objects, log_scale)"
_SMALLER = 0.05  # by what part a loss is less where probabilities are cut off
_LARGEST = 100.0  # the scale that CLIP's training does not go beyond


def _program(
    image: str = "image / image.norm(dim=1, keepdim=True)",
    text: str = "text / text.norm(dim=1, keepdim=True)",
    scores: str = "log_scale.exp() * image @ text.T",
    shares: str = "right / right.sum(1, keepdim=True)",
    rows: str = "nn.functional.cross_entropy(scores, shares)",
    columns: str = "nn.functional.cross_entropy(scores.T, shares)",
    result: str = "(rows + columns) / 2",
) -> str:
    return (
        "def contrastive_loss(image, text, objects, log_scale):\n"
        f"    image, text = {image}, {text}\n"
        f"    scores = {scores}\n"
        "    right = (objects[:, None] == objects[None, :]).float()\n"
        f"    shares = {shares}\n"
        f"    rows = {rows}\n"
        f"    columns = {columns}\n"
        f"    return {result}\n"
    )


def _losses(each: str) -> dict[str, str]:
    """Both directions by another loss of scores, written for one."""
    return {"rows": each, "columns": each.replace("scores", "scores.T")}


_CATALOGUE = Catalogue(
    Mistake(
        "not-a-tensor",
        "`contrastive_loss` returned something that is no tensor, so no gradient can flow back from it.",
        ("Return the loss itself: leave out `.item()`, `float(...)` and `print`.",),
        _program(result="float((rows + columns) / 2)"),
    ),
    Mistake(
        "not-one-number",
        "This loss has an axis left. Training needs one number: the mean over all rows.",
        ("Which mean is still to be taken?",),
        _program(**_losses("nn.functional.cross_entropy(scores, shares, reduction='none')")),
    ),
    Mistake(
        "not-normalised",
        "The embeddings have their own lengths here, so a long one is similar to everything. Only the direction should count.",
        (
            "Divide each row by its length first.",
            "`x / x.norm(dim=1, keepdim=True)`, or `nn.functional.normalize`.",
        ),
        _program(image="image", text="text"),
    ),
    Mistake(
        "one-side-normalised",
        "Only the images are divided by their lengths here, or only the texts. A cosine takes both lengths out.",
        ("`image` and `text` both: each row 1 long.",),
        _program(text="text"),
    ),
    Mistake(
        "wrong-axis",
        "This makes each column of the embeddings 1 long. Each row, the embedding of one thing, should be.",
        ("Rows are the examples: the length is taken along axis 1.",),
        _program(image="image / image.norm(dim=0)", text="text / text.norm(dim=0)"),
    ),
    Mistake(
        "one-length-for-all",
        "This divides all embeddings by one number, the length of the whole table, so rows keep different lengths.",
        ("`norm` without `dim` is that of all numbers. Which axis belongs to one example?",),
        _program(image="image / image.norm()", text="text / text.norm()"),
    ),
    Mistake(
        "lengths-along-columns",
        "The lengths of the rows are a vector here, and dividing by it goes along the columns.",
        ("`norm(dim=1, keepdim=True)` has the shape to divide rows by.",),
        _program(image="image / image.norm(dim=1)", text="text / text.norm(dim=1)"),
    ),
    Mistake(
        "scale-left-out",
        "The scale has no effect here. Cosines lie between -1 and 1, so that a softmax of them can never be sure of anything.",
        ("Multiply the cosines with `log_scale.exp()`.",),
        _program(scores="image @ text.T"),
    ),
    Mistake(
        "scale-not-exponentiated",
        "This multiplies with `log_scale` itself. The scale is its exponential, which is above 0 whatever `log_scale` is.",
        ("`log_scale.exp()`.",),
        _program(scores="log_scale * image @ text.T"),
    ),
    Mistake(
        "scale-divided",
        "This divides by the scale. That is what one does with a temperature; the scale is 1 / temperature.",
        ("A larger scale makes scores larger.",),
        _program(scores="image @ text.T / log_scale.exp()"),
    ),
    Mistake(
        "images-only",
        "Here each image looks for its text, and no text for its image. The loss is the mean of both directions.",
        ("The table of scores read by columns is the other direction: `scores.T`.",),
        _program(result="rows"),
    ),
    Mistake(
        "texts-only",
        "Here each text looks for its image, and no image for its text. The loss is the mean of both directions.",
        ("The table of scores has images as rows and texts as columns. Which of the two is left out?",),
        _program(result="columns"),
    ),
    Mistake(
        "directions-added",
        "This adds the two directions up. Their mean was asked for.",
        ("Divide by 2.",),
        _program(result="rows + columns"),
    ),
    Mistake(
        "sum-instead-of-mean",
        "This adds the losses of the rows up. A larger batch would then make larger steps: take the mean.",
        ("Divide by the number of rows, in both directions.",),
        _program(**_losses("nn.functional.cross_entropy(scores, shares, reduction='sum')")),
    ),
    Mistake(
        "mean-of-the-table",
        "The mean is taken over all cells of the table here. Shares and logarithms of a row are added up first; the mean is over "
        "the rows.",
        ("`-(targets * scores.log_softmax(1)).sum(1).mean()`: the sum before the mean.",),
        _program(**_losses("-(shares * scores.log_softmax(1)).mean()")),
    ),
    Mistake(
        "sign-reversed",
        "This is the loss with the wrong sign: the logarithm of a probability is below 0, the loss above.",
        ("Cross-entropy is minus the mean logarithm.",),
        _program(result="-(rows + columns) / 2"),
    ),
    Mistake(
        "softmax-first",
        "These scores went through a softmax already. `cross_entropy` takes scores and does that itself.",
        ("Give it the cosines times the scale.",),
        _program(**_losses("nn.functional.cross_entropy(scores.softmax(1), shares)")),
    ),
    Mistake(
        "objects-as-columns",
        "`cross_entropy` takes `objects` for columns of the table of scores here. They are names of things, not places.",
        ("Which columns are right for a row? Compare `objects` with itself, as a table.",),
        _program(**_losses("nn.functional.cross_entropy(scores, objects)")),
    ),
    Mistake(
        "duplicates-are-wrong",
        "Only the diagonal counts as right here. Rows with the same number in `objects` show the same thing: this punishes "
        "answers that are right.",
        (
            "Which pairs belong together? Compare `objects` with itself, as a table.",
            "`cross_entropy` also takes a table of probabilities as its target.",
        ),
        _program(**_losses("nn.functional.cross_entropy(scores, torch.arange(len(scores)))")),
    ),
    Mistake(
        "duplicates-left-out",
        "Duplicates are taken out of the comparison here: neither right nor wrong. They are right answers, and share the target.",
        ("Give all right answers of a row the same share; the shares add up to 1.",),
        _program(
            scores="(log_scale.exp() * image @ text.T).masked_fill((objects[:, None] == objects) & "
            "~torch.eye(len(objects), dtype=torch.bool), float('-inf'))",
            **_losses("nn.functional.cross_entropy(scores, torch.arange(len(scores)))"),
        ),
    ),
    Mistake(
        "shares-too-large",
        "Each right answer counts 1 here, so that a row with three of them counts three times. The targets of a row add up to 1.",
        ("Divide each row of targets by the number of right answers in it.",),
        _program(shares="right"),
    ),
    Mistake(
        "divergence-instead",
        "This is the divergence of the targets (Kullback and Leibler). Cross-entropy is more by the entropy of the targets, "
        "which is not 0 where several answers are right.",
        ("`nn.functional.cross_entropy` takes the table of targets as it is.",),
        _program(**_losses("nn.functional.kl_div(scores.log_softmax(1), shares, reduction='batchmean')")),
    ),
    Mistake(
        "any-will-do",
        "This is the logarithm of the summed probability of the right answers: one that is found makes up for all others. "
        "Each of them should get its share.",
        ("The mean of the logarithms, not the logarithm of a sum: cross-entropy with a table of targets.",),
        _program(**_losses("-(scores.softmax(1) * right).sum(1).log().mean()")),
    ),
    Mistake(
        "no-gradient",
        "No gradient flows through this loss, so nothing could learn from it.",
        ("Leave out `torch.no_grad()`, `.detach()`, `.item()` and new tensors made of results.",),
        _program(result="((rows + columns) / 2).detach()"),
    ),
    Mistake(
        "embeddings-cut-off",
        "No gradient reaches the embeddings, `image` and `text`: only the scale could learn from this loss.",
        ("Normalise with gradients on: leave out `.detach()`, `.data` and `torch.no_grad()`.",),
        _program(
            image="nn.functional.normalize(image.detach())", text="nn.functional.normalize(text.detach())"
        ),
    ),
    Mistake(
        "scale-cut-off",
        "No gradient reaches `log_scale`, which is learned as well.",
        ("Use it as a tensor: `log_scale.exp()`, not `math.exp`, `.item()` or `float(...)`.",),
        _program(scores="log_scale.exp().item() * image @ text.T"),
    ),
    Mistake(
        "overflow",
        f"With a scale of {_LARGEST:.0f} this loss is infinite or NaN: `exp` of a large number overflows.",
        ("`cross_entropy` (or `log_softmax`) subtracts the largest score first; let it do that.",),
        _program(
            **_losses("-(shares * (scores.exp() / scores.exp().sum(1, keepdim=True)).log()).sum(1).mean()")
        ),
    ),
    Mistake(
        "surprise-cut-off",
        f"With a scale of {_LARGEST:.0f} this loss is too small: a probability that rounds to 0 was put up to a small number "
        "before its logarithm, and so no gradient tells how wrong it is.",
        ("`cross_entropy` (or `log_softmax`) needs no probability: it gives the logarithm itself.",),
        _program(**_losses("-(shares * scores.softmax(1).clamp(min=1e-9).log()).sum(1).mean()")),
    ),
)


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
            catalogue=_CATALOGUE,
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
        _CATALOGUE.fail("not-a-tensor")
    if found.dim():
        _CATALOGUE.fail("not-one-number")


def _check_gradients(function: Callable) -> None:
    source = numbers()
    for _ in range(3):
        drawn = _draw(source)
        own, expected = _followed(drawn), _followed(drawn)
        image, text, objects, log_scale = own
        # A model's output is no leaf: it may be changed in place.
        found = plain(call(function, image.clone(), text.clone(), objects, log_scale, what=_CALL))
        if not found.requires_grad:
            _CATALOGUE.fail("no-gradient")
        backward(found)
        _loss(*expected).backward()
        if own[0].grad is None and own[1].grad is None:
            _CATALOGUE.fail("embeddings-cut-off")
        if own[3].grad is None:
            _CATALOGUE.fail("scale-cut-off")
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
    given = (image, -image, torch.tensor(source.sample(range(50), 4)), torch.tensor(math.log(_LARGEST)))
    found = plain(call(function, *(one.clone() for one in given), what=_CALL))
    if not found.isfinite():
        _CATALOGUE.fail("overflow")
    if found < _loss(*given) * (1 - _SMALLER):
        _CATALOGUE.fail("surprise-cut-off")
    same(found.detach(), _loss(*given), f"The loss at a scale of {_LARGEST:.0f}", rtol=1e-3, atol=1e-4)


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
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
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
