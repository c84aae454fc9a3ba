"""Reading a model tree from a scan of the model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from .bit_sets import BitSets
from .collecting import collected_later
from .groups import Group, Head, Lazily, TiedSet, TreeData, TreeIndex, bits, bits_of
from .heads import SAVED
from .kinds import is_norm, kind_of, why_fixed
from .labels import humanise
from .outline import Outline, outline
from .peft_parts import adapters_of, copies_kept_by_peft
from .row_labels import RowLabels
from .scan import Scan

LONGEST_LIST = 100  # rows a person can still look through; a longer list is shown as ranges


def read_tree(scanned: Scan) -> TreeData:
    """The groups of a scanned model, with what plans compute with."""
    with collected_later():
        return _Reader(scanned).tree()


class _Reader:
    """Reads a tree in one pass up the modules."""

    def __init__(self, scanned: Scan) -> None:
        self.scan = scanned
        self.outline: Outline = outline(scanned)
        self.children: list[list[int]] = [[] for _ in scanned.modules]
        for index, entry in enumerate(scanned.modules[1:], start=1):
            self.children[entry.parent].append(index)
        self.sizes = [parameter.numel() for parameter in scanned.parameters]
        self.sizes_before = [0, *accumulate(self.sizes)]
        self.why = [why_fixed(parameter) for parameter in scanned.parameters]
        for parameter in copies_kept_by_peft(scanned):
            self.why[parameter] = "PEFT keeps these weights as they were, and trains the copy beside them"
        self.fixed = bits(index for index, why in enumerate(self.why) if why)
        self.sets = BitSets(scanned, self.children)
        self.groups, self.places = self.sets.groups, self.sets.places
        self.labels = RowLabels(scanned, self.outline)
        self._list_buffers()
        self._find_ties()

    def _list_buffers(self) -> None:
        self.buffer_names: list[str] = []
        self.first_buffer: list[int] = []
        for entry in self.scan.modules:
            self.first_buffer.append(len(self.buffer_names))
            if entry.module._buffers:
                prefix = f"{entry.name}." if entry.name else ""
                held = entry.module._buffers.items()
                self.buffer_names += [prefix + key for key, buffer in held if buffer is not None]
        self.first_buffer.append(len(self.buffer_names))

    def _find_ties(self) -> None:
        names: dict[int, list[str]] = {}
        self.first_slot: list[int] = []
        for slot, parameter in enumerate(self.scan.slots):
            if parameter < len(self.first_slot):
                names.setdefault(parameter, [self.scan.names[parameter]]).append(self.scan.slot_names[slot])
            else:
                self.first_slot.append(slot)
        self.tied_names = {parameter: tuple(names[parameter]) for parameter in sorted(names)}

    def tree(self) -> TreeData:
        scanned = self.scan
        root = self._group(0, depth=0, label=type(scanned.modules[0].module).__name__)
        tied = tuple(self._tied_set(names) for names in self.tied_names.values())
        name = [entry.name for entry in scanned.modules]
        norms = 0
        for index, entry in enumerate(scanned.modules):
            if not self.children[index] and is_norm(entry.module):
                norms |= self.sets.weights(entry.first, entry.last)
        return TreeData(
            root=root,
            layers=tuple(name[index] for index in self.outline.blocks),
            heads=self._heads(name),
            unsure=tuple(name[index] for index in self.outline.heads.unsure),
            tied=tied,
            towers=tuple(tuple(name[index] for index in tower) for tower in self.outline.towers),
            branches=self.outline.branches,
            model_type=type(scanned.modules[0].module).__name__,
            parameter_names=tuple(scanned.names),
            parameter_sizes=tuple(self.sizes),
            parameter_bytes=tuple(
                size * parameter.element_size()
                for size, parameter in zip(self.sizes, scanned.parameters, strict=True)
            ),
            module_names=tuple(self.sets.names),
            _index=TreeIndex(
                groups=self.groups,
                masks=Lazily(self.groups, self.sets.masks),
                parents=Lazily(self.groups, self.sets.around),
                own=Lazily(range(len(self.sets.names)), self.sets.own),
                norms=norms,
                fixed=self.fixed,
                adapters=adapters_of(scanned),
                statistics=self.sets.statistics,
            ),
        )

    def _heads(self, name: list[str]) -> tuple[Head, ...]:
        found = self.outline.heads
        parameters = [
            Head(self.scan.slot_names[slot], reason)
            for slot, reason in found.parameters.items()
            if not self.why[self.scan.slots[slot]]
        ]
        modules = [
            Head(name[index], found.modules[index], chosen=found.modules[index] == SAVED)
            for index in self.outline.head
        ]
        return (*modules, *parameters)

    def _tied_set(self, names: tuple[str, ...]) -> TiedSet:
        owner = names[0].rpartition(".")[0]
        group = self.groups.get(owner) or self.groups[names[0]]
        others = " and ".join(f"`{other}`" for other in names[1:])
        text = (
            f"`{names[0]}` and {others} are one weight under {len(names)} names (tied): it is counted once, "
            "and freezing or thawing it under one name does so under all."
        )
        return TiedSet(names, group.id, text)

    # -- groups ----------------------------------------------------------------------------------------------

    def _group(self, index: int, depth: int, label: str) -> Group:
        entry = self.scan.modules[index]
        rows = self._rows_below(index, depth + 1)
        kind = "model" if index == 0 else self._kind(index)
        return self._make(
            entry.name, label, kind, type(entry.module).__name__, depth, entry.first, entry.last, rows, index
        )

    def _make(
        self,
        id: str,
        label: str,
        kind: str,
        type_name: str,
        depth: int,
        first: int,
        last: int,
        rows: tuple[Group, ...],
        index: int,
    ) -> Group:
        indices: Sequence[int]
        owned: Sequence[int]
        if kind == "layers":
            weights = 0
            for row in rows:
                weights |= self.sets.masks(row.id).parameters
            indices = bits_of(weights)
            names = {row.id for row in rows}
            owned = [p for p in indices if self._within(p, names)]
        elif (
            self.sets.repeats[first] == self.sets.repeats[last]
        ):  # nothing in it is known under an earlier name
            start = self.scan.slots[first] if last > first else 0
            indices = owned = range(start, start + last - first)
        else:
            indices = sorted(set(self.scan.slots[first:last]))
            owned = [p for p in indices if first <= self.first_slot[p] < last]
        note, tied_to = self._tie_note(indices, owned, first, last) if self.tied_names else ("", "")
        fixed = self._why_all_fixed(indices) if self.fixed else ""
        group = Group(
            id=id,
            label=label,
            kind=kind,
            module_type=type_name,
            depth=depth,
            numel=sum(self.sizes[p] for p in owned) if not isinstance(owned, range) else self._size(owned),
            parameters=tuple(self.scan.names[indices.start : indices.stop])
            if isinstance(indices, range)
            else tuple(self.scan.names[p] for p in indices),
            buffers=() if kind == "parameter" else self._buffers(index, rows if kind == "layers" else None),
            children=rows,
            fixed=fixed,
            note=note,
            tied_to=tied_to,
        )
        self.groups[id] = group
        self.places[id] = (index, kind)
        return group

    def _size(self, owned: range) -> int:
        return self.sizes_before[owned.stop] - self.sizes_before[owned.start]

    def _why_all_fixed(self, indices: Sequence[int]) -> str:
        reasons = {self.why[p] for p in indices}
        return sorted(reasons)[0] if reasons and "" not in reasons else ""

    def _within(self, parameter: int, ids: set[str]) -> bool:
        """Whether a parameter, by its first name, is in one of these groups."""
        name = self.scan.slot_names[self.first_slot[parameter]]
        while name not in ids and name:
            name = name.rpartition(".")[0]
        return bool(name)

    def _buffers(self, index: int, rows: tuple[Group, ...] | None) -> tuple[str, ...]:
        if rows is not None:
            return tuple(name for row in rows for name in row.buffers)
        end = self.scan.modules[index].end
        return tuple(self.buffer_names[self.first_buffer[index] : self.first_buffer[end]])

    def _tie_note(
        self, indices: Sequence[int], owned: Sequence[int], first: int, last: int
    ) -> tuple[str, str]:
        elsewhere = [p for p in indices if p not in set(owned)] if len(owned) < len(indices) else []
        if not elsewhere:
            outside = {
                name
                for p in owned
                for name in self.tied_names.get(p, ())
                if not first <= self.scan.slot_names.index(name) < last
            }
            return (
                f"Shared with {', '.join(f'`{name}`' for name in sorted(outside))} (tied)." if outside else ""
            ), ""
        owner = self.scan.names[elsewhere[0]]
        where = owner.rpartition(".")[0] or owner
        if owned:
            return f"Part of it is tied to `{owner}`, which shows its control.", ""
        return (
            f"The same weights as `{owner}` (tied), counted there; both are frozen and thawed together.",
            where,
        )

    # -- rows ------------------------------------------------------------------------------------------------

    def _rows_below(self, index: int, depth: int) -> tuple[Group, ...]:
        rows = self._rows(index, depth)
        if index == 0:
            rows.sort(key=lambda row: row.kind == "head")  # stable: a head registered first still comes last
        return self._ranges(index, rows, depth)

    def _rows(self, index: int, depth: int) -> list[Group]:
        entry = self.scan.modules[index]
        inside = [child for child in self.children[index] if self._has_weights(child)]
        own = range(entry.first, self.sets.own_last[index])
        # A layer with one weight needs no row below it; ids of single weights exist all the same.
        rows = [self._parameter(slot, index, depth) for slot in own]
        if len(rows) == 1 and not inside:
            rows = []
        for child in inside:
            if index in self.outline.opened and child in self.outline.opened:
                lifted = self._rows(child, depth)
                name, label = self.scan.modules[child].name, self.labels.of(child)
                held = self.scan.modules[child]
                self._make(name, label, "module", type(held.module).__name__, depth, held.first, held.last,
                           tuple(lifted), child)  # fmt: skip
                rows += lifted
            else:
                rows.append(self._group(child, depth, self.labels.of(child)))
        if index in self.outline.opened:
            rows = self._adopt(index, rows)
        return rows

    def _adopt(self, index: int, rows: list[Group]) -> list[Group]:
        """Give modules without weights to a row: dropout to the next layer, statistics to the one before."""
        places = {row.id: place for place, row in enumerate(rows)}
        order = [(child, self.scan.modules[child].name) for child in self.children[index]]
        owners = [place for place, (child, _) in enumerate(order) if self._has_weights(child)]
        for place, (child, _) in enumerate(order):
            if self._has_weights(child) or not owners:
                continue
            after = [owner for owner in owners if owner > place]
            before = [owner for owner in owners if owner < place]
            statistics = bool(self.sets.inside(child) & self.sets.statistics)
            pick = (before or after)[-1 if before else 0] if statistics or not after else after[0]
            owner = order[pick][1]
            if owner not in places:  # an opened wrapper: its nearest row
                near = [row for row in rows if row.id.startswith(owner + ".")]
                if not near:
                    continue
                owner = (near[-1] if pick < place else near[0]).id
            adopted = self.sets.adopted
            adopted[owner] = adopted.get(owner, 0) | self.sets.inside(child)
        return rows

    def _parameter(self, slot: int, index: int, depth: int) -> Group:
        name = self.scan.slot_names[slot]
        return self._make(name, humanise(name), "parameter", "Parameter", depth, slot, slot + 1, (), index)

    def _ranges(self, index: int, rows: list[Group], depth: int) -> tuple[Group, ...]:
        """Show a list longer than a person can look through as ranges of equal length."""
        if len(rows) <= LONGEST_LIST:
            return tuple(rows)
        shown: list[Group] = []
        runs = self._runs(rows)
        longest = max(len(run) for run in runs)
        length = max(10, -(-longest // (LONGEST_LIST // max(1, sum(len(run) > 20 for run in runs)))))
        if not any(len(run) > 20 for run in runs):
            runs, length = [rows], -(-len(rows) // LONGEST_LIST) + 1
        for run in runs:
            if len(run) <= 20 and len(runs) > 1:
                shown += run
                continue
            for start in range(0, len(run), length):
                shown.append(self._range(run[start : start + length], start, index, depth))
        return tuple(shown)

    @staticmethod
    def _runs(rows: list[Group]) -> list[list[Group]]:
        runs: list[list[Group]] = []
        for row in rows:
            same = runs and (runs[-1][-1].kind, runs[-1][-1].id.rpartition(".")[0]) == (
                row.kind,
                row.id.rpartition(".")[0],
            )
            if same:
                runs[-1].append(row)
            else:
                runs.append([row])
        return runs

    def _range(self, part: list[Group], start: int, index: int, depth: int) -> Group:
        parents = {row.id.rpartition(".")[0] for row in part}
        prefix = parents.pop() if len(parents) == 1 else self.scan.modules[index].name
        id = f"{prefix}[{start}:{start + len(part)}]"
        rows = tuple(part)
        for row in rows:
            _deepen(row)
        first, last = self.scan.modules[index].first, self.scan.modules[index].last
        label = f"{part[0].label} to {part[-1].label[:1].lower()}{part[-1].label[1:]}"
        return self._make(
            id, label, "layers", f"{len(part)} x {part[0].module_type}", depth, first, last, rows, index
        )

    def _has_weights(self, index: int) -> bool:
        return self.scan.modules[index].last > self.scan.modules[index].first

    def _kind(self, index: int) -> str:
        if index in self.labels.heads:
            return "head"
        if index in self.labels.blocks:
            return "layer"
        entry = self.scan.modules[index]
        kind = kind_of(entry.name, entry.module)
        return "module" if kind == "head" else kind


def _deepen(row: Group) -> None:
    """Put a row that was just made, and all below it, one step further down."""
    object.__setattr__(row, "depth", row.depth + 1)
    for child in row.children:
        _deepen(child)
