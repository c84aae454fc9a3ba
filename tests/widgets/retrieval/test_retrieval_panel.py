"""The retrieval grid without a browser: ranks and recall by definition, and what is found for each query or
own words."""

from __future__ import annotations

import json
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.widgets.conftest import click, shown
from tests.widgets.pairs import picture_and_name, shared_space
from tlwidgets.train import retrieval
from tlwidgets.train.retrieval import random_recall
from tlwidgets.widgets import RetrievalGrid
from tlwidgets.widgets.retrieval.state import MOST_LISTED, unit


@pytest.fixture(scope="module")
def pairs():
    return picture_and_name()


@pytest.fixture(scope="module")
def space(pairs):
    return shared_space(pairs)


@pytest.fixture
def grid(pairs, space):
    """Words search drawings."""
    return RetrievalGrid(
        space.text(pairs.text),
        space.image(pairs.image),
        query_names=[f"a drawing of a {name}" for name in pairs.names],
        gallery_names=pairs.names,
        gallery_pictures=pairs.pictures,
        encode=space.encode,
    )


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([0.0, 1e-8, 1e-7, 1e-3]), st.randoms())
def test_ranks_and_the_order_shown_are_those_that_the_metric_counts(items, asked, noise, random):
    """Ties of all sorts: vectors drawn from four, the same but for what another batch size or precision
    leaves."""
    draw = np.random.default_rng(random.randrange(2**32))
    four = draw.normal(size=(4, 5))
    gallery, queries = (four[draw.integers(4, size=n)] for n in (items, asked))
    gallery = (gallery + noise * draw.normal(size=gallery.shape)).astype(np.float32)
    there = draw.integers(3, size=items)
    wanted = draw.choice(there, size=asked)
    counted = retrieval(
        torch.tensor(queries), torch.tensor(gallery).double(), wanted.tolist(), there.tolist()
    )
    panel = RetrievalGrid(
        queries,
        gallery,
        query_names=wanted.tolist(),
        gallery_names=there.tolist(),
        query_labels=wanted.tolist(),
        gallery_labels=there.tolist(),
        top=items,
        ks=(1, 5),
    )
    assert tuple(panel.ranks) == counted.ranks
    assert panel.recall == counted.recall
    for query, rank in enumerate(counted.ranks):
        panel.pick(query)
        assert [hit["right"] for hit in panel.state["results"]].index(True) + 1 == rank


vectors = arrays.arrays(
    float, st.tuples(st.integers(1, 12), st.just(3)), elements=st.sampled_from([-1.0, 0.5, 1.0, 2.0])
)


@settings(deadline=None)
@given(vectors, vectors, st.randoms(use_true_random=False))
def test_a_rank_counts_all_that_is_not_worse_than_the_first_right_one(queries, gallery, random):
    wanted = [random.randrange(4) for _ in queries]
    there = [random.randrange(4) for _ in gallery]
    panel = RetrievalGrid(
        queries,
        gallery,
        query_names=wanted,
        gallery_names=there,
        query_labels=wanted,
        gallery_labels=there,
        top=3,
        ks=(1, 5),
    )
    scores = np.round(unit(queries, "q") @ unit(gallery, "g").T, 6)
    found = 0
    for query, label in enumerate(wanted):
        right = [score for score, other in zip(scores[query], there, strict=True) if other == label]
        wrong = [score for score, other in zip(scores[query], there, strict=True) if other != label]
        rank = 1 + sum(score >= max(right) for score in wrong) if right else 0
        assert panel.ranks[query] == rank
        found += 0 < rank <= 5
        panel.pick(query)
        state = panel.state
        json.dumps(state, allow_nan=False)
        places = [
            hit["place"]
            for hit in (*state["results"], *([state["right"]] if state["right"] else []))
            if hit["right"]
        ]
        assert (min(places) if places else 0) == rank, "the grid shows the rank that is counted"
    counted = sum(rank > 0 for rank in panel.ranks)
    assert not counted or panel.recall[5] == found / counted


def test_a_space_that_collapsed_finds_nothing():
    panel = RetrievalGrid(
        np.ones((9, 4)), np.ones((9, 4)), query_names="abcdefghi", gallery_names="abcdefghi"
    )
    assert panel.ranks == [9] * 9 and panel.recall == {1: 0.0, 5: 0.0}


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))
def test_chance_is_the_share_of_draws_that_have_a_right_one(items, right, k):
    from itertools import combinations

    right = min(right, items)
    draws = list(combinations(range(items), min(k, items)))
    expected = sum(any(item < right for item in draw) for draw in draws) / len(draws)
    assert random_recall(items, right, k) == pytest.approx(expected)


