"""The static view of the schedule of gradual unfreezing: bars on a timeline of epochs, a table, and text; no
scripts."""

from __future__ import annotations

from html import escape

from ..base import static_html as html

_WIDTH, _ROW, _BAR = 420, 22, 12
_COST = 40


def unfreeze_html(state: dict) -> str:
    """HTML of a panel's state (`UnfreezeSchedulePanel.state`)."""
    labels = state["labels"]
    parts = [
        html.heading(state["title"], labels["count"]),
        html.table(
            ("Part of the model", "Parameters", "Learns in epochs 1 to " + str(state["epochs"]), "From"),
            [*map(lambda row: _cells(row, state), state["rows"]), _cost_cells(state)],
            labels["rows"],
            right=(1,),
        ),
        html.paragraph(f"{state['status']} {state['whole']}"),
    ]
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    parts.append(html.details(labels["epochs"], _table(state)))
    parts.append(html.details(labels["code_title"], html.code(state["code"])))
    parts.append(html.details(labels["figures"], html.paragraph(state["assumptions"], quiet=True)))
    return html.box(*parts)


def unfreeze_text(state: dict) -> str:
    """The same as plain text: one column for each epoch, `#` where a part learns."""
    epochs = range(1, state["epochs"] + 1)
    width = max(len(row["label"]) for row in state["rows"])
    lines = [state["title"], f"{'epoch':<{width}}  " + "".join(f"{epoch % 100:>3}" for epoch in epochs)]
    for row in state["rows"]:
        learns = "".join(
            f"{'#' if row['start'] is not None and row['start'] <= epoch else '.':>3}" for epoch in epochs
        )
        lines.append(f"{row['label']:<{width}}  {learns}  {row['start_text']}")
    lines += ["", "Backward work of each epoch, relative to full fine-tuning:"]
    lines += [f"  epoch {cost['epoch']}: {cost['text']} ({cost['learns']} learn)" for cost in state["costs"]]
    lines += [state["status"], state["whole"]]
    if state["message"]["kind"] == "error":
        lines.append(state["message"]["text"])
    return "\n".join(lines)


def _x(epoch: int, state: dict) -> float:
    """Where an epoch begins."""
    return _WIDTH * (epoch - 1) / state["epochs"]


def _grid(state: dict, height: int) -> str:
    lines = "".join(
        f'<line x1="{_x(epoch, state):.1f}" x2="{_x(epoch, state):.1f}" y1="0" y2="{height}" '
        f'stroke="{html.LINE}"/>'
        for epoch in range(1, state["epochs"] + 2)
    )
    now = state["current"]
    if not now:
        return lines
    wide = _WIDTH / state["epochs"]
    return (
        f'<rect x="{_x(now, state):.1f}" width="{wide:.1f}" height="{height}" fill="{html.BLUE}" '
        'fill-opacity=".16"/>' + lines
    )


def _picture(inside: str, label: str, height: int) -> str:
    return (
        f'<svg width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(label)}" '
        f'style="vertical-align:middle;max-width:100%"><title>{escape(label)}</title>{inside}</svg>'
    )


def _cells(row: dict, state: dict) -> tuple[str, str, str, str]:
    note = f'<br><span style="{html.QUIET}">{escape(row["note"])}</span>' if row["note"] else ""
    middle, top = _ROW / 2, (_ROW - _BAR) / 2
    begin = _WIDTH if row["start"] is None else _x(row["start"], state)
    inside = _grid(state, _ROW)
    if begin:  # the rest before: thin and dashed, so that it can be recognised without its colour
        inside += (
            f'<line x1="0" x2="{begin:.1f}" y1="{middle}" y2="{middle}" stroke="{html.FROZEN}" '
            'stroke-dasharray="3 3"/>'
        )
    if begin < _WIDTH:
        inside += (
            f'<rect x="{begin:.1f}" y="{top}" width="{_WIDTH - begin:.1f}" height="{_BAR}" rx="3" '
            f'fill="{html.TRAINED}"/>'
        )
    said = f"{row['label']} {row['start_text']}"
    start = state["labels"]["never"] if row["start"] is None else f"epoch {row['start']}"
    label = f'{escape(row["label"])} <span style="{html.QUIET}">{escape(row["type"])}</span>{note}'
    return label, escape(row["count"]), _picture(inside, said, _ROW), start


def _cost_cells(state: dict) -> tuple[str, str, str, str]:
    wide = _WIDTH / state["epochs"]
    bars = _grid(state, _COST)
    for cost in state["costs"]:
        tall = max(1.0, cost["share"] * (_COST - 2))
        bars += (
            f'<rect x="{_x(cost["epoch"], state) + 3:.1f}" y="{_COST - tall:.1f}" '
            f'width="{max(2.0, wide - 6):.1f}" '
            f'height="{tall:.1f}" fill="{html.BLUE}"/>'
        )
    labels = state["labels"]
    said = ", ".join(f"epoch {cost['epoch']} {cost['text']}" for cost in state["costs"])
    first, last = state["costs"][0]["text"], state["costs"][-1]["text"]
    return (
        f'{labels["work"]} <span style="{html.QUIET}">{escape(labels["share"])}</span>',
        "",
        _picture(bars, f"{labels['work']}: {said}", _COST),
        f"{escape(first)} to {escape(last)}",
    )


def _table(state: dict) -> str:
    labels = state["labels"]
    return html.table(
        [labels[name] for name in ("epoch", "begins", "learns", "work")],
        [
            (str(cost["epoch"]), escape(cost["begins"]), escape(cost["learns"]), escape(cost["text"]))
            for cost in state["costs"]
        ],
        labels["caption"],
        right=(0, 2, 3),
    )
