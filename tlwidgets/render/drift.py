"""Where gradients reach and stop in a run, and how far each group of layers moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from ..train import Run
from . import html
from .charts import COLOURS, MARKS
from .figure import Picture, picture

_FROZEN = "#8a9299"


class DriftPage:
    """Gradient and drift of each group at one measured step, and a table of all groups; prints as the table."""

    def __init__(
        self, drawn: Picture, rows: list[tuple[str, ...]], head: tuple[str, ...], caption: str
    ) -> None:
        self.picture, self.rows, self.head, self.caption = drawn, rows, head, caption

    def _repr_html_(self) -> str:
        rows = [tuple(map(escape, row)) for row in self.rows]
        table = html.table(self.head, rows, self.caption, right=range(1, len(self.head) - 1))
        return self.picture._repr_html_() + html.details("The numbers, and where gradients stop", table)

    def __repr__(self) -> str:
        return "\n".join([self.caption, *("  ".join(row) for row in self.rows)])


def drift_page(runs: Run | Mapping[str, Run], at: int = -1) -> DriftPage:
    """Draw one run, or several by name; `at` picks the measured step (see `Run.trace.step`), -1 the last.

    Raises:
        ValueError: a run without a trace, or runs of models with other groups.
        IndexError: no such measurement.
    """
    named = {"": runs} if isinstance(runs, Run) else dict(runs)
    groups = _groups(named)
    head, rows = _table(named, groups, at)
    steps = sorted({run.trace.step[at] for run in named.values()})
    caption = f"Step {steps[0]:,}" if len(steps) == 1 else f"Steps {steps[0]:,} to {steps[-1]:,}"
    return DriftPage(_drawn(named, groups, at), rows, head, f"{caption}, first layer at the top.")


def why_no_gradient(values: list[float], place: int) -> str:
    """Why a group has no gradient, from those of all groups in the model's order; empty where it has one."""
    if not math.isnan(values[place]):
        return ""
    below = [number for number, value in enumerate(values) if not math.isnan(value) and number < place]
    if below:
        return "frozen; gradients pass through it to the layers before it"
    return "frozen, and so is all before it: no gradient is computed here"


def _groups(named: Mapping[str, Run]) -> list[str]:
    if not named:
        raise ValueError("There is no run to draw. Give a Run, or several by name.")
    first = next(iter(named.values())).trace.groups
    for name, run in named.items():
        if not run.trace.step:
            raise ValueError(
                f"The run {name!r} has no measurements of its layers. Train with trace=True, and for at least one step."
            )
        if run.trace.groups != first:
            raise ValueError(
                f"The run {name!r} has other groups of layers than the first. Compare runs of one model."
            )
    return first


def _table(named: Mapping[str, Run], groups: list[str], at: int):
    head = ["Group"]
    for name in named:
        of = f", {name}" if name else ""
        head += [f"Gradient norm{of}", f"Moved{of}"]
    rows = []
    for place, group in enumerate(groups):
        cells, reasons = [group or "the model"], []
        for name, run in named.items():
            gradient, drift = run.trace.gradient[at], run.trace.drift[at]
            cells += [_number(gradient[place], "{:.2e}"), _number(drift[place], "{:.2%}")]
            reason = why_no_gradient(gradient, place)
            if reason:
                reasons.append(f"{name}: {reason}" if name else reason)
        rows.append((*cells, "; ".join(reasons) or "learns"))
    return (*head, "Gradients"), rows


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value)


def _drawn(named: Mapping[str, Run], groups: list[str], at: int) -> Picture:
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(9.2, 1.4 + 0.34 * len(groups)), sharey=True, layout="constrained"
    )
    places = range(len(groups))
    for (name, run), colour, mark in zip(named.items(), COLOURS, MARKS, strict=False):
        left.plot(run.trace.gradient[at], places, mark[0], color=colour, label=name or "learns")
        right.plot(run.trace.drift[at], places, mark[0], color=colour, label=name or "learns")
    frozen = [p for p in places if all(math.isnan(run.trace.gradient[at][p]) for run in named.values())]
    for place in frozen:
        for axes in (left, right):
            axes.axhspan(place - 0.5, place + 0.5, color=_FROZEN, alpha=0.2, lw=0)
        left.annotate("frozen", (0.02, place), xycoords=("axes fraction", "data"), va="center", size=8)
    prefix = 0
    while prefix in frozen:
        prefix += 1
    if prefix:
        left.axhline(prefix - 0.5, color=_FROZEN, ls="--")
        left.annotate(
            "gradients stop here",
            (0.98, prefix - 0.5),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            size=8,
        )
    left.set_yticks(list(places), [_short(group) for group in groups])
    left.set_ylim(len(groups) - 0.5, -0.5)
    left.set_xscale("log")
    left.set(xlabel="gradient norm", title="What reaches a group")
    right.set(xlabel="distance from the start, relative to its size", title="How far it moved")
    right.set_xlim(left=0)
    right.xaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.25)
    if len(named) > 1:
        handles, names = left.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    return picture(figure, _words(named, groups, at, prefix))


def _short(group: str) -> str:
    parts = group.split(".")
    return ".".join(parts[-2:]) if len(parts) > 1 else group or "the model"


def _words(named: Mapping[str, Run], groups: list[str], at: int, prefix: int) -> str:
    said = []
    for name, run in named.items():
        drift = run.trace.drift[at]
        known = [place for place, value in enumerate(drift) if not math.isnan(value)]
        most = max(known, key=lambda place: drift[place])
        least = min(known, key=lambda place: drift[place])
        who = f"{name}: " if name else ""
        said.append(
            f"{who}{groups[most] or 'the model'} moved most ({drift[most]:.1%} of its size), "
            f"{groups[least] or 'the model'} least ({drift[least]:.1%})."
        )
    if prefix:
        said.append(f"Gradients stop at {groups[prefix]}: the {prefix} groups before it are frozen.")
    return " ".join(said)
