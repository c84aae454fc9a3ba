"""A map of embeddings before and after training as plain data: the widget, its static view and tests read
this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Literal, TypedDict

import numpy as np

from ..base.formats import plural
from ..base.plot import GLYPHS
from ..base.records import PanelState, SortedTable
from .maps import Maps, Points, distances


class EmbeddingModality(TypedDict):
    """A modality, and the path of its marks."""

    name: str
    glyph: str


class EmbeddingGroup(TypedDict):
    """A group of things, and its colour."""

    name: str
    slot: int


class EmbeddingRow(TypedDict):
    """A thing, and the place of its group."""

    name: str
    group: int


class EmbeddingPlaces(TypedDict):
    """Where a modality's marks are, row by row."""

    before: list[tuple[float, float]]
    after: list[tuple[float, float]]


class EmbeddingScale(TypedDict):
    """The ends of an axis."""

    low: float
    high: float


class EmbeddingAxes(TypedDict):
    """Both axes."""

    x: EmbeddingScale
    y: EmbeddingScale


class EmbeddingPair(TypedDict):
    """Two modalities, and how far their marks of the same thing are apart before and after, in words."""

    one: str
    other: str
    distances: list[tuple[str, str]]


class EmbeddingState(PanelState):
    """The state of an `EmbeddingMap`; see `embedding_state`."""

    view: Literal["embedding"]
    status: str
    modalities: list[EmbeddingModality]
    groups: list[EmbeddingGroup]
    rows: list[EmbeddingRow]
    points: dict[str, EmbeddingPlaces]
    axis: EmbeddingAxes
    pairs: list[EmbeddingPair]
    basis: str
    words: str
    table: SortedTable


MOST_SHOWN = 300
"""Rows on the map; all count in the distances, and all lay it out."""
OTHERS = "other groups"
MOST_GROUPS = 6


def embedding_state(
    before: Points, after: Points, maps: Maps, names: Sequence[str], groups: Sequence[str]
) -> dict:
    """All that a map shows.

    Returns:
        `modalities`: name and glyph. `groups`: name and slot (colour). `rows`: name and group's place.
        `points`: by modality "before" and "after", a place [x, y] a row. `axis`: low and high, the same for x
        and y and for both maps. `pairs`: for two modalities, each row's distance in words, before and after.
        `basis`, `words`, `status`: sentences. `table`.
    """
    total = len(names)
    shown = list(range(total))
    if total > MOST_SHOWN:
        shown = [place * total // MOST_SHOWN for place in range(MOST_SHOWN)]
    counted = [name for name, _ in Counter(groups).most_common()]
    kept = counted if len(counted) <= MOST_GROUPS else counted[: MOST_GROUPS - 1]
    legend = [*kept, *([OTHERS] if len(kept) < len(counted) else [])]
    place_of = {name: place for place, name in enumerate(legend)}
    pairs = [_pair(before, after, one, other) for one, other in combinations(before, 2)]
    cells = [
        [[f"{when[row]:.2f}" for when in (pair["all_before"], pair["all_after"])] for pair in pairs]
        for row in shown
    ]
    return {
        "status": f"{plural(total, 'row')} of {plural(len(before), 'modality', 'modalities')}"
        + (f", {len(shown)} shown" if len(shown) < total else ""),
        "modalities": [
            {"name": name, "glyph": GLYPHS[place % len(GLYPHS)]} for place, name in enumerate(before)
        ],
        "groups": [{"name": name, "slot": place} for place, name in enumerate(legend)],
        "rows": [{"name": names[row], "group": place_of.get(groups[row], len(legend) - 1)} for row in shown],
        "points": {
            name: {
                "before": _places(maps.before[name][shown]),
                "after": _places(maps.after[name][shown]),
            }
            for name in before
        },
        "axis": _axis(maps),
        "pairs": [
            {"one": pair["one"], "other": pair["other"], "distances": [row[place] for row in cells]}
            for place, pair in enumerate(pairs)
        ],
        "basis": maps.words,
        "words": _words(pairs[0]) if len(pairs) == 1 else _list(pairs),
        "table": _table(pairs, shown, names, groups, cells),
    }


def _pair(before: Points, after: Points, one: str, other: str) -> dict:
    found: dict[str, object] = {"one": one, "other": other}
    for when, points in (("before", before), ("after", after)):
        partners, others = distances(points, one, other)
        found |= {f"all_{when}": partners, f"others_{when}": others, f"mean_{when}": float(partners.mean())}
    return found


def _words(pair: dict) -> str:
    said = (
        f"{pair['one'].capitalize()} and {pair['other']} of the same thing were {pair['mean_before']:.2f} "
        "apart on average "
        f"before (cosine distance), and are {pair['mean_after']:.2f} after"
    )
    if pair["others_before"] is None:
        return said + "."
    return (
        said
        + f"; of different things {pair['others_before']:.2f} before, and {pair['others_after']:.2f} after."
    )


def _list(pairs: Sequence[dict]) -> str:
    said = []
    for pair in pairs:
        others = ""
        if pair["others_before"] is not None:
            others = f" (different things {pair['others_before']:.2f} and {pair['others_after']:.2f})"
        same = f"{pair['mean_before']:.2f} and {pair['mean_after']:.2f}"
        said.append(f"{pair['one']}–{pair['other']} {same}{others}")
    return f"Mean cosine distance of the same thing, before and after: {'; '.join(said)}."


def _table(pairs, shown, names, groups, cells) -> dict:
    head = ["Name", "Group"]
    for pair in pairs:
        head += [f"{pair['one']}–{pair['other']}, {when}" for when in ("before", "after")]
    rows, sort = [], []
    for row, found in zip(shown, cells, strict=True):
        rows.append([names[row], groups[row], *(cell for pair in found for cell in pair)])
        numbers = [float(pair[when][row]) for pair in pairs for when in ("all_before", "all_after")]
        sort.append([names[row], groups[row], *(round(number, 6) for number in numbers)])
    return {
        "head": head,
        "rows": rows,
        "sort": sort,
        "caption": "Cosine distance of partners, before and after",
    }


def _places(points: np.ndarray) -> list[list[float]]:
    return [[round(float(x), 4), round(float(y), 4)] for x, y in points]


def _axis(maps: Maps) -> dict:
    """Ends for both axes: the same scale on both, or distances would mislead."""
    every = np.concatenate([*maps.before.values(), *maps.after.values()])
    low, high = every.min(0), every.max(0)
    half = 0.54 * float((high - low).max()) or 1.0
    middle = (low + high) / 2
    return {
        name: {"low": round(float(middle[place] - half), 4), "high": round(float(middle[place] + half), 4)}
        for place, name in enumerate("xy")
    }
