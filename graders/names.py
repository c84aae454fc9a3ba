"""Names from outside: one form for each, an id that everything can hold, and text that is safe to show."""

from __future__ import annotations

import hashlib
import re
import unicodedata

# What a name may not have: controls, line ends, marks of direction, spaces without width, bytes that are not
# UTF-8. Joiners (U+200C, U+200D) belong to names in some scripts.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
MAX_ID, _MAX_ID_BYTES = 128, 255  # letters that a database takes, bytes of a folder's name


def normal_name(name: str) -> str:
    """A name in Unicode's composed form (NFC), in which two spellings of the same letters are equal."""
    return unicodedata.normalize("NFC", name)


def student_id(name: str) -> str:
    """The id of the student whose folder has this name: what a database, a path and a list can hold.

    The name itself in Unicode's composed form, if it is fit. Otherwise what cannot be seen, a dot at the
    start, space at either end, and an opening bracket (nbgrader looks for folders by patterns) are written as
    `%` and the bytes; a name that is too long is cut and ends in a digest.
    """
    id = _UNSEEN.sub(_as_percent, normal_name(name))
    id = re.sub(r"^\.|^\s+|\s+$|\[", _as_percent, id)
    size = id.encode()
    if len(id) <= MAX_ID and len(size) <= _MAX_ID_BYTES:
        return id
    digest = hashlib.sha256(size).hexdigest()[:12]
    start = size[: _MAX_ID_BYTES - 13].decode("utf-8", "ignore")[: MAX_ID - 13]
    return normal_name(f"{start}~{digest}")


def _as_percent(found: re.Match) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))


def shown(text: str, limit: int = 200) -> str:
    """Text from outside on one line of a terminal, a page or a picture: what cannot be seen is spelled out.

    It is cut after `limit` letters. Escape it for HTML or markup besides.
    """
    text = _UNSEEN.sub(lambda sign: ascii(sign[0])[1:-1], text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
