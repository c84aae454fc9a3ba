"""The static view of a switchboard of modalities: HTML and text, no scripts."""

from __future__ import annotations

from html import escape

from ..base import static_html as html

_WIDTH, _ROW = 300, 20


def switchboard_html(state: dict) -> str:
    """HTML of a switchboard's state (`ModalitySwitchboard.state`)."""
    labels = state["labels"]
    rows = [
        (escape(row["id"]), escape(row["size"]), f"<strong>{label}</strong>", escape(row["mode_text"]))
        for row, label in zip(state["modalities"], _labels(state), strict=True)
    ]
    parts = [
        html.heading(state["title"], state["status"]),
        html.table(("Modality", "Numbers", "Set to", ""), rows, "How each modality is set"),
        html.table(
            ("Model", "Right, 0 to 100 %", "Right", "95 % interval", "Against all on"),
            [_result(entry, state["chance"], labels) for entry in state["models"]],
            state["bar_key"],
        ),
    ]
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    parts += [_per_class(state), *_confusions(state)]
    table = state["tried"]
    cells = [tuple(map(escape, row)) for row in table["rows"]]
    parts.append(html.details(labels["numbers"], html.table(table["head"], cells, table["caption"])))
    parts.append(html.details(labels["code_title"], html.code(state["code"])))
    return html.box(*parts)


def switchboard_text(state: dict) -> str:
    """The same as plain text."""
    lines = [state["title"], state["status"]]
    width = max(len(row["id"]) for row in state["modalities"])
    lines += [
        f"  {row['id']:<{width}}  {label.lower()}: {row['mode_text']}"
        for row, label in zip(state["modalities"], _labels(state), strict=True)
    ]
    for entry in state["models"]:
        name = f"{entry['name']}: " if entry["name"] else ""
        interval = f"95 % interval {entry['interval']}"
        lines.append(f"{name}{entry['text']} right ({entry['count']}; {interval}), {entry['change']}")
    lines.append(state["tried"]["caption"])
    lines += ["  ".join(row) for row in [state["tried"]["head"], *state["tried"]["rows"]]]
    if state["message"]["kind"] == "error":
        lines.append(state["message"]["text"])
    return "\n".join(lines)


def _labels(state: dict) -> list[str]:
    labels = {mode["id"]: mode["label"] for mode in state["modes"]}
    return [labels[row["mode"]] for row in state["modalities"]]


def _result(entry: dict, chance: dict, labels: dict[str, str]) -> tuple[str, ...]:
    colour = html.SERIES[entry["slot"]]
    name = f"{html.swatch(colour)} {escape(entry['name'] or labels['model'])}"
    return (
        name,
        _bar(entry, chance, colour),
        f"<strong>{escape(entry['text'])}</strong>",
        escape(entry["interval"]),
        escape(entry["change"]),
    )


def _bar(entry: dict, chance: dict, colour: str) -> str:
    middle = _ROW / 2
    low, high, on, level = (
        _WIDTH * share for share in (entry["low"], entry["high"], entry["on"]["share"], chance["share"])
    )
    return (
        f'<svg width="{_WIDTH}" height="{_ROW}" viewBox="0 0 {_WIDTH} {_ROW}" role="img" '
        f'aria-label="{escape(entry["label"], quote=True)}" style="vertical-align:middle;max-width:100%">'
        f'<rect y="4" width="{_WIDTH}" height="{_ROW - 8}" rx="2" fill="{html.GREY}" fill-opacity=".18"/>'
        f'<rect y="4" width="{_WIDTH * entry["share"]:.1f}" height="{_ROW - 8}" rx="2" fill="{colour}" '
        'fill-opacity=".55"/>'
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8" '
        'stroke="currentColor" stroke-width="1.5" fill="none"/>'
        f'<path d="M{on:.1f} {middle}{entry["glyph"]}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<path d="M{level:.1f} 0V{_ROW}" stroke="currentColor" stroke-dasharray="1 3"/></svg>'
    )


def _per_class(state: dict) -> str:
    first, labels = state["models"][0], state["labels"]
    if not first["classes"]:
        return ""
    rows = []
    for place, entry in enumerate(first["classes"]):
        cells = [escape(entry["label"])]
        for model in state["models"]:
            found = model["classes"][place]
            label = f"{model['name'] or labels['model']}, {found['label']}: {found['text']}"
            bar = html.bar([(found["share"], html.SERIES[model["slot"]])], label, width=90)
            cells.append(f"{bar} {escape(found['text'])}")
        rows.append(cells)
    head = ("Class", *(model["name"] or labels["right"] for model in state["models"]))
    return html.details(labels["classes"], html.table(head, rows, labels["right"]))


def _confusions(state: dict) -> list[str]:
    tables, labels = [], state["labels"]
    for entry in state["models"]:
        if entry["confusion"]:
            names = [found["label"] for found in entry["classes"]]
            rows = [(escape(name), *row) for name, row in zip(names, entry["confusion_text"], strict=True)]
            caption = f"{entry['name']}. {labels['confusion']}" if entry["name"] else labels["confusion"]
            tables.append(html.table(("", *names), rows, caption, right=range(1, len(names) + 1)))
    return [html.details(labels["confusions"], *tables)] if tables else []
