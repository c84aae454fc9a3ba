"""How well a search in a shared space works; and zero-shot classification, by the names of the classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .contrastive import check_vectors
from .whole_numbers import check_whole_number, is_whole_number

EQUAL = 1e-6  # cosines that differ by less are equal except for rounding


@dataclass(frozen=True)
class Retrieval:
    """How well queries find the same object in a gallery.

    Attributes:
        recall: for each k, the share of the queries with a right item among their first k.
        chance: for each k, what a random order of the gallery gives on average.
        median_rank: of the first right item; 1 is best. For an even number of queries, the mean of the middle
            two.
        ranks: for each query, the rank of its first right item.
        queries, gallery: how many queries and items there are.
        objects: how many different objects the gallery has.
    """

    recall: dict[int, float]
    chance: dict[int, float]
    median_rank: float
    ranks: tuple[int, ...]
    queries: int
    gallery: int
    objects: int

    def __str__(self) -> str:
        shares = ", ".join(f"R@{k} {self.recall[k]:.1%} (chance {self.chance[k]:.1%})" for k in self.recall)
        return (
            f"{shares}; median rank {self.median_rank:g} among {self.gallery} of {self.objects} objects, "
            f"{self.queries} queries"
        )


def retrieval(
    queries: Tensor,
    gallery: Tensor,
    query_objects: Tensor | Sequence[int],
    gallery_objects: Tensor | Sequence[int],
    ks: Sequence[int] = (1, 5),
) -> Retrieval:
    """Rank the gallery by cosine for each query, and find where the first item of the query's object is.

    Every item of the same object is right, however many there are. Where cosines are equal, wrong items come
    first, so that a space in which all points coincide finds nothing.

    Args:
        queries: points (queries, width), of any length.
        gallery: points (items, width), of any length.
        query_objects: the number of the object that each query shows, (queries,).
        gallery_objects: the number of the object that each item shows, (items,).
        ks: for which k recall is measured.

    Raises:
        ValueError: shapes that don't fit, vectors without a direction, or a query with nothing right in the
            gallery.
    """
    wanted, there = (
        _numbers("query_objects", query_objects, queries),
        _numbers("gallery_objects", gallery_objects, gallery),
    )
    _check_points({"queries": queries, "gallery": gallery})
    if not ks or not all(is_whole_number(k) for k in ks):
        raise ValueError(f"ks is {ks!r}. Expected whole numbers of at least 1, such as (1, 5).")
    right = wanted[:, None] == there
    if not bool(right.any(1).all()):
        lost = int((~right.any(1)).nonzero()[0])
        raise ValueError(
            f"Query {lost} shows object {int(wanted[lost])}, and nothing in the gallery does. Expected "
            "something to find for each query: leave that query out, or add to the gallery."
        )
    ranks = rank_of_first_right(cosines(queries, gallery), right.cpu()).tolist()
    items = len(gallery)
    counts = right.sum(1).tolist()
    ordered = sorted(ranks)
    middle = (ordered[(len(ranks) - 1) // 2] + ordered[len(ranks) // 2]) / 2
    return Retrieval(
        recall={k: sum(rank <= k for rank in ranks) / len(ranks) for k in ks},
        chance={k: sum(random_recall(items, count, k) for count in counts) / len(counts) for k in ks},
        median_rank=middle,
        ranks=tuple(ranks),
        queries=len(ranks),
        gallery=items,
        objects=len(torch.unique(there)),
    )


def cosines(queries: Tensor, gallery: Tensor) -> Tensor:
    """Cosines (queries, items), in double precision, without the digits in which only rounding shows."""
    return (_unit(queries.detach().cpu().double()) @ _unit(gallery.detach().cpu().double()).T).round(
        decimals=9
    )


def wrong_before_right(scores: Any, right: Any) -> Any:
    """Scores by which to order a gallery: of equal ones (but for rounding), those of right items are lower.

    `right` is bool, of the same shape; tensors and arrays are both accepted.
    """
    return scores - EQUAL * right


def rank_of_first_right(scores: Tensor, right: Tensor) -> Tensor:
    """The rank of each query's first right item, from 1; 0 if none is right. Both are (queries, items)."""
    order = wrong_before_right(scores, right)
    best = order.masked_fill(~right, -math.inf).amax(1, keepdim=True)
    ranks = 1 + ((order >= best) & ~right).sum(1)
    return torch.where(right.any(1), ranks, 0)


def random_recall(items: int, right: int, k: int) -> float:
    """Probability that `k` of the items, drawn at random, include one of the `right` ones."""
    return 1 - math.comb(items - right, k) / math.comb(items, k) if k <= items else 1.0


def prompts(names: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Each name in each template ("a drawing of a {}"), name by name: names x templates texts.

    Raises:
        ValueError: no name, no template, or a template without exactly one place for the name.
    """
    if isinstance(names, str) or isinstance(templates, str) or not names or not templates:
        raise ValueError("names and templates must be lists of texts, each with at least one.")
    for template in templates:
        if template.count("{}") != 1:
            raise ValueError(
                f"The template {template!r} does not have exactly one {{}}. Expected one place for the name, "
                "as in 'a drawing of a {}'."
            )
    return [template.replace("{}", name) for name in names for template in templates]


def class_points(points: Tensor, templates: int = 1) -> Tensor:
    """One point for each class, from those of its prompts.

    Each prompt's point is scaled to length 1, so that all count the same; then their mean is scaled to length
    1, so that no class is preferred because its prompts agree (Radford et al. 2021).

    Args:
        points: of the texts that `prompts` returns, (classes x templates, width).
        templates: how many templates there are.

    Returns:
        Points (classes, width).

    Raises:
        ValueError: the templates do not divide the points, or points without a direction.
    """
    check_whole_number("templates", templates)
    _check_points({"the prompts' points": points})
    if len(points) % templates:
        raise ValueError(
            f"There are {len(points)} points, which is not a multiple of {templates} templates. Expected "
            "all templates of each class: encode what `prompts` returns."
        )
    mean = torch.unflatten(_unit(points), 0, (-1, templates)).mean(1)
    check_vectors("the classes' mean points", mean)
    return _unit(mean)


def zero_shot(points: Tensor, classes: Tensor) -> Tensor:
    """Cosines (examples, classes) of points (examples, width) with classes (classes, width).

    The largest in a row names the class.

    Raises:
        ValueError: widths that differ, or vectors without a direction.
    """
    _check_points({"points": points, "classes": classes})
    return _unit(points) @ _unit(classes).T


def _unit(points: Tensor) -> Tensor:
    return F.normalize(points, dim=-1, eps=0.0)


def _check_points(given: dict[str, Tensor]) -> None:
    widths = set()
    for name, points in given.items():
        if points.dim() != 2 or not len(points) or not points.is_floating_point():
            raise ValueError(
                f"{name} has shape {tuple(points.shape)} and type {points.dtype}. Expected points (examples, "
                "width), of floats."
            )
        check_vectors(name, points)
        widths.add(points.shape[1])
    if len(widths) > 1:
        raise ValueError(
            f"The points are {' and '.join(map(str, sorted(widths)))} wide. Expected points of the same "
            "space."
        )


def _numbers(name: str, objects: Tensor | Sequence[int], points: Tensor) -> Tensor:
    numbers = torch.as_tensor(objects)
    if numbers.is_floating_point() or numbers.shape != (len(points),):
        raise ValueError(
            f"{name} has shape {tuple(numbers.shape)} and type {numbers.dtype}. Expected a whole number for "
            f"each of the {len(points)} points."
        )
    return numbers.to(points.device)
