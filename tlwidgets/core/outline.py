"""Which rows a person sees first: the outline of a model, found without rules for particular models.

A *stack* is a list of blocks of the same type. Whatever holds a stack (wrappers such as `bert` or
`bert.encoder`, and the list itself) is opened, so that the first rows are embeddings, each layer, pooler,
head. Stacks with the same parent make one *tower* (a ResNet's four stages, an encoder); a model of several
towers has encoders and decoders, or an image and a text side.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .heads import LISTS, HeadFinder, ancestors, subtree
from .kinds import is_leaf, kind_of, last_name, looks_like_head
from .scan import Scan
from .towers import find_towers, shared


@dataclass(frozen=True)
class Outline:
    """Indices into `Scan.modules`: what is opened, the repeated blocks in order, and the heads."""

    opened: frozenset[int]
    blocks: tuple[int, ...]
    towers: tuple[tuple[int, ...], ...]  # the blocks, one tuple a tower
    branches: tuple[str, ...]  # where each tower is: the prefix of names in which it differs from the others
    head: tuple[int, ...]
    heads: HeadFinder  # why each is one


def outline(scan: Scan) -> Outline:
    """Find the outline of a scanned model."""
    children = _children(scan)
    heads = HeadFinder(scan, children)
    heads.before_the_layers()
    apart = subtree(scan, heads.modules)
    stacks = _stacks(scan, children, apart, composite=True)
    plain = not stacks
    stacks = stacks or _stacks(scan, children, apart, composite=False)
    opened = {0, *stacks} | ancestors(scan, stacks)
    if not stacks:
        _open_single_backbone(scan, children, opened)
    heads.after_the_layers(opened, stacks, _rows(scan, opened))
    # A head is a row of its own, unless it lies in a layer (PEFT saves whatever it is told to).
    inside = subtree(scan, [row for row in _rows(scan, opened) if scan.modules[row].parent in stacks])
    opened |= ancestors(scan, [head for head in heads.modules if head not in inside])
    opened -= set(heads.modules)
    rows, head = _rows(scan, opened), tuple(sorted(heads.modules))
    blocks = tuple(row for row in rows if row not in head and _is_block(scan, row, set(stacks), plain))
    towers = find_towers(scan, blocks)
    return Outline(frozenset(opened), blocks, towers, _branches(scan, towers), head, heads)


def _rows(scan: Scan, opened: set[int]) -> list[int]:
    return [index for index in range(len(scan.modules)) if _is_row(scan, opened, index)]


def _children(scan: Scan) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in scan.modules]
    for index, entry in enumerate(scan.modules[1:], start=1):
        children[entry.parent].append(index)
    return children


def _owns(scan: Scan, index: int) -> bool:
    entry = scan.modules[index]
    return entry.last > entry.first


def _stacks(scan: Scan, children: list[list[int]], apart: frozenset[int], composite: bool) -> list[int]:
    """Outermost lists of two or more blocks of one type; of plain layers where there is no list of blocks.

    What is in `apart` (heads) is passed over.
    """
    found: list[int] = []
    end = 0
    for index, entry in enumerate(scan.modules):
        if index < end or index in apart or not isinstance(entry.module, LISTS):
            continue
        if index and looks_like_head(last_name(entry.name)):
            continue
        owners = [child for child in children[index] if _owns(scan, child) and child not in apart]
        blocks = [child for child in owners if not is_leaf(scan.modules[child].module)]
        if composite:
            types = Counter(type(scan.modules[child].module).__name__ for child in blocks)
            good = bool(types) and max(types.values()) >= 2 and 2 * max(types.values()) >= len(owners)
        else:
            good = len(owners) >= 2
        if good:
            found.append(index)
            end = entry.end
    return found


def _open_single_backbone(scan: Scan, children: list[list[int]], opened: set[int]) -> None:
    """With no stack anywhere (ALBERT shares one block), open the child that holds most of the model."""
    whole = scan.modules[0].last
    node = 0
    while True:
        big = [
            child
            for child in children[node]
            if 2 * (scan.modules[child].last - scan.modules[child].first) > whole
            and sum(_owns(scan, grandchild) for grandchild in children[child]) >= 1
            and not is_leaf(scan.modules[child].module)
        ]
        # Open wrappers, but stop at the part that is one row's worth: an encoder whose layers are shared.
        if not big or kind_of(scan.modules[big[0]].name, scan.modules[big[0]].module) != "module":
            return
        if node and last_name(scan.modules[big[0]].name).endswith("encoder"):
            return
        node = big[0]
        opened.add(node)


def _is_block(scan: Scan, row: int, stacks: set[int], plain: bool) -> bool:
    """Rows that count as layers: a stack's elements; in a chain of plain layers, all but the norms.

    With no stack at all (ALBERT's layers are one shared layer) each part between embeddings and pooler is a
    layer.
    """
    entry = scan.modules[row]
    if stacks and entry.parent not in stacks:
        return False
    return not plain or kind_of(entry.name, entry.module) in ("module", "head")


def _branches(scan: Scan, towers: tuple[tuple[int, ...], ...]) -> tuple[str, ...]:
    if len(towers) < 2:
        return ("",) * len(towers)
    paths = [scan.modules[tower[0]].name.split(".") for tower in towers]
    found = []
    for path in paths:
        common = max(shared(path, other) for other in paths if other is not path)
        found.append(".".join(path[: common + 1]))
    return tuple(found)


def _is_row(scan: Scan, opened: set[int], index: int) -> bool:
    return index not in opened and scan.modules[index].parent in opened and _owns(scan, index)
