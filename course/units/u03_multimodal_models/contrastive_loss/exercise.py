"""`contrastive_loss(image, text, objects, log_scale)` is the loss that draws pairs together, as CLIP's does.

`image` and `text` (examples, width) are embeddings whose rows belong to the same things; `objects`
(examples,) says to which, and all rows of the same object are right answers. Scores are the cosines of all
pairs times `exp(log_scale)`. The function returns the mean of two cross-entropies, of the text for each image
and of the image for each text, with targets spread evenly over the right answers: a tensor without axes that
gradients flow through.

After Radford et al., "Learning transferable visual models from natural language supervision" (2021), where
only the diagonal is right; several rows of one object after Khosla et al. (2020) and Yang et al. (2022).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from graders.checks.compare import same, to_builtin
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.running import backward, call, numbers, refuse_none
from graders.checks.show import a_type

from .embeddings import WORLD, draw

_CALL = "contrastive_loss(image, text, objects, log_scale)"
_LARGEST = 100.0  # the scale that CLIP's training does not go beyond
_SMALLER = 0.05  # by what fraction a loss is smaller where probabilities are cut off


MISTAKES = Catalogue(
    __package__,
    Mistake(
        "not-a-tensor",
        "`contrastive_loss` returned something that is not a tensor, so no gradient can flow back from it.",
        ("Return the loss itself: leave out `.item()`, `float(...)` and `print`.",),
    ),
    Mistake(
        "not-one-number",
        "This loss still has an axis. Training needs one number: the mean over all rows.",
        ("Which mean is still to be taken?",),
    ),
    Mistake(
        "not-normalised",
        "The embeddings keep their own lengths here, so a long one is similar to everything. Only the "
        "direction should count.",
        (
            "Divide each row by its length first.",
            "`x / x.norm(dim=1, keepdim=True)`, or `nn.functional.normalize`.",
        ),
    ),
    Mistake(
        "one-side-normalised",
        "Only the images are divided by their lengths here, or only the texts. A cosine takes out both "
        "lengths.",
        ("`image` and `text` both: each row should have length 1.",),
    ),
    Mistake(
        "wrong-axis",
        "This gives each column of the embeddings length 1. Each row, the embedding of one thing, should "
        "have it.",
        ("Rows are the examples: the length is taken along axis 1.",),
    ),
    Mistake(
        "one-length-for-all",
        "This divides all embeddings by one number, the length of the whole table, so the rows keep "
        "different lengths.",
        ("`norm` without `dim` is that of all numbers together. Which axis belongs to one example?",),
    ),
    Mistake(
        "lengths-along-columns",
        "The lengths of the rows are a vector here, and dividing by it goes along the columns.",
        ("`norm(dim=1, keepdim=True)` has the right shape for dividing rows.",),
    ),
    Mistake(
        "scale-left-out",
        "The scale has no effect here. Cosines lie between -1 and 1, so a softmax of them can never be sure "
        "of anything.",
        ("Multiply the cosines by `log_scale.exp()`.",),
    ),
    Mistake(
        "scale-not-exponentiated",
        "This multiplies by `log_scale` itself. The scale is its exponential, which is above 0 whatever "
        "`log_scale` is.",
        ("`log_scale.exp()`.",),
    ),
    Mistake(
        "scale-divided",
        "This divides by the scale. That is what one does with a temperature; the scale is 1 / temperature.",
        ("A larger scale makes the scores larger.",),
    ),
    Mistake(
        "images-only",
        "Here each image looks for its text, and no text looks for its image. The loss is the mean of both "
        "directions.",
        ("The table of scores read by columns is the other direction: `scores.T`.",),
    ),
    Mistake(
        "texts-only",
        "Here each text looks for its image, and no image looks for its text. The loss is the mean of both "
        "directions.",
        ("The table of scores has images as rows and texts as columns. Which of the two is left out?",),
    ),
    Mistake(
        "directions-added",
        "This adds the two directions up. Take their mean.",
        ("Divide by 2.",),
    ),
    Mistake(
        "sum-instead-of-mean",
        "This adds the losses of the rows up. A larger batch would then make larger steps: take the mean.",
        ("Divide by the number of rows, in both directions.",),
    ),
    Mistake(
        "mean-of-the-table",
        "Here the mean is taken over all cells of the table. Add shares times logarithms up within each row "
        "first, then take the mean over the rows.",
        ("`-(targets * scores.log_softmax(1)).sum(1).mean()`: the sum before the mean.",),
    ),
    Mistake(
        "sign-reversed",
        "This loss has the wrong sign: the logarithm of a probability is below 0, and the loss is above.",
        ("Cross-entropy is minus the mean logarithm.",),
    ),
    Mistake(
        "softmax-first",
        "These scores have been through a softmax already. `cross_entropy` takes scores and applies it "
        "itself.",
        ("Give it the cosines times the scale.",),
    ),
    Mistake(
        "objects-as-columns",
        "Here `cross_entropy` reads `objects` as columns of the table of scores. They identify things, not "
        "places.",
        ("Which columns are right for a row? Compare `objects` with itself, as a table.",),
    ),
    Mistake(
        "duplicates-are-wrong",
        "Only the diagonal counts as right here. Rows with the same number in `objects` show the same thing: "
        "this punishes answers that are right.",
        (
            "Which pairs belong together? Compare `objects` with itself, as a table.",
            "`cross_entropy` also takes a table of probabilities as its target.",
        ),
    ),
    Mistake(
        "duplicates-left-out",
        "Duplicates are taken out of the comparison here: they count neither as right nor as wrong. They are "
        "right answers, and share the target.",
        ("Give all right answers of a row the same share; the shares add up to 1.",),
    ),
    Mistake(
        "shares-too-large",
        "Each right answer counts 1 here, so a row with three of them counts three times. The targets of a "
        "row should add up to 1.",
        ("Divide each row of targets by the number of right answers in it.",),
    ),
    Mistake(
        "divergence-instead",
        "This is the divergence from the targets (Kullback and Leibler). Cross-entropy is larger by the "
        "entropy of the targets, which is not 0 where several answers are right.",
        ("`nn.functional.cross_entropy` takes the table of targets as it is.",),
    ),
    Mistake(
        "any-will-do",
        "This is the logarithm of the summed probability of the right answers: finding one makes up for all "
        "the others. Each of them should get its share.",
        ("The mean of the logarithms, not the logarithm of a sum: cross-entropy with a table of targets.",),
    ),
    Mistake(
        "no-gradient",
        "No gradient flows through this loss, so nothing could learn from it.",
        ("Leave out `torch.no_grad()`, `.detach()`, `.item()` and new tensors made from results.",),
    ),
    Mistake(
        "embeddings-cut-off",
        "No gradient reaches the embeddings, `image` and `text`: only the scale could learn from this loss.",
        ("Normalise with gradients on: leave out `.detach()`, `.data` and `torch.no_grad()`.",),
    ),
    Mistake(
        "scale-cut-off",
        "No gradient reaches `log_scale`, which is learned as well.",
        ("Use it as a tensor: `log_scale.exp()`, not `math.exp`, `.item()` or `float(...)`.",),
    ),
    Mistake(
        "overflow",
        "With a scale of 100 this loss is infinite or NaN: `exp` of a large number overflows.",
        ("`cross_entropy` (or `log_softmax`) subtracts the largest score first; let it do that.",),
    ),
    Mistake(
        "surprise-cut-off",
        "With a scale of 100 this loss is too small: a probability that rounds to 0 was replaced by a small "
        "number before its logarithm was taken, so no gradient tells how wrong it is.",
        ("`cross_entropy` (or `log_softmax`) needs no probabilities: it gives their logarithms directly.",),
    ),
)

EQUIVALENT = (
    (
        "image, text = (nn.functional.normalize(one, dim=1) for one in (image, text)) => image, text = "
        "(nn.functional.normalize(one) for one in (image, text))",
        "`normalize` works on rows by default",
    ),
    (
        "targets = same / same.sum(1, keepdim=True) => targets = same / same.sum(1)",
        "rows of one object have equally many right answers",
    ),
    (
        "targets = same / same.sum(1, keepdim=True) => targets = same / same.sum(0, keepdim=True)",
        "rows of one object have equally many right answers",
    ),
    (
        "targets = same / same.sum(1, keepdim=True) => targets = same / same.sum(1, keepdim=False)",
        "rows of one object have equally many right answers",
    ),
    (
        "shares = right / right.sum(1, keepdim=True) => shares = right / right.sum(1)",
        "rows of one object have equally many right answers",
    ),
    (
        "shares = right / right.sum(1, keepdim=True) => shares = right / right.sum(0, keepdim=True)",
        "rows of one object have equally many right answers",
    ),
    (
        "shares = right / right.sum(1, keepdim=True) => shares = right / right.sum(1, keepdim=False)",
        "rows of one object have equally many right answers",
    ),
    (
        "return (picked.sum(1) / right.sum(1)).mean() / 2 => return (picked.sum(0) / right.sum(1)).mean() / "
        "2",
        "a table of who belongs together reads the same by rows and by columns",
    ),
    (
        "return (picked.sum(1) / right.sum(1)).mean() / 2 => return (picked.sum(1) / right.sum(0)).mean() / "
        "2",
        "a table of who belongs together reads the same by rows and by columns",
    ),
    (
        "losses.append(scores[row].logsumexp(0) - scores[row][right].mean()) => "
        "losses.append(scores[row].logsumexp(-1) - scores[row][right].mean())",
        "the first axis of a vector is its last",
    ),
    (
        "losses.append(scores[:, row].logsumexp(0) - scores[:, row][right].mean()) => "
        "losses.append(scores[:, row].logsumexp(-1) - scores[:, row][right].mean())",
        "the first axis of a vector is its last",
    ),
)


def _as_in_the_lesson() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch of the lesson's pairs in its shared space."""
    image, text = torch.randn(128, 128), torch.randn(128, 128)
    return image, text, torch.randint(605, (128,)), torch.tensor(math.log(1 / 0.07))


