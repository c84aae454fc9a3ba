"""Cells as plain Python: without IPython's magics, and text without what a terminal or a page would obey."""

from __future__ import annotations

import re

_HARMLESS_CELL_MAGICS = ("time", "timeit", "capture", "prun")
_MAGIC = re.compile(r"^(\s*)(?:[%!].*|\?{1,2}\S.*|[\w.]+\?{1,2})$")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain_source(source: str) -> str:
    """A cell's source without magics, where it has any; a cell in another language is empty."""
    if _compiles(source):
        return source
    lines = source.split("\n")
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if (
            lines[first][2:].split(None, 1)[:1]
            and lines[first][2:].split(None, 1)[0] not in _HARMLESS_CELL_MAGICS
        ):
            return ""
        lines[first] = ""
    return "\n".join(_MAGIC.sub(r"\1pass", line) for line in lines)


def _compiles(source: str) -> bool:
    try:
        compile(source, "<cell>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def plain_text(text: str, most: int = 2000) -> str:
    """Text that someone else wrote, cut, and without escapes, control characters and marks that turn its direction."""
    clean = _CONTROL.sub("", _ANSI.sub("", text[: 4 * most]))
    return clean if len(clean) <= most else clean[:most] + " ..."
