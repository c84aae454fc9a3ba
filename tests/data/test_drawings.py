"""Splits of drawings never leak: whatever the sizes and the seed, no object and no look-alike is in two
parts.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.data import STYLES, DrawingDataError, drawings_card, load_drawings, split_drawings
from tlwidgets.data.sheets import ALIKE, FILES, SHEETS, near, read_sheets

pytestmark = pytest.mark.slow


def parts(split):
    return [split.train, split.valid, split.test]


def disjoint(sets):
    return sum(map(len, sets)) == len(set().union(*sets))


@pytest.fixture(scope="module")
def drawings():
    return load_drawings()


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 250), st.integers(0, 100), st.integers(1, 150)),
    seed=st.integers(0, 10_000),
)
def test_by_object_parts_have_the_asked_sizes_and_share_no_object_or_family(sizes, seed):
    drawings = load_drawings()
    train, valid, test = sizes
    split = split_drawings(drawings, by="object", train=train, valid=valid, test=test, seed=seed)
    assert [len(set(part.objects)) for part in parts(split)] == list(sizes)
    assert [len(part) for part in parts(split)] == [len(STYLES) * size for size in sizes]
    assert disjoint([set(part.objects) for part in parts(split)])
    assert disjoint([set(part.families) for part in parts(split)])


def test_by_object_nearly_all_can_be_dealt_whatever_the_seed(drawings):
    for seed in range(40):
        split = split_drawings(drawings, by="object", train=400, test=200, seed=seed)
        assert [len(set(part.objects)) for part in parts(split)] == [400, 0, 200]


@pytest.mark.parametrize("seed", range(5))
def test_by_object_no_drawing_has_a_near_duplicate_in_another_part_even_mirrored(drawings, seed):
    split = split_drawings(drawings, by="object", train=400, test=150, seed=seed)
    for images in (split.test.images, split.test.images[:, :, ::-1]):
        assert not near(split.train.images, images).any()


@pytest.mark.parametrize("seed", range(12))
def test_by_style_parts_have_the_same_objects_and_share_no_style_or_near_duplicate(drawings, seed):
    split = split_drawings(drawings, by="style", train=2, valid=1, test=1, seed=seed)
    assert [len(set(part.styles)) for part in parts(split)] == [2, 1, 1]
    assert disjoint([set(part.styles) for part in parts(split)])
    objects = set(split.train.objects)
    assert objects == set(split.valid.objects) == set(split.test.objects)
    assert 0.9 * len(set(drawings.objects)) < len(objects) < len(set(drawings.objects))
    alike = near(split.train.images, split.test.images)
    same = np.array(split.train.objects)[:, None] == np.array(split.test.objects)[None]
    assert same.any() and not (alike & same).any()


@pytest.mark.parametrize(
    ("by", "sizes"), [("object", {"train": 90, "test": 30}), ("style", {"train": 3, "test": 1})]
)
def test_a_split_is_repeated_by_its_seed_and_by_no_other(drawings, by, sizes):
    first, again, *others = (split_drawings(drawings, by=by, **sizes, seed=seed) for seed in (0, 0, 1, 2, 3))
    assert first.test.names == again.test.names and first.test.styles == again.test.styles
    assert np.array_equal(first.train.images, again.train.images)
    assert any(
        (other.test.names, other.test.styles) != (first.test.names, first.test.styles) for other in others
    )


def test_every_object_is_drawn_once_in_every_style(drawings):
    count = len(set(drawings.objects))
    assert drawings.images.shape == (count * len(STYLES), 72, 72, 3) and drawings.images.dtype == np.uint8
    assert len(set(zip(drawings.objects, drawings.styles, strict=True))) == len(drawings)
    assert set(drawings.styles) == set(STYLES)
    assert len(set(drawings.names)) == count
    # White around, ink within: no drawing is blank, and none fills its picture.
    ink = (drawings.images != 255).any(3).mean((1, 2))
    assert ink.min() > 0.02 and np.median(ink) < 0.9
    assert len(np.unique(drawings.images.reshape(len(drawings), -1), axis=0)) == len(drawings)


def test_known_look_alikes_are_of_one_family(drawings):
    family = dict(zip(drawings.names, drawings.families, strict=True))
    for one, other in [
        ("locked", "unlocked"),
        ("green book", "blue book"),
        ("umbrella", "closed umbrella"),
        ("magnifying glass tilted left", "magnifying glass tilted right"),
        ("Christmas tree", "evergreen tree"),
    ]:
        assert family[one] == family[other]
    for group in ALIKE:
        assert len({family[name] for name in group}) == 1
    assert family["dog face"] != family["cat face"] and family["banana"] != family["guitar"]
    assert max(map(drawings.families.count, set(drawings.families))) < len(drawings) / 10


def test_chosen_styles_are_loaded_in_their_order(drawings):
    some = load_drawings(["fluent", "noto"])
    assert list(dict.fromkeys(some.styles)) == ["fluent", "noto"]
    whole = drawings.take([i for i, style in enumerate(drawings.styles) if style == "noto"])
    assert np.array_equal(some.images[len(some) // 2 :], whole.images)


def test_loaded_drawings_are_ones_own(drawings):
    mine = load_drawings(["noto"])
    mine.images[:] = 0
    assert load_drawings(["noto"]).images.max() == 255


@pytest.mark.parametrize("styles", [["noto", "noto"], [], "noto"])
def test_a_style_twice_or_none_or_no_list_is_refused(styles):
    with pytest.raises(DrawingDataError, match="a list of different styles"):
        load_drawings(styles)


def test_an_unknown_style_is_answered_with_those_there_are():
    with pytest.raises(DrawingDataError, match="'manga'; choose from noto, twemoji, fluent, emojione"):
        load_drawings(["manga"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "artist", "train": 1, "test": 1}, 'choose "object" or "style"'),
        ({"by": "object", "train": -1, "test": 1}, "train=-1 should be a whole number of objects"),
        ({"by": "object", "train": 0.7, "test": 1}, "train=0.7 should be a whole number of objects"),
        ({"by": "object", "train": 600, "test": 100}, "too few objects for .* are missing"),
        ({"by": "style", "train": 4, "test": 1}, "too few styles for train=4 .* 1 are missing"),
    ],
)
def test_a_split_that_cannot_be_says_why(drawings, arguments, message):
    with pytest.raises(DrawingDataError, match=message):
        split_drawings(drawings, **arguments)


def test_the_card_counts_what_is_there(drawings):
    card = drawings_card()
    assert f"{len(drawings):,} drawings of {len(set(drawings.objects)):,} objects" in card.size
    for group in set(drawings.groups):
        assert f"{drawings.groups.count(group) // len(STYLES)} of {group}" in card.size
    assert f"{len(set(drawings.families)):,} families" in card.splits
    assert "Apache-2.0" in str(card) and "<table>" in card._repr_html_()


def test_the_licences_lie_beside_the_data_and_name_every_sheet():
    licence = (FILES / "drawings.LICENSE.txt").read_text(encoding="utf-8")
    for text in ("Apache License", "Permission is hereby granted", "creativecommons.org/licenses/by/4.0"):
        assert text in licence
    packed = (FILES / SHEETS).read_bytes()
    assert len(packed) < 5_000_000
    _, pictures = read_sheets(packed)
    assert list(pictures) == list(STYLES)
    assert all(f"{style}.webp" in licence for style in pictures)
