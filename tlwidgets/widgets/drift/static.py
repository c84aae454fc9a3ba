"""Where gradients reach and stop in a run, and how far each group of layers moved: pages and the panel's
static view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from ...train import Run, Trace
from ..base import static_html as html
from ..base.labels import labels
from .state import drift_state, numbers_table

_WIDTH, _ROW = 190, 9


class DriftPage:
    """Gradient and drift of each group at one measured step, and a table of the numbers; prints as the
    table."""

    def __init__(self, state: dict, place: int) -> None:
        self.state, self.place = state, place
        self.words = state["frames"][place]["words"]
        table = numbers_table(state, place)
        self.head, self.rows = tuple(table["head"]), [tuple(row) for row in table["rows"]]

    def _repr_html_(self) -> str:
        return html.box(html.heading(labels("drift")["panel"]), *_frame_html(self.state, self.place))

    def __repr__(self) -> str:
        return _frame_text(self.state, self.place)


def drift_page(runs: Run | Mapping[str, Run], at: int = -1) -> DriftPage:
    """Draw one run, or several by name; `at` picks the measured step (of those of all runs together), -1 the
    last.

    Raises:
        ValueError: a run without a trace, or runs of models with other groups.
        IndexError: no such measurement.
    """
    state = drift_state(traces_of(runs))
    frames = state["frames"]
    if not -len(frames) <= at < len(frames):
        raise IndexError(
            f"There is no measurement {at}. Expected one from {-len(frames)} to {len(frames) - 1}."
        )
    return DriftPage(state, at % len(frames))


def traces_of(runs: Run | Mapping[str, Run]) -> dict[str, Trace]:
    """The traces of a run, or of several by name.

    Raises:
        ValueError: there is none, or they are of models with other groups.
    """
    named = {"": runs} if isinstance(runs, Run) else dict(runs)
    if not named:
        raise ValueError("There is no run to draw. Give a Run, or several by name.")
    first = next(iter(named.values())).trace.groups
    for name, run in named.items():
        if not run.trace.step:
            raise ValueError(
                f"The run {name!r} has no measurements of its layers. Train with trace=True, and for at "
                "least one step."
            )
        if run.trace.groups != first:
            raise ValueError(
                f"The run {name!r} has other groups of layers than the first. Compare runs of one model."
            )
    return {name: run.trace for name, run in named.items()}


def drift_html(state: dict) -> str:
    """HTML of a drift panel's state (`DriftPanel.state`): its last step."""
    parts = [html.heading(state["title"], state["status"])]
    if state["frames"]:
        parts += _frame_html(state, len(state["frames"]) - 1)
    return html.box(*parts)


def drift_text(state: dict) -> str:
    """The same as plain text, for terminals and mail."""
    lines = [state["title"], state["status"]]
    return "\n".join(lines + ([_frame_text(state, len(state["frames"]) - 1)] if state["frames"] else []))


def _frame_html(state: dict, place: int) -> list[str]:
    frame, rows, named = state["frames"][place], [], labels("drift")
    for group, cells, why in zip(state["groups"], frame["cells"], frame["why"], strict=True):
        rows.append(
            (
                f'<span title="{escape(group["id"], quote=True)}">{escape(group["label"])}</span>',
                _dots(state, cells),
                _bars(state, cells),
                f'<span style="{html.QUIET}">{escape(state["sentences"][why])}</span>',
            )
        )
    axes = state["axes"]
    ends = {name: [words for _, words in axes[name]["ticks"]] for name in ("gradient", "drift")}
    head = (
        named["layers"],
        f"{named['gradient']}, {ends['gradient'][0]} to {ends['gradient'][-1]} (log)",
        f"{named['moved_share']}, 0 to {ends['drift'][-1]}",
        named["gradients"],
    )
    parts = [
        html.table(head, rows, frame["caption"]),
        html.paragraph(frame["words"]),
    ]
    if len(state["runs"]) > 1:
        signs = " · ".join(
            f"{html.swatch(html.SERIES[run['slot']])} {escape(run['name'])}" for run in state["runs"]
        )
        parts.insert(0, f'<p style="margin:2px 0;{html.QUIET}">{signs}</p>')
    table = numbers_table(state, place)
    numbers = [tuple(map(escape, row)) for row in table["rows"]]
    right = range(1, len(table["head"]) - 1)
    parts.append(
        html.details(named["numbers"], html.table(table["head"], numbers, table["caption"], right=right))
    )
    return parts


def _frame_text(state: dict, place: int) -> str:
    table = numbers_table(state, place)
    return "\n".join(
        [table["caption"], *("  ".join(row) for row in table["rows"]), state["frames"][place]["words"]]
    )


def _dots(state: dict, cells: list[list]) -> str:
    axis = state["axes"]["gradient"]
    low, high = math.log(axis["low"]), math.log(axis["high"])
    parts, said = [], []
    for run, cell in zip(state["runs"], cells, strict=True):
        said.append(f"{run['name']} {cell[1]}".strip())
        if cell[0]:
            x = 8 + (_WIDTH - 16) * (math.log(cell[0]) - low) / (high - low)
            parts.append(f'<path d="M{x:.1f} 8{run["glyph"]}" fill="{html.SERIES[run["slot"]]}"/>')
    return _svg("".join(parts), 16, f"gradient norm {'; '.join(said)}", rail=8)


def _bars(state: dict, cells: list[list]) -> str:
    top, parts, said = state["axes"]["drift"]["high"], [], []
    for number, (run, cell) in enumerate(zip(state["runs"], cells, strict=True)):
        said.append(f"{run['name']} {cell[3]}".strip())
        if cell[2]:
            length = max(1.5, _WIDTH * min(1.0, cell[2] / top))
            at = f'y="{_ROW * number + 1}" width="{length:.1f}" height="{_ROW - 2}"'
            parts.append(f'<rect {at} rx="1" fill="{html.SERIES[run["slot"]]}"/>')
    return _svg("".join(parts), _ROW * len(state["runs"]), f"moved {'; '.join(said)}")


def _svg(drawn: str, height: int, said: str, rail: int | None = None) -> str:
    line = (
        f'<path d="M0 {rail}H{_WIDTH}" stroke="{html.GREY}" stroke-opacity=".3"/>' if rail is not None else ""
    )
    return (
        f'<svg width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(said)}" '
        f'style="vertical-align:middle">{line}{drawn}</svg>'
    )
