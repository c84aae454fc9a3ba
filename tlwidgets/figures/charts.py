"""The charts that lessons draw most, in the course's colours, each with its words and its numbers.

Marks and dashes tell series apart as well as colours do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from .. import palette
from .figure import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bars", "before_after", "heatmap", "line_panels"]

COLOURS = tuple(hue.print for hue in palette.SERIES)
MARKS = ("o-", "s--", "^-.", "D:", "v-", "P--")
QUIET = palette.QUIET


def line_panels(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    ticks: Sequence[str],
    *,
    xlabel: str,
    ylabel: str,
    chance: float | None = None,
) -> Picture:
    """Fractions side by side: `{title: {series: values}}`, one value for each tick.

    `chance` draws a line where guessing would be. Raises ValueError when a series has not one value a tick.
    """
    for title, series in panels.items():
        for name, values in series.items():
            if len(values) != len(ticks):
                raise ValueError(
                    f"{name!r} in {title!r} has {len(values)} values for {len(ticks)} ticks; "
                    "give as many of each."
                )
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(4.6 * len(panels), 3.5), sharey=True, squeeze=False, layout="constrained"
    )
    for place, (title, series) in zip(axes[0], panels.items(), strict=True):
        for (name, values), colour, mark in zip(series.items(), COLOURS, MARKS, strict=False):
            place.plot(values, mark, color=colour, lw=2, label=name)
        place.set(title=title, xlabel=xlabel, xticks=range(len(ticks)))
        place.set_xticklabels(ticks)
    for place in axes[0]:  # after the last series, so that the shared axis fits all of them
        _finish(place, chance)
    axes[0, 0].set_ylabel(ylabel)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    return picture(figure, _line_words(panels, ticks))


def bars(
    values: Mapping[str, float], *, ylabel: str, notes: Sequence[str] = (), chance: float | None = None
) -> Picture:
    """One bar for each fraction, with its value and, where given, a note above it."""
    if notes and len(notes) != len(values):
        raise ValueError(f"{len(notes)} notes for {len(values)} bars; give as many of each.")
    from matplotlib import pyplot

    inches, letters = (1.9, 18) if len(values) <= 4 else (1.4, 15)  # a wide figure is shown small
    figure, axes = pyplot.subplots(figsize=(2.2 + inches * len(values), 3.3), layout="constrained")
    drawn = axes.bar(
        [fill(name, letters) for name in values],
        list(values.values()),
        color=COLOURS[: len(values)],
        width=0.55,
    )
    above = [f"{value:.1%}" for value in values.values()]
    if notes:
        above = [f"{value}\n{note}" for value, note in zip(above, notes, strict=True)]
    # Chance may be where a number is: the line ends before it.
    axes.bar_label(drawn, above, padding=3, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
    axes.set_ylim(0, 1)
    axes.set_ylabel(ylabel)
    _finish(axes, chance)
    words = "; ".join(f"{name} {value:.1%}" for name, value in values.items())
    return picture(figure, f"Bars of {ylabel}: {words}" + (f"; chance {chance:.0%}." if chance else "."))


def before_after(values: Mapping[str, tuple[float, float]], *, ylabel: str) -> Picture:
    """Two bars for each name, before and after, with their values; less may be better, so the axis begins at
    0."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(2.2 + 2.2 * len(values), 3.3), layout="constrained")
    for which, (word, colour, hatch) in enumerate((("before", COLOURS[0], ""), ("after", COLOURS[1], "//"))):
        drawn = axes.bar(
            [place + 0.36 * (which - 0.5) for place in range(len(values))],
            [pair[which] for pair in values.values()],
            color=colour,
            hatch=hatch,
            edgecolor="white",
            width=0.32,
            label=word,
        )
        axes.bar_label(drawn, [f"{pair[which]:.0f}" for pair in values.values()], padding=3)
    axes.set_xticks(range(len(values)), [fill(name, 22) for name in values])
    axes.set(ylabel=ylabel, ylim=(0, 1.12 * max(map(max, values.values()))))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    words = "; ".join(
        f"{name} {before:.0f} before, {after:.0f} after" for name, (before, after) in values.items()
    )
    return picture(figure, f"Bars of {ylabel}: {words}.")


def heatmap(rows: Sequence[tuple[str, Sequence[float]]], columns: Sequence[str], *, xlabel: str) -> Picture:
    """Fractions as a table, the darker the larger: `(name, values)` a row, one value for each column, each
    with its number.

    Raises ValueError when there are no rows, or a row does not have a value for each column.
    """
    if not rows:
        raise ValueError("There are no rows to draw. Give at least one.")
    for name, values in rows:
        if len(values) != len(columns):
            raise ValueError(
                f"{name!r} has {len(values)} values for {len(columns)} columns; give as many of each."
            )
    from matplotlib import pyplot

    size = (2.2 + 0.62 * len(columns), 1.1 + 0.34 * len(rows))
    figure, axes = pyplot.subplots(figsize=size, layout="constrained")
    axes.imshow([values for _, values in rows], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, (_, values) in enumerate(rows):
        for x, value in enumerate(values):
            ink = "white" if value > 0.55 else "black"
            axes.annotate(f"{value:.0%}", (x, y), ha="center", va="center", color=ink, size=9)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_xlabel(xlabel)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    most = "; ".join(
        f"{name} {max(values):.0%} at {columns[list(values).index(max(values))]}" for name, values in rows
    )
    return picture(figure, f"Table of shares by {xlabel}. The largest of each row: {most}.")


def _finish(axes: Axes, chance: float | None) -> None:
    if chance is not None:
        axes.axhline(chance, color=QUIET, lw=1, ls=":")
        axes.annotate(
            "coin toss" if chance == 0.5 else "chance",
            (1, chance),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=QUIET,
            size=9,
        )
        if axes.get_ylim()[0] > 0:
            axes.set_ylim(bottom=min(axes.get_ylim()[0], chance - 0.06))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.spines[["top", "right"]].set_visible(False)


def _line_words(panels: Mapping[str, Mapping[str, Sequence[float]]], ticks: Sequence[str]) -> str:
    said = []
    for title, series in panels.items():
        parts = (
            f"{name} goes from {values[0]:.0%} at {ticks[0]} to {values[-1]:.0%} at {ticks[-1]}"
            for name, values in series.items()
        )
        said.append(f"{title} {'; '.join(parts)}.")
    return " ".join(said)
