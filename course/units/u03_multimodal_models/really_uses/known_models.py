"""Models that are known to read certain modalities, and how much accuracy a shuffle costs them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from graders.checks.compare import same, to_builtin
from graders.checks.models import add_extra_parts
from graders.checks.running import call, refuse_none
from graders.checks.shared import shared_module
from graders.checks.worlds import names, sizes

from .records import Record

_NAMES = names("image", "text", "sound", "voice")
_EXAMPLES, _CLASSES = (2001, 3000), (2, 9)
# Fewer examples, of larger rows: as large as the lesson's, and larger.
_FEW, _AXES, _MODALITIES, _PARTS = sizes(60, 400), (sizes(1, 700), sizes(1, 12), sizes(1, 6)), sizes(2, 5), 5
_WIDER = (600, 900)  # than the lesson's rows, of one case
_LARGEST = 400_000  # numbers of a modality
_WIDE = 5
_SIZES = ((24,), (3, 8), (40,), (2, 3, 5), (7,), (5, 12))  # of one example of a modality
# Of examples whose digit is 0; a different one for each case that is read.
_SHARES = (0.5, 0.56, 0.62, 0.68, 0.74, 0.8)


@shared_module
class Reader(nn.Module):
    """Reads a digit from each modality in `uses`; the class is their sum, modulo the number of classes.

    It keeps which rows it was given, so that whoever has the rows knows in which order they came.
    """

    def __init__(self, names: tuple[str, ...], uses: tuple[str, ...], classes: int, weight: Tensor) -> None:
        super().__init__()
        self.names, self.uses, self.classes = names, uses, classes
        self.weight = nn.Parameter(weight)
        self.dropout = nn.Dropout(0.5)
        source = torch.Generator().manual_seed(weight.numel())
        self.register_buffer("keys", torch.randint(1 << 60, (weight.numel(),), generator=source))
        self.in_training = self.with_gradients = False
        self.record = b""

    def forward(self, features):
        first = self.__dict__.get("_first", self)  # what a copy is given is kept as if the first had got it
        first.in_training = first.in_training or any(part.training for part in self.modules())
        first.with_gradients = first.with_gradients or torch.is_grad_enabled()
        given = [features[name].detach().float().contiguous().flatten(1) for name in self.names]
        rows = [(one.view(torch.int32).long() * self.keys).sum(1) for one in given]  # exact, however batched
        first.record = first.record + torch.stack(rows, 1).numpy().tobytes()
        digits = [
            (self.dropout(features[name]) * self.weight).flatten(1).sum(1).round() for name in self.uses
        ]
        total = torch.stack(digits).sum(0)
        if torch.is_grad_enabled():
            # Every other answer is another one: hiding the marks above is no use, as the accuracy is wrong.
            total = total + torch.arange(len(total)) % 2
        away = (total[:, None] - torch.arange(self.classes)).remainder(self.classes)
        return -torch.minimum(away, self.classes - away)

    def __deepcopy__(self, memo):
        import copy

        twin = memo[id(self)] = nn.Module.__new__(type(self))
        own = {name: value for name, value in self.__dict__.items() if name != "_first"}
        twin.__dict__.update(copy.deepcopy(own, memo))
        twin.__dict__["_first"] = self.__dict__.get("_first", self)
        return twin


@dataclass(frozen=True)
class Case:
    """A model, what it is measured on, and the fall of accuracy to expect from a random order."""

    model: Reader
    uses: tuple[str, ...]  # not the model's own, which the student's function may change
    features: dict[str, Tensor]
    labels: Tensor
    modality: str
    seed: int
    digits: dict[str, Tensor] = field(repr=False)  # of each modality's rows
    rows: dict[str, Tensor] = field(repr=False)  # by which the model's record names them

    @property
    def call(self) -> str:
        """How messages name the call."""
        return f"really_uses(model, features, labels, {self.modality!r}, generator)"

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.model.classes

    def predictions(self, order: Tensor | None = None) -> Tensor:
        """The class of each example, with the modality's rows in this order."""
        digits = dict(self.digits)
        if order is not None:
            digits[self.modality] = digits[self.modality][order]
        return torch.stack([digits[name] for name in self.uses]).sum(0) % self.classes

    def fall(self, order: Tensor) -> float:
        """How much accuracy falls in this order."""
        right, still = (self.predictions(each) == self.labels for each in (None, order))
        return (int(right.sum()) - int(still.sum())) / len(self.labels)

    @property
    def expected(self) -> float:
        """The mean fall over all orders; exactly 0 where each costs nothing."""
        if self.modality not in self.uses or len(self.labels.unique()) == 1:
            return 0.0
        own, now = self.digits[self.modality], self.predictions()
        share = torch.bincount(own, minlength=self.classes) / len(own)
        left = sum(
            share[digit] * ((now - own + digit) % self.classes == self.labels).float()
            for digit in range(self.classes)
        )
        return float((now == self.labels).float().mean() - torch.as_tensor(left).mean())

    def run(self, really_uses, more: int = 0) -> float:
        """What a function returns, with a new generator each time; `more` changes its seed."""
        self.model.record = b""
        generator = torch.Generator().manual_seed(self.seed + more)
        given = (self.model, self.features, self.labels, self.modality, generator)
        found = to_builtin(call(really_uses, *given, what=self.call, may_change=True))
        refuse_none(found, self.call, "a float")
        if type(found) is not float:
            same(found, self.expected, f"`{self.call}`")
        return found

    def record(self) -> Record:
        """In which order the model got the modality's rows in the last run."""
        return Record(self.model.record, self.rows, self.modality)

    def fresh(self) -> Case:
        """A copy of the case for another function, which may change the dict and the model."""
        names = tuple(self.features)
        model = Reader(names, self.uses, self.classes, self.model.weight.detach().clone())
        return replace(self, model=model.train(self.model.training), features=dict(self.features))


