"""The static view of an embedding map: both maps side by side, words and a table; no scripts."""

from __future__ import annotations

from html import escape

from ..base import static_html as html

_SIZE = 330


def embedding_html(state: dict) -> str:
    """HTML of an embedding map's state (`EmbeddingMap.state`)."""
    maps = "".join(_map(state, when) for when in ("before", "after"))
    table = state["table"]
    rows = [tuple(map(escape, row)) for row in table["rows"]]
    right = range(2, len(table["head"]))
    return html.box(
        html.heading(state["title"], state["status"]),
        _legend(state),
        f'<div style="display:flex;flex-wrap:wrap;gap:14px">{maps}</div>',
        html.paragraph(state["words"]),
        html.paragraph(state["basis"], quiet=True),
        html.details(
            state["labels"]["numbers"], html.table(table["head"], rows, table["caption"], right=right)
        ),
    )


def embedding_text(state: dict) -> str:
    """The same as plain text."""
    table = state["table"]
    return "\n".join(
        [
            state["title"],
            state["status"],
            state["words"],
            state["basis"],
            table["caption"],
            *("  ".join(row) for row in [table["head"], *table["rows"]]),
        ]
    )


def _legend(state: dict) -> str:
    glyphs = [
        '<svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true" style="vertical-align:-1px">'
        f'<path d="M0 0{modality["glyph"]}" fill="none" stroke="currentColor"/></svg> '
        f"{escape(modality['name'])}"
        for modality in state["modalities"]
    ]
    groups = [
        f"{html.swatch(html.SERIES[group['slot']])} {escape(group['name'])}" for group in state["groups"]
    ]
    each = "".join(
        f'<span style="white-space:nowrap;margin-right:14px">{part}</span>' for part in (*glyphs, *groups)
    )
    return f'<p style="margin:2px 0;{html.QUIET}">{each}</p>'


def _map(state: dict, when: str) -> str:
    axis = state["axis"]
    scale = _SIZE / (axis["x"]["high"] - axis["x"]["low"])

    def at(place) -> tuple[float, float]:
        return (place[0] - axis["x"]["low"]) * scale, (axis["y"]["high"] - place[1]) * scale

    lines, marks = [], []
    names = [modality["name"] for modality in state["modalities"]]
    for number, row in enumerate(state["rows"]):
        colour = html.SERIES[state["groups"][row["group"]]["slot"]]
        places = [at(state["points"][name][when][number]) for name in names]
        for other in places[1:]:
            start, end = places[0], other
            lines.append(
                f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" stroke="{colour}" '
                'stroke-opacity=".4"/>'
            )
        for modality, (x, y) in zip(state["modalities"], places, strict=True):
            title = escape(f"{modality['name']}: {row['name']}")
            marks.append(
                f'<path d="M{x:.1f} {y:.1f}{modality["glyph"]}" fill="{colour}" '
                f'fill-opacity=".85"><title>{title}</title></path>'
            )
    labels = state["labels"]
    title = f"{labels[when]} {labels['training']}"
    label = escape(f"{labels['map']} {title}. {state['words']}", quote=True)
    return (
        f'<figure style="margin:0"><figcaption style="{html.QUIET}">{title}</figcaption>'
        f'<svg width="{_SIZE}" height="{_SIZE}" viewBox="0 0 {_SIZE} {_SIZE}" role="img" '
        f'aria-label="{label}" '
        'style="max-width:100%;border:1px solid '
        f'{html.LINE};border-radius:6px">{"".join(lines + marks)}</svg></figure>'
    )
