"""The table of human-rated sentences: its file, and which sentences must stay on one side of a split."""

import bz2
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .groups import Groups

FILES = Path(__file__).parent / "files"
TABLE = "sentences.tsv.bz2"
SHARED_WORDS = 6

_NAME = re.compile(
    r"\b[A-Z][\w']+(?:(?: (?:of|the|and|in|a|to|for|with|on|at|du|de|la|le|von))* [A-Z][\w'.]+)+"
)


class Row(NamedTuple):
    """One sentence: its domain, the number of its source there, its mean rating (-4 to 4), its text."""

    domain: str
    group: int
    score: float
    text: str


def write_table(rows: Iterable[Row]) -> bytes:
    """The rows as compressed tab-separated text; the same rows give the same bytes."""
    lines = "".join(f"{row.domain}\t{row.group}\t{row.score:.4f}\t{row.text}\n" for row in rows)
    return bz2.compress(lines.encode("utf-8"), 9)


def read_table(packed: bytes) -> list[Row]:
    """The inverse of `write_table`. Raises ValueError, with the line, where the text is not such a table."""
    rows = []
    for number, line in enumerate(bz2.decompress(packed).decode("utf-8").split("\n")[:-1], start=1):
        fields = line.split("\t")
        if len(fields) != 4:
            raise ValueError(f"Line {number} of the sentence table has {len(fields)} fields instead of 4.")
        rows.append(Row(fields[0], int(fields[1]), float(fields[2]), fields[3]))
    return rows


def link_sources(texts: Sequence[str], documents: Sequence[str], *, names: bool) -> list[int]:
    """A group number for each text; texts that may give one another away share a number.

    Linked are: texts of one document (where `documents` names it), texts that share a run of six words or
    are the same but for case and punctuation (near-duplicates), and, with `names`, texts that mention one
    name of two or more words alike: review snippets carry no film id, and a title gives a verdict away.
    """
    groups = Groups(len(texts))
    for index, (text, document) in enumerate(zip(texts, documents, strict=True)):
        if document:
            groups.link(index, f"document {document}")
        words = re.findall(r"[a-z0-9']+", text.lower())
        for start in range(max(len(words) - SHARED_WORDS, 0) + 1):
            groups.link(index, "words " + " ".join(words[start : start + SHARED_WORDS]))
        if names:
            for match in _NAME.finditer(text):
                groups.link(index, "name " + match.group(0).strip(".'"))
    return groups.numbers()
