"""The static view of the freezing panel: its state as a table, without scripts, and as text."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ..base import static_html as html

_COLOURS = {
    "frozen": html.FROZEN,
    "trained": html.TRAINED,
    "partial": html.PARTIAL,
    "fixed": html.GREY,
    "weights": html.BLUE,
    "gradients": html.ORANGE,
    "optimizer": html.GREEN,
    "activations": html.PURPLE,
    "work": html.BLUE,
}
# Drawn, not written: few fonts have padlocks.
_LINE = 'fill="none" stroke="currentColor" stroke-width="1.6"'
_SHACKLE = f'<path d="M4.5 7V5.2a3.5 3.5 0 0 1 7 0V7" {_LINE}/>'
_BODY = f'<rect x="3.8" y="7.8" width="8.4" height="5.4" rx="1.2" {_LINE}/>'
_GLYPHS = {
    "frozen": f'{_SHACKLE}<rect x="3" y="7" width="10" height="7" rx="1.6" fill="currentColor"/>',
    "trained": f'<path d="M4.5 7V4.6a3.5 3.5 0 0 1 6.7-1.4" {_LINE}/>{_BODY}',
    "partial": f'{_SHACKLE}{_BODY}<rect x="4" y="8" width="4" height="5" fill="currentColor"/>',
    "fixed": '<path d="M3 8h10" stroke="currentColor" stroke-width="1.8"/>',
}
_MARKS = {"frozen": "[x]", "trained": "[ ]", "partial": "[-]", "fixed": "[/]"}


def freeze_html(state: dict) -> str:
    """HTML of a panel's state (`FreezePanel.state`)."""
    summary = state["summary"]
    parts = [
        html.heading(state["title"], f"{state['plan']} · {state['device']['text']}"),
        _figures(summary),
        html.table(
            ("Part of the model", "State", "Parameters", "Size"),
            [_cells(row, depth) for row, depth in _walk(state["rows"])],
            "What learns and what is frozen",
            right=(2,),
        ),
    ]
    parts += [html.paragraph(note, quiet=True) for note in state["notes"]]
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    labels = state["labels"]
    parts.append(html.details(labels["code_title"], html.code(state["code"])))
    parts.append(html.details(labels["figures"], html.paragraph(summary["assumptions"], quiet=True)))
    return html.box(*parts)


def freeze_text(state: dict) -> str:
    """The same as plain text, for terminals and mail."""
    summary = state["summary"]
    lines = [
        f"{state['title']}: {state['plan']}",
        f"{summary['trainable_exact']} ({summary['trainable_percent']})",
        f"Memory to train: {summary['memory_text']} ({_memory_words(summary)}); "
        f"full fine-tuning would take {summary['memory_full_text']}",
        f"Backward work: {summary['backward_percent']} of full fine-tuning",
        state["device"]["text"],
        "",
    ]
    rows = list(_walk(state["rows"]))
    width = max(len(row["label"]) + 2 * depth for row, depth in rows)
    for row, depth in rows:
        name = f"{'  ' * depth}{row['label']}".ljust(width)
        more = f"  {row['learns']}" if row["learns"] else ""
        lines.append(f"{_MARKS[row['state']]} {name}  {row['count']:>8}  {row['state_text'].lower()}{more}")
    lines += ["", *state["notes"]] if state["notes"] else []
    if state["message"]["kind"] == "error":
        lines += ["", state["message"]["text"]]
    return "\n".join(lines)


def _walk(rows: list[dict], depth: int = 0) -> Iterator[tuple[dict, int]]:
    for row in rows:
        yield row, depth
        yield from _walk(row["children"], depth + 1)


def _figures(summary: dict) -> str:
    legend = " · ".join(
        f"{html.swatch(_COLOURS[part['name']])} {escape(part['title'].lower())} {escape(part['text'])}"
        for part in summary["memory"]
    )
    if not summary["activations_known"]:
        legend += " · activations not estimated"
    words = {
        "learns": escape(f"{summary['trainable_exact']} ({summary['trainable_percent']})"),
        "memory": f"{escape(summary['memory_text'])} of {escape(summary['memory_full_text'])} "
        f'for full fine-tuning<br><span style="{html.QUIET}">{legend}</span>',
        "work": escape(f"{summary['backward_percent']} of full fine-tuning"),
    }
    return html.table(
        ("Figure", "Share", "In words"),
        [(escape(figure["title"]), _bar(figure), words[figure["name"]]) for figure in summary["figures"]],
        "What training costs",
    )


def _bar(figure: dict) -> str:
    label = f"{figure['title']}: {figure['value']}{figure['of']}"
    return html.bar([(part["share"], _COLOURS[part["name"]]) for part in figure["parts"]], label)


def _cells(row: dict, depth: int) -> tuple[str, str, str, str]:
    indent = f'<span style="display:inline-block;width:{1.4 * depth:.1f}em"></span>' if depth else ""
    note = row["fixed"] or row["note"]
    more = f'<br>{indent}<span style="{html.QUIET}">{escape(note)}</span>' if note else ""
    label = f'{indent}{escape(row["label"])} <span style="{html.QUIET}">{escape(row["type"])}</span>{more}'
    learns = f' <span style="{html.QUIET}">{escape(row["learns"])}</span>' if row["learns"] else ""
    state = f"{_glyph(row['state'])} {escape(row['state_text'])}{learns}"
    size = html.bar([(row["bar"], _COLOURS[row["state"]])], f"{row['numel']:,} parameters", width=90)
    return label, state, escape(row["count"]), size


def _glyph(state: str) -> str:
    return (
        '<svg width="13" height="13" viewBox="0 0 16 16" aria-hidden="true" '
        f'style="vertical-align:-2px;color:{_COLOURS[state]}">{_GLYPHS[state]}</svg>'
    )


def _memory_words(summary: dict) -> str:
    return ", ".join(f"{part['title'].lower()} {part['text']}" for part in summary["memory"])
