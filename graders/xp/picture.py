"""XP as a picture: one bar per student, over the ranks of the kitchen."""

from __future__ import annotations

import os
from pathlib import Path

from graders.names import shown
from tlwidgets import palette

from .rules import COURSE_XP, RANKS, Standing

_SHADES = ("#EAF4FB", "#D4E9F7", "#BBDDF2", "#A0CFEC")


def draw(standings: list[Standing], path: Path) -> str:
    """Write the picture (SVG, PNG or PDF, by the file's ending) and return its text alternative.

    Raises:
        ValueError: the ending is not that of a known format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.6 + 0.42 * max(1, len(standings))), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    edges = [rank.xp for rank in RANKS] + [COURSE_XP]
    for rank, left, right, shade in zip(RANKS, edges, edges[1:], _SHADES, strict=False):
        axes.axvspan(left, right, color=shade, lw=0)
        axes.text(
            (left + right) / 2,
            1.01,
            rank.title,
            ha="center",
            va="bottom",
            transform=axes.get_xaxis_transform(),
        )
    names = [shown(one.student.name or one.student.id, 40) for one in standings]
    places = range(len(standings))
    bars = axes.barh(places, [one.xp for one in standings], color=palette.BLUE.print, height=0.55)
    axes.bar_label(
        bars, [f"{one.xp:g} XP" + " ★" * len(one.badges) for one in standings], padding=4, color=palette.INK
    )
    axes.set(yticks=list(places), xlim=(0, COURSE_XP), xlabel="XP (★ a badge)")
    axes.set_yticklabels(names, parse_math=False)  # a dollar sign is part of a name
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    text = (
        "; ".join(f"{name}: {one.xp:g} XP, {one.rank}" for name, one in zip(names, standings, strict=True))
        or "no student yet"
    )
    half = path.with_name(f".{path.stem}.part{path.suffix}")
    figure.savefig(
        half, metadata={"Title": f"XP: {text}"} if path.suffix in (".svg", ".png", ".pdf") else None
    )
    os.replace(half, path)
    return text
