"""Building a `ModelTree` of a scan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from .kinds import has_statistics, is_leaf, kind_of, last_name, looks_like_head, why_fixed
from .labels import humanise, is_plain_list_name, noun_of
from .outline import Outline, outline
from .scan import Scan
from .tree import Group, Masks, ModelTree, TiedSet, bits_of

LONGEST_LIST = 100  # rows a person can still look through; a longer list is shown as ranges


def build_tree(scanned: Scan) -> ModelTree:
    """Make the tree of a scanned model."""
    return _Builder(scanned).tree()


class _Builder:
    """Makes a `ModelTree` of a scan, in one pass up the modules."""

    def __init__(self, scanned: Scan) -> None:
        self.scan = scanned
        self.outline: Outline = outline(scanned)
        self.children: list[list[int]] = [[] for _ in scanned.modules]
        for index, entry in enumerate(scanned.modules[1:], start=1):
            self.children[entry.parent].append(index)
        self.sizes = [parameter.numel() for parameter in scanned.parameters]
        self.why = [why_fixed(parameter) for parameter in scanned.parameters]
        self.fixed = _bits(index for index, why in enumerate(self.why) if why)
        self.groups: dict[str, Group] = {}
        self.masks: dict[str, Masks] = {}
        self.parents: dict[str, tuple[int, ...]] = {}
        self.blocks = {index: place for tower in self.outline.towers for place, index in enumerate(tower)}
        self.heads = set(self.outline.head)
        self._number_modules()
        self._find_ties()

    def _number_modules(self) -> None:
        unique: dict[int, int] = {}
        self.bit: list[int] = []
        self.module_names: list[str] = []
        self.statistics = 0
        for entry in self.scan.modules:
            number = unique.setdefault(id(entry.module), len(unique))
            if number == len(self.module_names):
                self.module_names.append(entry.name)
                if has_statistics(entry.module):
                    self.statistics |= 1 << number
            self.bit.append(1 << number)
        # Masks of whole subtrees, children before parents.
        self.slot_bits = [1 << slot for slot in self.scan.slots]
        self.subtree = list(self.bit)
        self.weights = [0] * len(self.bit)
        self.own: dict[int, tuple[int, int]] = {}
        for index in range(len(self.bit) - 1, -1, -1):
            entry = self.scan.modules[index]
            inside = self.children[index]
            own_first, own_last = entry.first, self.scan.modules[inside[0]].first if inside else entry.last
            for slot in range(own_first, own_last):
                self.weights[index] |= self.slot_bits[slot]
            own_weights, within = self.weights[index], 0
            for child in inside:
                within |= self.subtree[child]
                self.weights[index] |= self.weights[child]
            self.subtree[index] |= within
            self.own[self.bit[index]] = (own_weights, within & ~self.bit[index])

    def _find_ties(self) -> None:
        names: dict[int, list[str]] = {}
        for slot, parameter in enumerate(self.scan.slots):
            names.setdefault(parameter, []).append(self.scan.slot_names[slot])
        self.tied_names = {parameter: tuple(found) for parameter, found in names.items() if len(found) > 1}
        self.first_slot: dict[int, int] = {}
        for slot, parameter in enumerate(self.scan.slots):
            self.first_slot.setdefault(parameter, slot)

    def tree(self) -> ModelTree:
        scanned = self.scan
        root = self._group(0, depth=0, label=type(scanned.modules[0].module).__name__)
        tied = tuple(self._tied_set(names) for names in self.tied_names.values())
        name = {index: entry.name for index, entry in enumerate(scanned.modules)}
        norm = 0
        for index, entry in enumerate(scanned.modules):
            if not self.children[index] and kind_of("", entry.module) == "norm":
                norm |= self.weights[index]
        return ModelTree(
            root=root,
            layers=tuple(name[index] for index in self.outline.blocks),
            head=tuple(name[index] for index in self.outline.head),
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
            module_names=tuple(self.module_names),
            norm_parameters=norm,
            fixed=self.fixed,
            statistics=self.statistics,
            own=self.own,
            _groups=self.groups,
            _masks=self.masks,
            _parents=self.parents,
        )

    def _tied_set(self, names: tuple[str, ...]) -> TiedSet:
        owner = names[0].rpartition(".")[0]
        group = self.groups.get(owner) or self.groups[names[0]]
        others = " and ".join(f"`{other}`" for other in names[1:])
        text = (
            f"`{names[0]}` and {others} are one weight under {len(names)} names (tied): it is counted once, and "
            "freezing or thawing it under one name does so under all."
        )
        return TiedSet(names, group.id, text)

    # -- groups ---------------------------------------------------------------------------------------------------

    def _group(self, index: int, depth: int, label: str) -> Group:
        entry = self.scan.modules[index]
        rows = self._rows_below(index, depth + 1)
        weights, modules = self.weights[index], self.subtree[index]
        kind = "model" if index == 0 else self._kind(index)
        return self._make(
            entry.name, label, kind, type(entry.module).__name__, depth, weights, modules, rows, index
        )

    def _make(self, id, label, kind, type_name, depth, weights, modules, rows, index) -> Group:
        first = self.scan.modules[index].first
        last = self.scan.modules[index].last
        if kind == "parameter":
            owned = [p for p in bits_of(weights) if self.scan.slot_names[self.first_slot[p]] == id]
        elif kind == "layers":
            owned = [p for p in bits_of(weights) if self._within(p, rows)]
        else:
            owned = [p for p in bits_of(weights) if first <= self.first_slot[p] < last]
        indices = bits_of(weights)
        reasons = {self.why[p] for p in indices}
        note, tied_to = self._tie_note(indices, owned, first, last)
        group = Group(
            id=id,
            label=label,
            kind=kind,
            module_type=type_name,
            depth=depth,
            numel=sum(self.sizes[p] for p in owned),
            parameters=tuple(self.scan.names[p] for p in indices),
            buffers=() if kind == "parameter" else self._buffers(index, rows if kind == "layers" else None),
            children=rows,
            fixed=sorted(reasons)[0] if reasons and "" not in reasons else "",
            note=note,
            tied_to=tied_to,
        )
        self.groups[id] = group
        self.masks[id] = Masks(weights, modules & self.statistics, modules & ~self.statistics)
        self.parents[id] = self._ancestors(index, itself=kind in ("parameter", "layers"))
        return group

    def _within(self, parameter: int, rows: tuple[Group, ...]) -> bool:
        name = self.scan.slot_names[self.first_slot[parameter]]
        return any(name == row.id or name.startswith(row.id + ".") for row in rows)

    def _ancestors(self, index: int, itself: bool) -> tuple[int, ...]:
        found = [self.bit[index]] if itself else []
        node = self.scan.modules[index].parent
        while node >= 0:
            found.append(self.bit[node])
            node = self.scan.modules[node].parent
        return tuple(found)

    def _buffers(self, index: int, rows: tuple[Group, ...] | None) -> tuple[str, ...]:
        if rows is not None:
            return tuple(name for row in rows for name in row.buffers)
        entry = self.scan.modules[index]
        names = []
        for inner in self.scan.modules[index : entry.end]:
            prefix = f"{inner.name}." if inner.name else ""
            names += [prefix + key for key, buffer in inner.module._buffers.items() if buffer is not None]
        return tuple(names)

    def _tie_note(self, indices: list[int], owned: list[int], first: int, last: int) -> tuple[str, str]:
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

    # -- rows -----------------------------------------------------------------------------------------------------

    def _rows_below(self, index: int, depth: int) -> tuple[Group, ...]:
        rows = self._rows(index, depth)
        if index == 0:
            rows.sort(key=lambda row: row.kind == "head")  # stable: a head registered first still comes last
        return self._ranges(index, rows, depth)

    def _rows(self, index: int, depth: int) -> list[Group]:
        entry = self.scan.modules[index]
        inside = [child for child in self.children[index] if self.weights[child]]
        own_last = self.scan.modules[self.children[index][0]].first if self.children[index] else entry.last
        own = range(entry.first, own_last)
        # A layer with one weight needs no row below it; ids of single weights exist all the same.
        rows = [self._parameter(slot, index, depth) for slot in own]
        if len(rows) == 1 and not inside:
            rows = []
        for child in inside:
            if index in self.outline.opened and child in self.outline.opened:
                lifted = self._rows(child, depth)
                name, label = self.scan.modules[child].name, self._label(child)
                self._make(name, label, "module", type(self.scan.modules[child].module).__name__, depth,
                           self.weights[child], self.subtree[child], tuple(lifted), child)  # fmt: skip
                rows += lifted
            else:
                rows.append(self._group(child, depth, self._label(child)))
        if index in self.outline.opened:
            rows = self._adopt(index, rows)
        return rows

    def _adopt(self, index: int, rows: list[Group]) -> list[Group]:
        """Give modules without weights to a row: dropout to the layer it feeds, statistics to the layer before."""
        places = {row.id: place for place, row in enumerate(rows)}
        order = [(child, self.scan.modules[child].name) for child in self.children[index]]
        owners = [place for place, (child, _) in enumerate(order) if self.weights[child]]
        for place, (child, _) in enumerate(order):
            if self.weights[child] or not owners:
                continue
            after = [owner for owner in owners if owner > place]
            before = [owner for owner in owners if owner < place]
            statistics = bool(self.subtree[child] & self.statistics)
            pick = (before or after)[-1 if before else 0] if statistics or not after else after[0]
            owner = order[pick][1]
            if owner not in places:  # an opened wrapper: its nearest row
                near = [row for row in rows if row.id.startswith(owner + ".")]
                if not near:
                    continue
                owner = (near[-1] if pick < place else near[0]).id
            mask = self.masks[owner]
            extra = self.subtree[child]
            self.masks[owner] = Masks(
                mask.parameters,
                mask.statistics | extra & self.statistics,
                mask.modules | extra & ~self.statistics,
            )
        return rows

    def _parameter(self, slot: int, index: int, depth: int) -> Group:
        name = self.scan.slot_names[slot]
        return self._make(
            name, humanise(name), "parameter", "Parameter", depth, self.slot_bits[slot], 0, (), index
        )

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
        rows = tuple(_deeper(row) for row in part)
        for row in rows:
            for inner in _walk(row):
                self.groups[inner.id] = inner
        weights = modules = 0
        for row in rows:
            mask = self.masks[row.id]
            weights |= mask.parameters
            modules |= mask.statistics | mask.modules
        label = f"{part[0].label} to {part[-1].label[:1].lower()}{part[-1].label[1:]}"
        return self._make(
            id, label, "layers", f"{len(part)} x {part[0].module_type}", depth, weights, modules, rows, index
        )

    def _kind(self, index: int) -> str:
        if index in self.heads:
            return "head"
        if index in self.blocks:
            return "layer"
        entry = self.scan.modules[index]
        kind = kind_of(entry.name, entry.module)
        return "module" if kind == "head" else kind

    def _label(self, index: int) -> str:
        entry = self.scan.modules[index]
        last = last_name(entry.name)
        if index in self.blocks:
            return self._block_label(index)
        where = self._tower_word(index)
        text = (
            humanise(entry.name) if not last.isdigit() else f"{type(entry.module).__name__} {int(last) + 1}"
        )
        if isinstance(entry.module, nn.Embedding) and "embedding" not in text.lower():
            text += " embeddings"
        if index in self.heads and looks_like_head(last) and "head" not in text.lower():
            text = f"Head: {text.lower()}"
        return (
            f"{where}: {text[:1].lower()}{text[1:]}"
            if where and self.scan.modules[index].parent in self.outline.opened
            else text
        )

    def _block_label(self, index: int) -> str:
        entry = self.scan.modules[index]
        stack = self.scan.modules[entry.parent].name
        last = last_name(entry.name)
        if not last.isdigit():
            return humanise(last)
        number = f"{int(last) + 1}"
        if is_leaf(entry.module):
            return f"{type(entry.module).__name__} {number}"
        context = last_name(stack.rpartition(".")[0])
        where = self._tower_word(index)
        named = stack and not is_plain_list_name(stack)
        noun = f"{humanise(stack)}, block" if named else noun_of(stack)
        if where:
            text = f"{where} {noun}"
        elif context in ("encoder", "decoder"):
            text = f"{context} {noun}"
        else:
            text = noun
        return f"{text[:1].upper()}{text[1:]} {number}"

    def _tower_word(self, index: int) -> str:
        """With several towers: which one a row is of ("Text model", "Decoder")."""
        if len(self.outline.towers) < 2:
            return ""
        name = self.scan.modules[index].name
        inside = [branch for branch in self.outline.branches if branch and name.startswith(branch + ".")]
        return humanise(max(inside, key=len)) if inside else ""


def _deeper(row: Group) -> Group:
    return replace(row, depth=row.depth + 1, children=tuple(_deeper(child) for child in row.children))


def _walk(row: Group) -> Iterator[Group]:
    yield row
    for child in row.children:
        yield from _walk(child)


def _bits(indices) -> int:
    mask = 0
    for index in indices:
        mask |= 1 << index
    return mask
