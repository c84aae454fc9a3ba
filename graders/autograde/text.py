"""Text that a student's code may have written, made harmless: no escape sequences, no control characters, bounded."""

from __future__ import annotations

import re

# CSI (colours, cursor), OSC (titles, links; ended by BEL or ST), other two-character escapes; then what is left of controls.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BLANK = re.compile(r"^[^\S\n]+$", re.M)


def plain(text: str, limit: int = 16 << 10) -> str:
    """Text without escape sequences and control characters (line ends and tabs stay), cut to `limit` bytes of UTF-8."""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return _cut(text, limit, "\n")


def visible(source: str, limit: int) -> str:
    """A program as it may be shown: what turns text around or acts on a terminal is there as Python would write it.

    Blank lines are empty, and it is cut to `limit` bytes: whatever colours it (Pygments) takes a time that grows with the
    square of its length and more, so that hours can be written into one cell.
    """
    text = _BLANK.sub("", _CONTROLS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", source))
    return _cut(text, limit, "\n# ")


def _cut(text: str, limit: int, before: str) -> str:
    """At most `limit` bytes of UTF-8; where that is not all, it says so on a line of its own, after `before`."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return encoded.decode("utf-8")
    return (
        f"{encoded[:limit].decode('utf-8', 'ignore')}{before}… (cut here: it was {len(encoded):,} bytes long)"
    )


def shown(name: str) -> str:
    """A name that a student chose, as it may stand in a sentence: letters, digits, and a few signs; at most 60."""
    return re.sub(r"[^\w .:()+@,-]", "?", name)[:60]


_NAME = r"`[\w .-]{1,80}`"
_INERT = {ord(sign): f"&#{ord(sign)};" for sign in "&<>[]!`*_~|"}


def as_markdown(text: str) -> str:
    """Text of one line as Markdown that shows it and does nothing else: no HTML, no link, no picture, no mathematics.

    `names` of letters, digits and a few signs stay set as code.
    """
    return "".join(
        part if re.fullmatch(_NAME, part) else _inert(part) for part in re.split(f"({_NAME})", text)
    )


# Where a link in Markdown leads is what follows `](`, or `]:` elsewhere. Addresses of the web, places on the page and plain names
# of files are left; what has a scheme of its own (`javascript:`, also spelled with entities) is no link any more.
_LEADS = re.compile(r"\](?=[(:]\s*(?!<?(?:https?://|mailto:|#|[\w./-]+(?:[#?\s)]|$))))")
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|nbsp);)")
# Of mathematics: links, code that is loaded, looks.
_ACTS = re.compile(r"\\(?=(?:href|require|style|class|cssId|bbox)(?![A-Za-z]))")


def without_actions(prose: str) -> str:
    """Markdown, its HTML cleaned already, in which no picture is fetched and no link leads anywhere but to the web.

    A picture becomes a link: whoever reads is not to be told of, and what was attached is not there. Nor does mathematics
    act; of letters written as entities only those stay that cleaning itself makes.
    """
    return _ACTS.sub(r"\\ ", _LEADS.sub("] ", _ENTITY.sub("&amp;", prose)).replace("![", "! ["))


def _inert(text: str) -> str:
    # Addresses become links by themselves. What stands between dollars or after a backslash is mathematics, also where they
    # are written as entities, but not in code.
    return "".join(
        f"`{part}`" if part[:1] in ("$", "\\") else part.translate(_INERT).replace("://", "&#58;//")
        for part in re.split(r"([$\\]+)", text)
    )
