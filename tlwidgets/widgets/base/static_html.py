"""Small parts that the static views share. No scripts and no style sheets: a sanitised page keeps all that
matters.

Colours are the palette's middle tones, which are read on light and on dark pages; text keeps the colour of
the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ... import palette

FROZEN, TRAINED, PARTIAL = (hue.both for hue in (palette.FROZEN, palette.TRAINED, palette.PARTIAL))
BLUE, GREEN, ORANGE, PURPLE = (
    hue.both for hue in (palette.BLUE, palette.GREEN, palette.ORANGE, palette.PURPLE)
)
SERIES = tuple(hue.both for hue in palette.SERIES)
LINE, GREY = palette.FAINT, palette.GREY
QUIET = "opacity:.78;font-size:.92em"


def box(*parts: str) -> str:
    """The frame around a static view."""
    style = (
        f"max-width:960px;border:1px solid {LINE};border-radius:8px;padding:10px 14px;margin:2px 0 6px;"
        "font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:13px;line-height:1.45;"
        "font-variant-numeric:tabular-nums"
    )
    return f'<div style="{style}">{"".join(parts)}</div>'


def heading(title: str, aside: str = "") -> str:
    """The title of a static view, with something quiet beside it."""
    quiet = f' <span style="{QUIET}">{escape(aside)}</span>' if aside else ""
    return f'<p style="margin:0 0 6px"><strong>{escape(title)}</strong>{quiet}</p>'


def paragraph(text: str, quiet: bool = False) -> str:
    """A paragraph of plain text."""
    style = f"margin:4px 0;{QUIET if quiet else ''}"
    return f'<p style="{style}">{escape(text)}</p>'


def bar(parts: Iterable[tuple[float, str]], label: str, width: int = 120, height: int = 8) -> str:
    """A bar of coloured parts, each a share (0..1) of the whole; `label` says the same in words."""
    rects, start = [], 0.0
    for share, colour in parts:
        length = max(0.0, min(share, 1.0 - start)) * width
        if 0 < length < 1.5:
            length = 1.5  # what is not zero can be seen
        if length:
            place = f'x="{start * width:.1f}" width="{length:.1f}" height="{height}"'
            rects.append(f'<rect {place} fill="{colour}"/>')
        start += length / width
    track = f'<rect width="{width}" height="{height}" rx="2" fill="{palette.GREY}" fill-opacity=".22"/>'
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label)}" style="vertical-align:middle"><title>{escape(label)}</title>'
        f"{track}{''.join(rects)}</svg>"
    )


def swatch(colour: str) -> str:
    """A small square of a legend."""
    return (
        f'<svg width="9" height="9" viewBox="0 0 9 9" aria-hidden="true" style="vertical-align:baseline">'
        f'<rect width="9" height="9" rx="2" fill="{colour}"/></svg>'
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, right: Iterable[int] = ()) -> str:
    """A table; cells are HTML already, heads and caption are text. `right` gives the columns set to the
    right.
    """
    right = set(right)

    def cell(tag: str, index: int, content: str, extra: str = "") -> str:
        align = "right" if index in right else "left"
        style = (
            f"text-align:{align};padding:2px 12px 2px 0;border:0;vertical-align:middle;background:transparent"
        )
        return f'<{tag}{extra} style="{style}">{content}</{tag}>'

    top = "".join(cell("th", i, escape(text), ' scope="col"') for i, text in enumerate(head))
    body = "".join(
        "<tr>" + "".join(cell("td", i, content) for i, content in enumerate(row)) + "</tr>" for row in rows
    )
    return (
        f'<table style="border-collapse:collapse;border:0;margin:6px 0;font-size:inherit">'
        f'<caption style="text-align:left;{QUIET};caption-side:top">{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    )


def details(summary: str, *parts: str) -> str:
    """A part that opens on a click, without a script."""
    return (
        f'<details style="margin:6px 0"><summary style="cursor:pointer">{escape(summary)}</summary>'
        f"{''.join(parts)}</details>"
    )


def code(text: str) -> str:
    """Lines of code."""
    style = f"margin:6px 0;padding:8px 10px;overflow:auto;border-radius:6px;background:{palette.SHADE}"
    return f'<pre style="{style}"><code>{escape(text)}</code></pre>'
