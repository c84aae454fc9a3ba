"""Exercise 1: `next_token_loss(logits, input_ids, attention_mask)` is the loss that a language model learns from.

`logits` (texts, tokens, vocabulary) at a place are scores for the token after it; `input_ids` and `attention_mask`
(texts, tokens), the mask 1 at tokens and 0 at padding, which comes last. The function returns the mean cross-entropy over
all predicted tokens that are no padding: a tensor without axes.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..compare import plain, same
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import backward, call, numbers, quiet

_CALL = "next_token_loss(logits, input_ids, attention_mask)"
_APART = 1e-2  # relative: what two mistakes give differs by more, so that none gets another's name
PADDING = 0  # the token that pads; it stands inside texts, too
_LENGTHS = range(2, 9)


def _program(
    scores: str = "logits[:, :-1]",
    targets: str = "input_ids[:, 1:]",
    keep: str = "attention_mask[:, 1:] != 0",
    losses: str = "nn.functional.cross_entropy(scores.transpose(1, 2), targets, reduction='none')",
    result: str = "losses[keep].mean()",
) -> str:
    return (
        "def next_token_loss(logits, input_ids, attention_mask):\n"
        f"    scores, targets, keep = {scores}, {targets}, {keep}\n"
        f"    losses = {losses}\n"
        f"    return {result}\n"
    )


_CATALOGUE = Catalogue(
    Mistake(
        "not-a-tensor",
        "`next_token_loss` returned something that is no tensor, so no gradient can flow back from it.",
        ("Return the loss itself: leave out `.item()`, `float(...)` and `print`.",),
        _program(result="float(losses[keep].mean())"),
    ),
    Mistake(
        "not-one-number",
        "This loss has an axis left. Training needs one number: the mean over all predicted tokens.",
        ("Which mean is still to be taken?",),
        _program(result="losses"),
    ),
    Mistake(
        "no-shift",
        "This compares the scores at each place with the token at that same place. The model has just read that one: the "
        "scores are for the token after it.",
        (
            "The last scores have no token to foresee, and the first token is foreseen by none: drop one of each.",
        ),
        _program("logits", "input_ids", "attention_mask != 0"),
    ),
    Mistake(
        "tokens-shifted-alone",
        "The tokens lost their first place, and the scores theirs, too: both still stand at the same place. The scores are for "
        "the token after it.",
        ("Scores lose their last place: `logits[:, :-1]`.",),
        _program("logits[:, 1:]"),
    ),
    Mistake(
        "shifted-backwards",
        "This compares the scores at each place with the token before it. They are for the token after it.",
        ("Scores lose their last place, tokens their first.",),
        _program("logits[:, 1:]", "input_ids[:, :-1]", "attention_mask[:, :-1] != 0"),
    ),
    Mistake(
        "padding-counts",
        "Padding counts in this mean. It was added to make the texts equally long, and is nothing to learn.",
        ("`attention_mask` is 0 where there is padding.",),
        _program(result="losses.mean()"),
    ),
    Mistake(
        "padding-divides",
        "Padding adds nothing to this sum, but the sum is divided by all places, padding included.",
        ("Divide by the number of tokens that were added up.",),
        _program(result="(losses * keep).mean()"),
    ),
    Mistake(
        "first-tokens-divide",
        "The sum is right, but it is divided by the number of all tokens. The first token of each text is foreseen by none, so "
        "it is not among those that were added up.",
        ("Divide by the number of ones in `attention_mask[:, 1:]`.",),
        _program(result="(losses * keep).sum() / attention_mask.sum()"),
    ),
    Mistake(
        "mask-not-shifted",
        "The mask is not shifted along with the tokens: the first place of padding after each text counts.",
        ("A loss belongs to the token that is foreseen: take the mask at the place of that token.",),
        _program(keep="attention_mask[:, :-1] != 0"),
    ),
    Mistake(
        "padding-by-id",
        "This leaves out every token that has the same number as padding. Some of them are real: many tokenizers, ours among "
        "them, pad with the token that ends a text.",
        ("Use `attention_mask`, not the tokens' numbers, to tell what is padding.",),
        _program(keep=f"input_ids[:, 1:] != {PADDING}"),
    ),
    Mistake(
        "mean-of-texts",
        "This takes the mean of each text, then the mean of those: a token in a short text counts more than one in a long text.",
        ("One sum over all tokens, one division by their number.",),
        _program(result="((losses * keep).sum(1) / keep.sum(1)).mean()"),
    ),
    Mistake(
        "sum-instead-of-mean",
        "This adds the losses up. A larger batch would then make larger steps: take the mean.",
        ("Divide by the number of predicted tokens.",),
        _program(result="losses[keep].sum()"),
    ),
    Mistake(
        "sign-reversed",
        "This is the loss with the wrong sign: the logarithm of a probability is below 0, the loss above.",
        ("Cross-entropy is minus the mean logarithm.",),
        _program(result="-losses[keep].mean()"),
    ),
    Mistake(
        "softmax-twice",
        "This gives probabilities to the cross-entropy, which expects scores and applies softmax itself.",
        ("Leave the softmax out.",),
        _program(scores="logits[:, :-1].softmax(-1)"),
    ),
    Mistake(
        "overflow",
        "With large scores this loss is infinite or NaN: `exp` of a large number overflows.",
        ("`cross_entropy` (or `log_softmax`) subtracts the largest score first; let it do that.",),
        _program(
            losses="-(scores.exp() / scores.exp().sum(-1, keepdim=True)).log().gather(2, targets[..., None])[..., 0]"
        ),
    ),
    Mistake(
        "surprise-cut-off",
        "With large scores this loss stops growing: a probability that rounds to 0 was put up to a small number before its "
        "logarithm, and so no gradient tells the model how wrong it is.",
        ("`cross_entropy` (or `log_softmax`) needs no probability: it gives the logarithm itself.",),
        _program(
            losses="-scores.softmax(-1).clamp(min=1e-9).gather(2, targets[..., None])[..., 0].log()",
        ),
    ),
    Mistake(
        "no-gradient",
        "No gradient flows through this loss, so no model could learn from it.",
        ("Leave out `torch.no_grad()`, `.detach()`, `.item()` and new tensors made of results.",),
        _program(result="losses[keep].mean().detach()"),
    ),
)


@quiet
def check_next_token_loss(next_token_loss) -> None:
    """Compare losses of random texts with a reference, and with what known mistakes give.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    draw = numbers()
    for texts, scale in ((3, 1.0), (2, 1.0), (3, 1000.0)):
        _check(next_token_loss, *_texts(draw, texts, scale), scale)
    _check(next_token_loss, *_texts(draw, 2, alike=True), 1.0)
    # No mistake is told by its gradient: those texts need not tell them apart.
    _check_gradient(next_token_loss, *_random_texts(draw, draw.sample(_LENGTHS, 3)))


