"""The model as a person sees it: an immutable tree of layer groups."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import nn

from .build import read_tree
from .errors import FreezeError, StructureChangedError, UnknownGroupError
from .groups import Group, Head, TreeData
from .scan import Scan, scan
from .towers import depths


@dataclass(frozen=True, eq=False)
class ModelTree(TreeData):
    """A model's groups, with the names and sizes that plans and costs need; it holds no weights.

    Attributes:
        root: the group of the whole model; `root.children` are the rows below it, in forward order.
        layers: ids of the repeated blocks, in order.
        heads: the groups that turn features into the task's answer, each with the reason why it is taken for
            a head; empty where there is none.
        unsure: ids of parts that may be new and are not taken for a head.
        tied: weights that have several names.
        towers: the layers, one tuple for each stack of them (an encoder, a decoder).
        branches: the prefix of names in which each tower differs from the others; "" where there is one.
        model_type: the model's class name.
        parameter_names: canonical names, a tied weight once.
        parameter_sizes, parameter_bytes: elements and bytes of each.
        module_names: of each module, by its first name.
    """

    @classmethod
    def of(cls, model: nn.Module | ModelTree, head: str | Sequence[str] | None = None) -> ModelTree:
        """Read the tree of `model` (on any device, `meta` included); a tree is returned as it is.

        Args:
            model: a model, or its tree.
            head: which parts are the head, by name; None finds them.

        Raises:
            TypeError: `model` is not an `nn.Module`.
            NoParametersError: it has nothing to train, or lazy weights without a shape.
            UnknownGroupError: the model has no part called `head`.
        """
        if not isinstance(model, ModelTree):
            return cls.of_scan(scan(model), head)
        return model if head is None else model.with_head(head)

    @classmethod
    def of_scan(cls, scanned: Scan, head: str | Sequence[str] | None = None) -> ModelTree:
        """`of`, of a model that was scanned."""
        tree = cls(**vars(read_tree(scanned)))
        return tree if head is None else tree.with_head(head)

    def with_head(self, head: str | Sequence[str]) -> ModelTree:
        """The same tree, in which these parts are the head: new, and trained by every preset.

        Args:
            head: one name or several; the end of a name is enough where it is the only one ("classifier" for
                "module.classifier").

        Raises:
            UnknownGroupError: there is no such part, or several have this name.
            FreezeError: a part has nothing to train, or is the whole model.
        """
        names = [head] if isinstance(head, str) else list(head)
        groups = [self._named(name) for name in names]
        ids = tuple(dict.fromkeys(group.id for group in groups))
        inside = tuple(f"{id}." for id in ids)

        def outside(layer: str) -> bool:
            return layer not in ids and not layer.startswith(inside)

        towers = [
            (tuple(filter(outside, tower)), branch)
            for tower, branch in zip(self.towers, self.branches, strict=True)
        ]
        towers = [(tower, branch) for tower, branch in towers if tower]

        def marked(row: Group) -> Group:
            kind = "head" if row.id in ids else "module" if row.kind == "head" else row.kind
            return row if kind == row.kind else replace(row, kind=kind)

        root = replace(self.root, children=tuple(map(marked, self.root.children)))
        known = {**self._index.groups, "": root, **{row.id: row for row in root.children}}
        return replace(
            self,
            root=root,
            _index=replace(self._index, groups=known),
            heads=tuple(Head(id, "as you said", chosen=True) for id in ids),
            unsure=(),
            layers=tuple(filter(outside, self.layers)),
            towers=tuple(tower for tower, _ in towers),
            branches=tuple(branch for _, branch in towers),
        )

    def _named(self, name: str) -> Group:
        """The part that a person means by this name, which may be the end of the part's own."""
        if isinstance(name, str) and name and name not in self._index.groups:
            ends = [id for id in self._index.groups if id.endswith(f".{name}")]
            if len(ends) > 1:
                raise UnknownGroupError(
                    f"{len(ends)} parts of the model are called {name!r}: {_some(ends)}. Give the whole name "
                    "of the head."
                )
            name = ends[0] if ends else name
        group = self.group(name)
        if not group.id or group.fixed or not group.parameters:
            why = group.fixed or ("it is the whole model" if not group.id else "it has no weights")
            raise FreezeError(
                f"{group.label} cannot be the head: {why}. Expected the name of a part that can be trained."
            )
        return group

    @property
    def head(self) -> tuple[str, ...]:
        """Ids of the head's groups; empty where there is none."""
        return tuple(head.id for head in self.heads)

    @cached_property
    def head_notes(self) -> tuple[str, ...]:
        """Which parts are taken for the head and why, and what may be one too, in sentences."""
        reasons: dict[str, list[str]] = {}
        for head in self.heads:
            reasons.setdefault(head.reason, []).append(f"`{head.id}`")
        said = [f"Taken for the head: {_listed(ids)}, {reason}." for reason, ids in reasons.items()]
        return (*said, *([self.head_doubt] if self.head_doubt else []))

    @cached_property
    def head_doubt(self) -> str:
        """Empty, or a sentence for a person whose model has a new part that is not taken for a head."""
        if self.unsure:
            parts = _listed([f"`{id}`" for id in self.unsure])
            return (
                f"Not taken for the head, and frozen with the backbone: {parts}. If that is new, name it: "
                f"head={[*self.head, *self.unsure]!r}."
            )
        if self.heads or len(self.rows) < 2:
            return ""
        last = self.last_row
        return (
            f"No part of this {self.model_type} looks like a head. Feature extraction trains `{last}` in its "
            f"place, the last part; the other presets train no part as a head. If a part is new, name it: "
            f"head={last!r}."
        )

    @property
    def last_row(self) -> str:
        """Id of what comes last and can be trained: what a new task would replace first."""
        rows = [row for row in self.root.children if not row.tied_to and not row.fixed] or [self.root]
        return rows[-1].id

    @property
    def total(self) -> int:
        """Number of elements of all parameters, each tied weight counted once."""
        return sum(self.parameter_sizes)

    @cached_property
    def rows(self) -> tuple[Group, ...]:
        """The groups that are shown first, in forward order; a model of a single layer is its own row."""
        return self.root.children or (self.root,)

    @cached_property
    def unfolded_rows(self) -> tuple[Group, ...]:
        """The rows, with each layer on its own where a long list is shown as ranges."""
        return tuple(each for row in self.rows for each in (row.children if row.kind == "layers" else (row,)))

    @cached_property
    def depths(self) -> dict[str, int]:
        """How deep each row is, with each layer on its own: 1 for its tower's last layer, 0 above that."""
        return depths(self.unfolded_rows, self.towers, self.head)

    @cached_property
    def bare_modules(self) -> frozenset[str]:
        """Names of the modules that hold neither weights nor other modules (dropout, activations)."""
        own = self._index.own
        return frozenset(name for place, name in enumerate(self.module_names) if own[place] == (0, 0))

    def group(self, id: str) -> Group:
        """Return the group with this id: a row, or any module or parameter by its qualified name.

        Raises:
            UnknownGroupError: there is none; the message gives the nearest names.
        """
        groups = self._index.groups
        try:
            return groups[id]
        except (KeyError, TypeError):
            pass
        near = difflib.get_close_matches(id, groups, n=3, cutoff=0.4) if isinstance(id, str) else []
        hint = (
            f"The nearest names are {', '.join(map(repr, near))}."
            if near
            else "`tree.walk()` lists them all."
        )
        raise UnknownGroupError(
            f"The model has no group {id!r}. Expected the name of one of its parts. {hint}"
        )

    def walk(self) -> Iterator[Group]:
        """Every shown group, depth first in forward order, the whole model first."""
        pending = [self.root]
        while pending:
            group = pending.pop()
            yield group
            pending.extend(reversed(group.children))

    def check(self, names: Sequence[str]) -> None:
        """Reject a model whose parameters, by their canonical names, are not those of this tree.

        Raises:
            StructureChangedError: with the first names that differ.
        """
        if tuple(names) == self.parameter_names:
            return
        added = [name for name in names if name not in set(self.parameter_names)]
        gone = [name for name in self.parameter_names if name not in set(names)]
        parts = [f"it has {_some(added)}, which the plan does not know"] if added else []
        parts += [f"it lacks {_some(gone)}"] if gone else []
        raise StructureChangedError(
            "The plan was made for another shape of this model: "
            f"{' and '.join(parts) or 'the order of its parameters differs'}. "
            "Make the tree again with ModelTree.of(model) (a panel: panel.refresh()), then the plan."
        )

    def __str__(self) -> str:
        rows = [f"{self.model_type}: {self.total:,} parameters"]
        rows += [f"  {row.label:<32} {row.numel:>14,}  {row.id}" for row in self.root.children]
        return "\n".join(rows)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
