"""The static view of the input view: what was brought last, as the model gets it."""

from __future__ import annotations

from html import escape

from ..base import static_html as html


def media_html(state: dict) -> str:
    """The state of an input as HTML without scripts."""
    value, labels = state["value"], state["labels"]
    parts = [html.heading(state["title"], value["name"] if value else "")]
    if value is None:
        parts.append(html.paragraph(state["status"]))
    else:
        parts += [_shown(value), html.paragraph(value["facts"])]
        parts += [html.paragraph(note, quiet=True) for note in value["notes"]]
        if state["answer"]:
            parts.append(html.paragraph(state["answer"]))
        if value["kind"] == "sound":
            table = value["table"]
            rows = [tuple(map(escape, row)) for row in table["rows"]]
            numbers = html.table(table["head"], rows, table["caption"], right=range(1, len(table["head"])))
            parts.append(html.details(labels["waveform"], numbers))
        parts.append(html.details(labels["code_title"], html.code(state["code"])))
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    parts.append(html.paragraph(state["invitation"], quiet=True))
    return html.box(*parts)


def media_text(state: dict) -> str:
    """The state of an input as plain text."""
    value = state["value"]
    lines = [state["title"]]
    if value is None:
        lines.append(state["status"])
    else:
        lines += [value["alt"] + ".", value["facts"], *value["notes"]]
        lines += [value["text"]] if value["kind"] == "text" else []
        lines += [state["answer"]] if state["answer"] else []
    if state["message"]["kind"] == "error":
        lines.append(state["message"]["text"])
    return "\n".join([*lines, state["invitation"]])


def _shown(value: dict) -> str:
    said = escape(value["alt"], quote=True)
    if value["kind"] == "picture":
        style = f"width:{value['width']}px;max-width:100%;height:auto;border:1px solid {html.LINE}"
        return f'<img alt="{said}" src="{value["image"]}" style="{style}">'
    if value["kind"] == "sound":
        width, height = value["box"]
        return (
            f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="{said}" '
            f'style="max-width:100%"><title>{said}</title><path d="M0 {height / 2}H{width}" '
            f'stroke="{html.LINE}"/>'
            f'<path d="{value["path"]}" stroke="{html.BLUE}" stroke-width="1.4"/></svg>'
        )
    style = f"margin:4px 0;padding:6px 12px;border-left:3px solid {html.BLUE};white-space:pre-wrap"
    return f'<blockquote style="{style}">{escape(value["text"])}</blockquote>'
