"""The embedding map without a browser: real pairs of drawings and names, the same words live and as a static
page."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.widgets.conftest import click, shown
from tests.widgets.pairs import GROUPS, before_and_after, picture_and_name
from tlwidgets.widgets import EmbeddingMap
from tlwidgets.widgets.embedding.state import MOST_SHOWN


@pytest.fixture(scope="module")
def pairs():
    return picture_and_name()


@pytest.fixture(scope="module")
def trained(pairs):
    return before_and_after(pairs)


@pytest.fixture
def seen(pairs, trained) -> EmbeddingMap:
    return EmbeddingMap(*trained, names=pairs.names, groups=pairs.groups)


def test_the_distances_told_are_those_of_the_space(seen, trained):
    state = json.loads(json.dumps(seen.state, allow_nan=False))
    cosines = []
    for points in trained:
        one, other = (points[name] / points[name].norm(dim=1, keepdim=True) for name in ("image", "text"))
        cosines.append((one * other).sum(1))
    (pair,) = state["pairs"]
    assert pair["distances"] == [
        [f"{1 - before:.2f}", f"{1 - after:.2f}"] for before, after in zip(*cosines, strict=True)
    ]
    means = [f"{1 - float(each.double().mean()):.2f}" for each in cosines]
    assert (
        f"were {means[0]} apart on average before (cosine distance), and are {means[1]} after"
        in state["words"]
    )
    assert float(means[1]) < float(means[0]), "training by contrast brings partners together"


def test_all_points_lie_on_a_square_map_with_one_scale(seen):
    state = seen.state
    axis = state["axis"]
    assert axis["x"]["high"] - axis["x"]["low"] == pytest.approx(
        axis["y"]["high"] - axis["y"]["low"], abs=1e-3
    )
    for places in state["points"].values():
        for when in ("before", "after"):
            assert len(places[when]) == len(state["rows"]) == 80
            for x, y in places[when]:
                assert (
                    axis["x"]["low"] <= x <= axis["x"]["high"] and axis["y"]["low"] <= y <= axis["y"]["high"]
                )
    assert sorted(group["name"] for group in state["groups"]) == sorted(GROUPS)
    assert len(json.dumps(state)) < 30_000


def test_a_static_map_shows_both_maps_and_says_the_same(static, published, seen, pairs):
    seen._ipython_display_()
    data, state = published[-1][0], seen.state
    assert data["text/html"].count("<svg") >= 2 and "Before training" in data["text/html"]
    for words in (state["words"], state["basis"]):
        assert words in data["text/plain"] and words in data["text/html"]
    for name in (pairs.names[0], pairs.names[-1]):
        assert data["text/html"].count(f"<title>image: {name}</title>") == 2
    assert len(data["text/html"]) < 150_000


def test_a_view_that_opens_late_gets_everything(live, seen):
    messages = shown(seen)
    click(seen, type="hello", view="late")
    assert messages[-1]["state"]["points"] == json.loads(json.dumps(seen.state["points"]))
    click(seen, type="dance")
    assert "not understand the request 'dance'" in seen.state["message"]["text"]
    seen.close()
    seen.close()
    assert seen.state["closed"]


def test_many_rows_and_groups_are_cut_and_it_says_so():
    draw = np.random.default_rng(0)
    rows = 4 * MOST_SHOWN
    before, after = (
        {name: draw.normal(size=(rows, 4)) for name in ("image", "text", "audio")} for _ in range(2)
    )
    panel = EmbeddingMap(
        before, after, names=range(rows), groups=[str(min(row % 20, 9)) for row in range(rows)]
    )
    state = panel.state
    assert state["status"] == f"{rows:,} rows of 3 modalities, {MOST_SHOWN} shown"
    assert [group["name"] for group in state["groups"]][-1] == "other groups" and len(state["groups"]) == 6
    assert [(pair["one"], pair["other"]) for pair in state["pairs"]] == [
        ("image", "text"),
        ("image", "audio"),
        ("text", "audio"),
    ]
    assert len(json.dumps(state)) < 150_000
    means = []
    for points in (before, after):
        one, other = (
            points[name] / np.linalg.norm(points[name], axis=1, keepdims=True) for name in ("text", "audio")
        )
        means.append(f"{1 - (one * other).sum(1).mean():.2f}")
    assert f"text–audio {means[0]} and {means[1]} (different things 1.0" in state["words"], "all rows count"


def test_what_does_not_fit_gets_a_sentence(trained, pairs):
    before, after = trained
    with pytest.raises(ValueError, match="There are 3 names for 80 rows"):
        EmbeddingMap(before, after, names="abc")
    with pytest.raises(ValueError, match="There are 1 groups for 80 rows"):
        EmbeddingMap(before, after, names=pairs.names, groups=["a"])
    with pytest.raises(ValueError, match="Before there are 80 rows of image, text; after, 80 of text, image"):
        EmbeddingMap(before, dict(reversed(after.items())), names=pairs.names)
    with pytest.raises(ValueError, match="There is no method 'umap'"):
        EmbeddingMap(before, after, names=pairs.names, method="umap")
