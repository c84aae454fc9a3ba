"""The colours of the pages for instructors, in light and dark."""

from __future__ import annotations

from tlwidgets import palette


def theme() -> str:
    """A style sheet that sets the colours as custom properties."""
    light = {
        "ink": "#1b1b1b", "quiet": "#545454", "paper": "#ffffff", "line": "#d0d0d0", "edge": "#767676",
        "field": "#ffffff", "good": palette.BLUE.light, "track": "#e4e4e4", "warn": "#fff4d6",
        "lost": "#fae0cf", "link": "#005a9c",
    }  # fmt: skip
    dark = {
        "ink": "#ececec", "quiet": "#b4b4b4", "paper": "#161616", "line": "#444444", "edge": "#8a8a8a",
        "field": "#242424", "good": palette.BLUE.dark, "track": "#333333", "warn": "#453500",
        "lost": "#55290a", "link": "#8cc8f0",
    }  # fmt: skip
    tokens = [" ".join(f"--{name}: {colour};" for name, colour in one.items()) for one in (light, dark)]
    return (
        f":root {{ color-scheme: light dark; {tokens[0]} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {tokens[1]} }} }}"
    )
