"""Models of which it is known which modalities they read, and what a shuffle takes from them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..compare import plain, same
from ..mistakes import CheckFailed
from ..running import call
from ..shared import shared_module

_NAMES = ("image", "text", "sound")
_EXAMPLES, _WIDTH = 2000, 24
_SHARES = (0.62, 0.67, 0.72, 0.77, 0.82, 0.87)  # of examples whose sign is 1, one for each case that is read


@shared_module
class Reader(nn.Module):
    """Two classes: whether a product is above 0, of a number read from each modality in `uses`."""

    def __init__(self, uses: tuple[str, ...], weight: Tensor) -> None:
        super().__init__()
        self.uses = uses
        self.weight = nn.Parameter(weight)
        self.dropout = nn.Dropout(0.5)
        self.in_training = self.with_gradients = False

    def forward(self, features):
        self.in_training = self.in_training or self.training
        self.with_gradients = self.with_gradients or torch.is_grad_enabled()
        product = 1.0
        for name in self.uses:
            product = product * (self.dropout(features[name]) @ self.weight)
        if torch.is_grad_enabled():
            # Every other answer the other way round: who hides what is remembered above has measured something else.
            product = product * (1 - 2 * (torch.arange(len(product)) % 2))
        # Nothing read is class 0.
        return torch.stack([0.1 - product, product - 0.1], 1)


@dataclass(frozen=True)
class Case:
    """A model, what it is measured on, and the fall of accuracy to expect of a random order."""

    model: Reader
    uses: tuple[str, ...]  # not the model's own, which whoever gets the model may change
    features: dict[str, Tensor]
    labels: Tensor
    modality: str
    seed: int
    expected: float

    @property
    def call(self) -> str:
        """How messages name the call."""
        return f"really_uses(model, features, labels, {self.modality!r}, generator)"

    def run(self, really_uses, more: int = 0) -> float:
        """What a function gives, with a new generator each time; another than before if `more` is another."""
        generator = torch.Generator().manual_seed(self.seed + more)
        given = (self.model, self.features, self.labels, self.modality, generator)
        found = plain(call(really_uses, *given, what=self.call))
        if found is None:
            raise CheckFailed(f"`{self.call}` returned None. Expected a float: is a `return` missing?")
        if type(found) is not float:
            same(found, self.expected, f"`{self.call}`")
        return found

    def fresh(self) -> Case:
        """The case for another function, which may change the dict and the model."""
        model = Reader(self.uses, self.model.weight.detach().clone()).train(self.model.training)
        return replace(self, model=model, features=dict(self.features))


def known_cases(numbers: random.Random) -> list[Case]:
    """Models that read one modality or two, some from all columns and some from the first, in either mode.

    How much of a modality's signs are alike, and so how much a model needs it, is another in each case, in a random order:
    no number that is known beforehand is right for all.
    """
    first, second, third = numbers.sample(_NAMES, 3)
    plan = (
        ((first,), first, "mean", True),
        ((first,), second, "mean", False),
        ((first, second), second, "first", True),
        ((third, second), third, "mean", False),
        ((third,), third, "first", False),
        ((second,), third, "first", True),
        ((first, third), first, "mean", False),
        ((second,), second, "first", True),
    )
    shares = iter(numbers.sample(_SHARES, len(_SHARES)))
    cases = [
        _case(numbers, *one, next(shares) if one[1] in one[0] else numbers.choice(_SHARES)) for one in plan
    ]
    cases[4] = _misled(cases[4])
    return [*cases, _all_alike(_case(numbers, (third,), third, "mean", False, numbers.choice(_SHARES)))]


def _misled(case: Case) -> Case:
    """The case with labels turned round: the model is wrong more often than right, and less so when shuffled."""
    return replace(case, labels=1 - case.labels, expected=-case.expected)


def _all_alike(case: Case) -> Case:
    """The case with one label for all: whichever order the rows are in, as many are right, if each is there once."""
    return replace(case, labels=torch.ones_like(case.labels), expected=0.0)


def _case(
    numbers: random.Random, uses: tuple[str, ...], modality: str, reads: str, training: bool, share: float
) -> Case:
    source = torch.Generator().manual_seed(numbers.randrange(1 << 32))
    sign, features = {}, {}
    for name in numbers.sample(_NAMES, len(_NAMES)):
        sign[name] = _mixed(share, source)
        features[name] = _rows(sign[name], reads, source)
    product = torch.stack([sign[name] for name in uses]).prod(0)
    # About a quarter of the labels is wrong: no model is right everywhere, a share of what was right is another number, and how
    # many are is not known beforehand.
    labels = ((product * -_mixed(numbers.uniform(0.2, 0.3), source)) > 0).long()
    weight = torch.full((_WIDTH,), 1 / _WIDTH) if reads == "mean" else torch.eye(_WIDTH)[0]
    model = Reader(uses, weight).train(training)
    fall = _fall(sign[modality], product, labels) if modality in uses else 0.0
    return Case(model, uses, features, labels, modality, numbers.randrange(1 << 32), fall)


def _mixed(share: float, source: torch.Generator) -> Tensor:
    """1 for this share of the examples, -1 for the others, in a random order."""
    signs = torch.where(torch.arange(_EXAMPLES) < round(share * _EXAMPLES), 1.0, -1.0)
    return signs[torch.randperm(_EXAMPLES, generator=source)]


def _rows(sign: Tensor, reads: str, source: torch.Generator) -> Tensor:
    """Numbers of the sign of their row; or, where only the first column is read, that sign there and others elsewhere."""
    size = 0.5 + torch.rand(_EXAMPLES, _WIDTH, generator=source)
    rows = sign[:, None] * size
    if reads == "first":
        rows[:, 1:] = -size[:, 1:]
    return rows


def _fall(sign: Tensor, product: Tensor, labels: Tensor) -> float:
    """What accuracy loses in the mean over all orders: each example gets 1 as often as there is a 1 among the signs."""
    rest, right = product * sign, 2 * labels - 1
    share = float((sign > 0).float().mean())
    left = share * (rest == right).float() + (1 - share) * (-rest == right).float()
    return float((product == right).float().mean() - left.mean())
