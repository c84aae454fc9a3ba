"""Searching in a shared space, measured; and naming what was never trained on, by words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .contrastive import check_vectors

EQUAL = 1e-6  # cosines nearer than that are equal but for rounding


@dataclass(frozen=True)
class Retrieval:
    """How well queries find what they are about in a gallery.

    Attributes:
        recall: by k, the share of the queries with something right among their first k.
        chance: by k, what a random order of the gallery gives on average.
        median_rank: of the first right one; 1 is best. The mean of the middle two for an even number of queries.
        ranks: of the first right one, a query each.
        queries, gallery: how many there are.
        objects: how many different ones the gallery has.
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
    """Rank the gallery by cosine for each query, and see where the first of the query's object is.

    `queries` (queries, width) and `gallery` (items, width) need not be of length 1. Whatever is of the same object is right,
    however often it is there; of equal scores, wrong ones come first, so that a space in which all lies in one point finds
    nothing.

    Raises:
        ValueError: shapes that don't fit, vectors without a direction, or a query with nothing right in the gallery.
    """
    wanted, there = (
        _numbers("query_objects", query_objects, queries),
        _numbers("gallery_objects", gallery_objects, gallery),
    )
    _check_points({"queries": queries, "gallery": gallery})
    if not ks or any(isinstance(k, bool) or not isinstance(k, int) or k < 1 for k in ks):
        raise ValueError(f"ks is {ks!r}. Expected whole numbers of at least 1, such as (1, 5).")
    right = wanted[:, None] == there
    if not bool(right.any(1).all()):
        lost = int((~right.any(1)).nonzero()[0])
        raise ValueError(
            f"Query {lost} is of object {int(wanted[lost])}, and nothing in the gallery is. Expected something to find for "
            "each query: leave that query out, or add to the gallery."
        )
    ranks = first_right(cosines(queries, gallery), right.cpu()).tolist()
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
        objects=len(there.unique()),
    )


def cosines(queries: Tensor, gallery: Tensor) -> Tensor:
    """Cosines (queries, items), in double precision and without the digits that only rounding tells apart."""
    return (_unit(queries.detach().cpu().double()) @ _unit(gallery.detach().cpu().double()).T).round(
        decimals=9
    )


def contested(scores, right):
    """Scores by which to order a gallery: of equal ones (but for rounding) those of right items are a little lower.

    For tensors and arrays alike; `right` is bool, of the same shape.
    """
    return scores - EQUAL * right


def first_right(scores: Tensor, right: Tensor) -> Tensor:
    """The rank of each query's first right item, from 1; 0 where it has none. `scores`, `right`: (queries, items)."""
    order = contested(scores, right)
    best = order.masked_fill(~right, -math.inf).amax(1, keepdim=True)
    ranks = 1 + ((order >= best) & ~right).sum(1)
    return torch.where(right.any(1), ranks, 0)


def random_recall(items: int, right: int, k: int) -> float:
    """Probability that `k` of the items, drawn at random, have one of the `right` ones among them."""
    return 1 - math.comb(items - right, k) / math.comb(items, k) if k <= items else 1.0


def prompts(names: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Each name in each template ("a drawing of a {}"), name by name: names x templates texts.

    Raises:
        ValueError: no name, no template, or a template without its place for the name.
    """
    if isinstance(names, str) or isinstance(templates, str) or not names or not templates:
        raise ValueError("names and templates should be lists of texts, each with one at least.")
    for template in templates:
        if template.count("{}") != 1:
            raise ValueError(
                f"The template {template!r} has no single {{}}. Expected one place for the name, as in 'a drawing of a {{}}'."
            )
    return [template.replace("{}", name) for name in names for template in templates]


def class_points(points: Tensor, templates: int = 1) -> Tensor:
    """One point a class from those of its prompts, in the order of `prompts`: (classes x templates, width) to (classes, width).

    Each prompt's point is made of length 1, so that all count the same whatever their length; then comes the mean, which is
    made of length 1 again, so that no class is preferred because its prompts agree (Radford et al. 2021).

    Raises:
        ValueError: points that are no whole number of classes, or without a direction.
    """
    if isinstance(templates, bool) or not isinstance(templates, int) or templates < 1:
        raise ValueError(
            f"templates is {templates!r}. Expected how many there are, a whole number of at least 1."
        )
    _check_points({"the prompts' points": points})
    if len(points) % templates:
        raise ValueError(
            f"There are {len(points)} points, which {templates} templates don't divide. Expected all templates of each class: "
            "encode what `prompts` returns."
        )
    mean = _unit(points).unflatten(0, (-1, templates)).mean(1)
    check_vectors("the classes' mean points", mean)
    return _unit(mean)


def zero_shot(points: Tensor, classes: Tensor) -> Tensor:
    """Cosines of points (examples, width) with classes (classes, width), (examples, classes): the highest names the class.

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
                f"{name} has shape {tuple(points.shape)} and type {points.dtype}. Expected points (examples, width), of floats."
            )
        check_vectors(name, points)
        widths.add(points.shape[1])
    if len(widths) > 1:
        raise ValueError(
            f"The points are {' and '.join(map(str, sorted(widths)))} wide. Expected points of one space."
        )


def _numbers(name: str, objects: Tensor | Sequence[int], points: Tensor) -> Tensor:
    numbers = torch.as_tensor(objects)
    if numbers.is_floating_point() or numbers.shape != (len(points),):
        raise ValueError(
            f"{name} has shape {tuple(numbers.shape)} and type {numbers.dtype}. Expected a whole number for each of the "
            f"{len(points)} points."
        )
    return numbers.to(points.device)