def _texts(
    draw: random.Random, texts: int, scale: float = 1.0, alike: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Random texts, all as long or none as long as another, of which no two mistakes give the same loss by chance."""
    while True:
        lengths = [draw.choice(_LENGTHS[1:])] * texts if alike else draw.sample(_LENGTHS, texts)
        made = _random_texts(draw, lengths, scale)
        if _all_apart(*made):
            return made


def _all_apart(*texts: Tensor) -> bool:
    """Whether what differs from the right loss differs from it, and from what other mistakes give, by more than a little."""
    expected = _reference(*texts)
    wrong = [
        value for value in _mistaken(*texts).values() if not torch.isclose(value, expected, rtol=1e-6, atol=0)
    ]
    losses = torch.stack([expected, *wrong]).sort().values
    return bool((losses.diff() > _APART * losses[1:].abs()).all())


def _random_texts(
    draw: random.Random, lengths: list[int], scale: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Each has the token that pads somewhere after its first place, the first one at its end.

    Which places are padding is told by nothing but the mask.
    """
    longest, vocabulary = max(lengths), 9
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(1, vocabulary, mask.shape)
    for row, length in enumerate(lengths):
        ids[row, draw.randrange(1, length) if row else length - 1] = PADDING
    logits = scale * torch.randn(*mask.shape, vocabulary)
    return logits, ids * mask, mask


def _check(function: Callable, logits: Tensor, ids: Tensor, mask: Tensor, scale: float) -> None:
    arguments = (logits.clone(), ids.clone(), mask.clone())
    found = plain(call(function, *arguments, what=_CALL))
    if found is None:
        raise CheckFailed("`next_token_loss` returned None. Expected the loss: is a `return` missing?")
    if not isinstance(found, Tensor):
        _CATALOGUE.fail("not-a-tensor")
    if found.dim():
        _CATALOGUE.fail("not-one-number")
    if scale > 1 and not torch.isfinite(found):
        _CATALOGUE.fail("overflow")
    expected = _reference(logits, ids, mask)
    for name, value in _mistaken(logits, ids, mask).items():
        if _close(found, value) and not _close(value, expected):
            _CATALOGUE.fail(name)
    if scale > 1 and found < expected / 10:
        _CATALOGUE.fail("surprise-cut-off")
    same(found.detach(), expected, "The loss", rtol=1e-4)


def _close(found: Tensor, value: Tensor) -> bool:
    return found.dtype == value.dtype and bool(torch.isclose(found, value, rtol=1e-4))


def _check_gradient(function: Callable, logits: Tensor, ids: Tensor, mask: Tensor) -> None:
    own, expected = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    # A model's output is no leaf: it may be changed in place.
    arguments = (own.clone(), ids.clone(), mask.clone())
    found = plain(call(function, *arguments, what=_CALL))
    if not found.requires_grad:
        _CATALOGUE.fail("no-gradient")
    backward(found)
    _reference(expected, ids, mask).backward()
    if own.grad is None:
        _CATALOGUE.fail("no-gradient")
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


NEXT_TOKEN_LOSS = Exercise(
    id="next-token-loss",
    unit="00-where-we-left-off",
    points=2,
    title="The loss of the next token",
    functions=("next_token_loss",),
    check=check_next_token_loss,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
        "def next_token_loss(logits, input_ids, attention_mask):\n"
        "    labels = input_ids.masked_fill(attention_mask == 0, -100)\n"
        "    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())\n",
        "def next_token_loss(logits, input_ids, attention_mask):\n"
        "    chances = logits[:, :-1].log_softmax(-1)\n"
        "    keep = attention_mask[:, 1:].float()\n"
        "    picked = chances.gather(-1, input_ids[:, 1:].unsqueeze(-1)).squeeze(-1)\n"
        "    return -(picked * keep).sum() / keep.sum()\n",
    ),
    equivalent=(
        (
            "losses = nn.functional.cross_entropy(scores.transpose(1, 2), targets, reduction='none') => "
            "losses = nn.functional.cross_entropy(scores.transpose(2, 1), targets, reduction='none')",
            "a transposition has no order",
        ),
        (
            "chances = logits[:, :-1].log_softmax(-1) => chances = logits[:, :].log_softmax(-1)",
            "`gather` reads no further than its indices reach",
        ),
    ),
)
