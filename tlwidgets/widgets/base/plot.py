"""A chart as plain data, and its static view: inline SVG. The live view draws the same data (`charts.js`).

{"title", "x": axis, "y": axis, "series": [...], "level": a y or None, "words": the picture in words}
axis: {"low", "high", "log", "ticks": [[value, words, perhaps "start" or "end"], ...], "title"}
series: {"slot": colour, "name", "line": [[x, y]], "band": [[x, low, high]],
         "marks": [[x, y, words, "" | "recorded" | "part", size]], "glyph", "dash"}
"""

from __future__ import annotations

import math
from html import escape

from . import static_html as html

GLYPHS = (
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "m-3.6-3.6h7.2v7.2h-7.2z",
    "m0-4.6l4.4 7.8h-8.8z",
    "m0-4.8l4.8 4.8-4.8 4.8-4.8-4.8z",
    "m0 4.6l4.4-7.8h-8.8z",
    "m-1.4-4.4h2.8v3h3v2.8h-3v3h-2.8v-3h-3v-2.8h3z",
)
"""Marks, as paths from their middle; they tell series apart as dashes do, where colours don't."""
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 4")

_WIDTH, _HEIGHT = 400, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 36


def axis(ticks: list[list], title: str = "", *, log: bool = False, room: float = 0.0) -> dict:
    """An axis over its ticks (`[value, words]`), and `room` on both sides, as a share of its length."""
    low, high = ticks[0][0], ticks[-1][0]
    if log:
        more = (high / low) ** room if high > low else 2.0
        low, high = low / more, high * more
    else:
        more = room * (high - low)
        low, high = low - more, high + more
    return {"low": low, "high": high, "log": log, "ticks": ticks, "title": title}


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers that span `low` to `high`."""
    span = high - low or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= span / about)
    first, final = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * index for index in range(first, max(final, first + 1) + 1)]


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers on a logarithmic axis that span `low` to `high`, both above 0: at least two, and only
    powers of ten where there would be more than `most`.
    """
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    found = []
    for factors in ((1, 2, 5), (1, 3), (1,)):
        whole = [factor * 10.0**power for power in powers for factor in factors]
        start = max(place for place, tick in enumerate(whole) if tick <= low * (1 + 1e-9))
        end = min(place for place, tick in enumerate(whole) if tick >= high * (1 - 1e-9))
        found = whole[start : max(end, start + 1) + 1]
        if len(found) <= most:
            break
    return found


def value_axis(values: list[float], *, share: bool = False) -> dict:
    """An axis for values that start at 0, over all of them; for shares of one, up to 100 %."""
    low, high = min([0.0, *values]), 1.0 if share or not values else max([1e-9, *values])
    ticks = nice_ticks(low, high)
    return axis([[tick, f"{100 * tick:g} %" if share else f"{tick:.3g}"] for tick in ticks])


def step_axis(last: int, words: str) -> dict:
    """An axis over the steps of a training, with words at its end."""
    ticks = [[0, "0", "start"], [last, words, "end"]]
    return {"low": 0, "high": last, "log": False, "ticks": ticks, "title": ""}


def sign(slot: int) -> dict:
    """The colour, glyph and dash that a slot is drawn with, in the live view and in the static one."""
    return {
        "slot": slot % len(GLYPHS),
        "glyph": GLYPHS[slot % len(GLYPHS)],
        "dash": DASHES[slot % len(DASHES)],
    }


def series(slot: int, name: str, line, *, band=(), marks=()) -> dict:
    """One contender's part of a chart, in the colour, glyph and dash of its slot."""
    return {
        **sign(slot),
        "name": name,
        "line": [list(point) for point in line],
        "band": [list(point) for point in band],
        "marks": [list(mark) for mark in marks],
    }


