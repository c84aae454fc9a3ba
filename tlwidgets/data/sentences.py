"""Human-rated sentences of four domains, and splits of them that leak nothing.

From C.J. Hutto and E. Gilbert (2014), "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM; `scripts/build_sentences.py` makes the copy in `files/` from what they published.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .cards import Card
from .sentence_table import FILES, TABLE, VARIANT_JACCARD, Row, read_table

DOMAINS = {
    "film": "snippets of film reviews",
    "product": "customers' reviews of five electronic products",
    "tweet": "tweets",
    "editorial": "sentences of newspaper editorials",
}
NEUTRAL = 1.0


class SentenceDataError(ValueError):
    """A domain that is not there, or a split that the data cannot give."""


@dataclass(frozen=True)
class Sentences:
    """Sentences of one domain. `scores` are mean ratings from -4 to 4; `groups` number their sources."""

    domain: str
    texts: tuple[str, ...]
    scores: tuple[float, ...]
    groups: tuple[int, ...]

    @property
    def labels(self) -> tuple[int, ...]:
        """1 where the raters found the sentence positive on average, else 0."""
        return tuple(int(score > 0) for score in self.scores)

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: Sequence[int]) -> "Sentences":
        """The sentences at these positions, in this order."""
        return Sentences(
            self.domain,
            tuple(self.texts[i] for i in indices),
            tuple(self.scores[i] for i in indices),
            tuple(self.groups[i] for i in indices),
        )


@dataclass(frozen=True)
class SentenceSplit:
    """Three parts of one domain; no source has sentences in two of them."""

    train: Sentences
    valid: Sentences
    test: Sentences


def load_sentences(domain: str = "film", *, neutral: float = NEUTRAL) -> Sentences:
    """Sentences whose mean rating is at least `neutral` away from 0 (0 keeps all but the exact zeros).

    The middle is left out because there the raters disagree on the sign, and a label would be a coin toss.
    Raises `SentenceDataError` for a domain that is not in `DOMAINS`.
    """
    if domain not in DOMAINS:
        raise SentenceDataError(f"There is no domain {domain!r}; choose one of {', '.join(DOMAINS)}.")
    kept = [row for row in _table() if row.domain == domain and abs(row.score) >= neutral and row.score]
    return Sentences(
        domain,
        tuple(row.text for row in kept),
        tuple(row.score for row in kept),
        tuple(row.group for row in kept),
    )


def split_sentences(
    sentences: Sentences, *, train: int, test: int, valid: int = 0, seed: int = 0
) -> SentenceSplit:
    """Random parts of the given sizes, half positive and half negative, without leakage.

    Whole sources (see `sentences_card`) are dealt to the parts in an order that `seed` decides; what a part
    has no room for is left unused rather than given to another. The same arguments give the same split.
    Raises `SentenceDataError` when a size is odd or negative, or there are too few sentences.
    """
    sizes = {"test": test, "valid": valid, "train": train}
    for part, size in sizes.items():
        if size < 0 or size % 2:
            raise SentenceDataError(
                f"{part}={size} cannot be half positive and half negative: give an even number, 0 or more."
            )
    labels = sentences.labels
    room = {part: {0: size // 2, 1: size // 2} for part, size in sizes.items()}
    chosen: dict[str, list[int]] = {part: [] for part in sizes}
    for members in _shuffled_sources(sentences, seed):
        hungriest = _hungriest(room, [labels[i] for i in members])
        if hungriest is None:
            continue
        for i in members:
            if room[hungriest][labels[i]]:
                room[hungriest][labels[i]] -= 1
                chosen[hungriest].append(i)
    for part, left in room.items():
        if any(left.values()):
            raise SentenceDataError(
                f"The domain {sentences.domain!r} has too few sentences for {part}={sizes[part]} beside the "
                f"other parts: {sum(left.values())} are missing. Ask for smaller parts."
            )
    order = random.Random(seed)
    for indices in chosen.values():
        order.shuffle(indices)
    return SentenceSplit(**{part: sentences.take(indices) for part, indices in chosen.items()})


def sentences_card(neutral: float = NEUTRAL) -> Card:
    """What the sentences are, counted from the table itself."""
    sizes = {domain: len(load_sentences(domain, neutral=neutral)) for domain in DOMAINS}
    total = len(_table())
    return Card(
        title="Human-rated sentences",
        what="English sentences of four domains: "
        + "; ".join(f"{text} ({domain!r})" for domain, text in DOMAINS.items())
        + ".",
        real="Real sentences, each rated by 15 or more trained people, from -4 (very negative) to 4. "
        "Some 200 of the tweets were made up by the authors.",
        label="1 (positive) or 0 (negative), the sign of the mean rating. Ratings less than "
        f"{neutral:g} away from 0 are left out.",
        size=f"{total:,} rated sentences; with a clear rating: "
        + ", ".join(f"{size:,} {domain}" for domain, size in sizes.items())
        + ".",
        splits="Sentences of one review or article, near-duplicates (six words in a row in common), film "
        "snippets that mention the same name, and tweets that share most of their words (variants of one "
        f"another, a Jaccard index of {VARIANT_JACCARD:g} or more) stay in the same part. Parts are half "
        "positive, half negative.",
        limits="Film snippets carry no film id, so two that never name their film may still be about the "
        "same one. Leaving the neutral middle out makes the task easier than life.",
        licence="MIT, copyright 2016 C.J. Hutto; its authors took the sentences from public sources.",
        source="Hutto and Gilbert (2014), VADER, ICWSM; source distribution vaderSentiment 3.3.2.",
    )


@lru_cache(maxsize=1)
def _table() -> tuple[Row, ...]:
    return tuple(read_table((FILES / TABLE).read_bytes()))


def _shuffled_sources(sentences: Sentences, seed: int) -> list[list[int]]:
    members = defaultdict(list)
    for index, group in enumerate(sentences.groups):
        members[group].append(index)
    sources = list(members.values())
    random.Random(seed).shuffle(sources)
    return sources


def _hungriest(room: dict[str, dict[int, int]], labels: list[int]) -> str | None:
    """The part that can use most of these sentences, in proportion to what it still lacks."""

    def use(part: str) -> tuple[int, int]:
        fitting = sum(min(room[part][label], labels.count(label)) for label in (0, 1))
        return fitting, sum(room[part].values())

    best = max(room, key=use)
    return best if use(best)[0] else None
