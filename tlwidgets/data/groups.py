"""Which examples of a data set must stay together, joined through any chain of shared keys."""

from collections import defaultdict


class Groups:
    """Union-find over the positions of a list, joined by shared keys."""

    def __init__(self, size: int):
        self._parent = list(range(size))
        self._first: dict[str, int] = {}

    def link(self, index: int, key: str) -> None:
        one, other = self._root(index), self._root(self._first.setdefault(key, index))
        self._parent[max(one, other)] = min(one, other)

    def numbers(self) -> list[int]:
        number: dict[int, int] = defaultdict(lambda: len(number))
        return [number[self._root(index)] for index in range(len(self._parent))]

    def _root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index
