"""The static view of a retrieval grid: HTML with small pictures, and text; no scripts."""

from __future__ import annotations

from html import escape

from ..base import static_html as html

_SIDE = 72


def retrieval_html(state: dict) -> str:
    """HTML of a retrieval grid's state (`RetrievalGrid.state`)."""
    labels = state["labels"]
    parts = [html.heading(state["title"], state["status"])]
    if state["recall"]:
        rows = [
            (
                f"R@{entry['k']}",
                html.bar([(entry["share"], html.BLUE)], f"R@{entry['k']} {entry['text']}", width=160),
                f"<strong>{entry['text']}</strong>",
                entry["interval"],
                entry["chance_text"],
            )
            for entry in state["recall"]
        ]
        head = ("Recall", "", "Share of queries", "95 % interval", "Chance")
        parts.append(html.table(head, rows, labels["recall"]))
    picked = state["picked"]
    parts.append(html.paragraph(state["words"]))
    if picked["png"]:
        parts.append(f"<p>{_picture(picked['png'], picked['name'])}</p>")
    hits = [*state["results"], *([state["right"]] if state["right"] else [])]
    parts.append(
        f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(_hit(hit, labels) for hit in hits)}</div>'
    )
    if state["message"]["kind"] == "error":
        parts.append(html.paragraph(state["message"]["text"]))
    table = state["queries"]["table"]
    cells = [tuple(map(escape, row)) for row in table["rows"]]
    parts.append(
        html.details(labels["numbers"], html.table(table["head"], cells, table["caption"], right=(1,)))
    )
    return html.box(*parts)


def retrieval_text(state: dict) -> str:
    """The same as plain text."""
    lines = [state["title"], state["status"]]
    lines += [
        f"R@{entry['k']} {entry['text']} ({entry['count']}; 95 % interval {entry['interval']}; chance "
        f"{entry['chance_text']})"
        for entry in state["recall"]
    ]
    lines.append(state["words"])
    hits = [*state["results"], *([state["right"]] if state["right"] else [])]
    lines += [
        f"{'✓' if hit['right'] else ' '} {hit['place']:>4}  {hit['score']:>5}  {hit['name']}" for hit in hits
    ]
    if state["message"]["kind"] == "error":
        lines.append(state["message"]["text"])
    return "\n".join(lines)


def _picture(png: str, name: str) -> str:
    return (
        f'<img src="data:image/png;base64,{png}" alt="{escape(name, quote=True)}" width="{_SIDE}" '
        f'height="{_SIDE}" '
        'style="border-radius:4px;display:block">'
    )


def _hit(hit: dict, labels: dict[str, str]) -> str:
    border = f"3px solid {html.GREEN}" if hit["right"] else f"1px solid {html.LINE}"
    padding = 4 if hit["right"] else 6
    sign = f"✓ {labels['right']}" if hit["right"] else ""
    shown = _picture(hit["png"], hit["name"]) if hit["png"] else ""
    sound = "♪ " if hit["sound"] else ""
    return (
        f'<div style="width:{_SIDE + 32}px;border:{border};border-radius:6px;padding:{padding}px;'
        'overflow-wrap:anywhere">'
        f'<div style="{html.QUIET};display:flex;justify-content:space-between">'
        f"<span>{hit['place_text']}</span>"
        f"<strong>{sign}</strong><span>{hit['score']}</span></div>"
        f'{shown}<div style="margin-top:2px">{sound}{escape(hit["name"])}</div></div>'
    )
