"""`next_token_loss(logits, input_ids, attention_mask)` is the loss that a language model learns from.

`logits` (texts, tokens, vocabulary) hold at each place the scores for the token after it. `input_ids` and
`attention_mask` are (texts, tokens); the mask is 1 at tokens and 0 at padding, which comes last. The function
returns the mean cross-entropy over all predicted tokens except padding: a tensor without axes.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor, nn

from graders.checks.compare import same, to_builtin
from graders.checks.mistakes import Catalogue, Mistake
from graders.checks.reference import against_reference
from graders.checks.registry import exercise
from graders.checks.running import ArgumentsChanged, backward, call, numbers, refuse_none
from graders.checks.worlds import World, reals, sizes

_CALL = "next_token_loss(logits, input_ids, attention_mask)"
_APART = 1e-2  # relative: the losses of two mistakes differ by more, so neither gets the other's name
PADDING = 0  # the token that pads; it stands inside texts, too
_LENGTHS = range(2, 9)

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "not-a-tensor",
        "`next_token_loss` returned something that is not a tensor, so no gradient can flow back from it.",
        ("Return the loss itself: leave out `.item()`, `float(...)` and `print`.",),
    ),
    Mistake(
        "not-one-number",
        "This loss still has an axis. Training needs one number: the mean over all predicted tokens.",
        ("Which mean is still to be taken?",),
    ),
    Mistake(
        "no-shift",
        "This compares the scores at each place with the token at that same place. The model has just read "
        "that one: the scores are for the token after it.",
        (
            "The last scores have no token to predict, and nothing predicts the first token: drop one of "
            "each.",
        ),
    ),
    Mistake(
        "tokens-shifted-alone",
        "The tokens lost their first place, and so did the scores: both still stand at the same place. The "
        "scores are for the token after it.",
        ("The scores lose their last place: `logits[:, :-1]`.",),
    ),
    Mistake(
        "shifted-backwards",
        "This compares the scores at each place with the token before it. They are for the token after it.",
        ("The scores lose their last place, the tokens their first.",),
    ),
    Mistake(
        "padding-counts",
        "This mean includes padding. It was added to make the texts equally long, and there is nothing to "
        "learn from it.",
        ("`attention_mask` is 0 where there is padding.",),
    ),
    Mistake(
        "padding-divides",
        "Padding adds nothing to this sum, but the sum is divided by the number of all places, padding "
        "included.",
        ("Divide by the number of tokens that were added up.",),
    ),
    Mistake(
        "first-tokens-divide",
        "The sum is right, but it is divided by the number of all tokens. Nothing predicts the first token "
        "of a text, so it is not among those that were added up.",
        ("Divide by the number of ones in `attention_mask[:, 1:]`.",),
    ),
    Mistake(
        "mask-not-shifted",
        "The mask is not shifted along with the tokens: the first place of padding after each text counts.",
        ("A loss belongs to the token that is predicted: take the mask at the place of that token.",),
    ),
    Mistake(
        "padding-by-id",
        "This leaves out every token that has the same number as padding. Some of them are real: many "
        "tokenizers, ours among them, pad with the token that ends a text.",
        ("Tell padding by `attention_mask`, not by the tokens' numbers.",),
    ),
    Mistake(
        "mean-of-texts",
        "This takes the mean of each text, then the mean of those: a token in a short text counts more than "
        "one in a long text.",
        ("One sum over all tokens, one division by their number.",),
    ),
    Mistake(
        "sum-instead-of-mean",
        "This adds the losses up. A larger batch would then make larger steps: take the mean.",
        ("Divide by the number of predicted tokens.",),
    ),
    Mistake(
        "sign-reversed",
        "This loss has the wrong sign: the logarithm of a probability is below 0, and the loss is above.",
        ("Cross-entropy is minus the mean logarithm.",),
    ),
    Mistake(
        "softmax-twice",
        "This gives probabilities to the cross-entropy, which expects scores and applies softmax itself.",
        ("Leave the softmax out.",),
    ),
    Mistake(
        "overflow",
        "With large scores this loss is infinite or NaN: `exp` of a large number overflows.",
        ("`cross_entropy` (or `log_softmax`) subtracts the largest score first; let it do that.",),
    ),
    Mistake(
        "surprise-cut-off",
        "With large scores this loss stops growing: a probability that rounds to 0 was replaced by a small "
        "number before its logarithm was taken, so no gradient tells the model how wrong it is.",
        ("`cross_entropy` (or `log_softmax`) needs no probabilities: it gives their logarithms directly.",),
    ),
    Mistake(
        "no-gradient",
        "No gradient flows through this loss, so no model could learn from it.",
        ("Leave out `torch.no_grad()`, `.detach()`, `.item()` and new tensors made from results.",),
    ),
    Mistake(
        "changed-what-it-was-given",
        "This writes into the tensors that it was given, so whoever uses the tokens afterwards finds others.",
        ("`masked_fill` makes a new tensor; `input_ids[...] = -100` changes the old one.",),
    ),
)

EQUIVALENT = (
    (
        "losses = nn.functional.cross_entropy(scores.transpose(1, 2), targets, reduction='none') => losses = "
        "nn.functional.cross_entropy(scores.transpose(2, 1), targets, reduction='none')",
        "a transposition has no order",
    ),
    (
        "chances = logits[:, :-1].log_softmax(-1) => chances = logits[:, :].log_softmax(-1)",
        "`gather` reads no further than its indices reach",
    ),
)


@exercise(
    number=1,
    points=2,
    title="The loss of the next token",
    functions=("next_token_loss",),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
    off_limits=("tlwidgets.train.language",),
    narrow=(("what becomes of logits", "a model has just made them, and nothing reads them again"),),
)
def check_next_token_loss(next_token_loss) -> None:
    """Compare losses of random texts with a reference, and with what known mistakes give.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    draw = numbers()
    for texts, scale in ((3, 1.0), (2, 1.0), (3, 1000.0)):
        _check(next_token_loss, *_texts(draw, texts, scale), scale)
    _check(next_token_loss, *_texts(draw, 2, alike=True), 1.0)
    # No mistake is recognised by its gradient, so these texts need not tell mistakes apart.
    _check_gradient(next_token_loss, *_random_texts(draw, draw.sample(_LENGTHS, 3)))
    against_reference(
        next_token_loss,
        _reference,
        _draw,
        name="next_token_loss",
        world=_WORLD,
        cases=16,
        catalogue=MISTAKES,
        may_change=[0],
        rtol=1e-4,
    )


