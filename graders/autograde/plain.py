"""Cells as plain Python: without IPython's magics."""

from __future__ import annotations

import re

_HARMLESS_CELL_MAGICS = ("time", "timeit", "capture", "prun")
# Also where something is assigned (`files = !ls`), and the ones that need no sign (`pip install`). `% 2` is arithmetic.
_MAGIC = re.compile(
    r"^(\s*)(?:(?:\w[\w, .]*=\s*)?(?:%{1,2}[A-Za-z].*|!.*)|\?{1,2}\S.*|[\w.]+\?{1,2}|(?:pip|conda|cd|ls)\s+[\w./~-].*)$"
)
_TIMED = re.compile(r"^(\s*)%time\s+(\S.*)$")  # runs a statement, and what that binds stays


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
    return "\n".join(_MAGIC.sub(r"\1pass", _TIMED.sub(r"\1\2", line)) for line in lines)


def _compiles(source: str) -> bool:
    try:
        compile(source, "<cell>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
