"""The retrieval grid: pick a query, or write one, and see what a shared space finds for it, and how often it
is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from ...data.media import read_text
from ..base.formats import plural
from ..base.labels import labels
from ..base.panel import Panel
from . import state as shown
from .static import retrieval_html, retrieval_text
from .thumbnails import pixels, sheet, thumbnail, waveform

_SIDE, _LIST_SIDE, _LIST_COLUMNS = 72, 40, 20
_MOST_SHOWN = 24
_MOST_LETTERS = 200
_MOST_PAIRS = 10_000_000  # cosines of queries with items: 80 MB


class RetrievalGrid(Panel):
    """Search a gallery by its cosine with a query: pictures by words, words by pictures, sounds by either.

    Args:
        query_embeddings: (queries, width).
        gallery_embeddings: (items, width), of the same space.
        query_names: what each query is called; a picture's name is its alternative text.
        gallery_names: likewise for the items.
        query_labels: what each query shows: items with the same label are right. None: row i of the queries
            belongs to row i of the gallery.
        gallery_labels: what each item shows.
        query_pictures: (height, width, 3), as arrays, tensors or Pillow's.
        gallery_pictures: likewise.
        query_sounds: (samples,) from -1 to 1, `rate` per second; each gets a button that plays it.
        gallery_sounds: likewise.
        encode: a function from a text to its embedding (width,), with which people can search in their own
            words.
        top: how many of the items found are shown, at most 24.
        ks: the k for which recall is shown.

    Among equal scores, wrong items rank first, so that embeddings that have collapsed into a point find
    nothing. Display the panel by making it a cell's last line. Where nobody can click, the current query is
    shown as a static view.

    Raises:
        ValueError: embeddings, names, labels, pictures or sounds that don't fit one another.
    """

    requests = {"pick": ("pick", "query"), "ask": ("ask", "text"), "sound": ("_play", "side", "index")}
    """The answer to `sound` has a WAV file as its buffer."""

    def __init__(
        self,
        query_embeddings,
        gallery_embeddings,
        *,
        query_names: Sequence[str],
        gallery_names: Sequence[str],
        query_labels: Sequence | None = None,
        gallery_labels: Sequence | None = None,
        query_pictures: Sequence | None = None,
        gallery_pictures: Sequence | None = None,
        query_sounds: Sequence | None = None,
        gallery_sounds: Sequence | None = None,
        rate: int = 16_000,
        encode: Callable[[str], object] | None = None,
        top: int = 12,
        ks: Sequence[int] = (1, 5),
        title: str = "Retrieval",
    ) -> None:
        super().__init__()
        queries, gallery = (
            shown.unit(query_embeddings, "query_embeddings"),
            shown.unit(gallery_embeddings, "gallery_embeddings"),
        )
        _check(queries, gallery, top, ks)
        self._names = {
            "query": _as_many("query_names", query_names, queries),
            "gallery": _as_many("gallery_names", gallery_names, gallery),
        }
        self._pictures = {
            "query": _pixels("query_pictures", query_pictures, queries),
            "gallery": _pixels("gallery_pictures", gallery_pictures, gallery),
        }
        self._sounds = {
            "query": _as_many("query_sounds", query_sounds, queries),
            "gallery": _as_many("gallery_sounds", gallery_sounds, gallery),
        }
        self._search = shown.Search(queries, gallery, _right(query_labels, gallery_labels, queries, gallery))
        self._rate, self._encode, self._top, self._title = rate, encode, min(top, len(gallery)), title
        self._png = lru_cache(maxsize=512)(self._thumbnail)
        self._listed = shown.listed(self._search, self._names["query"], self._names["gallery"])
        self._recall = shown.recall(self._search, ks)
        self._sheet: bytes | None = None
        self._query: int | None = 0
        self._own = ("", np.zeros(0), "")  # what was asked for: its name, its embedding, its thumbnail
        self._say("info", "")

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def ranks(self) -> list[int]:
        """The rank of each query's first right item, from 1; 0 where the gallery has none."""
        return self._search.ranks.tolist()

    @property
    def recall(self) -> dict[int, float]:
        """By k, the share of the queries with something right among their first k."""
        return {entry["k"]: entry["share"] for entry in self._recall}

    @property
    def found(self) -> list[tuple[str, float]]:
        """Names and cosines of the items shown now, best first."""
        with self.lock:
            order, scores = self._order()
            names = self._names["gallery"]
            return [(names[item], float(score)) for item, score in zip(order, scores, strict=True)][
                : self._top
            ]

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            order, scores = self._order()
            query, own = self._query, self._query is None
            rank = 0 if query is None else int(self._search.ranks[query])
            hits = [self._hit(place, order, scores) for place in range(self._top)]
            name = self._own[0] if query is None else self._names["query"][query]
            return {
                "schema": 1,
                "view": "retrieval",
                "title": self._title,
                "labels": labels("retrieval"),
                "status": shown.status(self._search),
                "queries": self._listed,
                "sheet": {"side": _LIST_SIDE, "columns": _LIST_COLUMNS} if self._pictures["query"] else None,
                "picked": {
                    "index": query,
                    "name": name,
                    "own": own,
                    "png": self._own[2] if own else self._png("query", query),
                    "sound": not own and bool(self._sounds["query"]),
                },
                "results": hits,
                "right": self._hit(rank - 1, order, scores) if rank > self._top else None,
                "words": shown.words_of(name, own, hits, rank, len(order)),
                "recall": self._recall,
                "encodes": self._encode is not None,
                "message": dict(self._message),
                "closed": self._closed,
            }

    def _order(self) -> tuple[np.ndarray, np.ndarray]:
        if self._query is None:
            return self._search.order_for(self._own[1])
        return self._search.order(self._query)

    def _hit(self, place: int, order: np.ndarray, scores: np.ndarray) -> dict:
        item = int(order[place])
        return {
            "index": item,
            "place": place + 1,
            "place_text": f"{place + 1:,}",
            "name": self._names["gallery"][item],
            "score": f"{scores[place]:.2f}".replace("-", "−"),
            "right": self._query is not None and bool(self._search.right[self._query, item]),
            "png": self._png("gallery", item),
            "sound": bool(self._sounds["gallery"]),
        }

    def _thumbnail(self, side: str, index: int) -> str:
        pictures = self._pictures[side]
        return thumbnail(pictures[index], _SIDE) if pictures else ""

    def sheet(self) -> bytes:
        """The pictures of the queries that can be picked, as one PNG; empty where queries have no
        pictures."""
        if self._sheet is None:
            pictures = self._pictures["query"]
            chosen = [pictures[query] for query in self._listed["indices"]] if pictures else []
            self._sheet = sheet(chosen, _LIST_SIDE, _LIST_COLUMNS) if chosen else b""
        return self._sheet

    def wav(self, side: str, index: int) -> bytes:
        """A sound as a WAV file; `side` is "query" or "gallery".

        Raises:
            ValueError: there is no such sound.
        """
        sounds = self._sounds.get(side)
        if (
            not sounds
            or isinstance(index, bool)
            or not isinstance(index, int)
            or not 0 <= index < len(sounds)
        ):
            raise ValueError(f"There is no sound {index!r} of {side!r}. Give query_sounds or gallery_sounds.")
        return waveform(sounds[index], self._rate, f"{side}_sounds[{index}]")

    # -- what can be done ------------------------------------------------------------------------------------

    def pick(self, query: int) -> None:
        """Show what is found for a query, by its number.

        Raises:
            ValueError: there is no such query.
        """
        count = len(self._search.queries)
        if isinstance(query, bool) or not isinstance(query, (int, np.integer)) or not 0 <= query < count:
            raise ValueError(f"There is no query {query!r}. Expected a number from 0 to {count - 1}.")
        with self.lock:
            self._query = int(query)
            self._say("info", "")

    def _play(self, side, index) -> None:
        self._reply({"type": "sound", "side": side, "index": index}, [self.wav(side, index)])

    def ask(self, text: str) -> None:
        """Search with words of your own.

        Raises:
            ValueError: there is no `encode`, no text or one that is too long, or `encode` gives an embedding
                of another space.
        """
        text = str(text or "").strip()
        if self._encode is None:
            raise ValueError(
                "This grid cannot search with words of your own. Make it with encode=..., a function from a "
                "text to its embedding."
            )
        if not 0 < len(text) <= _MOST_LETTERS:
            raise ValueError(
                f"The text has {plural(len(text), 'character')}. Expected 1 to {_MOST_LETTERS}: write what "
                "the "
                "picture shows."
            )
        text, _ = read_text(text)
        self.search(text, self._encode(text))

    def search(self, name: str, embedding, picture=None) -> None:
        """Show what is found for something that is not among the queries: its name, embedding (width,) and
        picture.

        Raises:
            ValueError: an embedding of another space, or no picture (height, width, 3).
        """
        found = shown.numbers(embedding)
        width = self._search.gallery.shape[1]
        if found.size != width:
            raise ValueError(
                f"The embedding of “{name}” has shape {found.shape}. Expected ({width},), as the gallery's "
                "are."
            )
        vector = shown.unit(found.reshape(1, width), f"the embedding of “{name}”")[0]
        png = "" if picture is None else thumbnail(pixels(picture, f"The picture of “{name}”"), _SIDE)
        with self.lock:
            self._query, self._own = None, (str(name), vector, png)
            self._say("info", "")

    def close(self) -> None:
        """End the live view and release `encode` with the model in it. The output keeps the last query as a
        static view."""
        with self.lock:
            if self._end():
                self._encode = None

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return retrieval_html(state), retrieval_text(state)

    def _make_widget(self):
        from ..base.bridge import widget_class
        from .bridge import SheetWidget

        return widget_class(type(self), SheetWidget)(self, self._receipt.name)

    def __repr__(self) -> str:
        said = ", ".join(f"R@{entry['k']} {entry['text']}" for entry in self._recall)
        return f"RetrievalGrid({shown.status(self._search)}{'; ' + said if said else ''})"


