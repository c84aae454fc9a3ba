"""Makes text from students harmless: no escape sequences or control characters, limited length."""

from __future__ import annotations

import re

# CSI (colours, cursor), OSC (titles, links; ended by BEL or ST) and two-character escapes; then all other
# controls.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BLANK = re.compile(r"^[^\S\n]+$", re.M)


def strip_control_characters(text: str, limit: int = 16 << 10) -> str:
    """Remove escape sequences and control characters except line ends and tabs; cut at `limit` bytes."""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return _cut(text, limit, "\n")


def visible_source(source: str, limit: int) -> str:
    """A program that is safe to show: control and direction characters are spelled out as escapes.

    Spaces on blank lines are removed, and the text is cut at `limit` bytes: the time that syntax highlighting
    (Pygments) takes can grow with the square of the length or faster, so one cell could keep it busy for
    hours.
    """
    text = _BLANK.sub("", _CONTROLS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", source))
    return _cut(text, limit, "\n# ")


def _cut(text: str, limit: int, before: str) -> str:
    """At most `limit` bytes of UTF-8. If text was cut off, a line that says so follows, after `before`."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return encoded.decode("utf-8")
    kept = encoded[:limit].decode("utf-8", "ignore")
    return f"{kept}{before}… (cut here: it was {len(encoded):,} bytes long)"


def printable_name(name: str) -> str:
    """A name that a student chose, made safe for a sentence: letters, digits, a few signs; at most 60."""
    return re.sub(r"[^\w .:()+@,-]", "?", name)[:60]


_NAME = r"`[\w .-]{1,80}`"
_INERT = {ord(sign): f"&#{ord(sign)};" for sign in "&<>[]!`*_~|"}


def escape_markdown(text: str) -> str:
    """One line of text as Markdown that only shows it: no HTML, link, picture or mathematics.

    Names in backticks, made of letters, digits and a few signs, stay formatted as code.
    """
    return "".join(
        part if re.fullmatch(_NAME, part) else _inert(part) for part in re.split(f"({_NAME})", text)
    )


# The target of a Markdown link follows `](`, or `]:` in a definition. Web addresses, anchors on the page and
# plain file names are kept; anything with another scheme (`javascript:`, also when spelled with entities)
# stops being a link.
_LEADS = re.compile(r"\](?=[(:]\s*(?!<?(?:https?://|mailto:|#|[\w./-]+(?:[#?\s)]|$))))")
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|nbsp);)")
# Commands of mathematics that link, load code or change styles.
_ACTS = re.compile(r"\\(?=(?:href|require|style|class|cssId|bbox)(?![A-Za-z]))")


def without_active_content(prose: str) -> str:
    """Markdown with cleaned HTML, such that no picture is fetched and links lead only to the web.

    A picture becomes a link, since fetching it would reveal the reader, and attachments are not kept.
    Commands of mathematics are disabled, and of characters written as entities only those stay that the
    cleaning itself produces.
    """
    return _ACTS.sub(r"\\ ", _LEADS.sub("] ", _ENTITY.sub("&amp;", prose)).replace("![", "! ["))


def _inert(text: str) -> str:
    # Bare addresses would become links. Text between dollar signs or after a backslash is mathematics, even
    # if these are written as entities, but not inside code.
    return "".join(
        f"`{part}`" if part[:1] in ("$", "\\") else part.translate(_INERT).replace("://", "&#58;//")
        for part in re.split(r"([$\\]+)", text)
    )
