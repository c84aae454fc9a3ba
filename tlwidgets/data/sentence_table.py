"""The table of human-rated sentences: its file, and which sentences must stay on one side of a split."""

import bz2
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .groups import Groups

FILES = Path(__file__).parent / "files"
TABLE = "sentences.tsv.bz2"
SHARED_WORDS = 6
# Among the tweets a sentence and its variants, with an adverb more or another, lie above 0.7, and set phrases
# with a name added ("Happy birthday!") from 0.6; below, what is shared is the frame only ("Boring as hell",
# "Nervous as hell").
VARIANT_JACCARD = 0.6

_NAME = re.compile(
    r"\b[A-Z][\w']+(?:(?: (?:of|the|and|in|a|to|for|with|on|at|du|de|la|le|von))* [A-Z][\w'.]+)+"
)

# Placeholders in the tweets for the people they name and the pages they link to: two tweets that have it in
# common share
# nothing.
_PLACEHOLDER = re.compile(r"@anonymous|http://url_removed")


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


def link_sources(
    texts: Sequence[str], documents: Sequence[str], *, names: bool, variants: bool = False
) -> list[int]:
    """A group number for each text; texts that may give one another away share a number.

    Linked are: texts of one document (where `documents` names it), texts that share a run of six words or
    are the same but for case and punctuation (near-duplicates), and, with `names`, texts that mention one
    name of two or more words alike: review snippets carry no film id, and a title gives a verdict away.
    With `variants`, texts are linked as well when the Jaccard index of their sets of `variant_words` is at
    least `VARIANT_JACCARD`: some tweets are others with a word added or changed, and too short to share six
        in a row.
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
    if variants:
        for earlier, later in _variants(texts):
            groups.link(earlier, f"variants of {earlier}")
            groups.link(later, f"variants of {earlier}")
    return groups.numbers()


def variant_words(text: str) -> frozenset[str]:
    """The words by which variants of a tweet are recognised, in lower case.

    Letters that are repeated inside a word count once ("sooo" and "so", "hahaha" and "ha" are one word each);
    placeholders of names and links are not words, nor are single letters and digits, which emoticons leave
    (":D", "<3").
    """
    words = re.findall(r"\w[\w']*\w", _PLACEHOLDER.sub(" ", text.lower()))
    short = (re.sub(r"(.)\1+", r"\1", word) for word in words)
    return frozenset(re.sub(r"(.+?)\1+", r"\1", word) for word in short)


def _variants(texts: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Positions (earlier, later) of texts that are variants; only those that share a word are compared."""
    holders: dict[str, list[int]] = defaultdict(list)
    sizes: list[int] = []
    for later, words in enumerate(map(variant_words, texts)):
        shared = Counter(earlier for word in words for earlier in holders[word])
        for earlier, common in shared.items():
            if common / (sizes[earlier] + len(words) - common) >= VARIANT_JACCARD:
                yield earlier, later
        sizes.append(len(words))
        for word in words:
            holders[word].append(later)
