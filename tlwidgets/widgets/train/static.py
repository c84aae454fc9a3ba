"""The static view of the training panel: curves as inline SVG, a table, and text; no scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ..base import static_html as html
from ..base.formats import percent
from ..base.plot import nice_ticks

_WIDTH, _HEIGHT = 330, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 24
_MOST_POINTS = 200  # more than the picture can show apart


def curves_html(state: dict) -> str:
    """HTML of a training's state (`TrainPanel.state`)."""
    parts = [
        html.heading(state["title"], f"{state['learns']} · {state['device']['text']}"),
        html.paragraph(" ".join(filter(None, [state["status"], _sentence(state["result"])]))),
    ]
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    if state["steps"]:
        done = html.bar([(state["share"], html.BLUE)], state["progress"], width=220)
        parts.append(f'<p style="margin:4px 0">{done} {escape(state["progress"])}</p>')
    charts = [chart for chart in (_loss_chart(state), _accuracy_chart(state)) if chart]
    if charts:
        parts.append(f"<div>{''.join(charts)}</div>")
        parts.append(_legend(state))
    if state["rows"]:
        parts.append(html.details(state["labels"]["epochs"], _table(state)))
    return html.box(*parts)


def curves_text(state: dict) -> str:
    """The same as plain text, for terminals and mail."""
    lines = [state["title"], state["status"]]
    lines += [state["progress"]] if state["steps"] else []
    lines += [state["result"]] if state["result"] else []
    lines += [state["message"]["text"]] if state["message"]["kind"] == "error" else []
    lines += [f"{state['learns']}; {state['device']['text']}"]
    if state["rows"]:
        lines.append("")
        lines.append(f"{'epoch':>5}  {'loss':>8}  {'right':>7}  {'valid loss':>10}  {'valid right':>11}")
        for row in state["rows"]:
            epoch, loss, right, valid_loss, valid_right = row[6]
            lines.append(f"{epoch:>5}  {loss:>8}  {right:>7}  {valid_loss:>10}  {valid_right:>11}")
    return "\n".join(lines)


def _loss_chart(state: dict) -> str:
    points = [(point[0], point[1], point[2]) for point in state["points"]]
    valid = [(row[1], row[4]) for row in state["rows"] if row[4] is not None]
    return _chart(
        state["labels"]["loss"], points, valid, loss_words, floor=0.0, ceiling=None, last=state["steps"]
    )


def _accuracy_chart(state: dict) -> str:
    points = [(point[0], point[3], point[4]) for point in state["points"]]
    valid = [(row[1], row[5]) for row in state["rows"] if row[5] is not None]
    return _chart(
        state["labels"]["accuracy"], points, valid, share_words, floor=0.0, ceiling=1.0, last=state["steps"]
    )


def _chart(
    title: str,
    points: list[tuple[int, float | None, float | None]],
    valid: list[tuple[int, float]],
    words,
    floor: float,
    ceiling: float | None,
    last: int,
) -> str:
    """A figure: raw values faint, smoothed ones bold, validation dashed with diamonds. Empty without
    values."""
    known = [(step, raw, smooth) for step, raw, smooth in points if raw is not None and smooth is not None]
    if not known and not valid:
        return ""
    values = [value for point in known for value in point[1:]] + [value for _, value in valid]
    top = ceiling if ceiling is not None else max(values)
    low = min(floor, *values)
    ticks = nice_ticks(low, top)
    top, low = max(top, ticks[-1]), min(low, ticks[0])
    right = max([last, *(point[0] for point in known), *(step for step, _ in valid)])

    def place(step: float, value: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / right
        y = _TOP + (_HEIGHT - _TOP - _BOTTOM) * (top - value) / (top - low)
        return f"{x:.1f},{y:.1f}"

    thin = known[:: math.ceil(len(known) / _MOST_POINTS)] + known[-1:] if known else []
    said = _said(title, known, valid, words)
    drawn = "".join(
        [
            *(_grid(tick, f"{100 * tick:g} %" if ceiling else words(tick), place) for tick in ticks),
            *(_step_tick(step, place(step, low)) for step in (0, right)),
            _line([place(step, raw) for step, raw, _ in thin], html.BLUE, "stroke-opacity='.5'"),
            _line([place(step, smooth) for step, _, smooth in thin], html.BLUE, "stroke-width='2'"),
            _line(
                [place(step, value) for step, value in valid],
                html.ORANGE,
                "stroke-width='1.6' stroke-dasharray='5 3'",
            ),
            *(_diamond(place(step, value)) for step, value in valid),
        ]
    )
    return (
        '<figure style="display:inline-block;margin:0 20px 4px 0"><figcaption '
        f'style="{html.QUIET}">{title}</figcaption>'
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(said)}" style="max-width:100%;font-size:11px"><title>{escape(said)}</title>'
        f"{drawn}</svg></figure>"
    )


