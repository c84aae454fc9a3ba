"""Gradients and drift of each group as plain data, frame by frame. The drift panel and its static view draw
it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ...train import Trace
from ..base.labels import labels
from ..base.plot import GLYPHS, axis, log_ticks
from ..base.records import Axis, PanelState


class DriftRun(TypedDict):
    """A run, and how it is drawn."""

    name: str
    slot: int
    glyph: str


class DriftGroup(TypedDict):
    """A group of layers."""

    id: str
    label: str


class DriftAxes(TypedDict):
    """The axes of both columns, the same for all frames."""

    gradient: Axis
    drift: Axis


class DriftFrame(TypedDict):
    """One measured step; see `drift_state`."""

    step: int
    at: str
    of: str
    caption: str
    words: str
    cells: list[list[tuple[float | None, str, float | None, str, int]]]
    why: list[int]


class DriftState(PanelState):
    """The state of a `DriftPanel`."""

    view: Literal["drift"]
    status: str
    live: bool
    runs: list[DriftRun]
    groups: list[DriftGroup]
    axes: DriftAxes
    reasons: list[str]
    sentences: list[str]
    head: list[str]
    frames: list[DriftFrame]


MOST_FRAMES = 80  # more than a person looks at one by one
LEARNS = "learns"


def drift_state(traces: Mapping[str, Trace]) -> dict:
    """All recorded steps of one run or several.

    Args:
        traces: by the run's name; of models with the same groups. One without a measurement is allowed.

    Returns:
        `runs`: name, slot and glyph of each. `groups`: id and label, first layer first. `axes`: ends and
        ticks of "gradient" (logarithmic) and "drift", the same for all frames. `reasons`: sentences. `head`:
        of a frame's table. `frames`: step, the same in words (`at`, `of`, `caption`), `words` on it, for each
        group a cell for each run in `cells`: [gradient or None, in words, drift or None, in words, which
        reason], and in `why` which of `sentences` says where gradients stop (the first: nowhere). A run that
        was not measured at a frame's step shows its last measurement before.
    """
    names = list(traces)
    groups = next((list(trace.groups) for trace in traces.values() if trace.groups), [])
    reasons: dict[str, int] = {}
    sentences = {LEARNS: 0}
    steps = _steps(traces.values())
    frames = [_frame(traces, groups, step, reasons) for step in steps]
    for frame in frames:
        said = [_reason_words(names, list(reasons), cells) for cells in frame["cells"]]
        frame["why"] = [sentences.setdefault(words, len(sentences)) for words in said]
        frame["of"] = f"{frame['step']:,} of {steps[-1]:,}"
    return {
        "runs": [
            {"name": name, "slot": n % len(GLYPHS), "glyph": GLYPHS[n % len(GLYPHS)]}
            for n, name in enumerate(names)
        ],
        "groups": [{"id": group or "the model", "label": short(group)} for group in groups],
        "axes": _axes(traces.values()),
        "reasons": list(reasons),
        "sentences": list(sentences),
        "head": _head(names),
        "frames": frames,
    }


def numbers_table(state: dict, place: int) -> dict:
    """The numbers of a frame: head, rows, caption and what rows are sorted by."""
    frame, rows, sort = state["frames"][place], [], []
    for number, (group, cells) in enumerate(zip(state["groups"], frame["cells"], strict=True)):
        row, key = [group["id"]], [number]
        for gradient, gradient_words, drift, drift_words, _ in cells:
            row += [gradient_words, drift_words]
            key += [-1 if gradient is None else gradient, -1 if drift is None else drift]
        row.append(state["sentences"][frame["why"][number]])
        rows.append(row)
        sort.append([*key, row[-1]])
    return {"head": state["head"], "rows": rows, "sort": sort, "caption": frame["caption"]}


def _head(names: Sequence[str]) -> list[str]:
    several = [f", {name}" if len(names) > 1 else "" for name in names]
    named = labels("drift")
    columns = (named[name] + of for of in several for name in ("gradient", "moved"))
    return [named["layers"], *columns, named["gradients"]]


def _reason_words(names: Sequence[str], reasons: Sequence[str], cells: Sequence[list]) -> str:
    """Why gradients do not reach a group, in each run where they do not; "learns" where they reach it in
    all."""
    said: dict[str, list[str]] = {}
    for name, cell in zip(names, cells, strict=True):
        reason = reasons[cell[4]]
        if reason and reason != LEARNS:
            said.setdefault(reason, []).append(name)
    if len(said) == 1 and len(next(iter(said.values()))) == len(names):
        return next(iter(said))
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in said.items()) or LEARNS


def why_no_gradient(
    gradients: Sequence[Sequence[float]], drifts: Sequence[Sequence[float]], at: int, place: int
) -> str:
    """Why a group has no gradient at a measurement; empty where it has one.

    `gradients` and `drifts` are a trace's: one inner list a measurement, one number a group.
    """
    now = gradients[at]
    if now[place] == 0:
        return "dead: its gradient is exactly 0"
    if not math.isnan(now[place]):
        return ""
    passed = any(not math.isnan(now[number]) for number in range(place))
    rest = "; gradients pass through" if passed else ", as is everything before it"
    if math.isnan(drifts[at][place]):
        return f"frozen by requires_grad{rest}"
    if any(not math.isnan(gradients[earlier][place]) for earlier in range(at)):
        return f"frozen since an earlier step{rest}"
    return "no path leads from the loss to it"


def short(group: str) -> str:
    """The last two parts of a group's name."""
    parts = group.split(".")
    return ".".join(parts[-2:]) if len(parts) > 1 else group or "the model"