def chart_html(chart: dict) -> str:
    """A figure: title, picture with its words, no scripts."""
    x = _scale(chart["x"], _LEFT, _WIDTH - _RIGHT)
    y = _scale(chart["y"], _HEIGHT - _BOTTOM, _TOP)
    drawn = [*_grid(chart, x, y), *(_series(each, x, y) for each in chart["series"])]
    said = escape(f"{chart['title']}: {chart['words']}", quote=True)
    return (
        '<figure style="display:inline-block;margin:0 18px 6px 0;vertical-align:top"><figcaption '
        f'style="{html.QUIET}">'
        f'{escape(chart["title"])}</figcaption><svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 '
        f'{_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="{said}" '
        f'style="max-width:100%;height:auto;font-size:11px">{"".join(drawn)}</svg></figure>'
    )


def legend_html(entries: list[dict], more: str = "") -> str:
    """Which line is whose: `entries` have slot, name, glyph and dash."""
    parts = []
    for entry in entries:
        colour = html.SERIES[entry["slot"]]
        parts.append(
            '<span style="white-space:nowrap;margin-right:14px"><svg width="26" height="12" viewBox="0 0 26 '
            '12" '
            f'aria-hidden="true" style="vertical-align:-1px"><path d="M0 6H26" stroke="{colour}" '
            'stroke-width="2" '
            f'stroke-dasharray="{entry["dash"] or "none"}"/><path d="M13 6{entry["glyph"]}" '
            f'fill="{colour}"/></svg> '
            f"{escape(entry['name'])}</span>"
        )
    return f'<p style="margin:2px 0;{html.QUIET}">{"".join(parts)}{escape(more)}</p>'


def _scale(axis: dict, start: float, end: float):
    turn = math.log if axis["log"] else float
    low, high = turn(axis["low"]), turn(axis["high"])
    return lambda value: start + (end - start) * (turn(value) - low) / (high - low)


def _grid(chart: dict, x, y):
    for value, words in chart["y"]["ticks"]:
        at = f"{y(value):.1f}"
        yield f'<path d="M{_LEFT} {at}H{_WIDTH - _RIGHT}" stroke="{html.GREY}" stroke-opacity=".28"/>'
        yield _text(_LEFT - 5, y(value) + 4, "end", words)
    for value, words in chart["x"]["ticks"]:
        yield _text(x(value), _HEIGHT - _BOTTOM + 14, "middle", words)
    if chart["x"]["title"]:
        yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, "middle", chart["x"]["title"])
    if chart["level"] is not None:
        at = f"M{_LEFT} {y(chart['level']):.1f}H{_WIDTH - _RIGHT}"
        yield f'<path d="{at}" stroke="{html.GREY}" stroke-dasharray="1 3"/>'


def _text(x: float, y: float, anchor: str, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{escape(words)}</text>'


def _series(each: dict, x, y) -> str:
    colour, parts = html.SERIES[each["slot"]], []
    band = each["band"]
    if len(band) == 1:
        place, low, high = band[0]
        parts.append(
            f'<path d="M{x(place):.1f} {y(low):.1f}V{y(high):.1f}" stroke="{colour}" stroke-opacity=".6"/>'
        )
    elif band:
        around = [(p, high) for p, _, high in band] + [(p, low) for p, low, _ in reversed(band)]
        parts.append(f'<path d="{_path(around, x, y)}z" fill="{colour}" fill-opacity=".15"/>')
    if len(each["line"]) > 1:
        dash = f' stroke-dasharray="{each["dash"]}"' if each["dash"] else ""
        parts.append(
            f'<path d="{_path(each["line"], x, y)}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        )
    for place, value, words, whose, size in each["marks"]:
        fill = 'fill-opacity="0"' if whose == "recorded" else 'fill-opacity=".45"' if whose == "part" else ""
        parts.append(
            f'<path transform="translate({x(place):.1f} {y(value):.1f}) scale({size})" d="M0 '
            f'0{each["glyph"]}" '
            f'fill="{colour}" {fill} stroke="{colour}" '
            f'stroke-width="1.4"><title>{escape(words)}</title></path>'
        )
    return f"<g>{''.join(parts)}</g>"


def _path(points, x, y) -> str:
    return "".join(f"{'L' if i else 'M'}{x(p[0]):.1f} {y(p[1]):.1f}" for i, p in enumerate(points))
