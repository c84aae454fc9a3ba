"""The static twin of the fork panel: the run and its forks as inline SVG, a table, and text; no scripts."""

from __future__ import annotations

from html import escape

from . import html

_WIDTH, _HEIGHT = 400, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 24
_COLOURS = (html.BLUE, "#d9622b", html.GREEN, html.PURPLE, html.ORANGE)
_DASHES = ("none", "7 3", "2 3", "9 3 2 3", "4 2")


def fork_html(state: dict) -> str:
    """HTML of a panel's state (`ForkPanel.state`)."""
    parts = [html.heading(state["title"])]
    charts = [
        chart for chart in (_chart(state, "Loss", "loss"), _chart(state, "Accuracy", "accuracy")) if chart
    ]
    parts.append(f"<div>{''.join(charts)}</div>")
    parts.append(html.paragraph("Thick: training, smoothed. Thin with marks: validation.", quiet=True))
    parts.append(_results(state))
    parts.append(html.paragraph(f"{state['status']} The marker stands {state['place']}."))
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    parts.append(html.details("The numbers of each epoch", _table(state)))
    if state["code"]:
        parts.append(html.details("The same in code", html.code(state["code"])))
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


def _chart(state: dict, title: str, key: str) -> str:
    if not any(line[key] or line[f"valid_{key}"] for line in state["lines"]):
        return ""
    axis = state["axes"][key]

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / max(1, state["steps"])

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (axis["high"] - value) / (axis["high"] - axis["low"])

    drawn = [_grid(y(tick), words) for tick, words in axis["ticks"]]
    for line in state["lines"]:
        colour, dash = _COLOURS[line["place"]], _DASHES[line["place"]]
        for points, width in ((line[key], 2), (line[f"valid_{key}"], 1.1)):
            if len(points) > 1:
                path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
                drawn.append(
                    f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
                    f'stroke-dasharray="{dash}"/>'
                )
        drawn += [_mark(x(step), y(value), line["place"]) for step, value in line[f"valid_{key}"]]
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
        f"{row['title']} {row[columns[0]]} in training, {row[columns[1]]} in validation"
        for row in state["rows"]
    )
    return (
        f'<figure style="display:inline-block;margin:0 20px 4px 0"><figcaption style="{html.QUIET}">{title}</figcaption>'
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(said)}" style="max-width:100%;font-size:11px"><title>{escape(said)}</title>'
        f"{''.join(drawn)}</svg></figure>"
    )


def _grid(y: float, words: str) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#808080" stroke-opacity=".28"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end" fill="currentColor">{escape(words)}</text>'
    )


def _mark(x: float, y: float, place: int) -> str:
    shape = (
        "m0-4l4 4-4 4-4-4z",
        "m-3.2-3.2h6.4v6.4h-6.4z",
        "m0-4.2l4 7h-8z",
        "m0 4.2l4-7h-8z",
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    )[place]
    return f'<path d="M{x:.1f} {y:.1f}{shape}" fill="{_COLOURS[place]}"/>'


def _sample(place: int) -> str:
    return (
        f'<svg width="24" height="12" viewBox="0 0 24 12" aria-hidden="true"><line x1="0" x2="24" y1="6" y2="6" '
        f'stroke="{_COLOURS[place]}" stroke-width="2" stroke-dasharray="{_DASHES[place]}"/>{_mark(12, 6, place)}</svg>'
    )


def _results(state: dict) -> str:
    keys = ("since", "change", "loss", "valid_loss", "valid_accuracy", "test")
    return html.table(
        (
            "Course",
            "Forked after",
            "Changed there",
            "Training loss",
            "Validation loss",
            "Validation accuracy",
            "Test accuracy",
        ),
        [
            (f"{_sample(row['place'])} {escape(row['title'])}", *(escape(row[key]) for key in keys))
            for row in state["rows"]
        ],
        "The run and its forks",
        right=range(3, 7),
    )


def _table(state: dict) -> str:
    lines = state["lines"]
    head = ["Epoch"] + [words for line in lines for words in (f"{line['title']}: loss", "right")]
    most = max((len(line["epochs"]) for line in lines), default=0)
    rows = []
    for index in range(most):
        row = [str(index + 1)]
        for line in lines:
            if index < len(line["epochs"]):
                _, loss, right, valid_loss, valid_right = line["epochs"][index]
                row += [
                    loss if valid_loss == "–" else valid_loss,
                    right if valid_right == "–" else valid_right,
                ]
            else:
                row += ["", ""]
        rows.append([escape(cell) for cell in row])
    return html.table(head, rows, "Validation loss and accuracy after each epoch", right=range(len(head)))
