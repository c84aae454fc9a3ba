"""Compares forms: what two answers share and few others have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .forms import Subtree

Key = tuple[str, int]  # a subtree's digest, and its number among those of this form in one answer


@dataclass(frozen=True)
class Answer:
    """An answer to an exercise: its text and the subtrees of its form."""

    student: str
    source: str
    subtrees: tuple[Subtree, ...]


@dataclass(frozen=True)
class Likeness:
    """Two forms that are alike, or one form that several students have.

    Attributes:
        students: those with the first form and those with the second; in a group of equal answers, all of
            them, and nobody.
        sources: the text of the first student of each; of the first two in a group of equal answers.
        alike: from 0 to 1, counting only what few others have; 1 for equal forms.
        shared: how many subtrees that few others have are in both.
        lines: the lines of each text where such a subtree begins.
    """

    students: tuple[tuple[str, ...], tuple[str, ...]]
    sources: tuple[str, str]
    alike: float
    shared: float
    lines: tuple[frozenset[int], frozenset[int]]

    @property
    def equal(self) -> bool:
        """Whether it is one form."""
        return not self.students[1]

    @property
    def everybody(self) -> tuple[str, ...]:
        """All students of both."""
        return (*self.students[0], *self.students[1])


def compare(
    answers: Sequence[Answer],
    given: Collection[str] = (),
    idioms: Sequence[Collection[str]] = (),
    at_least: float = 0.7,
    evidence: float = 10.0,
) -> list[Likeness]:
    """Find answers that are alike; the most telling first.

    A subtree counts fully if only the two have it, and not at all if half of the class has it. It is as if
    the known right answers (`idioms`) were handed in by others of the class, and what is in one of them
    counts half.

    Args:
        given: digests of what the lesson shows and hands out, which counts nothing.
        idioms: the digests of each known right answer.
        at_least: how much alike (`Likeness.alike`) is reported.
        evidence: how many subtrees that few others have they must share.
    """
    given = frozenset(given)
    keys = [_keys(answer.subtrees, given) for answer in answers]
    forms: dict[frozenset[Key], list[int]] = defaultdict(list)
    for place, found in enumerate(keys):
        if found:
            forms[frozenset(found)].append(place)
    members = list(forms.values())
    weights = _weights([frozenset(found) for found in keys], idioms)
    alike = [*_groups(answers, keys, members, weights), *_pairs(answers, keys, members, weights, at_least)]
    alike = [one for one in alike if one.shared >= evidence]
    return sorted(alike, key=lambda one: (-one.shared * one.alike, one.everybody))


def _keys(subtrees: Sequence[Subtree], given: frozenset[str]) -> dict[Key, int]:
    """Each subtree that is the student's own, with the line where it begins."""
    count: Counter[str] = Counter()
    found = {}
    for one in subtrees:
        if one.digest not in given:
            found[one.digest, count[one.digest]] = one.line
            count[one.digest] += 1
    return found


def _weights(keys: list[frozenset[Key]], idioms: Sequence[Collection[str]]) -> dict[Key, float]:
    have = Counter(key for found in keys for key in found)
    known = Counter(digest for one in idioms for digest in set(one))
    others = max(1, len(keys) - 2 + len(idioms))
    weights = {}
    for key, count in have.items():
        usual = known[key[0]]
        whole = max(0.0, 1 - 2 * (max(0, count - 2) + usual) / others)
        weights[key] = whole / 2 if usual else whole
    return weights


def _groups(
    answers: Sequence[Answer],
    keys: list[dict[Key, int]],
    members: list[list[int]],
    weights: dict[Key, float],
) -> Iterator[Likeness]:
    for group in members:
        if len(group) < 2:
            continue
        one, other = group[:2]
        shared = sum(weights[key] for key in keys[one])
        yield Likeness(
            (_students(answers, group), ()),
            (answers[one].source, answers[other].source),
            1.0,
            round(shared, 1),
            (_lines(keys[one], keys[one], weights), _lines(keys[other], keys[other], weights)),
        )


def _pairs(
    answers: Sequence[Answer],
    keys: list[dict[Key, int]],
    members: list[list[int]],
    weights: dict[Key, float],
    at_least: float,
) -> Iterator[Likeness]:
    first = [keys[group[0]] for group in members]
    counting = [key for key, weight in weights.items() if weight > 0]
    column = {key: place for place, key in enumerate(counting)}
    rows = [(row, column[key]) for row, found in enumerate(first) for key in found if key in column]
    if not rows:
        return
    places = tuple(np.array(rows).T)
    has = sparse.csr_matrix((np.ones(len(rows)), places), shape=(len(first), len(counting)))
    weight = np.array([weights[key] for key in counting])
    shared = sparse.triu((has.multiply(weight) @ has.T).tocsr(), k=1).tocoo()
    total = np.asarray(has @ weight).ravel()
    union = total[shared.row] + total[shared.col] - shared.data
    for place in np.flatnonzero(shared.data >= at_least * union):
        one, other = (members[int(index[place])] for index in (shared.row, shared.col))
        yield Likeness(
            (_students(answers, one), _students(answers, other)),
            (answers[one[0]].source, answers[other[0]].source),
            round(float(shared.data[place] / union[place]), 3),
            round(float(shared.data[place]), 1),
            (_lines(keys[one[0]], keys[other[0]], weights), _lines(keys[other[0]], keys[one[0]], weights)),
        )


def _students(answers: Sequence[Answer], group: list[int]) -> tuple[str, ...]:
    return tuple(answers[place].student for place in group)


def _lines(
    mine: Mapping[Key, int], theirs: Mapping[Key, int], weights: Mapping[Key, float]
) -> frozenset[int]:
    return frozenset(line for key, line in mine.items() if key in theirs and weights[key] > 0)