def _steps(traces) -> list[int]:
    steps = sorted({step for trace in traces for step in trace.step})
    if len(steps) <= MOST_FRAMES:
        return steps
    return [steps[round(place * (len(steps) - 1) / (MOST_FRAMES - 1))] for place in range(MOST_FRAMES)]


def _frame(traces: Mapping[str, Trace], groups: Sequence[str], step: int, reasons: dict[str, int]) -> dict:
    cells: list[list[list]] = [[] for _ in groups]
    said = []
    for name, trace in traces.items():
        at = bisect_right(trace.step, step) - 1
        for place in range(len(groups)):
            cells[place].append(_cell(trace, at, place, reasons))
        if at >= 0:
            said += _words(name, trace, at, groups)
    return {
        "step": step,
        "at": f"step {step:,}",
        "caption": f"Step {step:,}, first layer at the top.",
        "words": " ".join(said),
        "cells": cells,
    }


def _cell(trace: Trace, at: int, place: int, reasons: dict[str, int]) -> list:
    if at < 0:
        return [None, "–", None, "–", reasons.setdefault("not measured yet", len(reasons))]
    gradient, drift = trace.gradient[at][place], trace.drift[at][place]
    reason = why_no_gradient(trace.gradient, trace.drift, at, place) or LEARNS
    return [
        _finite(gradient),
        "–" if math.isnan(gradient) else f"{gradient:.2e}",
        _finite(drift),
        "–" if math.isnan(drift) else f"{drift:.2%}",
        reasons.setdefault(reason, len(reasons)),
    ]


def _words(name: str, trace: Trace, at: int, groups: Sequence[str]) -> list[str]:
    who = f"{name}: " if name else ""
    drift, gradient = trace.drift[at], trace.gradient[at]
    known = [place for place, value in enumerate(drift) if math.isfinite(value)]
    said = []
    if known:
        most = max(known, key=lambda place: drift[place])
        least = min(known, key=lambda place: drift[place])
        said.append(
            f"{who}{groups[most] or 'the model'} moved most ({drift[most]:.1%} of its size), "
            f"{groups[least] or 'the model'} least ({drift[least]:.1%})."
        )
    prefix = next((place for place, value in enumerate(gradient) if not math.isnan(value)), len(groups))
    if 0 < prefix < len(groups):
        number = f"the {prefix} groups before it are" if prefix > 1 else "the group before it is"
        said.append(f"{who}{'gradients' if who else 'Gradients'} stop at {groups[prefix]}: {number} frozen.")
    return said


def _axes(traces) -> dict:
    traces = list(traces)
    norms = [v for trace in traces for row in trace.gradient for v in row if math.isfinite(v) and v > 0]
    ticks = log_ticks(min(norms), max(norms), most=5) if norms else [0.1, 1.0]
    while len(ticks) > 5:
        ticks = ticks[::2] if len(ticks) % 2 else [*ticks[::2], 10 * ticks[-1]]
    moved = (
        max([v for trace in traces for row in trace.drift for v in row if math.isfinite(v)], default=0.0)
        or 0.01
    )
    power = 10.0 ** math.floor(math.log10(moved))
    top = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= moved * (1 - 1e-9))
    return {
        "gradient": axis([[tick, _power_words(tick)] for tick in ticks], log=True),
        "drift": axis([[tick, f"{100 * tick:g} %"] for tick in (0.0, top / 2, top)]),
    }


def _power_words(value: float) -> str:
    return f"{value:g}" if 0.01 <= value < 1000 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e+")


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
