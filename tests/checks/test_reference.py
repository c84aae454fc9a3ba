"""Checks by a reference accept what agrees with it, show a short input otherwise, and recognise mistakes."""

import random

import pytest
import torch

from graders.checks import CheckFailed, Mistake, evidence
from graders.checks.mistakes import Catalogue
from graders.checks.reference import against_reference
from graders.checks.relations import doubled, order_of, padded, same_answer, scaled, take
from graders.checks.running import ArgumentsChanged, call, numbers
from graders.checks.worlds import World, normal, sizes

PROGRAMS = {
    "sorted_down": "def order(xs):\n    return sorted(xs)[::-1]\n",
    "lost_twins": "def order(xs):\n    return sorted(set(xs))\n",
    "no_empty": "def order(xs):\n    return sorted(xs) if xs[0] else sorted(xs)\n",
    "sorts_in_place": "def order(xs):\n    xs.sort()\n    return xs\n",
    "of_another": "def other(xs):\n    return xs\n",
}


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Check a function against `sorted`, with a catalogue of five mistakes."""
    folder = tmp_path_factory.mktemp("order")
    (folder / "mistakes").mkdir()
    for name, source in PROGRAMS.items():
        (folder / "mistakes" / f"{name}.py").write_text(source)
    catalogue = Catalogue(
        folder,
        Mistake("sorted-down", "This sorts downwards.", ("Leave `reverse` out.",)),
        Mistake("lost-twins", "Equal numbers are lost.", ()),
        Mistake("no-empty", "An empty list is a list, too.", ()),
        Mistake("sorts-in-place", "Make a new list.", ()),
        Mistake("of-another", "Never seen.", ()),
    )

    def run(order, **options) -> None:
        options = {"edges": (([],), ([2, 2],)), "catalogue": catalogue, **options}
        against_reference(order, sorted, draw, name="order", **options)

    return run


def draw(source: random.Random) -> tuple[list[int]]:
    return ([source.randint(0, 9) for _ in range(source.randint(2, 8))],)


@pytest.fixture(autouse=True)
def seed():
    yield
    evidence.begin()


def test_the_right_answer_passes_and_every_input_counts(check):
    evidence.begin()
    check(lambda xs: sorted(xs), cases=10)
    assert evidence.comparisons_so_far() == 12


@pytest.mark.parametrize(
    ("order", "id"),
    [
        (lambda xs: sorted(xs, reverse=True), "sorted-down"),
        (lambda xs: sorted({*xs}), "lost-twins"),
        (lambda xs: (xs[0], sorted(xs))[1], "no-empty"),
        (lambda xs: xs.sort() or xs, "sorts-in-place"),
    ],
)
def test_a_mistake_is_told_by_a_program_that_gives_the_same_everywhere(check, order, id):
    with pytest.raises(CheckFailed) as caught:
        check(order)
    assert caught.value.mistake.id == id


def test_what_agrees_with_no_program_everywhere_is_shown_by_its_shortest_input(check):
    with pytest.raises(CheckFailed, match=r"`order\(\[[\d, ]+\]\)`") as caught:
        check(lambda xs: sorted(xs) if len(xs) < 4 else xs[:1])
    assert caught.value.mistake is None
    assert str(caught.value).count(",") <= 12


def test_a_shrunk_input_has_only_the_items_it_needs(check):
    with pytest.raises(CheckFailed, match=r"^`order\(\[7\]\)` has 0 items"):
        check(lambda xs: [x for x in sorted(xs) if x != 7], shrink=True)


def test_what_raises_for_some_input_is_told_with_it(check):
    with pytest.raises(CheckFailed, match=r"order\(\[[\d, ]*7[\d, ]*\]\)` stopped with ZeroDivisionError"):
        check(lambda xs: [1 // (x - 7) for x in xs] and sorted(xs))


def test_a_function_that_changes_what_it_was_given_is_refused(check):
    with pytest.raises(CheckFailed, match="changed what it was given"):
        check(lambda xs: xs.sort() or xs, catalogue=None)


def test_what_is_not_written_yet_says_so(check):
    def order(xs):
        raise NotImplementedError

    with pytest.raises(CheckFailed, match="not written yet"):
        check(order)


def test_hidden_inputs_follow_the_submission_s_seed(check):
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


def squares(x, weights):
    return ((x * weights) ** 2).sum()


def drawn_pair(source, rows=3):
    return normal(source, rows), normal(source, rows)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda x, w: squares(x.detach(), w), "with respect to the first tensor that it was given is wrong"),
        (lambda x, w: squares(x, w).detach(), "no gradient flows back"),
        (lambda x, w: torch.tensor(squares(x, w).item()), "no gradient flows back"),
        (lambda x, w: squares(x, w) + (x - x.detach()).sum(), "first tensor"),
        (torch.no_grad()(squares), "no gradient flows back"),
    ],
)
def test_where_the_reference_has_a_gradient_the_student_s_function_needs_it(wrong, says):
    against_reference(squares, squares, drawn_pair, name="squares")
    against_reference(lambda x, w: (x * x * w * w).sum(), squares, drawn_pair, name="squares")
    with pytest.raises(CheckFailed, match=says):
        against_reference(wrong, squares, drawn_pair, name="squares")
    against_reference(wrong, squares, drawn_pair, name="squares", gradients=False)


def test_a_mistake_may_be_one_of_gradients_alone(tmp_path):
    (tmp_path / "mistakes").mkdir()
    (tmp_path / "mistakes" / "detached.py").write_text(
        "def squares(x, weights):\n    return ((x.detach() * weights) ** 2).sum()\n"
    )
    catalogue = Catalogue(tmp_path, Mistake("detached", "The first is cut off.", ()))

    def fails(wrong):
        with pytest.raises(CheckFailed) as caught:
            against_reference(wrong, squares, drawn_pair, name="squares", catalogue=catalogue)
        return caught.value.mistake

    assert fails(lambda x, w: squares(x.data, w)).id == "detached"
    assert fails(lambda x, w: squares(x, w.detach())) is None
    assert fails(lambda x, w: squares(x, w).detach()) is None


def test_a_world_s_numbers_reach_the_draw_and_variations_are_tried_as_well():
    seen = []

    def mean(xs):
        seen.append(list(xs))
        return sum(xs) / len(xs)

    def draw_list(source, count):
        return ([source.uniform(0, 1) for _ in range(count)],)

    against_reference(
        mean,
        mean,
        draw_list,
        name="mean",
        world=World(count=sizes(1, 50)),
        cases=10,
        variations=(
            lambda source, given: (take(given[0], order_of(source, len(given[0]))),),
            lambda source, given: (doubled(given[0]),),
        ),
    )
    inputs = seen[::2]
    drawn, varied = inputs[:10], inputs[10:]
    assert len(varied) == 10 and min(map(len, drawn)) == 1 and max(map(len, drawn)) > 40
    assert [sorted(xs) for xs in varied[:5]] == [sorted(xs) for xs in drawn[::2]]
    assert varied[5:] == [xs + xs for xs in drawn[1::2]] and varied[:5] != drawn[::2]


def test_a_call_compares_what_it_passes_before_and_after():
    given = {"rows": torch.zeros(3), "names": ["a"]}
    with pytest.raises(ArgumentsChanged, match="`fill` changed what it was given") as caught:
        call(lambda one: one["rows"].add_(1), given, what="fill(one)")
    assert torch.equal(caught.value.found, torch.ones(3))
    with pytest.raises(ArgumentsChanged):
        call(lambda one: one["names"].append("b"), given, what="fill(one)")
    call(lambda one: one["names"].append("c"), given, what="fill(one)", may_change=True)
    layer = torch.nn.Linear(2, 2)
    call(lambda one: one.requires_grad_(False), layer, what="freeze(model)")
    call(lambda one: torch.rand(3, generator=one), torch.Generator(), what="draw(generator)")


def test_a_relation_between_two_calls_is_checked_without_a_reference():
    x = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    same_answer(torch.sum, (x,), (take(x, [1, 0]),), name="total", because="other orders")
    same_answer(torch.sum, (x,), (padded(x, 3, 0.0),), name="total", because="zeros after them")
    same_answer(torch.sum, (x,), (scaled(x, 2.0),), name="total", because="twice", relation=lambda y: 2 * y)
    with pytest.raises(CheckFailed, match="`total`, given everything twice, is 22, and 11 was expected"):
        same_answer(torch.sum, (x,), (doubled(x),), name="total", because="everything twice")
