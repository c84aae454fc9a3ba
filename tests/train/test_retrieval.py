"""Retrieval, against brute force: duplicates are right however often they are there, ties are no success."""

from __future__ import annotations

import itertools
import math
import statistics
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.train import class_points, prompts, retrieval, zero_shot

# Few values, so that ties and opposite vectors are frequent; none without a direction.
vectors = st.lists(st.integers(-2, 2), min_size=3, max_size=3).filter(any)


@st.composite
def searches(draw):
    gallery = draw(st.lists(st.tuples(vectors, st.integers(0, 3)), min_size=1, max_size=7))
    there = sorted({number for _, number in gallery})
    queries = draw(st.lists(st.tuples(vectors, st.sampled_from(there)), min_size=1, max_size=5))
    return queries, gallery


def tensors(rows):
    return torch.tensor([row for row, _ in rows], dtype=torch.float32), torch.tensor(
        [number for _, number in rows]
    )


def cosine(left: list[int], right: list[int]) -> Fraction:
    """In order like the cosine, and exact: its square with its sign, times a number that is the same for all
    `right`."""
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return Fraction(product * abs(product), sum(b * b for b in right))


@settings(max_examples=60, deadline=None)
@given(searches())
def test_ranks_recall_and_median_are_those_of_brute_force(search):
    (queries, wanted), (gallery, there) = map(tensors, search)
    result = retrieval(queries, gallery, wanted, there, ks=(1, 2, 5))
    ranks = []
    for query, number in search[0]:
        order = sorted(search[1], key=lambda item: (-cosine(query, item[0]), item[1] == number))
        ranks.append(1 + [item[1] == number for item in order].index(True))
    assert list(result.ranks) == ranks
    assert result.median_rank == statistics.median(ranks)
    for k in (1, 2, 5):
        assert result.recall[k] == pytest.approx(sum(rank <= k for rank in ranks) / len(ranks))
    assert result.objects == len(set(there.tolist()))


@settings(max_examples=40, deadline=None)
@given(searches(), st.integers(1, 4))
def test_chance_is_what_all_subsets_of_k_give_on_average(search, k):
    (queries, wanted), (gallery, there) = map(tensors, search)
    shares = []
    for number in wanted.tolist():
        drawn = list(itertools.combinations(there.tolist(), min(k, len(gallery))))
        shares.append(sum(number in items for items in drawn) / len(drawn))
    assert retrieval(queries, gallery, wanted, there, ks=(k,)).chance[k] == pytest.approx(
        statistics.mean(shares)
    )


@settings(max_examples=30, deadline=None)
@given(searches(), st.floats(0.1, 50), st.randoms(use_true_random=False))
def test_lengths_of_vectors_and_the_order_of_the_gallery_do_not_matter(search, factor, random):
    (queries, wanted), (gallery, there) = map(tensors, search)
    order = list(range(len(gallery)))
    random.shuffle(order)
    result = retrieval(queries, gallery, wanted, there)
    assert retrieval(queries * factor, gallery[order], wanted, there[order]) == result


def test_a_space_in_which_all_is_one_point_finds_nothing():
    one = torch.ones(10, 4)
    result = retrieval(one, one, range(10), range(10))
    assert result.recall == {1: 0.0, 5: 0.0} and result.median_rank == 10


def test_any_of_the_same_object_counts():
    gallery = torch.tensor([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0]])
    result = retrieval(gallery[1:2], gallery, [7], [7, 7, 3])
    assert result.recall[1] == 1 and result.chance[1] == pytest.approx(2 / 3)
    assert "R@1 100.0% (chance 66.7%)" in str(result)


def test_each_prompt_counts_the_same_whatever_its_length_and_no_class_is_longer():
    points = torch.tensor([[100.0, 0.0], [0.0, 1.0], [3.0, 0.0], [3.0, 0.0]])
    classes = class_points(points, templates=2)
    half = math.sqrt(0.5)
    torch.testing.assert_close(classes, torch.tensor([[half, half], [1.0, 0.0]]))
    assert zero_shot(torch.tensor([[5.0, 4.0]]), classes).argmax(1).tolist() == [0]


def test_prompts_go_name_by_name_in_the_order_that_class_points_takes():
    texts = prompts(["cat", "dog"], ["a drawing of a {}", "{} {{}}".replace("{{}}", "icon")])
    assert texts == ["a drawing of a cat", "cat icon", "a drawing of a dog", "dog icon"]
    numbers = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    torch.testing.assert_close(class_points(numbers, templates=2), torch.eye(2))


ONES = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: retrieval(ONES, ONES, [0, 1], [0, 0]), "Query 1 shows object 1"),
        (lambda: retrieval(ONES, ONES, [0], [0, 1]), "query_objects has shape"),
        (lambda: retrieval(ONES, ONES, [0, 1], [0.0, 1.0]), "gallery_objects has shape"),
        (lambda: retrieval(ONES, torch.ones(2, 4), [0, 1], [0, 1]), "3 and 4 wide"),
        (lambda: retrieval(ONES * 0, ONES, [0, 1], [0, 1]), "Row 0 of 'queries' is all zeros"),
        (lambda: retrieval(ONES, ONES * math.nan, [0, 1], [0, 1]), "Row 0 of 'gallery' has NaN"),
        (lambda: retrieval(ONES[0], ONES, [0, 1, 2], [0, 1]), "queries has shape"),
        (lambda: retrieval(ONES[:0], ONES, torch.zeros(0).long(), [0, 1]), "queries has shape"),
        (lambda: retrieval(ONES, ONES, [0, 1], [0, 1], ks=()), "ks is"),
        (lambda: retrieval(ONES, ONES, [0, 1], [0, 1], ks=(0,)), "ks is"),
        (lambda: prompts([], ["{}"]), "lists of texts"),
        (lambda: prompts("cat", ["{}"]), "lists of texts"),
        (lambda: prompts(["cat"], ["a drawing"]), "does not have exactly one"),
        (lambda: prompts(["cat"], ["{} and {}"]), "does not have exactly one"),
        (lambda: class_points(torch.ones(3, 2), templates=2), "is not a multiple of 2 templates"),
        (lambda: class_points(torch.ones(3, 2), templates=0), "templates is 0"),
        (
            lambda: class_points(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), templates=2),
            "mean points.* is all zeros",
        ),
        (lambda: zero_shot(ONES, torch.ones(2, 4)), "3 and 4 wide"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
