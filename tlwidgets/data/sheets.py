"""The file of drawings: one lossless picture sheet a style in a zip, and which objects must stay together."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .groups import Groups

FILES = Path(__file__).parent / "files"
SHEETS = "drawings.zip"
OBJECTS = "objects.tsv"
SIDE = 72
COLUMNS = 8
BLOCK = 3
# Of two drawings that differ by less, a viewer has to look twice; the closest different things (a black ball
# and the new moon, an apple and a tomato) are at about this distance too, and are kept together rather than
# apart.
NEAR = 0.12
# What a measure of ink does not see and a person does: drawings of one thing under two names, or of things
# that can hardly be told apart at this size. Chosen by eye, most of them among the pairs that a pretrained
# image network finds most alike.
ALIKE = (
    ("ram", "ewe", "goat"),
    ("tiger", "leopard"),
    ("mouse", "rat"),
    ("shamrock", "four leaf clover"),
    ("house", "houses", "house with garden"),
    ("bank", "classical building"),
    ("cityscape", "office building", "foggy"),
    ("snow-capped mountain", "mount fuji"),
    ("station", "tram", "tram car", "light rail", "suspension railway", "railway car"),
    ("aerial tramway", "mountain cableway"),
    ("bus", "trolleybus", "minibus"),
    ("automobile", "taxi", "police car", "sport utility vehicle", "oncoming automobile", "oncoming taxi"),
    ("ferry", "passenger ship"),
    ("glasses", "sunglasses"),
    ("muted speaker", "speaker low volume", "bell with slash"),
    ("musical note", "musical notes"),
    ("dvd", "optical disk", "computer disk"),
    ("notebook", "blue book", "closed book"),
    ("page facing up", "page with curl", "bookmark tabs", "clipboard", "spiral notepad", "memo", "newspaper"),
    ("chart increasing", "chart decreasing"),
    ("envelope", "e-mail", "incoming envelope"),
    ("pencil", "pen", "fountain pen", "crayon", "paintbrush"),
    ("paperclip", "linked paperclips", "link", "chains"),
    ("locked", "unlocked"),
)


class Thing(NamedTuple):
    """One object: its Unicode name, its Unicode category, and the number of the family it must stay with."""

    name: str
    group: str
    family: int


def write_sheets(things: Sequence[Thing], pictures: Mapping[str, np.ndarray]) -> bytes:
    """A zip of the objects' table and of one lossless WebP sheet for each style.

    `pictures` maps a style to its drawings, (things, 72, 72, 3) uint8. The zip is undated and not compressed
    again, so the same input gives the same bytes wherever the same libwebp writes them. Raises ValueError for
    other shapes.
    """
    for style, images in pictures.items():
        if images.shape != (len(things), SIDE, SIDE, 3) or images.dtype != np.uint8:
            raise ValueError(
                f"The style {style!r} has drawings of shape {images.shape} and type {images.dtype}; "
                f"expected {(len(things), SIDE, SIDE, 3)} and uint8."
            )
    table = "".join(f"{thing.name}\t{thing.group}\t{thing.family}\n" for thing in things)
    members = {OBJECTS: table.encode("utf-8")}
    members |= {f"{style}.webp": _packed(images) for style, images in pictures.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.create_system = 3  # else the byte that names the operating system differs on Windows
            archive.writestr(member, content)
    return out.getvalue()


def read_sheets(packed: bytes) -> tuple[list[Thing], dict[str, np.ndarray]]:
    """The inverse of `write_sheets`. Raises ValueError, with the line or sheet, where the file is not such a
    zip.
    """
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        things = _things(archive.read(OBJECTS).decode("utf-8"))
        sheets = [name for name in archive.namelist() if name.endswith(".webp")]
        return things, {
            name.removesuffix(".webp"): _unpacked(name, archive.read(name), len(things)) for name in sheets
        }


def link_things(names: Sequence[str], pictures: Mapping[str, np.ndarray]) -> list[int]:
    """A family number for each object; objects of which one may give the other away share a number.

    Linked are: objects with drawings that are near-duplicates (`near`), in whichever styles, mirrored or not,
        or that were
    found `ALIKE` by eye; names of which one has all the words of the other ("umbrella", "closed umbrella");
    and names that end in the same word ("green book", "blue book"), but for "face", which would join every
    animal.
    """
    families = Groups(len(names))
    words = [re.findall(r"\w+", name.lower()) for name in names]
    for index, own in enumerate(words):
        if own[-1] != "face":
            families.link(index, f"ends in {own[-1]}")
        for other, others in enumerate(words):
            if set(own) < set(others):
                _join(families, index, other)
    drawn = np.concatenate(list(pictures.values()))
    for other_way in (drawn, drawn[:, :, ::-1]):
        for index, other in np.argwhere(near(drawn, other_way)) % len(names):
            _join(families, index, other)
    for number, group in enumerate(ALIKE):
        for index in (index for index, name in enumerate(names) if name in group):
            families.link(index, f"alike {number}")
    return families.numbers()


def near(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which drawings are near-duplicates: (n, m) bool for drawings (n, 72, 72, 3) and (m, 72, 72, 3).

    Two drawings are when the squared difference of their ink (what is not white, averaged over 3x3 pixels) is
    less than `NEAR` of the fainter one's squared ink.
    """
    a, b = _ink(one), _ink(other)
    energy, others = (a * a).sum(1)[:, None], (b * b).sum(1)[None]
    return energy + others - 2 * a @ b.T < NEAR * np.minimum(energy, others)


def _ink(images: np.ndarray) -> np.ndarray:
    # Whole numbers whose products sum to less than 2**53: exact in any order, so every machine links the
    # same.
    places = SIDE // BLOCK
    blocks = (255 - images).reshape(-1, places, BLOCK, places, BLOCK, 3).sum((2, 4), dtype=np.int64)
    return blocks.reshape(len(images), places * places * 3).astype(np.float64)


def _join(families: Groups, index: int, other: int) -> None:
    families.link(index, f"number {index}")
    families.link(other, f"number {index}")


def _packed(images: np.ndarray) -> bytes:
    from PIL import Image

    rows = -(-len(images) // COLUMNS)
    sheet = np.full((rows * COLUMNS, SIDE, SIDE, 3), 255, np.uint8)
    sheet[: len(images)] = images
    sheet = sheet.reshape(rows, COLUMNS, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4)
    out = io.BytesIO()
    picture = Image.fromarray(sheet.reshape(rows * SIDE, COLUMNS * SIDE, 3))
    picture.save(out, "WEBP", lossless=True, quality=100, method=6)
    return out.getvalue()


def _unpacked(name: str, packed: bytes, count: int) -> np.ndarray:
    from PIL import Image

    sheet = np.asarray(Image.open(io.BytesIO(packed)).convert("RGB"))
    rows = -(-count // COLUMNS)
    if sheet.shape != (rows * SIDE, COLUMNS * SIDE, 3):
        raise ValueError(
            f"The sheet {name} has the shape {sheet.shape}, which is not that of {count} drawings."
        )
    cells = sheet.reshape(rows, SIDE, COLUMNS, SIDE, 3).transpose(0, 2, 1, 3, 4)
    return cells.reshape(-1, SIDE, SIDE, 3)[:count]


def _things(table: str) -> list[Thing]:
    things = []
    for number, line in enumerate(table.splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) != 3:
            raise ValueError(f"Line {number} of the table of objects has {len(fields)} fields instead of 3.")
        things.append(Thing(fields[0], fields[1], int(fields[2])))
    return things
