"""Maps before and after are laid over each other so that what did not move in the space does not move on
them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.widgets.embedding.maps import aligned_maps, distances, named_points

seeds = st.integers(0, 10_000)


def points(seed: int, rows: int = 12, width: int = 5) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return named_points({name: draw.normal(size=(rows, width)) for name in ("image", "text")}, "points")


def gaps(places: dict[str, np.ndarray]) -> np.ndarray:
    """Distances of all points of a map from each other."""
    every = np.concatenate(list(places.values()))
    return np.linalg.norm(every[:, None] - every[None], axis=2)


@settings(deadline=None)
@given(seeds)
def test_on_a_common_basis_only_what_moved_moves(seed):
    before, after = points(seed), points(seed)
    after["text"] = points(seed + 1)["text"]
    maps = aligned_maps(before, after)
    assert np.allclose(maps.before["image"], maps.after["image"])
    moved = np.linalg.norm(maps.after["text"] - maps.before["text"], axis=1)
    far = np.linalg.norm(after["text"] - before["text"], axis=1)
    assert (moved <= far + 1e-9).all() and moved.max() > 0, "a projection makes no motion longer"
    assert maps.words.startswith("One PCA over both")


@settings(deadline=None)
@given(seeds)
def test_a_space_that_was_only_turned_does_not_move_after_procrustes(seed):
    before = points(seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(5, 5)))
    after = {name: vectors @ turn for name, vectors in before.items()}
    maps = aligned_maps(before, after, align="procrustes")
    for name in before:
        assert np.allclose(maps.before[name], maps.after[name], atol=1e-8)


@settings(deadline=None)
@given(seeds)
def test_procrustes_changes_no_distance_on_the_map_and_brings_the_maps_as_near_as_it_can(seed):
    before, after = points(seed), points(seed + 1, width=7)
    maps = aligned_maps(before, after)
    assert "orthogonal Procrustes" in maps.words, "spaces of other widths have no common basis"
    alone = aligned_maps(after, after, align="procrustes")
    assert np.allclose(gaps(maps.after), gaps(alone.before))
    one, other = (np.concatenate(list(places.values())) for places in (maps.before, maps.after))
    best = np.linalg.norm(one - other)
    for angle in np.linspace(0.1, 6.2, 20):
        turned = other @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert best <= np.linalg.norm(one - turned) + 1e-9
        assert best <= np.linalg.norm(one - turned * [1, -1]) + 1e-9


def test_the_share_of_variance_is_that_of_the_map():
    flat = np.random.default_rng(0).normal(size=(2, 20, 2))
    plane = named_points(
        {"image": np.pad(flat[0], ((0, 0), (0, 3))), "text": np.pad(flat[1], ((0, 0), (0, 3)))}, "flat"
    )
    assert "The map shows 100 % of the variance before, and 100 % after." in aligned_maps(plane, plane).words
    round_ = points(0, rows=400, width=10)
    said = aligned_maps(round_, round_).words
    assert "Points that are close on it may be far apart in the space" in said
    stacked = np.concatenate(list(round_.values()))
    values = np.linalg.eigvalsh(np.cov(stacked.T))
    assert f"{100 * values[-2:].sum() / values.sum():.1f} % of the variance before" in said


@settings(max_examples=3, deadline=None)
@given(seeds)
def test_neighbours_by_t_sne_come_out_the_same_each_time(seed):
    before, after = points(seed), points(seed + 1)
    one, again = (aligned_maps(before, after, method="tsne") for _ in range(2))
    assert all(np.array_equal(one.after[name], again.after[name]) for name in before)
    assert one.words.startswith("t-SNE keeps neighbours, not distances")


@settings(deadline=None)
@given(seeds, st.integers(1, 10))
def test_distances_are_of_partners_and_of_all_others(seed, rows):
    found = points(seed, rows=rows)
    partners, others = distances(found, "image", "text")
    each = [[1 - float(one @ other) for other in found["text"]] for one in found["image"]]
    assert np.allclose(partners, [each[row][row] for row in range(rows)])
    rest = [each[one][other] for one in range(rows) for other in range(rows) if one != other]
    assert others == pytest.approx(np.mean(rest)) if rest else others is None


def test_what_has_no_map_gets_a_sentence():
    before = points(0)
    for options, said in (
        ({"method": "umap"}, "There is no method 'umap'. Expected 'pca' or 'tsne'"),
        ({"align": "by eye"}, "There is no alignment 'by eye'"),
        ({"method": "tsne", "align": "common"}, "t-SNE has no basis"),
    ):
        with pytest.raises(ValueError, match=said):
            aligned_maps(before, before, **options)
    with pytest.raises(ValueError, match="5 numbers wide before and 7 after, so they share no basis"):
        aligned_maps(before, points(0, width=7), align="common")
    with pytest.raises(ValueError, match="2 points of 5 numbers are too few"):
        aligned_maps(points(0, rows=1), points(0, rows=1))
    with pytest.raises(ValueError, match="embeddings of two modalities or more"):
        named_points({"image": np.eye(4)}, "before")
    with pytest.raises(ValueError, match=r"embeddings of shapes \(4, 4\), \(5, 5\)"):
        named_points({"image": np.eye(4), "text": np.eye(5)}, "before")
    with pytest.raises(ValueError, match=r"Row 3 of before\['image'\] has length 0"):
        named_points({"image": np.diag([1, 1, 1, 0]), "text": np.eye(4)}, "before")


@settings(deadline=None)
@given(seeds)
def test_what_lies_in_one_place_is_nothing_apart(seed):
    one = points(seed)["image"]
    apart, _ = distances({"image": one, "text": one.copy()}, "image", "text")
    assert not np.signbit(apart).any() and np.allclose(apart, 0)
