"""Checks by a reference accept what agrees with it, show a short input where not, and tell a mistake by its program."""

import random

import pytest
import torch

from graders.checks import CheckFailed, Mistake, evidence
from graders.checks.mistakes import Catalogue
from graders.checks.reference import against_reference
from graders.checks.running import numbers

CATALOGUE = Catalogue(
    Mistake("sorted-down", "This sorts downwards.", ("Leave `reverse` out.",), "def order(xs):\n    return sorted(xs)[::-1]\n"),
    Mistake("lost-twins", "Equal numbers are lost.", (), "def order(xs):\n    return sorted(set(xs))\n"),
    Mistake("no-empty", "An empty list is a list, too.", (), "def order(xs):\n    return sorted(xs) if xs[0] else sorted(xs)\n"),
    Mistake("of-another", "Never seen.", (), "def other(xs):\n    return xs\n"),
)  # fmt: skip


def draw(source: random.Random) -> tuple[list[int]]:
    return ([source.randint(0, 9) for _ in range(source.randint(2, 8))],)


def check(order, **options) -> None:
    options = {"edges": (([],), ([2, 2],)), "catalogue": CATALOGUE, **options}
    against_reference(order, sorted, draw, name="order", **options)


@pytest.fixture(autouse=True)
def seed():
    yield
    evidence.begin()


def test_the_right_answer_passes_and_every_input_counts():
    evidence.begin()
    check(lambda xs: sorted(xs), cases=10)
    assert evidence.held_so_far() == 12


@pytest.mark.parametrize(
    ("order", "id"),
    [
        (lambda xs: sorted(xs, reverse=True), "sorted-down"),
        (lambda xs: sorted({*xs}), "lost-twins"),
        (lambda xs: (xs[0], sorted(xs))[1], "no-empty"),
    ],
)
def test_a_mistake_is_told_by_a_program_that_gives_the_same_everywhere(order, id):
    with pytest.raises(CheckFailed) as caught:
        check(order)
    assert caught.value.mistake.id == id


def test_what_agrees_with_no_program_everywhere_is_shown_by_its_shortest_input():
    with pytest.raises(CheckFailed, match=r"`order\(\[[\d, ]+\]\)`") as caught:
        check(lambda xs: sorted(xs) if len(xs) < 4 else xs[:1])
    assert caught.value.mistake is None
    assert str(caught.value).count(",") <= 12


def test_a_shrunk_input_has_only_the_items_it_needs():
    with pytest.raises(CheckFailed, match=r"^`order\(\[7\]\)` has 0 items"):
        check(lambda xs: [x for x in sorted(xs) if x != 7], shrink=True)


def test_what_raises_for_some_input_is_told_with_it():
    with pytest.raises(CheckFailed, match=r"order\(\[[\d, ]*7[\d, ]*\]\)` stopped with ZeroDivisionError"):
        check(lambda xs: [1 // (x - 7) for x in xs] and sorted(xs))


def test_a_function_that_changes_what_it_was_given_is_refused():
    with pytest.raises(CheckFailed, match="changed what it was given"):
        check(lambda xs: xs.sort() or xs, edges=(([2, 1],),))


def test_what_is_not_written_yet_says_so():
    def order(xs):
        raise NotImplementedError

    with pytest.raises(CheckFailed, match="not written yet"):
        check(order)


def test_hidden_inputs_follow_the_submission_s_seed():
    seen = []
    for seed in (1, 1, 2):
        given = []
        evidence.begin(seed)
        check(lambda xs, given=given: given.append(list(xs)) or sorted(xs))
        seen.append(given)
    assert seen[0] == seen[1] != seen[2]
    assert seen[0][:2] == seen[2][:2] == [[], [2, 2]]
    assert numbers().random() == random.Random(2).random()


def test_tensors_go_in_and_come_out():
    def drawn(source):
        return (
            torch.randn(
                source.randint(1, 4), 3, generator=torch.Generator().manual_seed(source.randint(0, 99))
            ),
        )

    against_reference(
        lambda x: x.exp() / x.exp().sum(-1, keepdim=True), lambda x: x.softmax(-1), drawn, name="softmax"
    )
    with pytest.raises(
        CheckFailed, match=r"softmax\(a tensor of shape \(\d, 3\)\)` differs in|softmax\(tensor"
    ):
        against_reference(lambda x: x.softmax(0), lambda x: x.softmax(-1), drawn, name="softmax")
