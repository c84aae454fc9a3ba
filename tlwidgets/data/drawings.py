"""Drawings of the same objects in several styles, and splits of them that leak neither objects nor styles.

Emoji drawings of four published sets; `scripts/build_drawings.py` makes the copy in `files/`.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .cards import Card
from .sheets import FILES, SHEETS, SIDE, Thing, near, read_sheets

STYLES = {
    "noto": "Noto Emoji by Google",
    "twemoji": "Twemoji by Twitter and others",
    "fluent": "Fluent Emoji (flat) by Microsoft",
    "emojione": "EmojiOne 2 by EmojiOne",
}
_DEALS = 20  # tries; one in thirty leaves a part short where the parts take nearly all


class DrawingDataError(ValueError):
    """A style that is not there, or a split that the data cannot give."""


@dataclass(frozen=True, eq=False)
class Drawings:
    """Drawings on white. `images` is (drawings, 72, 72, 3) uint8; the rest has one entry a drawing.

    `objects` number what is drawn, whatever the style; `groups` are Unicode's categories; `families` number
    the objects that a split keeps together because one may give the other away.
    """

    images: np.ndarray
    names: tuple[str, ...]
    styles: tuple[str, ...]
    objects: tuple[int, ...]
    groups: tuple[str, ...]
    families: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Sequence[int]) -> "Drawings":
        """The drawings at these positions, in this order."""
        indices = list(indices)
        return Drawings(
            self.images[np.array(indices, dtype=np.intp)],
            names=tuple(self.names[i] for i in indices),
            styles=tuple(self.styles[i] for i in indices),
            objects=tuple(self.objects[i] for i in indices),
            groups=tuple(self.groups[i] for i in indices),
            families=tuple(self.families[i] for i in indices),
        )


@dataclass(frozen=True)
class DrawingSplit:
    """Three parts that share no object (and no family), or no style."""

    train: Drawings
    valid: Drawings
    test: Drawings


def load_drawings(styles: Sequence[str] = tuple(STYLES)) -> Drawings:
    """All drawings of these styles, style by style, the objects in Unicode's order.

    Raises `DrawingDataError` for a style that is not in `STYLES`, the same one twice, or none.
    """
    if isinstance(styles, str) or not styles or len(set(styles)) < len(styles):
        raise DrawingDataError(
            f"styles={styles!r} should be a list of different styles, at least one of {', '.join(STYLES)}."
        )
    for style in styles:
        if style not in STYLES:
            raise DrawingDataError(f"There is no style {style!r}; choose from {', '.join(STYLES)}.")
    things, pictures = _sheets()
    return Drawings(
        images=np.concatenate([pictures[style] for style in styles]),
        names=tuple(thing.name for thing in things) * len(styles),
        styles=tuple(style for style in styles for _ in things),
        objects=tuple(range(len(things))) * len(styles),
        groups=tuple(thing.group for thing in things) * len(styles),
        families=tuple(thing.family for thing in things) * len(styles),
    )


def split_drawings(
    drawings: Drawings, *, by: str, train: int, test: int, valid: int = 0, seed: int = 0
) -> DrawingSplit:
    """Random parts of `train`, `valid` and `test` objects (by="object") or styles (by="style"), without
    leakage.

    By object, whole families are dealt to the parts, each object with all its drawings; what a part has no
    room for is left unused rather than given to another. By style, the parts have the same objects in
    different styles; an object that two parts' styles draw as near-duplicates (`tlwidgets.data.sheets.near`)
    is left out of all parts. The same arguments give the same split. Raises `DrawingDataError` for another
    `by`, a negative size, or too few.
    """
    sizes = {"test": test, "valid": valid, "train": train}
    for part, size in sizes.items():
        if not isinstance(size, int) or size < 0:
            raise DrawingDataError(f"{part}={size} should be a whole number of {by}s, 0 or more.")
    dealt: dict[str, Any]  # sets of objects, or of styles
    if by == "object":
        dealt = _deal_families(drawings, sizes, seed)
        keys: Sequence[int | str] = drawings.objects
    elif by == "style":
        dealt, keys = _deal_styles(drawings, sizes, seed), drawings.styles
    else:
        raise DrawingDataError(f'by={by!r} is not a way to split; choose "object" or "style".')
    for part, size in sizes.items():
        if len(dealt[part]) < size:
            raise DrawingDataError(
                f"There are too few {by}s for {part}={size} beside the other parts: "
                f"{size - len(dealt[part])} are missing. Ask for smaller parts."
            )
    given_away = _drawn_alike(drawings, dealt) if by == "style" else set()
    order = random.Random(seed)
    chosen = {}
    for part, members in dealt.items():
        indices = [
            i for i, key in enumerate(keys) if key in members and drawings.objects[i] not in given_away
        ]
        order.shuffle(indices)
        chosen[part] = drawings.take(indices)
    return DrawingSplit(**chosen)


def drawings_card() -> Card:
    """What the drawings are, counted from the file itself."""
    drawings = load_drawings()
    objects = {number: group for number, group in zip(drawings.objects, drawings.groups, strict=True)}
    groups = list(objects.values())
    families = len(set(drawings.families))
    every_style_apart = {style: {style} for style in STYLES}
    alike = len(_drawn_alike(drawings, every_style_apart))
    return Card(
        title="Drawings of objects in several styles",
        what=f"Emoji drawings of the same objects, {SIDE} x {SIDE} pixels in colour on white, in "
        f"{len(STYLES)} styles: " + "; ".join(f"{text} ({style!r})" for style, text in STYLES.items()) + ".",
        real="Real drawings by the sets' artists, made to pixels from their published vector graphics. "
        "Not photographs.",
        label="Each object's Unicode name, and its Unicode category.",
        size=f"{len(drawings):,} drawings of {len(objects):,} objects: "
        + ", ".join(f"{groups.count(group)} of {group}" for group in dict.fromkeys(groups))
        + ".",
        splits=f"By object: the objects form {families:,} families, and a family stays in one part. Objects "
        "are of a family when drawings of them are nearly alike (in whichever styles, mirrored or not; or by "
        "eye), when one name has all the words of the other, "
        'or when the names end in the same word (but "face"). By style: the parts have the same objects in '
        "different "
        f"styles; of all objects, {alike} are drawn nearly alike by two styles, and are left out when those "
        "styles are in two parts.",
        limits="Look-alikes that share neither name nor pixels were looked for among about a hundred pairs "
        "that a pretrained network finds most alike; others may be in two parts. The sets follow the same "
        "Unicode descriptions and one another, so an unseen style is less foreign than a photograph. People, "
        "smileys, symbols, flags and clock faces are left out.",
        licence="Noto: Apache-2.0. Twemoji and EmojiOne: CC BY 4.0. Fluent: MIT. See drawings.LICENSE.txt "
        "beside the data.",
        source="npm packages @iconify-json/noto 1.2.9, twemoji 1.2.5, fluent-emoji-flat 1.2.6 and emojione "
        "1.2.3; names and categories from unicode-emoji-json 0.9.0.",
    )


@lru_cache(maxsize=1)
def _sheets() -> tuple[list[Thing], dict[str, np.ndarray]]:
    return read_sheets((FILES / SHEETS).read_bytes())


def _deal_families(drawings: Drawings, sizes: dict[str, int], seed: int) -> dict[str, set[int]]:
    members = defaultdict(set)
    for family, number in zip(drawings.families, drawings.objects, strict=True):
        members[family].add(number)
    families = [sorted(objects) for _, objects in sorted(members.items())]
    draw = random.Random(seed)
    for _ in range(_DEALS):
        draw.shuffle(families)
        dealt: dict[str, set[int]] = {part: set() for part in sizes}
        for numbers in families:
            room = {part: size - len(dealt[part]) for part, size in sizes.items()}
            part = max(room, key=lambda part: (min(room[part], len(numbers)), room[part]))
            dealt[part].update(numbers[: room[part]])
        if all(len(dealt[part]) == size for part, size in sizes.items()):
            break
    return dealt


def _deal_styles(drawings: Drawings, sizes: dict[str, int], seed: int) -> dict[str, set[str]]:
    styles = sorted(set(drawings.styles))
    random.Random(seed).shuffle(styles)
    dealt = {}
    for part, size in sizes.items():
        dealt[part], styles = set(styles[:size]), styles[size:]
    return dealt


def drawn_alike(drawings: Drawings) -> set[str]:
    """Names of objects that two of the styles draw nearly alike: whoever has seen the one has seen the
    other.
    """
    alike = _drawn_alike(drawings, {style: {style} for style in set(drawings.styles)})
    return {name for name, number in zip(drawings.names, drawings.objects, strict=True) if number in alike}


def _drawn_alike(drawings: Drawings, dealt: Mapping[str, Collection[Any]]) -> set[int]:
    """Objects whose drawing in a style of one part is a near-duplicate of one in a style of another part."""
    part_of = {style: part for part, styles in dealt.items() for style in styles}
    indices = defaultdict(list)
    for i, (number, style) in enumerate(zip(drawings.objects, drawings.styles, strict=True)):
        if style in part_of:
            indices[number].append(i)
    alike = set()
    for number, own in indices.items():
        images = drawings.images[np.array(own)]
        pairs = np.argwhere(near(images, images))
        if any(part_of[drawings.styles[own[a]]] != part_of[drawings.styles[own[b]]] for a, b in pairs):
            alike.add(number)
    return alike
