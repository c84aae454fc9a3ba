"""What a check draws: every part of a range, nothing on a grid, names that nobody can list, real models."""

import math
import random

import pytest
import torch

from graders.checks.models import FAMILIES, add_extra_parts, models, real_model
from graders.checks.worlds import World, names, normal, reals, sizes


def fits(texts, vocabulary, **_) -> bool:
    return texts * vocabulary < 100_000


WORLD = World(texts=sizes(1, 64), vocabulary=sizes(2, 80_000), scale=reals(0.1, 100), fits=fits)


@pytest.mark.parametrize("seed", range(5))
def test_every_submission_meets_the_smallest_and_the_largest_of_every_range(seed):
    cases = WORLD.draw(random.Random(seed), 24)
    assert len(cases) == 24 and all(fits(**case) for case in cases)
    for name, own in WORLD.ranges.items():
        values = [case[name] for case in cases]
        length = math.log((own.high + own.whole / 2) / (own.low - own.whole / 2))
        assert math.log(min(values) / own.low) <= 0.06 * length
        assert math.log(own.high / max(values)) <= 0.06 * length
        stretches = {int(8 * math.log(value / (own.low - own.whole / 2)) / length) for value in values}
        assert len(stretches) >= 6
    assert cases == WORLD.draw(random.Random(seed), 24) != WORLD.draw(random.Random(seed + 1), 24)


def test_what_never_fits_is_the_author_s_mistake():
    with pytest.raises(ValueError, match="No case fits with a `classes` as large as"):
        World(classes=sizes(2, 900), fits=lambda classes: classes < 300).draw(random.Random(0), 5)


@pytest.mark.parametrize("made", [lambda: sizes(0, 3), lambda: sizes(5, 4), lambda: reals(0, 1)])
def test_a_range_that_is_none_gets_a_sentence(made):
    with pytest.raises(ValueError, match="is not a range. Expected"):
        made()


def test_signed_numbers_have_both_signs_and_none_is_drawn_twice():
    numbers = random.Random(1)
    drawn = [reals(1e-3, 1e3, signed=True)(numbers) for _ in range(200)]
    assert len(set(drawn)) == 200 and all(1e-3 <= abs(one) <= 1e3 for one in drawn)
    assert 40 < sum(one > 0 for one in drawn) < 160
    assert {sizes(3, 3)(numbers) for _ in range(9)} == {3}


def test_names_differ_and_most_are_made_up():
    numbers = random.Random(1)
    found = names("head", "full")(numbers, 60)
    assert len(set(found)) == 60 and {"head", "full"} & set(found)
    assert {len(name) for name in found} > {1} and any(not name.isascii() for name in found)
    assert all(name.isidentifier() for name in names(identifiers=True)(numbers, 60))


def test_normal_numbers_follow_the_hidden_ones():
    one, other = normal(random.Random(1), 400, 2, scale=50.0), normal(random.Random(1), 400, 2, scale=50.0)
    assert torch.equal(one, other) and one.shape == (400, 2) and 40 < float(one.std()) < 60


@pytest.mark.slow
def test_real_models_of_every_family_compute_a_vector_for_each_example():
    for one in models()(random.Random(2), examples=3):
        assert one.vectors().shape == (3, one.width) and type(one.module).__module__.startswith(
            "transformers."
        )
    assert [one.family for one in models()(random.Random(2))] == list(FAMILIES)
    with pytest.raises(ValueError, match="no family 'bart'. Expected one of bert"):
        real_model("bart", random.Random(2))


def test_extra_parts_have_names_of_their_own():
    module = torch.nn.Module()
    module.layer = torch.nn.Linear(3, 3)
    made = add_extra_parts(module, random.Random(3), width=3, count=6)
    assert len(made) == 6 and all(hasattr(module, name) for name in made)
    assert {name.partition(".")[0] for name in module.state_dict()} == {"layer", *made}