def _check(queries: np.ndarray, gallery: np.ndarray, top: int, ks: Sequence[int]) -> None:
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"Queries have {queries.shape[1]} numbers each, gallery items {gallery.shape[1]}. Expected "
            "embeddings of one space: project both first."
        )
    if len(queries) * len(gallery) > _MOST_PAIRS:
        raise ValueError(
            f"{len(queries):,} queries and {len(gallery):,} items are too many for a grid. Expected at most "
            f"{_MOST_PAIRS:,} "
            "pairs: pass fewer queries or items."
        )
    whole = all(isinstance(k, int) and not isinstance(k, bool) and k >= 1 for k in (top, *ks))
    if not whole or not ks or top > _MOST_SHOWN:
        raise ValueError(
            f"top={top!r} and ks={ks!r} should be whole numbers of at least 1, top at most {_MOST_SHOWN}."
        )


def _as_many(what: str, values, rows: np.ndarray) -> list:
    if values is None:
        return []
    values = list(values)
    if len(values) != len(rows):
        raise ValueError(f"There are {len(values)} {what} for {len(rows)} embeddings. Give one for each.")
    return [str(value) for value in values] if what.endswith("names") else values


def _pixels(what: str, pictures, rows: np.ndarray) -> list[np.ndarray]:
    return [
        pixels(picture, f"{what}[{place}]") for place, picture in enumerate(_as_many(what, pictures, rows))
    ]


def _right(query_labels, gallery_labels, queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    if (query_labels is None) != (gallery_labels is None):
        raise ValueError(
            "Labels were given for one side only. Give both query_labels and gallery_labels, or neither."
        )
    if query_labels is None:
        if len(queries) != len(gallery):
            raise ValueError(
                f"There are {len(queries)} queries and {len(gallery)} items, so rows cannot be paired. "
                "Give query_labels and gallery_labels."
            )
        return np.eye(len(queries), dtype=bool)
    wanted, there = (
        [getattr(label, "item", lambda label=label: label)() for label in _as_many(what, labels, rows)]
        for what, labels, rows in (
            ("query_labels", query_labels, queries),
            ("gallery_labels", gallery_labels, gallery),
        )
    )
    numbers = {label: number for number, label in enumerate(dict.fromkeys([*wanted, *there]))}
    one, other = (np.array([numbers[label] for label in labels]) for labels in (wanted, there))
    return one[:, None] == other
