"""Every colour of the toolkit, once: widgets, static views and figures take theirs from here.

The colours are Okabe and Ito's, which people with any colour vision can tell apart; beside each stands a
glyph, a pattern or a word. A hue has several tones, since the same blue cannot be read on every page.
"""

from __future__ import annotations

from typing import NamedTuple


class Hue(NamedTuple):
    """The tones of one colour: marks need a contrast of 3:1 with the page."""

    light: str
    """On a light page."""
    dark: str
    """On a dark page."""
    both: str
    """In static views, which cannot know the page: read on light and on dark ones."""
    print: str
    """In figures, on a light card."""


BLUE = Hue("#0072b2", "#56b4e9", "#2f83b8", "#0072b2")
VERMILLION = Hue("#d55e00", "#f07f2e", "#d9652b", "#d55e00")
GREEN = Hue("#009e73", "#2fc79a", "#1f9e78", "#009e73")
PURPLE = Hue("#cc79a7", "#dd94bd", "#b56a9b", "#cc79a7")
YELLOW = Hue("#b8a800", "#f0e442", "#a8922a", "#b8860b")
SKY = Hue("#3a9bd6", "#8fd0f5", "#6bb8e6", "#56b4e9")
ORANGE = Hue("#d98200", "#e69f00", "#d9902b", "#d98200")

SERIES = (BLUE, VERMILLION, GREEN, PURPLE, YELLOW, SKY)
"""The colours of what is compared, by slot."""

FROZEN = Hue(BLUE.light, BLUE.dark, "#3a8fc4", BLUE.print)
TRAINED = Hue(VERMILLION.light, "#f0a232", "#d9792b", VERMILLION.print)
PARTIAL = Hue("#a8548a", PURPLE.dark, PURPLE.both, "#a8548a")

GREY = "#808080"  # grid lines and tracks of static views: on any page, and often translucent
FAINT = "rgba(128,128,128,.35)"
SHADE = "rgba(128,128,128,.12)"
CARD, INK, QUIET = (
    "#fbfbf9",
    "#222222",
    "#5c6369",
)  # of figures: the page, words, and parts that should not stand out

_HUES = {
    "blue": BLUE,
    "sky": SKY,
    "green": GREEN,
    "orange": ORANGE,
    "vermillion": VERMILLION,
    "purple": PURPLE,
    "yellow": YELLOW,
    "frozen": FROZEN,
    "trained": TRAINED,
    "partial": PARTIAL,
}
_TOKENS = {
    "good": ("#007a58", GREEN.dark),
    "warn": ("#b26a00", TRAINED.dark),
    "bad": ("#c43d00", "#ff8a4c"),
    "focus": (BLUE.light, SKY.dark),
    "hover": ("rgb(0 0 0 / 4%)", "rgb(255 255 255 / 6%)"),
    "track": ("rgb(0 0 0 / 9%)", "rgb(255 255 255 / 14%)"),
    # words in a colour: at least 4.5:1
    "frozen-text": ("#005f96", "#7cc6f0"),
    "trained-text": ("#a84300", "#f5b458"),
    "partial-text": ("#8a3f70", "#e6a9cb"),
    "bad-text": ("#a83200", "#ffab7d"),
    "good-text": ("#00664a", "#5fd8b3"),
    # grounds, behind words
    "frozen-wash": ("9%", "14%"),
    "trained-wash": ("10%", "15%"),
    "partial-wash": ("10%", "15%"),
    "bad-wash": ("9%", "14%"),
    "good-wash": ("10%", "14%"),
    "primary": ("#0067a3", "#0067a3"),
    "primary-hover": ("#00588c", "#00588c"),
    "on-primary": ("#ffffff", "#ffffff"),
}
_OF_THE_PAGE = {  # JupyterLab's where there is one
    "fg": "var(--jp-ui-font-color1, #1f2328)",
    "bg": "var(--jp-layout-color1, #ffffff)",
    "bg-soft": "var(--jp-layout-color2, #f3f4f6)",
    "line": "var(--jp-border-color2, #d8dce1)",
    "line-strong": "var(--jp-border-color1, #b8bec6)",
}
_DARK = '[data-jp-theme-light="false"] .tl,\nbody.vscode-dark .tl,\nhtml[theme="dark"] .tl'


def css() -> str:
    """The palette for widgets: `--tl-<name>`, for light and for dark pages, and `.tl-s0` and so on for series
    by slot."""
    light, dark = (
        {name: hue[place] for name, hue in _HUES.items()}
        | {name: pair[place] for name, pair in _TOKENS.items()}
        for place in (0, 1)
    )
    slots = [
        f".tl .tl-s{slot} {{\n  --tl-series: var(--tl-{name});\n}}"
        for slot, hue in enumerate(SERIES)
        for name in [next(name for name, other in _HUES.items() if other is hue)]
    ]
    return "\n\n".join([_rule(".tl", {**_OF_THE_PAGE, **light}), _rule(_DARK, dark), *slots])


def _rule(selector: str, tokens: dict[str, str]) -> str:
    lines = []
    for name, value in tokens.items():
        if name.endswith("-wash"):
            value = f"color-mix(in srgb, var(--tl-{name.removesuffix('-wash')}) {value}, transparent)"
        lines.append(f"  --tl-{name}: {value};")
    return "\n".join([f"{selector} {{", *lines, "}"])