def _grid(tick: float, words: str, place) -> str:
    y = place(0, tick).split(",")[1]
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" stroke="{html.GREY}" '
        'stroke-opacity=".28"/>'
        f'<text x="{_LEFT - 5}" y="{float(y) + 4:.1f}" text-anchor="end" fill="currentColor">{words}</text>'
    )


def _step_tick(step: int, at: str) -> str:
    x = at.split(",")[0]
    anchor = "end" if step else "start"
    words = f"step {step:,}" if step else "0"
    return f'<text x="{x}" y="{_HEIGHT - 6}" text-anchor="{anchor}" fill="currentColor">{words}</text>'


def _line(places: Sequence[str], colour: str, more: str) -> str:
    if len(places) < 2:
        return ""
    return (
        f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" '
        f"{more.replace(chr(39), chr(34))}/>"
    )


def _diamond(at: str) -> str:
    x, y = map(float, at.split(","))
    return f'<path d="M{x:.1f} {y - 4:.1f}l4 4-4 4-4-4z" fill="{html.ORANGE}"/>'


def _said(title: str, points: list, valid: list, words) -> str:
    parts = []
    if points:
        parts.append(f"in training from {words(points[0][2])} to {words(points[-1][2])}")
    if valid:
        parts.append(f"in validation from {words(valid[0][1])} to {words(valid[-1][1])}")
    return f"{title} {', '.join(parts)}."


def _legend(state: dict) -> str:
    labels = state["labels"]
    parts = [
        f"{_sample(html.BLUE, '2')} {labels['smoothed']}",
        f"{_sample(html.BLUE, '1', opacity='.5')} {labels['each_step']}",
    ]
    if any(row[4] is not None for row in state["rows"]):
        parts.append(f"{_sample(html.ORANGE, '1.6', dash='5 3')} {labels['validation']}")
    return f'<p style="margin:2px 0;{html.QUIET}">{" · ".join(parts)}</p>'


def _sample(colour: str, width: str, dash: str = "none", opacity: str = "1") -> str:
    return (
        '<svg width="22" height="8" viewBox="0 0 22 8" aria-hidden="true">'
        f'<line x1="0" x2="22" y1="4" y2="4" stroke="{colour}" stroke-width="{width}" '
        f'stroke-dasharray="{dash}" stroke-opacity="{opacity}"/></svg>'
    )


def _table(state: dict) -> str:
    labels = state["labels"]
    return html.table(
        [labels[name] for name in ("epoch", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy")],
        [tuple(map(escape, row[6])) for row in state["rows"]],
        labels["means"],
        right=range(5),
    )


def loss_words(value: float | None) -> str:
    """A loss with three significant digits; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.3g}" if abs(value) >= 0.0005 or not value else f"{value:.1e}"


def share_words(value: float | None) -> str:
    """A share of one in percent; a dash for none."""
    return "–" if value is None else percent(round(value, 6))


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""
