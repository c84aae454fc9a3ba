"""What is found for a query, and how often it is right: numbers and words as plain data, for the grid and its
static view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypedDict

import numpy as np
import torch

from ...train import wilson_interval
from ...train.retrieval import cosines, random_recall, rank_of_first_right, wrong_before_right
from ..base.formats import percent, plural
from ..base.records import PanelState, SortedTable


class RetrievalRecall(TypedDict):
    """How many queries have something right among their first k, in numbers and in words."""

    k: int
    share: float
    low: float
    high: float
    chance: float
    text: str
    interval: str
    chance_text: str
    count: str
    label: str


class RetrievalQueries(TypedDict):
    """The queries that can be picked."""

    indices: list[int]
    names: list[str]
    ranks: list[int]
    table: SortedTable


class RetrievalSheet(TypedDict):
    """How the queries' pictures stand on their sheet."""

    side: int
    columns: int


class RetrievalPicked(TypedDict):
    """What is searched for; `index` is None for words of one's own."""

    index: int | None
    name: str
    own: bool
    png: str
    sound: bool


class RetrievalHit(TypedDict):
    """Something found, at its place."""

    index: int
    place: int
    place_text: str
    name: str
    score: str
    right: bool
    png: str
    sound: bool


class RetrievalState(PanelState):
    """The state of a `RetrievalGrid`. `right`: the first right hit, where it is further down than `results`
    go."""

    view: Literal["retrieval"]
    status: str
    queries: RetrievalQueries
    sheet: RetrievalSheet | None
    picked: RetrievalPicked
    results: list[RetrievalHit]
    right: RetrievalHit | None
    words: str
    recall: list[RetrievalRecall]
    encodes: bool


MOST_LISTED = 300
"""Queries that can be picked from a list; all count."""


@dataclass(frozen=True)
class Search:
    """Queries and a gallery in one space: vectors of length 1, (queries, width) and (items, width), and what
    is right.

    `right` is (queries, items) bool.
    """

    queries: np.ndarray
    gallery: np.ndarray
    right: np.ndarray

    @cached_property
    def scores(self) -> np.ndarray:
        """Cosines, (queries, items)."""
        return self.against(self.queries)

    def against(self, vectors: np.ndarray) -> np.ndarray:
        """Cosines of vectors (rows, width) with the gallery, (rows, items)."""
        return cosines(torch.from_numpy(vectors), torch.from_numpy(self.gallery)).numpy()

    @cached_property
    def ranks(self) -> np.ndarray:
        """The rank of each query's first right item, from 1; 0 where the gallery has none: those of
        `train.retrieval`.

        Among equal scores, wrong items come first: a space that has collapsed into one point finds nothing.
        """
        return rank_of_first_right(torch.from_numpy(self.scores), torch.from_numpy(self.right)).numpy()

    def order(self, query: int) -> tuple[np.ndarray, np.ndarray]:
        """All items for a query, best first (of equal ones, wrong ones first), and their cosines."""
        return _sorted(self.scores[query], self.right[query])

    def order_for(self, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All items for a vector of length 1, best first, and their cosines."""
        return _sorted(self.against(vector[None])[0], np.zeros(len(self.gallery), bool))


def _sorted(scores: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((right, -wrong_before_right(scores, right)))
    return order, scores[order]


def recall(search: Search, ks: Sequence[int]) -> list[dict]:
    """For each k: how many queries have something right among their first k, and what a random order would
    give."""
    items = len(search.gallery)
    counts = search.right.sum(1)
    counts = counts[counts > 0]
    ranks = search.ranks[search.ranks > 0]
    found = []
    for k in ks if len(ranks) else ():
        right = int((ranks <= k).sum())
        low, high = wilson_interval(right, len(ranks))
        chance = float(np.mean([random_recall(items, int(count), k) for count in counts]))
        interval, count = f"{100 * low:.1f} to {100 * high:.1f}", f"{right:,} of {len(ranks):,}"
        found.append(
            {
                "k": k,
                "share": right / len(ranks),
                "low": low,
                "high": high,
                "chance": chance,
                "text": percent(right / len(ranks)),
                "interval": interval,
                "chance_text": percent(chance),
                "count": count,
                "label": f"R@{k}: {count} queries have something right among their first {k}; "
                f"95 % interval {interval}; chance {percent(chance)}",
            }
        )
    return found


def listed(search: Search, names: Sequence[str], found: Sequence[str]) -> dict:
    """The queries that can be picked, spread over all of them, with their ranks, and a table of them."""
    total = len(names)
    shown: Sequence[int] = range(total)
    if total > MOST_LISTED:
        shown = [place * total // MOST_LISTED for place in range(MOST_LISTED)]
    ranks = search.ranks
    rows, sort = [], []
    for query in shown:
        rank, first = int(ranks[query]), found[int(search.order(query)[0][0])]
        rows.append([names[query], f"{rank:,}" if rank else "none there", first])
        sort.append([names[query], rank or len(search.gallery) + 1, first])
    left = f" of {total:,}, spread over all" if total > len(shown) else ""
    return {
        "indices": list(shown),
        "names": [names[query] for query in shown],
        "ranks": [int(ranks[query]) for query in shown],
        "table": {
            "head": ["Query", "Rank of the right one", "Found first"],
            "rows": rows,
            "sort": sort,
            "caption": f"{plural(len(rows), 'query', 'queries')}{left}; rank 1 is best",
        },
    }


def status(search: Search) -> str:
    """How much there is."""
    without = int((search.ranks == 0).sum())
    words = (
        f"{plural(len(search.queries), 'query', 'queries')}, {len(search.gallery):,} in the gallery, "
        f"{search.gallery.shape[1]:,} numbers each"
    )
    return words + (f"; {without:,} without anything right in the gallery are not counted" if without else "")


def words_of(name: str, own: bool, results: Sequence[dict], rank: int, items: int) -> str:
    """The answer in a sentence or two."""
    first = results[0]
    said = f"The first result for “{name}” is {first['name']} (cosine {first['score']})."
    if own:
        return said + " You decide whether that is right."
    if not rank:
        return said + " Nothing in the gallery is right."
    return said + f" {'It is right.' if rank == 1 else f'The right one has rank {rank:,} of {items:,}.'}"


def numbers(values) -> np.ndarray:
    """A tensor, on whichever device and of whichever precision, or an array, as float64."""
    if hasattr(values, "detach"):
        return values.detach().cpu().double().numpy()  # NumPy has no bfloat16
    return np.asarray(values, dtype=np.float64)


def unit(vectors, what: str) -> np.ndarray:
    """Vectors (rows, width) made of length 1.

    Raises:
        ValueError: another shape, values that are not finite, or a vector without a direction.
    """
    values = numbers(vectors)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"{what} has shape {values.shape}. Expected embeddings, (rows, width).")
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    wrong = np.flatnonzero(~np.isfinite(lengths[:, 0]) | (lengths[:, 0] == 0))
    if len(wrong):
        raise ValueError(
            f"Row {wrong[0]} of {what} has length {lengths[wrong[0], 0]:g}, so it has no direction. "
            "Expected finite embeddings that are not all 0."
        )
    return values / lengths