# As large as the lesson's: texts of up to 24 tokens, over a vocabulary of 49,152.
_WORLD = World(
    texts=sizes(1, 40),
    tokens=sizes(2, 160),
    vocabulary=sizes(2, 80_000),
    scale=reals(0.01, 1000),
    apart=reals(0.01, 300),
    fits=lambda texts, tokens, vocabulary, **_: texts * tokens * vocabulary < 400_000,
)


def _draw(
    draw: random.Random, texts: int, tokens: int, vocabulary: int, scale: float, apart: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Texts of any lengths, padded with some token; at some places all scores are far above or below."""
    while True:
        lengths = [1 + int(tokens * draw.random() ** draw.choice((0, 0.5, 2))) for _ in range(texts)]
        lengths = [min(length, tokens) for length in lengths]
        lengths[draw.randrange(texts)] = tokens
        mask = (torch.arange(tokens) < torch.tensor(lengths)[:, None]).long()
        padding = draw.randrange(vocabulary)
        ids = torch.randint(vocabulary, mask.shape)
        ends = torch.rand(mask.shape) < draw.choice((0.0, 0.2))  # the token that pads stands in texts, too
        ids = ids.masked_fill(ends | (mask == 0), padding)
        logits = scale * torch.randn(*mask.shape, vocabulary) + apart * torch.randn(*mask.shape, 1)
        # A loss close to 0, of scores that are far from it, is mostly rounding.
        if _reference(logits, ids, mask) > 3e-3 * logits.abs().max():
            return logits, ids, mask
        apart /= 2


def _texts(
    draw: random.Random, texts: int, scale: float = 1.0, alike: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Random texts, all of one length or all of different ones, on which no two mistakes coincide."""
    while True:
        lengths = [draw.choice(_LENGTHS[1:])] * texts if alike else draw.sample(_LENGTHS, texts)
        made = _random_texts(draw, lengths, scale)
        if _all_apart(*made):
            return made


def _all_apart(*texts: Tensor) -> bool:
    """Whether every wrong loss is clearly different from the right one and from the other wrong ones."""
    expected = _reference(*texts)
    wrong = [
        value for value in _mistaken(*texts).values() if not torch.isclose(value, expected, rtol=1e-6, atol=0)
    ]
    losses = torch.stack([expected, *wrong]).sort().values
    return bool((losses.diff() > _APART * losses[1:].abs()).all())


def _random_texts(
    draw: random.Random, lengths: list[int], scale: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Texts with the padding token as a real one: the first text at its end, others anywhere but first.

    Only the mask tells which places are padding.
    """
    longest, vocabulary = max(lengths), 9
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(1, vocabulary, mask.shape)
    for row, length in enumerate(lengths):
        ids[row, draw.randrange(1, length) if row else length - 1] = PADDING
    logits = scale * torch.randn(*mask.shape, vocabulary)
    return logits, ids * mask, mask


def _check(function: Callable, logits: Tensor, ids: Tensor, mask: Tensor, scale: float) -> None:
    found = _called(function, logits.clone(), ids, mask)
    refuse_none(found, _CALL, "the loss")
    if not isinstance(found, Tensor):
        MISTAKES.fail("not-a-tensor")
    if found.dim():
        MISTAKES.fail("not-one-number")
    if scale > 1 and not torch.isfinite(found):
        MISTAKES.fail("overflow")
    expected = _reference(logits, ids, mask)
    for name, value in _mistaken(logits, ids, mask).items():
        if _close(found, value) and not _close(value, expected):
            MISTAKES.fail(name)
    if scale > 1 and found < expected / 10:
        MISTAKES.fail("surprise-cut-off")
    same(found.detach(), expected, "The loss", rtol=1e-4)


def _called(function: Callable, logits: Tensor, ids: Tensor, mask: Tensor):
    try:
        # The logits are the function's to change: a model has made them for this one loss.
        return to_builtin(call(function, logits, ids.clone(), mask.clone(), what=_CALL, may_change=[0]))
    except ArgumentsChanged:
        MISTAKES.fail("changed-what-it-was-given")


def _close(found: Tensor, value: Tensor) -> bool:
    return found.dtype == value.dtype and bool(torch.isclose(found, value, rtol=1e-4))


def _check_gradient(function: Callable, logits: Tensor, ids: Tensor, mask: Tensor) -> None:
    own, expected = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    # A model's output is not a leaf: it may be changed in place.
    found = _called(function, own.clone(), ids, mask)
    if not found.requires_grad:
        MISTAKES.fail("no-gradient")
    backward(found)
    _reference(expected, ids, mask).backward()
    if own.grad is None:
        MISTAKES.fail("no-gradient")
    same(own.grad, expected.grad, "The gradient that reaches `logits`", rtol=1e-3)


def _losses(scores: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(scores.transpose(1, 2), targets, reduction="none")


def _reference(logits: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    return _losses(logits[:, :-1], ids[:, 1:])[mask[:, 1:] != 0].mean()


def _mistaken(logits: Tensor, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
    losses, targets, keep = _losses(logits[:, :-1], ids[:, 1:]), ids[:, 1:], mask[:, 1:] != 0
    return {
        "no-shift": _losses(logits, ids)[mask != 0].mean(),
        "tokens-shifted-alone": _losses(logits[:, 1:], targets)[keep].mean(),
        "shifted-backwards": _losses(logits[:, 1:], ids[:, :-1])[mask[:, :-1] != 0].mean(),
        "padding-counts": losses.mean(),
        "padding-divides": (losses * keep).mean(),
        "first-tokens-divide": (losses * keep).sum() / mask.sum(),
        "mask-not-shifted": losses[mask[:, :-1] != 0].mean(),
        "padding-by-id": losses[targets != PADDING].mean(),
        "mean-of-texts": ((losses * keep).sum(1) / keep.sum(1)).mean(),
        "sum-instead-of-mean": losses[keep].sum(),
        "sign-reversed": -losses[keep].mean(),
        "softmax-twice": _losses(logits[:, :-1].softmax(-1), targets)[keep].mean(),
    }
