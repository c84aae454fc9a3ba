"""The records of a model tree, and the numbers under which plans know its parameters and modules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Group:
    """A part of a model that can be frozen or thawed.

    Attributes:
        id: the prefix that its parameters' names share ("bert.encoder.layer.3"); "" for the whole model; a
            range of a long list is "layers[0:10]".
        label: what a person reads ("Encoder layer 4").
        kind: model, embeddings, layer, layers (a range of them), pooler, norm, head, module or parameter.
        module_type: class name of the module ("BertLayer"), "Parameter" for a single weight.
        depth: 0 for the model, 1 for the rows below it.
        numel: elements that this group owns; a tied weight belongs to the first group that has it.
        parameters: canonical names of its parameters, tied ones included.
        buffers: names of its buffers.
        children: the groups it is made of, in forward order.
        fixed: empty, or why none of it can be trained.
        note: empty, or what a person should know (tied weights).
        tied_to: empty, or the id of the group that owns all of its weights.
    """

    id: str
    label: str
    kind: str
    module_type: str
    depth: int
    numel: int
    parameters: tuple[str, ...]
    buffers: tuple[str, ...]
    children: tuple[Group, ...] = ()
    fixed: str = ""
    note: str = ""
    tied_to: str = ""


@dataclass(frozen=True)
class TiedSet:
    """One weight under several names, and the group that shows its control."""

    names: tuple[str, ...]
    shown_as: str
    explanation: str


@dataclass(frozen=True)
class Head:
    """A part that turns features into a task's answer.

    Attributes:
        id: of its group.
        reason: why it counts as one, in a few words ("beside the pretrained `bert`").
        chosen: whether it was chosen, by name or for PEFT (`modules_to_save`).
    """

    id: str
    reason: str
    chosen: bool = False


@dataclass(frozen=True)
class Masks:
    """Bit sets of a group: its parameters, and its modules by what training mode switches on in them."""

    parameters: int
    statistics: int
    modules: int  # all others: dropout, and whatever else looks at `module.training`


class Lazily(Mapping[K, V]):
    """A read-only mapping whose values are made when they are asked for, and then kept.

    A large model has a hundred thousand parts; a click asks for a few.
    """

    def __init__(self, keys: Collection[K], make: Callable[[K], V]) -> None:
        self._keys, self._make = keys, make
        self._made: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        try:
            return self._made[key]
        except KeyError:
            if key not in self._keys:
                raise
        made = self._made[key] = self._make(key)
        return made

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(frozen=True)
class TreeIndex:
    """What plans compute with, as bit sets. Only this package reads it.

    Bit i of a set of parameters stands for `parameter_names[i]`, of a set of modules for `module_names[i]`.

    Attributes:
        groups, masks: of every module and parameter, by its id.
        parents: places of the modules around a group, the nearest first.
        own: by a module's place in `module_names`: its own parameters, and the modules inside it.
        norms: parameters of normalisation layers.
        fixed: parameters that cannot be trained.
        adapters: parameters of PEFT's adapters (LoRA and its kin).
        statistics: modules that keep statistics.
    """

    groups: dict[str, Group]
    masks: Mapping[str, Masks]
    parents: Mapping[str, tuple[int, ...]]
    own: Mapping[int, tuple[int, int]]
    norms: int
    fixed: int
    adapters: int
    statistics: int


@dataclass(frozen=True, eq=False)
class TreeData:
    """What is read from a model. `ModelTree` makes it and answers questions about it."""

    root: Group
    layers: tuple[str, ...]
    heads: tuple[Head, ...]
    unsure: tuple[str, ...]
    tied: tuple[TiedSet, ...]
    towers: tuple[tuple[str, ...], ...]
    branches: tuple[str, ...]
    model_type: str
    parameter_names: tuple[str, ...]
    parameter_sizes: tuple[int, ...]
    parameter_bytes: tuple[int, ...]
    module_names: tuple[str, ...]
    _index: TreeIndex = field(repr=False)


def bits_of(mask: int) -> list[int]:
    """Indices of the bits that are set, in ascending order."""
    if not mask:
        return []
    start = (mask & -mask).bit_length() - 1
    mask >>= start
    return list(compress(range(start, start + mask.bit_length()), flags(mask, mask.bit_length())))


def bits(indices: Iterable[int]) -> int:
    """The bit set of these places."""
    places = list(indices)
    if not places:
        return 0
    held = bytearray(max(places) // 8 + 1)
    for place in places:
        held[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(held, "little")


def span(first: int, last: int) -> int:
    """The bit set of all places from `first` to before `last`."""
    return ((1 << (last - first)) - 1) << first if last > first else 0


def flags(mask: int, count: int) -> bytes:
    """Whether each of `count` bits is set, 0 or 1, in one pass: to ask for one bit reads the whole set."""
    return format(mask, f"0{count}b").encode()[::-1].translate(_FROM_DIGITS) if count else b""


def bit_set(flags: bytes) -> int:
    """The places of those flags that are 1, as a bit set."""
    return int(flags[::-1].translate(_TO_DIGITS), 2) if flags else 0


_TO_DIGITS, _FROM_DIGITS = bytes.maketrans(b"\0\1", b"01"), bytes.maketrans(b"01", b"\0\1")