def test_real_words_find_real_drawings_that_were_never_paired(pairs, space):
    new = slice(40, None)
    panel = RetrievalGrid(
        space.text(pairs.text[new]),
        space.image(pairs.image[new]),
        query_names=pairs.names[new],
        gallery_names=pairs.names[new],
    )
    five = panel.state["recall"][1]
    assert five["low"] > five["chance"], "more than a random order, even at the interval's lower end"


def test_every_query_shows_its_items_best_first_with_their_pictures(grid, pairs):
    grid.pick(3)
    state = grid.state
    scores = [score for _, score in grid.found]
    assert len(scores) == 12 and scores == sorted(scores, reverse=True)
    assert [hit["name"] for hit in state["results"]] == [name for name, _ in grid.found]
    assert state["words"].startswith(
        f"The first result for “a drawing of a {pairs.names[3]}” is {grid.found[0][0]}"
    )
    for hit in state["results"]:
        assert hit["right"] == (hit["name"] == pairs.names[3])
        assert hit["png"] == grid._png("gallery", pairs.names.index(hit["name"]))
    assert len(json.dumps(state)) < 60_000


def test_a_right_one_further_down_is_shown_with_its_rank(grid):
    query = max(range(len(grid.ranks)), key=lambda place: grid.ranks[place])
    assert grid.ranks[query] > 12
    grid.pick(query)
    right = grid.state["right"]
    assert right["right"] and right["place"] == grid.ranks[query]
    assert f"The right one has rank {right['place']} of 80." in grid.state["words"]


def test_own_words_are_searched_for(grid, space):
    grid.ask("  something to drink ")
    state = grid.state
    assert state["picked"] == {
        "index": None,
        "name": "something to drink",
        "own": True,
        "png": "",
        "sound": False,
    }
    expected = (
        torch.nn.functional.normalize(space.encode("something to drink"), dim=0)
        @ torch.tensor(grid._search.gallery, dtype=torch.float32).T
    )
    assert grid.found[0][1] == pytest.approx(float(expected.max()), abs=1e-5)
    assert not any(hit["right"] for hit in state["results"]) and state["right"] is None
    assert state["words"].endswith("You decide whether that is right.")


def test_a_picture_of_one_s_own_is_searched_for_and_shown(grid, space, pairs):
    grid.search("my cat", space.image(pairs.image[4]), pairs.pictures[4])
    state = grid.state
    assert state["picked"]["own"] and state["picked"]["png"] == grid._png("gallery", 4)
    assert grid.found[0] == (pairs.names[4], pytest.approx(1.0, abs=1e-6))
    with pytest.raises(ValueError, match=r"The picture of “my cat” has shape \(72, 72\)"):
        grid.search("my cat", space.image(pairs.image[4]), pairs.pictures[4][..., 0])
    with pytest.raises(ValueError, match="Row 0 of the embedding of “nothing” has length 0"):
        grid.search("nothing", torch.zeros(32))
    assert grid.state["picked"]["name"] == "my cat"


def test_a_static_grid_shows_pictures_with_names_and_says_the_same(static, published, grid):
    grid.pick(5)
    grid._ipython_display_()
    data, state = published[-1][0], grid.state
    for hit in state["results"]:
        assert f'alt="{hit["name"]}"' in data["text/html"] and hit["png"] in data["text/html"]
        assert hit["score"] in data["text/plain"]
    assert data["text/html"].count("✓ right") == data["text/plain"].count("✓") == 1
    for entry in state["recall"]:
        assert entry["text"] in data["text/html"] and f"chance {entry['chance_text']}" in data["text/plain"]
    assert len(data["text/html"]) < 100_000


def test_clicks_are_answered_and_wrong_ones_get_a_sentence(live, grid):
    messages = shown(grid)
    click(grid, type="pick", query=7)
    grid._widget.publish(now=True)
    assert messages[-1]["state"]["picked"]["index"] == 7
    assert len(json.dumps(messages[-1])) < 60_000
    for wrong, said in (
        ({"type": "pick", "query": 80}, "There is no query 80. Expected a number from 0 to 79."),
        ({"type": "pick"}, "There is no query None."),
        ({"type": "ask", "text": "  "}, "The text has 0 characters. Expected 1 to 200"),
        ({"type": "ask", "text": "x" * 201}, "The text has 201 characters."),
        ({"type": "sound", "side": "gallery", "index": 0}, "There is no sound 0 of 'gallery'."),
        ({"type": "dance"}, "not understand the request 'dance'"),
    ):
        click(grid, **wrong)
        assert said in grid.state["message"]["text"] and grid.state["picked"]["index"] == 7


