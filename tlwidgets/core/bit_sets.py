"""Which parameters and modules each part of a model holds, as bit sets that are made when they are asked for.

A part's parameters are those of the slots from its first to its last, and its modules follow each other, so a
few numbers say it all. The sets themselves would take gigabytes for a model of a hundred thousand parts.
"""

from __future__ import annotations

from collections.abc import Iterable

from .groups import Group, Masks, bits, span
from .kinds import has_statistics
from .scan import Scan


class BitSets:
    """The sets of a scanned model, from numbers and names alone: the model is not kept.

    Attributes:
        names: of each module, by its first name.
        statistics: modules that keep statistics, as a bit set.
        repeats: up to each slot, how many before it are second names of a parameter.
        groups: to be filled by the reader, as are the two below.
        places: the module that a group shows or is in, as an index into the scan, and the group's kind.
        adopted: modules without weights that were given to a row.
    """

    def __init__(self, scan: Scan, children: list[list[int]]) -> None:
        unique: dict[int, int] = {}
        keeping: list[int] = []
        self._number: list[int] = []  # of each scanned module; a shared one has the same under each name
        self._index: list[int] = []  # where each was met first
        for index, entry in enumerate(scan.modules):
            number = unique.setdefault(id(entry.module), len(unique))
            self._number.append(number)
            if number == len(self._index):
                self._index.append(index)
                if has_statistics(entry.module):
                    keeping.append(number)
        self.names = [scan.modules[index].name for index in self._index]
        self.statistics = bits(keeping)
        self._shared = len(unique) < len(scan.modules)
        self._first = [entry.first for entry in scan.modules]
        self._last = [entry.last for entry in scan.modules]
        self._end = [entry.end for entry in scan.modules]
        self._parent = [entry.parent for entry in scan.modules]
        self.own_last = [
            self._first[inside[0]] if inside else last
            for inside, last in zip(children, self._last, strict=True)
        ]
        self._slots, self._slot_names = scan.slots, scan.slot_names
        self.repeats = [0]
        highest = -1
        for parameter in scan.slots:
            self.repeats.append(self.repeats[-1] + (parameter <= highest))
            highest = max(highest, parameter)
        self.groups: dict[str, Group] = {}
        self.places: dict[str, tuple[int, str]] = {}
        self.adopted: dict[str, int] = {}

    def weights(self, first: int, last: int) -> int:
        """The parameters in these slots."""
        if self.repeats[first] == self.repeats[last]:
            return span(self._slots[first], self._slots[last - 1] + 1) if last > first else 0
        return bits(self._slots[first:last])

    def inside(self, index: int) -> int:
        """A module and all in it."""
        end = self._end[index]
        return bits(self._number[index:end]) if self._shared else span(index, end)

    def own(self, number: int) -> tuple[int, int]:
        """The parameters of a module itself, and the modules in it."""
        index = self._index[number]
        return self.weights(self._first[index], self.own_last[index]), self.inside(index) & ~(1 << number)

    def around(self, id: str) -> tuple[int, ...]:
        """The numbers of the modules around a group, the nearest first."""
        index, kind = self.places[id]
        found = [self._number[index]] if kind in ("parameter", "layers") else []
        node = self._parent[index]
        while node >= 0:
            found.append(self._number[node])
            node = self._parent[node]
        return tuple(found)

    def masks(self, id: str) -> Masks:
        """What a group is made of."""
        index, kind = self.places[id]
        if kind == "parameter":
            own = range(self._first[index], self.own_last[index])
            return Masks(1 << self._slots[next(slot for slot in own if self._slot_names[slot] == id)], 0, 0)
        if kind == "layers":
            inner = [self.masks(row.id) for row in self.groups[id].children]
            weights = _either(mask.parameters for mask in inner)
            modules = _either(mask.statistics | mask.modules for mask in inner)
        else:
            weights = self.weights(self._first[index], self._last[index])
            modules = self.inside(index) | self.adopted.get(id, 0)
        return Masks(weights, modules & self.statistics, modules & ~self.statistics)


def _either(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found
