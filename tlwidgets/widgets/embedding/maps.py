"""Maps in two dimensions of embeddings before and after training, aligned so that motion between them means
something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..base.formats import percent

METHODS = ("pca", "tsne")
ALIGN = ("common", "procrustes")
Points = dict[str, np.ndarray]
"""By modality, (rows, width) or (rows, 2); row i of each modality is of the same thing."""


@dataclass(frozen=True)
class Maps:
    """Places (rows, 2) by modality, before and after; `words` say what the map keeps and what motion on it
    means."""

    before: Points
    after: Points
    words: str


def aligned_maps(
    before: Points, after: Points, *, method: str = "pca", align: str | None = None, seed: int = 0
) -> Maps:
    """Lay out both maps and align one with the other.

    Args:
        before, after: vectors of length 1, by modality; the same modalities and rows.
        method: "pca" (linear; a share of the variance is seen), or "tsne" (neighbours; van der Maaten and
            Hinton, 2008).
        align: "common": one PCA over both, where they have the same width and coordinates, as when training
            started from what is shown before. "procrustes": each has its own map, and the one after is
            turned, or mirrored, onto the one before (Schönemann, 1966), which changes no distance on it.
            None: "common" for PCA of equal widths.
        seed: of t-SNE.

    Raises:
        ValueError: an unknown method or alignment, a common basis for spaces of different widths or for
            t-SNE, or too few rows.
    """
    one, other = (np.concatenate(list(points.values())) for points in (before, after))
    align = align or ("common" if method == "pca" and one.shape[1] == other.shape[1] else "procrustes")
    _check(method, align, one, other)
    if align == "common":
        places, words = _common(one, other)
    else:
        places, how = _turned(*(_own_map(each, method, seed) for each in (one, other)))
        words = (
            f"The map after is {how} onto the one before (orthogonal Procrustes), which changes no distance "
            "on it"
        )
        if method == "tsne":
            words = (
                "t-SNE keeps neighbours, not distances: there is no share of the variance to "
                f"report, and how far apart points are, or how far they move, means little. {words}."
            )
        else:
            shares = [_share(each, place) for each, place in zip((one, other), places, strict=True)]
            words = (
                f"A PCA for each. {_seen(*shares)} {words}: a point that moves has moved relative to "
                "the others."
            )
    rows = len(next(iter(before.values())))
    split = [
        dict(zip(before, np.split(place, range(rows, len(place), rows)), strict=True)) for place in places
    ]
    return Maps(split[0], split[1], words)


def distances(points: Points, one: str, other: str) -> tuple[np.ndarray, float | None]:
    """Cosine distances (1 - cosine) of partners, one a row, and the mean of all that are not partners; None
    for one row."""
    cosines = points[one] @ points[other].T
    rows = len(cosines)
    others = (cosines.sum() - np.trace(cosines)) / (rows * rows - rows) if rows > 1 else None
    return np.maximum(1 - np.diag(cosines), 0.0), None if others is None else float(1 - others)


def _common(one: np.ndarray, other: np.ndarray) -> tuple[list[np.ndarray], str]:
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="full").fit(np.concatenate([one, other]))
    places = [pca.transform(one), pca.transform(other)]
    shares = [_share(each, place) for each, place in zip((one, other), places, strict=True)]
    return places, (
        f"One PCA over both, so a point moves on the map as it moved in the space. {_seen(*shares)}"
    )


def _own_map(vectors: np.ndarray, method: str, seed: int) -> np.ndarray:
    if method == "pca":
        from sklearn.decomposition import PCA

        return PCA(2, svd_solver="full").fit_transform(vectors)
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    found = TSNE(2, init="pca", perplexity=perplexity, random_state=seed).fit_transform(vectors)
    return np.asarray(found, dtype=np.float64)


def _turned(one: np.ndarray, other: np.ndarray) -> tuple[list[np.ndarray], str]:
    from scipy.linalg import orthogonal_procrustes

    one, other = one - one.mean(0), other - other.mean(0)
    turn, _ = orthogonal_procrustes(other, one)
    return [one, other @ turn], "mirrored and turned" if np.linalg.det(turn) < 0 else "turned"


def _share(vectors: np.ndarray, places: np.ndarray) -> float:
    """The share of the vectors' variance that is seen on the map."""
    whole = vectors.var(0).sum()
    return float(places.var(0).sum() / whole) if whole else 1.0


def _seen(before: float, after: float) -> str:
    said = f"The map shows {percent(before)} of the variance before, and {percent(after)} after."
    if min(before, after) < 0.5:
        said += " Points that are close on it may be far apart in the space: trust the distances."
    return said


def _check(method: str, align: str, one: np.ndarray, other: np.ndarray) -> None:
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}. Expected {' or '.join(map(repr, METHODS))}.")
    if align not in ALIGN:
        raise ValueError(f"There is no alignment {align!r}. Expected {' or '.join(map(repr, ALIGN))}.")
    if align == "common" and method == "tsne":
        raise ValueError("t-SNE has no basis that two maps could share. Use align='procrustes'.")
    if align == "common" and one.shape[1] != other.shape[1]:
        raise ValueError(
            f"Embeddings are {one.shape[1]} numbers wide before and {other.shape[1]} after, so they share no "
            "basis. Use align='procrustes'."
        )
    if min(one.shape[1], other.shape[1]) < 2 or len(one) < 4:
        raise ValueError(
            f"{len(one)} points of {one.shape[1]} numbers are too few for a map. Expected at least 4 points "
            "of 2 numbers."
        )


def named_points(points: Mapping, what: str) -> Points:
    """Embeddings by modality as vectors of length 1.

    Raises:
        ValueError: fewer than two modalities, other shapes, or a vector without a direction.
    """
    from ..retrieval.state import unit

    if not isinstance(points, Mapping) or len(points) < 2:
        raise ValueError(
            f"{what} should have embeddings of two modalities or more, by name: "
            f"{{'image': tensor, 'text': tensor}}."
        )
    found = {str(name): unit(vectors, f"{what}[{name!r}]") for name, vectors in points.items()}
    shapes = {vectors.shape for vectors in found.values()}
    if len(shapes) > 1:
        raise ValueError(
            f"{what} has embeddings of shapes {', '.join(map(str, sorted(shapes)))}. Expected one space, and "
            "row i of each "
            "modality for the same thing."
        )
    return found
