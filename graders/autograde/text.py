"""Text that a student's code may have written, made harmless: no escape sequences, no control characters, bounded."""

from __future__ import annotations

import re

# CSI (colours, cursor), OSC (titles, links; ended by BEL or ST), other two-character escapes; then what is left of controls.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_CUT = "\n… (cut here: it was {size:,} bytes long)"


def plain(text: str, limit: int = 16 << 10) -> str:
    """Text without escape sequences and control characters (line ends and tabs stay), cut to `limit` bytes of UTF-8."""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return encoded.decode("utf-8")
    return encoded[:limit].decode("utf-8", "ignore") + _CUT.format(size=len(encoded))


def visible(source: str) -> str:
    """A program as it may be shown: what turns text around or acts on a terminal is there as Python would write it."""
    return _CONTROLS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", source)


def shown(name: str) -> str:
    """A name that a student chose, as it may stand in a sentence: letters, digits, and a few signs; at most 60."""
    return re.sub(r"[^\w .:()+@,-]", "?", name)[:60]


def as_markdown(text: str) -> str:
    """Text as Markdown that shows it and does nothing else: no HTML, no link, no picture."""
    for sign, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("[", "&#91;"),
        ("]", "&#93;"),
        ("!", "&#33;"),
    ):
        text = text.replace(sign, entity)
    return text
