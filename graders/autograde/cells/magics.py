"""Turns a cell into plain Python, without IPython's magics."""

from __future__ import annotations

import ast
import re
import textwrap

_HARMLESS_CELL_MAGICS = ("time", "timeit", "capture", "prun")
# Includes assignments (`files = !ls`) and magics that need no sign (`pip install`). `% 2` is arithmetic.
_MAGIC = re.compile(
    r"^(\s*)(?:((?:\w[\w, .]*=\s*)?)(?:%{1,2}[A-Za-z].*|(!).*)|\?{1,2}\S.*|[\w.]+\?{1,2}"
    r"|(?:pip|conda|cd|ls)\s+[\w./~-].*)$"
)
_TIMED = re.compile(r"^(\s*)%time\s+(\S.*)$")  # runs a statement, whose names stay bound
_PROMPT = re.compile(r"^(?:>>> ?|\.\.\. ?|In \[\d+\]: ?|   +\.\.\.: ?)")  # prompts of a pasted session


def strip_magics(source: str) -> str:
    """A cell's source without magics and prompts; a cell in another language becomes empty."""
    if _PROMPT.match(source):
        source = "\n".join(_PROMPT.sub("", line) for line in source.split("\n"))
    if _parses(source):
        return source
    lines = textwrap.dedent(source).split("\n") if source[:1] in (" ", "\t") else source.split("\n")
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        name, *rest = lines[first][2:].split() or [""]
        if name == "writefile":
            return _written(rest, lines[first + 1 :])
        if name and name not in _HARMLESS_CELL_MAGICS:
            return ""
        captured = next((word for word in rest if word.isidentifier()), "") if name == "capture" else ""
        lines[first] = f"{captured} = get_ipython().captured()" if captured else ""
    return "\n".join(_without_magics(lines))


def _without_magics(lines: list[str]):
    goes_on = False
    for line in lines:
        statement = _TIMED.sub(r"\1\2", line)
        plain = "" if goes_on else _MAGIC.sub(_instead, statement)
        goes_on = (goes_on or plain != statement) and line.endswith("\\")
        yield plain


def _instead(magic: re.Match) -> str:
    """The statement that replaces a magic; the output of a command becomes an empty list."""
    indent, names, command = magic.groups()
    return f"{indent}{names}{'[]' if command else None}" if names else f"{indent}pass"


def _written(words: list[str], lines: list[str]) -> str:
    """`%%writefile [-a] NAME` as a program that writes the rest of the cell."""
    if not words:
        return ""
    mode = "a" if words[0] in ("-a", "--append") else "w"
    text = "\n".join(lines) + "\n"
    return f"get_ipython().written({words[-1]!r}, {mode!r}, {text!r})"


def _parses(source: str) -> bool:
    """Whether it is Python. It is only parsed, since a few lines can be made to compile to gigabytes."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
