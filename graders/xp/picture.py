"""XP as a picture over the ranks of the kitchen: a bar for each student, or the spread of a large class."""

from __future__ import annotations

import os
import statistics
import unicodedata
import warnings
from collections import Counter
from pathlib import Path

from graders.names import shown
from tlwidgets import palette

from .rules import COURSE_XP, RANKS, Standing

ROWS, COLUMNS = 40, 3  # of names; a larger class is drawn as a histogram
NAME_WIDTH = 28  # in letters of Latin script
_SHADES = ("#EAF4FB", "#D4E9F7", "#BBDDF2", "#A0CFEC")
_BINS = 32
# As text rather than outlines: a viewer has letters of more scripts, and joins and orders them.
_STYLE = {"svg.fonttype": "none", "font.family": ["DejaVu Sans", "sans-serif"]}


def draw(standings: list[Standing], path: Path) -> str:
    """Write the picture (SVG, PNG or PDF, by the file's ending) and return its text alternative.

    However large the class, the picture is at most 18 by 14 inches: up to 120 students have a bar each, in
    columns of 40; of more it shows how many have how much XP.

    Raises:
        ValueError: the ending is not that of a known format.
    """
    import matplotlib
    from matplotlib.figure import Figure

    many = len(standings) > ROWS * COLUMNS
    text = _spread(standings) if many else _everybody(standings)
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # in the font of PNG and PDF
        # Three columns in any case would be small print for a class of 45.
        columns = 1 if many else max(1, -(-len(standings) // ROWS))
        rows = -(-len(standings) // columns)
        height = 5.0 if many else 1.6 + min(0.42, 12 / max(1, rows)) * max(1, rows)
        figure = Figure(figsize=(max(9, 6 * columns), height), layout="constrained", facecolor="white")
        if many:
            _histogram(figure.add_subplot(), standings)
        else:
            for place, axes in enumerate(figure.subplots(1, columns, squeeze=False)[0]):
                _bars(axes, standings[place * rows : (place + 1) * rows], _top(standings), rows, columns > 1)
        half = path.with_name(f".{path.stem}.part{path.suffix}")
        titled = path.suffix in (".svg", ".png", ".pdf")
        try:
            figure.savefig(half, metadata={"Title": f"XP: {text}"} if titled else None)
            os.replace(half, path)
        finally:
            half.unlink(missing_ok=True)
    return text


def short_name(name: str, width: int = NAME_WIDTH) -> str:
    """A name that is at most so wide: the middle of a longer one is left out, since names differ at the ends.

    Letters of Chinese, Japanese and Korean are as wide as two others.
    """
    letters = shown(name)
    if _width(letters) <= width:
        return letters
    head, tail = "", ""
    while letters:
        if _width(head) <= _width(tail):
            taken, letters, head = letters[0], letters[1:], head + letters[0]
        else:
            taken, letters, tail = letters[-1], letters[:-1], letters[-1] + tail
        if _width(head) + _width(tail) >= width - 1 - _width(taken):
            break
    return f"{head}…{tail}"


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def _top(standings: list[Standing]) -> float:
    """Where the scale ends: extra credit may lead beyond the course's own XP."""
    return max([COURSE_XP, *(one.xp for one in standings)])


def _ranks(axes, top: float, titles: list[str]) -> None:
    """The ranks, as bands with their titles above."""
    edges = [rank.xp for rank in RANKS] + [top]
    for title, left, right, shade in zip(titles, edges, edges[1:], _SHADES, strict=False):
        axes.axvspan(left, right, color=shade, lw=0)
        middle = (left + right) / 2
        axes.text(
            middle, 1.01, title, ha="center", va="bottom", fontsize=9, transform=axes.get_xaxis_transform()
        )


def _bars(axes, standings: list[Standing], top: float, rows: int, narrow: bool) -> None:
    _ranks(axes, top, [rank.title.replace(" ", "\n", narrow) for rank in RANKS])
    places = range(len(standings))
    bars = axes.barh(places, [one.xp for one in standings], color=palette.BLUE.print, height=0.55)
    labels = [f"{round(one.xp, 2):g} XP" + " ★" * len(one.badges) for one in standings]
    axes.bar_label(bars, labels, padding=4, color=palette.INK)
    # Room at the right for the label of a full bar; each column has as many places, so that bars are as high.
    axes.set(
        yticks=list(places), xlim=(0, 1.3 * top), ylim=(max(1, rows) - 0.5, -0.5), xlabel="XP (★ a badge)"
    )
    names = [short_name(one.student.name or one.student.id) for one in standings]
    axes.set_yticklabels(names, parse_math=False)  # a dollar sign is part of a name
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= top])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)


def _histogram(axes, standings: list[Standing]) -> None:
    top, points = _top(standings), [one.xp for one in standings]
    of_rank = Counter(one.rank for one in standings)
    _ranks(axes, top, [f"{rank.title}\n{of_rank[rank.title]:,}" for rank in RANKS])
    axes.hist(points, bins=_BINS, range=(0, top), color=palette.BLUE.print, rwidth=0.86)
    middle = statistics.median(points)
    axes.axvline(middle, color=palette.INK, lw=1.5, ls="--")
    axes.set(xlim=(0, top), xlabel=f"XP of {len(points):,} students (dashed: the median, {middle:.3g})")
    axes.set_ylabel("students")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)


def _everybody(standings: list[Standing]) -> str:
    said = [
        f"{shown(one.student.name or one.student.id, 40)}: {round(one.xp, 2):g} XP, {one.rank}"
        for one in standings
    ]
    return "; ".join(said) or "no student yet"


def _spread(standings: list[Standing]) -> str:
    of_rank = Counter(one.rank for one in standings)
    ranks = ", ".join(f"{of_rank[rank.title]:,} {rank.title}" for rank in RANKS)
    middle = statistics.median(one.xp for one in standings)
    return f"{len(standings):,} students: {ranks}; median {middle:.3g} XP"