@exercise(
    number=1,
    points=2,
    title="Draw pairs together",
    functions=("contrastive_loss",),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
    off_limits=("tlwidgets.train.contrastive",),
    lesson_calls=lambda: [("contrastive_loss", _as_in_the_lesson())],
)
def check_contrastive_loss(contrastive_loss) -> None:
    """Compare with a reference: losses without and with repeated objects, then gradients, then a large scale.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    _check_kind(contrastive_loss)
    for twins, edges in ((False, (_SMALL,)), (True, (_TWINS, draw(numbers(), examples=150)))):
        against_reference(
            contrastive_loss,
            _loss,
            partial(draw, twins=twins),
            name="contrastive_loss",
            edges=edges,
            world=WORLD,
            catalogue=MISTAKES,
            cases=18,
            gradients=False,  # they are compared below, where the mistakes in them have names
            rtol=1e-4,
            atol=1e-5,
        )
    _check_gradients(contrastive_loss)
    _check_large(contrastive_loss)


# Small enough to be shown in full: two objects, then the same one twice.
_PAIR = (torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
_SMALL = (*_PAIR, torch.tensor([5, 7]), torch.tensor(1.5))
_TWINS = (*_PAIR, torch.tensor([7, 7]), torch.tensor(0.5))


def _check_kind(function: Callable) -> None:
    try:
        found = call(function, *(one.clone() for one in _SMALL), what=_CALL)
    except CheckFailed as failed:
        if failed.__cause__ is None:
            raise
        return  # it will raise again below, where its mistake may be recognised
    refuse_none(found, _CALL, "one tensor")
    if isinstance(found, (tuple, list)):
        raise CheckFailed(
            f"`contrastive_loss` returned {a_type(found)}. Expected one tensor: `return` the mean of both "
            "directions."
        )
    if not isinstance(found, Tensor):
        MISTAKES.fail("not-a-tensor")
    if found.dim():
        MISTAKES.fail("not-one-number")


def _check_gradients(function: Callable) -> None:
    source = numbers()
    for case in [{}, {}, *WORLD.draw(source, 6)]:
        drawn = draw(source, **case)
        own, expected = _followed(drawn), _followed(drawn)
        image, text, objects, log_scale = own
        # A model's output is not a leaf: it may be changed in place.
        found = to_builtin(call(function, image.clone(), text.clone(), objects, log_scale, what=_CALL))
        if not found.requires_grad:
            MISTAKES.fail("no-gradient")
        backward(found)
        _loss(*expected).backward()
        if own[0].grad is None and own[1].grad is None:
            MISTAKES.fail("embeddings-cut-off")
        if own[3].grad is None:
            MISTAKES.fail("scale-cut-off")
        for place, name in ((0, "image"), (1, "text"), (3, "log_scale")):
            what = f"The gradient that reaches `{name}`"
            if own[place].grad is None:
                raise CheckFailed(f"{what} is None, and one was expected: it is cut off on the way.")
            same(own[place].grad, expected[place].grad, what, rtol=1e-3, atol=1e-5)


def _followed(drawn: tuple[Tensor, ...]) -> list[Tensor]:
    return [one.clone().requires_grad_(one.is_floating_point()) for one in drawn]


def _check_large(function: Callable) -> None:
    source = numbers()
    # Four directions, two of them opposite to the others. Each image's own text lies opposite, another one
    # lies as it does: cosines of -1 and 1, probabilities that round to 0, and exponentials that overflow.
    image = torch.cat([torch.eye(2), -torch.eye(2)]) * torch.tensor(
        [[source.uniform(0.5, 4.0)] for _ in range(4)]
    )
    given = (image, -image, torch.tensor(source.sample(range(50), 4)), torch.tensor(math.log(_LARGEST)))
    expected = _loss(*given)
    found = to_builtin(call(function, *(one.clone() for one in given), what=_CALL))
    if not found.isfinite():
        MISTAKES.fail("overflow")
    if found < expected * (1 - _SMALLER):
        MISTAKES.fail("surprise-cut-off")
    same(found.detach(), expected, f"The loss at a scale of {_LARGEST:.0f}", rtol=1e-3, atol=1e-4)


def _loss(image: Tensor, text: Tensor, objects: Tensor, log_scale: Tensor) -> Tensor:
    image, text = (nn.functional.normalize(one, dim=1) for one in (image, text))
    scores = log_scale.exp() * image @ text.T
    right = objects[:, None] == objects[None, :]
    shares = right / right.sum(1, keepdim=True)
    texts, images = -(shares * scores.log_softmax(1)).sum(1), -(shares * scores.log_softmax(0)).sum(0)
    return (texts.mean() + images.mean()) / 2