def test_the_list_s_pictures_go_once_and_a_large_list_is_cut(live, published):
    draw = np.random.default_rng(0)
    count = 2 * MOST_LISTED
    pictures = draw.integers(0, 255, (count, 8, 8, 3), dtype=np.uint8)
    points = draw.normal(size=(count, 8))
    names = [str(number) for number in range(count)]
    panel = RetrievalGrid(points, points, query_names=names, gallery_names=names, query_pictures=pictures)
    panel._ipython_display_()
    assert panel._widget._sheet == panel.sheet() and 0 < len(panel.sheet()) < 500_000
    queries = panel.state["queries"]
    assert len(queries["names"]) == MOST_LISTED and queries["indices"][-1] == count - 2
    assert "300 queries of 600, spread over all" in queries["table"]["caption"]
    assert panel.recall[1] == 1.0 and panel.state["recall"][0]["count"] == "600 of 600", "all count"
    assert len(json.dumps(panel.state)) < 60_000


def test_sounds_are_sent_when_they_are_to_be_played(live):
    sounds = np.sin(np.arange(4000) * np.array([[0.1], [0.2]]))
    panel = RetrievalGrid(
        np.eye(2), np.eye(2), query_names="ab", gallery_names="ab", gallery_sounds=sounds, rate=4000
    )
    shown(panel)
    sent = []
    panel._widget.send = lambda content, buffers=None: sent.append((content, buffers))
    click(panel, type="sound", side="gallery", index=1)
    (content, (wav,)) = sent[-1]
    assert content == {"type": "sound", "side": "gallery", "index": 1} and wav == panel.wav("gallery", 1)
    assert wav != panel.wav("gallery", 0) and panel.state["results"][0]["sound"]


def test_a_closed_grid_lets_encode_go(live, pairs):
    class Encoder:
        def __call__(self, text):
            return torch.ones(2)

    encoder = Encoder()
    panel = RetrievalGrid(np.eye(2), np.eye(2), query_names="ab", gallery_names="ab", encode=encoder)
    shown(panel)
    panel.ask("hello")
    gone = weakref.ref(encoder)
    del encoder
    panel.close()
    panel.close()
    assert gone() is None and panel.state["closed"] and panel.state["picked"]["name"] == "hello"
    with pytest.raises(ValueError, match="This grid cannot search with words of your own"):
        panel.ask("hello")


@pytest.mark.parametrize("precision", [torch.float64, torch.float16, torch.bfloat16])
def test_embeddings_are_taken_in_any_precision_and_own_words_as_letters_alone(precision):
    heard = []

    def encode(text):
        heard.append(text)
        return torch.tensor([0.0, 1.0], dtype=precision, requires_grad=True)

    space = torch.eye(2, dtype=precision)
    panel = RetrievalGrid(space, space, query_names="ab", gallery_names="ab", encode=encode)
    panel.ask("half of an emoji \ud83d")  # which no tokenizer takes
    assert heard == ["half of an emoji"] and panel.found[0][0] == "b"


def test_what_does_not_fit_gets_a_sentence():
    names = {"query_names": "ab", "gallery_names": "ab"}
    for queries, gallery, options, said in (
        (np.eye(2), np.eye(2, 3), {}, "Queries have 2 numbers each, gallery items 3"),
        (np.ones(2), np.eye(2), {}, r"query_embeddings has shape \(2,\)"),
        (np.zeros((2, 2)), np.eye(2), {}, "Row 0 of query_embeddings has length 0, so it has no direction"),
        (np.eye(2), np.eye(2) * np.nan, {}, "Row 0 of gallery_embeddings has length nan"),
        (np.eye(2), np.eye(2), {"query_names": "abc"}, "There are 3 query_names for 2 embeddings"),
        (np.eye(2), np.eye(2), {"query_labels": [0, 1]}, "Labels were given for one side only"),
        (np.eye(2), np.eye(2)[:1], {"gallery_names": "a"}, "There are 2 queries and 1 items, so rows cannot"),
        (
            np.eye(2),
            np.eye(2),
            {"gallery_pictures": np.zeros((2, 4, 4))},
            r"gallery_pictures\[0\] has shape \(4, 4\)",
        ),
        (np.eye(2), np.eye(2), {"top": 25}, "top at most 24"),
        (np.eye(2), np.eye(2), {"ks": ()}, "ks=.* should be whole numbers"),
    ):
        with pytest.raises(ValueError, match=said):
            RetrievalGrid(queries, gallery, **{**names, **options})
    panel = RetrievalGrid(np.eye(2), np.eye(2), **names, encode=lambda text: np.ones(3))
    with pytest.raises(ValueError, match=r"The embedding of “hello” has shape \(3,\). Expected \(2,\)"):
        panel.ask("hello")


def test_queries_with_nothing_to_find_are_not_counted():
    panel = RetrievalGrid(
        np.eye(3),
        np.eye(3),
        query_names="abc",
        gallery_names="abx",
        query_labels=list("abc"),
        gallery_labels=list("abx"),
    )
    assert panel.ranks == [1, 1, 0] and panel.recall[1] == 1.0
    assert panel.state["status"].endswith("1 without anything right in the gallery are not counted")
    panel.pick(2)
    assert panel.state["words"].endswith("Nothing in the gallery is right.")
