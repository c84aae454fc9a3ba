"""An arena's results as pages: charts with their numbers behind them; and the static view of its panel."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ...train import ArenaResult
from ..base import static_html as html
from ..base.labels import labels
from ..base.plot import axis as axis_of
from ..base.plot import chart_html, legend_html, nice_ticks
from .state import arena_state, curves, standings_table


class ArenaPage:
    """Charts of one or several arenas, and a table of each that opens below; prints as the tables."""

    def __init__(self, charts: Sequence[dict], results: Sequence[ArenaResult]) -> None:
        self.charts, self.results = tuple(charts), tuple(results)

    def _repr_html_(self) -> str:
        legend, named = arena_state(self.results[0])["legend"], labels("arena", title="")["numbers"]
        parts = [*map(chart_html, self.charts), legend_html(legend)]
        for result in self.results:
            parts.append(html.details(f"{named}: {result.name}", table_html(standings_table(result))))
        return html.box(*parts)

    def __repr__(self) -> str:
        lines = []
        for result in self.results:
            lines.append(f"{result.name} (measured on {result.machine})")
            lines += ["  " + "  ".join(row) for row in standings_table(result)["rows"]]
        return "\n".join(lines)


def arena_page(*results: ArenaResult, chance: float | None = None) -> ArenaPage:
    """Accuracy against the number of examples, a chart for each arena, with bands of the 95 % interval.

    Raises:
        ValueError: no arena, or one without bouts.
    """
    return _page("examples", results, chance)


def cost_page(*results: ArenaResult, chance: float | None = None) -> ArenaPage:
    """Accuracy against seconds of training, a chart for each arena; a line joins the results of a contender.

    Raises:
        ValueError: no arena, or one without bouts.
    """
    return _page("cost", results, chance)


def curves_page(result: ArenaResult, examples: int) -> ArenaPage:
    """Training loss against steps for one number of examples: the mean over the seeds, and their whole range.

    Raises:
        ArenaError: no bout with so many examples.
    """
    return ArenaPage([curves(result, examples)], [result])


def _page(name: str, results: Sequence[ArenaResult], chance: float | None) -> ArenaPage:
    if not results or not all(result.bouts for result in results):
        raise ValueError("An arena without bouts cannot be drawn. Let it fight first: arena.fight().")
    charts = []
    for result in results:
        chart = next(c for c in arena_state(result, chance)["charts"] if c["name"] == name)["variants"][0]
        title = result.name if name == "examples" else f"{result.name}: accuracy and cost"
        charts.append({**chart, "title": title})
    y = _same([chart["y"] for chart in charts])
    return ArenaPage([{**chart, "y": y} for chart in charts], results)


def _same(axes: Sequence[dict]) -> dict:
    """One axis for charts side by side, so that heights can be compared."""
    ticks = nice_ticks(min(axis["low"] for axis in axes), max(axis["high"] for axis in axes))
    return axis_of([[tick, f"{100 * tick:g} %"] for tick in ticks])


# -- the panel's static view ---------------------------------------------------------------------------


def arena_html(state: dict) -> str:
    """HTML of an arena's state (`ArenaPanel.state`)."""
    parts = [html.heading(state["title"], state["budget"]), html.paragraph(state["status"])]
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    if state["phase"] != "ready" and state["total"]:
        done = html.bar([(state["share"], html.BLUE)], state["progress"], width=220)
        parts.append(f'<p style="margin:4px 0">{done} {escape(state["progress"])}</p>')
    tables: list[tuple[str, dict]] = []
    for chart in state["charts"]:
        place = chart["chosen"]
        drawn, table = chart["variants"][place], chart["variants"][place]["table"]
        title = _title(chart, place)
        parts.append(chart_html({**drawn, "title": title}))
        if not any(table == seen for _, seen in tables):
            tables.append((title, table))
    if state["charts"]:
        parts.append(legend_html(state["legend"], state["whose"]))
    named = state["labels"]["numbers"]
    parts += [html.details(f"{named}: {title.lower()}", table_html(table)) for title, table in tables]
    return html.box(*parts)


def arena_text(state: dict) -> str:
    """The same as plain text, for terminals and mail."""
    lines = [state["title"], state["budget"], state["status"]]
    lines += [state["progress"]] if state["phase"] != "ready" and state["total"] else []
    lines += [state["message"]["text"]] if state["message"]["kind"] == "error" else []
    lines += [state["whose"]] if state["whose"] else []
    for chart in state["charts"]:
        place = chart["chosen"]
        if chart["name"] == "cost":
            continue  # the same table as that of the examples
        table = chart["variants"][place]["table"]
        lines += ["", f"{_title(chart, place)}. {table['caption']}"]
        cells = [table["head"], *table["rows"]]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
    return "\n".join(lines)


def table_html(table: dict) -> str:
    """A chart's table."""
    rows = [tuple(map(escape, row)) for row in table["rows"]]
    return html.table(table["head"], rows, table["caption"], right=range(1, len(table["head"])))


def _title(chart: dict, place: int) -> str:
    if not chart["label"]:
        return chart["title"]
    chosen = chart["choices"][place]
    return (
        f"{chart['title']}, {chosen} examples"
        if chart["label"] == "examples"
        else f"{chart['title']}, against {chosen}"
    )
