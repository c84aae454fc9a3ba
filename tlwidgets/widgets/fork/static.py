"""The static view of the fork panel: the run and its forks as inline SVG, a table, and text; no scripts."""

from __future__ import annotations

from html import escape

from ..base import static_html as html

_WIDTH, _HEIGHT = 400, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 24


def fork_html(state: dict) -> str:
    """HTML of a panel's state (`ForkPanel.state`)."""
    labels = state["labels"]
    parts = [html.heading(state["title"])]
    charts = [chart for chart in (_chart(state, "loss"), _chart(state, "accuracy")) if chart]
    parts.append(f"<div>{''.join(charts)}</div>")
    keys = (labels["smoothed"], labels["validation"])
    parts.append(html.paragraph(" ".join(f"{key.capitalize()}." for key in keys), quiet=True))
    parts.append(_results(state))
    parts.append(html.paragraph(f"{state['status']} The marker stands {state['place']}."))
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    parts.append(html.details(labels["epochs"], _table(state)))
    if state["code"]:
        parts.append(html.details(labels["code_title"], html.code(state["code"])))
    return html.box(*parts)


def fork_text(state: dict) -> str:
    """The same as plain text, for terminals and mail."""
    lines = [state["title"], ""]
    for row in state["rows"]:
        since = f", forked after {row['since']}: {row['change']}" if row["since"] else ""
        lines.append(f"{row['title']}{since}")
        lines.append(
            f"  training loss {row['loss']}, validation loss {row['valid_loss']}, validation accuracy "
            f"{row['valid_accuracy']}, test accuracy {row['test']}"
        )
    lines += ["", state["status"], f"The marker stands {state['place']}."]
    if state["message"]["kind"] == "error":
        lines.append(state["message"]["text"])
    return "\n".join(lines)


def _chart(state: dict, key: str) -> str:
    if not any(line[key] or line[f"valid_{key}"] for line in state["lines"]):
        return ""
    axis, labels = state["axes"][key], state["labels"]
    title = labels[key]

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / max(1, state["steps"])

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (axis["high"] - value) / (axis["high"] - axis["low"])

    drawn = [_grid(y(tick), words) for tick, words in axis["ticks"]]
    for line in state["lines"]:
        colour, dash = html.SERIES[line["slot"]], line["dash"] or "none"
        for points, width in ((line[key], 2), (line[f"valid_{key}"], 1.1)):
            if len(points) > 1:
                path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
                drawn.append(
                    f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
                    f'stroke-dasharray="{dash}"/>'
                )
        drawn += [_mark(x(step), y(value), line) for step, value in line[f"valid_{key}"]]
    place = x(state["step"])
    drawn.append(
        f'<line x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="currentColor" '
        'stroke-width="1.5" stroke-dasharray="4 3"/>'
    )
    last = f"step {state['steps']:,}"
    drawn.append(f'<text x="{_LEFT}" y="{_HEIGHT - 6}" fill="currentColor">0</text>')
    drawn.append(
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end" fill="currentColor">{last}</text>'
    )
    columns = ("loss", "valid_loss") if key == "loss" else ("accuracy", "valid_accuracy")
    said = f"{title}: " + "; ".join(
        f"{row['title']} {row[columns[0]]} {labels['in_training']}, "
        f"{row[columns[1]]} {labels['in_validation']}"
        for row in state["rows"]
    )
    return (
        '<figure style="display:inline-block;margin:0 20px 4px 0"><figcaption '
        f'style="{html.QUIET}">{title}</figcaption>'
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(said)}" style="max-width:100%;font-size:11px"><title>{escape(said)}</title>'
        f"{''.join(drawn)}</svg></figure>"
    )


def _grid(y: float, words: str) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{html.GREY}" '
        'stroke-opacity=".28"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end" fill="currentColor">{escape(words)}</text>'
    )


def _mark(x: float, y: float, line: dict) -> str:
    return f'<path d="M{x:.1f} {y:.1f}{line["glyph"]}" fill="{html.SERIES[line["slot"]]}"/>'


def _sample(row: dict) -> str:
    stroke = (
        f'stroke="{html.SERIES[row["slot"]]}" stroke-width="2" stroke-dasharray="{row["dash"] or "none"}"'
    )
    return (
        '<svg width="24" height="12" viewBox="0 0 24 12" aria-hidden="true">'
        f'<line x1="0" x2="24" y1="6" y2="6" {stroke}/>{_mark(12, 6, row)}</svg>'
    )


def _results(state: dict) -> str:
    keys = ("since", "change", "loss", "valid_loss", "valid_accuracy", "test")
    heads = ("line", "since", "change", "train_loss", "valid_loss", "valid_accuracy", "test_accuracy")
    return html.table(
        [state["labels"][name] for name in heads],
        [
            (f"{_sample(row)} {escape(row['title'])}", *(escape(row[key]) for key in keys))
            for row in state["rows"]
        ],
        state["labels"]["results"],
        right=range(3, 7),
    )


def _table(state: dict) -> str:
    table = state["epochs"]
    rows = [[escape(cell) for cell in row] for row in table["rows"]]
    return html.table(table["head"], rows, table["caption"], right=range(len(table["head"])))