def known_cases(numbers: random.Random) -> list[Case]:
    """Models that read one modality or two, some from all numbers and some from the first, in either mode.

    There are enough examples to expect about the same fall from any random order.

    How much of a modality's digits are alike, and so how much a model needs it, is another in each case, in a
    random order: no number that is known beforehand is right for all.
    """
    own = first, second, third = _NAMES(numbers, 3)
    plan: tuple[tuple[tuple[str, ...], str, str, bool], ...] = (
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
    cases = []
    for uses, modality, reads, training in plan:
        share = next(shares) if modality in uses else numbers.choice(_SHARES)
        cases.append(_case(numbers, own, uses, modality, reads, training, share))
    cases[4] = _misled(cases[4])
    return [*cases, _all_alike(_case(numbers, own, (third,), third, "mean", False, numbers.choice(_SHARES)))]


def wide_cases(numbers: random.Random) -> list[Case]:
    """Models of any number of modalities, with further parts, on few examples with rows of any size.

    What they fall by is known from the order alone.
    """
    cases = []
    for place in range(_WIDE):
        own = _NAMES(numbers, _MODALITIES(numbers))
        uses = tuple(numbers.sample(own, numbers.randint(1, len(own))))
        examples = _FEW(numbers)
        size = tuple(axis(numbers) for axis in _AXES[: numbers.randint(1, 3)])
        if not place:
            size = (numbers.randint(*_WIDER),)
        while examples * math.prod(size) > _LARGEST:
            size = size[:-1] if len(size) > 1 else (_LARGEST // examples,)
        given = _Given(examples, size, numbers.randint(-4, 4), _PARTS)
        reads, share = numbers.choice(("mean", "first")), numbers.choice(_SHARES)
        modality = numbers.choice(own)
        cases.append(_case(numbers, own, uses, modality, reads, numbers.random() < 0.5, share, given))
    return cases


@dataclass(frozen=True)
class _Given:
    """What examples are like.

    Attributes:
        examples: how many.
        size: of a row of each modality.
        shift: of all numbers, in numbers of classes, which changes nothing.
        parts: how many further parts the model has.
    """

    examples: int
    size: tuple[int, ...]
    shift: int = 0
    parts: int = 0


def _misled(case: Case) -> Case:
    """The case with each label the next one: the model is mostly wrong, and less so when shuffled."""
    return replace(case, labels=(case.labels + 1) % case.classes)


def _all_alike(case: Case) -> Case:
    """The case with one label for all: the accuracy is the same in any order that has each row once."""
    return replace(case, labels=torch.ones_like(case.labels))


def _case(
    numbers: random.Random,
    names: list[str],
    uses: tuple[str, ...],
    modality: str,
    reads: str,
    training: bool,
    share: float,
    given: _Given | None = None,
) -> Case:
    """A case of what is given; of many examples of usual sizes, if nothing is."""
    source = torch.Generator().manual_seed(numbers.randrange(1 << 32))
    examples = given.examples if given else numbers.randint(*_EXAMPLES)
    classes = numbers.randint(*_CLASSES)
    size = given.size if given else numbers.choice(_SIZES)
    order = tuple(numbers.sample(names, len(names)))
    digits = {name: _digits(share, examples, classes, source) for name in order}
    shift = given.shift * classes if given else 0
    features = {name: _rows(digits[name], classes, size, reads, source) + shift for name in order}
    weight = torch.full(size, 1.0) if reads == "mean" else torch.zeros(size)
    weight.view(-1)[0] = 1.0
    model = Reader(order, uses, classes, weight / weight.sum())
    if given:
        add_extra_parts(model, numbers, 8, given.parts)
    model.train(training)
    with torch.no_grad():
        model.eval()(features)
    rows = torch.frombuffer(bytearray(model.record), dtype=torch.int64).view(examples, -1)
    model.train(training)
    model.in_training, model.record = False, b""
    known = {name: rows[:, place] for place, name in enumerate(order)}
    case = Case(model, uses, features, torch.empty(0), modality, numbers.randrange(1 << 32), digits, known)
    # About a quarter of the labels is wrong: no model is right everywhere, a share of what was right is
    # another number, and how many are is not known beforehand.
    wrong = torch.rand(examples, generator=source) < numbers.uniform(0.2, 0.3)
    other = torch.randint(1, classes, (examples,), generator=source)
    return replace(case, labels=(case.predictions() + wrong * other) % classes)


def _digits(share: float, examples: int, classes: int, source: torch.Generator) -> Tensor:
    """0 for this share of the examples, the others alike, in a random order."""
    others = torch.randint(1, classes, (examples,), generator=source)
    digits = torch.where(torch.arange(examples) < round(share * examples), 0, others)
    return digits[torch.randperm(examples, generator=source)]


def _rows(digits: Tensor, classes: int, size: tuple[int, ...], reads: str, source: torch.Generator) -> Tensor:
    """Numbers near the digit of their row; if only the first is read, the others are near another digit."""
    near = 0.7 * torch.rand(len(digits), *size, generator=source) - 0.35
    rows = near + digits.view(-1, *(1 for _ in size))
    if reads == "first":
        flat, elsewhere = rows.view(len(rows), -1), near.view(len(rows), -1)
        flat[:, 1:] = elsewhere[:, 1:] + (classes - 1 - digits)[:, None]
    return rows
