"""In which order a model got the rows of a modality, read from what it kept."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Record:
    """What a model was given, example by example.

    Attributes:
        orders: 0 where the modality's rows stayed with their examples, 1 where they came in one other order,
            2 where they came in several.
        order: that order; where an example's row stayed in place, its own number.
        strange: whether there were rows that nobody had given, or examples put together from several others.
    """

    def __init__(self, record: object, rows: Mapping[str, Tensor], modality: str) -> None:
        names, examples = list(rows), len(rows[modality])
        self.orders, self.order, self.strange = 0, torch.arange(examples), False
        if not record:
            return
        if type(record) is not bytes or len(record) % (8 * len(names)):
            self.strange = True
            return
        given = torch.frombuffer(bytearray(record), dtype=torch.int64).view(-1, len(names))
        places = [_places(given[:, place], rows[name]) for place, name in enumerate(names)]
        own = places[names.index(modality)]
        others = torch.stack([one for name, one in zip(names, places, strict=True) if name != modality])
        self.strange = bool((others != others[0]).any() or (own < 0).any() or (others < 0).any())
        if self.strange:
            return
        example = others[0]
        moved = own != example
        pairs = torch.unique(torch.stack([example[moved], own[moved]], 1), dim=0)
        self.orders = min(2, int(torch.bincount(pairs[:, 0]).max())) if len(pairs) else 0
        self.order[pairs[:, 0]] = pairs[:, 1]

    @property
    def has_each_row_once(self) -> bool:
        """Whether the order is a permutation."""
        return bool((torch.bincount(self.order, minlength=len(self.order)) == 1).all())

    @property
    def is_random(self) -> bool:
        """Whether the order looks drawn. One that is drawn does not in fewer than one case in a billion.

        Neighbours that stay together and rows that stay in place are about 2 and 1 in number (Poisson), so 20
        are too many. Rows that stay in their half, or with numbers as even as their own, are within seven
        standard deviations of one in two.
        """
        order, count = self.order, len(self.order)
        here = torch.arange(count)
        together = int(((order[1:] - order[:-1]).abs() == 1).sum())
        in_place = int((order == here).sum())
        in_half = int(((order < count // 2) & (here < count // 2)).sum()) - count / 4
        as_even = int((order % 2 == here % 2).sum()) - count / 2
        few = together < 20 and in_place < 20
        return few and abs(in_half) < 1.75 * count**0.5 + 1 and abs(as_even) < 3.5 * count**0.5 + 1


def _places(given: Tensor, rows: Tensor) -> Tensor:
    """The place of each among the rows, -1 for one that is not there."""
    sorted_rows, order = rows.sort()
    found = torch.searchsorted(sorted_rows, given).clamp(max=len(rows) - 1)
    return torch.where(sorted_rows[found] == given, order[found], -1)
