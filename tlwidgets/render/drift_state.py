"""Gradients and drift of each group as plain data, frame by frame. The drift panel and its twin draw it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from ..train import Trace
from .plot import GLYPHS, log_ticks

MOST_FRAMES = 80  # more than a person looks at one by one
LEARNS = "learns"


def drift_state(traces: Mapping[str, Trace]) -> dict:
    """All recorded steps of one run or several.

    Args:
        traces: by the run's name; of models with the same groups. One without a measurement is allowed.

    Returns:
        `runs`: name, slot and glyph of each. `groups`: id and label, first layer first. `axes`: ends and ticks of
        "gradient" (logarithmic) and "drift", the same for all frames. `reasons`: sentences. `frames`: step, words, and for
        each group a cell for each run: [gradient or None, in words, drift or None, in words, which reason]. A run that was
        not measured at a frame's step shows its last measurement before.
    """
    names = list(traces)
    groups = next((list(trace.groups) for trace in traces.values() if trace.groups), [])
    reasons: dict[str, int] = {}
    frames = [_frame(traces, groups, step, reasons) for step in _steps(traces.values())]
    return {
        "runs": [
            {"name": name, "slot": n % len(GLYPHS), "glyph": GLYPHS[n % len(GLYPHS)]}
            for n, name in enumerate(names)
        ],
        "groups": [{"id": group or "the model", "label": short(group)} for group in groups],
        "axes": _axes(traces.values()),
        "reasons": list(reasons),
        "frames": frames,
    }


def numbers_table(state: dict, place: int) -> dict:
    """The numbers of a frame: head, rows, caption and what rows are sorted by."""
    frame, several = state["frames"][place], len(state["runs"]) > 1
    head = ["Group"]
    for run in state["runs"]:
        of = f", {run['name']}" if several else ""
        head += [f"Gradient norm{of}", f"Moved{of}"]
    rows, sort = [], []
    for number, (group, cells) in enumerate(zip(state["groups"], frame["cells"], strict=True)):
        row, key = [group["id"]], [number]
        for gradient, gradient_words, drift, drift_words, _ in cells:
            row += [gradient_words, drift_words]
            key += [-1 if gradient is None else gradient, -1 if drift is None else drift]
        row.append(reason_words(state, cells))
        rows.append(row)
        sort.append([*key, row[-1]])
    return {
        "head": [*head, "Gradients"],
        "rows": rows,
        "sort": sort,
        "caption": f"Step {frame['step']:,}, first layer at the top.",
    }


def reason_words(state: dict, cells: Sequence[list]) -> str:
    """Why gradients do not reach a group, in each run where they do not; "learns" where they reach it in all."""
    said: dict[str, list[str]] = {}
    for run, cell in zip(state["runs"], cells, strict=True):
        reason = state["reasons"][cell[4]]
        if reason and reason != LEARNS:
            said.setdefault(reason, []).append(run["name"])
    if len(said) == 1 and len(next(iter(said.values()))) == len(state["runs"]):
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
    rest = "; gradients pass through" if passed else ", as is all before it"
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
    return {"step": step, "words": " ".join(said), "cells": cells}


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
        "gradient": {
            "low": ticks[0],
            "high": ticks[-1],
            "log": True,
            "ticks": [[t, _power_words(t)] for t in ticks],
        },
        "drift": {
            "low": 0.0,
            "high": top,
            "log": False,
            "ticks": [[t, f"{100 * t:g} %"] for t in (0.0, top / 2, top)],
        },
    }


def _power_words(value: float) -> str:
    return f"{value:g}" if 0.01 <= value < 1000 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e+")


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
