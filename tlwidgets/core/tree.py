"""The model as a person sees it: an immutable tree of layer groups."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field

from torch import nn

from .errors import UnknownGroupError
from .scan import scan


@dataclass(frozen=True)
class Group:
    """A part of a model that can be frozen or thawed.

    Attributes:
        id: the prefix that its parameters' names share ("bert.encoder.layer.3"); "" for the whole model; a range of a
            long list is "layers[0:10]".
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
class Masks:
    """Bit sets of a group: its parameters, and its modules by what training mode switches on in them."""

    parameters: int
    statistics: int
    modules: int  # all others: dropout, and whatever else looks at `module.training`


@dataclass(frozen=True, eq=False)
class ModelTree:
    """A model's groups, with the names and sizes that plans and costs need; it holds no weights."""

    root: Group
    layers: tuple[str, ...]
    head: tuple[str, ...]
    tied: tuple[TiedSet, ...]
    towers: tuple[tuple[str, ...], ...]
    branches: tuple[str, ...]
    model_type: str
    parameter_names: tuple[str, ...]
    parameter_sizes: tuple[int, ...]
    parameter_bytes: tuple[int, ...]
    module_names: tuple[str, ...]  # one a module, by its first name; order of the bits in `Masks`
    norm_parameters: int
    fixed: int  # bit set of parameters that can't be trained
    statistics: int  # bit set of modules that keep statistics
    own: dict[int, tuple[int, int]] = field(
        repr=False
    )  # module bit -> (its own parameters, the modules inside it)
    _groups: dict[str, Group] = field(repr=False)
    _masks: dict[str, Masks] = field(repr=False)
    _parents: dict[str, tuple[int, ...]] = field(repr=False)

    @classmethod
    def of(cls, model: nn.Module) -> ModelTree:
        """Read the tree of `model` (on any device, `meta` included).

        Raises:
            TypeError: `model` is not an `nn.Module`.
            NoParametersError: it has nothing to train, or lazy weights without a shape.
        """
        from .build import build_tree

        return build_tree(scan(model))

    @property
    def total(self) -> int:
        """Number of elements of all parameters, each tied weight counted once."""
        return sum(self.parameter_sizes)

    def group(self, id: str) -> Group:
        """Return the group with this id: a row, or any module or parameter by its qualified name.

        Raises:
            UnknownGroupError: there is none; the message gives the nearest names.
        """
        try:
            return self._groups[id]
        except (KeyError, TypeError):
            pass
        near = (
            difflib.get_close_matches(str(id), self._groups, n=3, cutoff=0.4) if isinstance(id, str) else []
        )
        hint = (
            f"The nearest names are {', '.join(map(repr, near))}."
            if near
            else "`tree.walk()` lists them all."
        )
        raise UnknownGroupError(
            f"The model has no group {id!r}. Expected the name of one of its parts. {hint}"
        )

    def masks(self, id: str) -> Masks:
        """Bit sets of a group's parameters and modules."""
        return self._masks[self.group(id).id]

    def ancestors(self, id: str) -> tuple[int, ...]:
        """Bits of the modules around a group, the nearest first."""
        return self._parents[self.group(id).id]

    def walk(self) -> Iterator[Group]:
        """Every shown group, depth first in forward order, the whole model first."""
        pending = [self.root]
        while pending:
            group = pending.pop()
            yield group
            pending.extend(reversed(group.children))

    def __str__(self) -> str:
        rows = [f"{self.model_type}: {self.total:,} parameters"]
        rows += [f"  {row.label:<32} {row.numel:>14,}  {row.id}" for row in self.root.children]
        return "\n".join(rows)


def bits_of(mask: int) -> list[int]:
    """Indices of the bits that are set, in ascending order."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
