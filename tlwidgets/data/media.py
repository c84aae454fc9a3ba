"""What a person brings along: a picture, a sound or a text of their own, as a model takes it."""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MOST_BYTES = 20_000_000
MOST_LETTERS = 5_000
KINDS = ("picture", "sound", "text")

_HEAD = 512  # bytes that are read to find out what a file is
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"OggS", "an Ogg sound"),
    (b"fLaC", "a FLAC sound"),
    (b"ID3", "an MP3 sound"),
    (b"\x1aE\xdf\xa3", "a WebM or Matroska recording"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document or an SVG drawing"),
)
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"mif1", b"msf1"), "an HEIC picture"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture"),
    **dict.fromkeys((b"M4A ", b"M4B "), "an M4A sound"),
}


class MediaError(ValueError):
    """A file that cannot be read. The message says what was expected and what to do."""


@dataclass(frozen=True, eq=False)
class Media:
    """One picture, sound or text; of the three fields of these names, the one that `kind` says is filled.

    `picture` is uint8 (height, width, 3); `sound` is float32 (samples,) from -1 to 1, at `rate` samples a
    second; `text` is a str. `name` is the file's, or says where it came from; `notes` are sentences on what
    was done to it. The arrays are the record's own: copy one before you write into it.
    """

    kind: str
    name: str
    notes: tuple[str, ...] = ()
    picture: np.ndarray | None = None
    sound: np.ndarray | None = None
    rate: int | None = None
    text: str | None = None


def read_text(text: str) -> tuple[str, tuple[str, ...]]:
    """A text that a tokenizer takes, and notes on what was done: blanks around it and unreadable characters
    are removed.

    Raises:
        MediaError: it is not a str, has only blanks, or is longer than `MOST_LETTERS`.
    """
    if not isinstance(text, str):
        raise MediaError(f"A text was expected, and this is of type {type(text).__name__}.")
    if len(text) > MOST_LETTERS:
        raise MediaError(
            f"The text has {len(text):,} characters; at most {MOST_LETTERS:,} are taken. Choose a shorter "
            "part."
        )
    kept = "".join(
        letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in _UNREAD
    )
    notes = []
    if len(kept) < len(text):
        notes.append(f"{len(text) - len(kept):,} characters that are not text were left out.")
    if not any(letter.isprintable() and not letter.isspace() for letter in kept):
        raise MediaError("The text is empty. Write a word or a sentence.")
    return kept.strip(), tuple(notes)


_UNREAD = ("Cc", "Cs", "Cn")  # control characters, halves of surrogate pairs, code points of nothing


def text_of(content: bytes, name: str = "The file") -> str:
    """The letters of a text file: UTF-8, or UTF-16 where the file begins with its mark, as Windows writes
    both.

    Raises:
        MediaError: it is not a text, or it has more than `MOST_LETTERS`.
    """
    if len(content) > _MOST_LETTER_BYTES * (MOST_LETTERS + 1):
        raise MediaError(
            f"{name} is longer than {MOST_LETTERS:,} characters, the most that are taken. Choose a shorter "
            "part."
        )
    text = _letters(content)
    if text is None or "\0" in text:
        kind = looks_like(content)
        raise MediaError(
            f"{name} is not a text that can be read{f': it looks like {kind}' if kind else ''}. Expected "
            "plain text; save yours as UTF-8."
        )
    return text


_MOST_LETTER_BYTES = 4


def _letters(content: bytes, whole: bool = True) -> str | None:
    """`content` decoded, or None; where it is not the `whole`, its last letter may be cut."""
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if utf_16 else "utf-8-sig")()
    try:
        return decoder.decode(content, final=whole)
    except UnicodeDecodeError:
        return None


def content_of(
    source: bytes | bytearray | memoryview | str | Path, most_bytes: int = MOST_BYTES, name: str = ""
) -> tuple[bytes, str]:
    """The bytes of a file, or those given, and a name for them (`name`, or the file's).

    Raises:
        MediaError: there is no such file, it is empty, or it has more than `most_bytes` (it is then not
            read).
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        content, name = bytes(source), name or "The file"
    elif isinstance(source, (str, Path)):
        path = Path(source)
        name = name or path.name or str(path)
        try:
            refuse_size(path.stat().st_size, name, most_bytes)
            content = path.read_bytes()
        except (OSError, ValueError) as error:
            if isinstance(error, MediaError):
                raise
            why = getattr(error, "strerror", None) or error
            raise MediaError(f"{name} could not be opened: {why}. Give the path of a file.") from error
    else:
        raise MediaError(f"Bytes or the path of a file were expected, and this is a {type(source).__name__}.")
    refuse_size(len(content), name, most_bytes)
    return content, name


def refuse_size(size: int, name: str, most_bytes: int = MOST_BYTES) -> None:
    """Raises MediaError where a file of `size` bytes is too large, or empty."""
    if size == 0:
        raise MediaError(f"{name} is empty: it has 0 bytes. Choose a file with something in it.")
    if size > most_bytes:
        raise MediaError(
            f"{name} has {size / 1e6:,.1f} MB; at most {most_bytes / 1e6:,.1f} MB are taken. Make it "
            "smaller, or choose another."
        )


def looks_like(content: bytes) -> str:
    """What the first bytes of a file say that it is ("a PNG picture"); empty where they say nothing."""
    head = content[:_HEAD]
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    if head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return {b"WAVE": "a WAV sound", b"WEBP": "a WebP picture"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video or sound in an MP4 container")
    if head[:1] == b"\xff" and head[1:2] in (b"\xfb", b"\xf3", b"\xf2", b"\xfa"):
        return "an MP3 sound"
    text = _letters(head, whole=len(head) < _HEAD)
    is_text = text and all(letter.isspace() or unicodedata.category(letter) != "Cc" for letter in text)
    return "a text" if is_text else ""
