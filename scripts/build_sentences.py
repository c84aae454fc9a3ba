"""Build tlwidgets/data/files/sentences.tsv.bz2 from the source distribution of vaderSentiment 3.3.2.

    python scripts/build_sentences.py                # downloads the source distribution through pip
    python scripts/build_sentences.py --sdist FILE   # uses one that is there already
    python scripts/build_sentences.py --check        # builds in memory and compares with the committed copy

The same input gives the same bytes: rows keep their order, nothing is dated, and bzip2's format has been
fixed for decades (gzip stores a time, and xz output depends on the library's version).
"""

import argparse
import hashlib
import html
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from tlwidgets.data.sentence_table import FILES, TABLE, Row, link_sources, read_table, write_table

REQUIREMENT = "vaderSentiment==3.3.2"
SDIST_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
DOMAINS = {
    "film": "movieReviewSnippets",
    "product": "amazonReviewSnippets",
    "tweet": "tweets",
    "editorial": "nytEditorialSnippets",
}
# In these files an id is "document_sentence"; in the others each sentence has only its own number.
DOCUMENT_IDS = {"product", "editorial"}


def download(folder: Path) -> Path:
    """The source distribution, fetched with pip into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-binary", ":all:", "--dest", str(folder), REQUIREMENT], check=True)
    (found,) = folder.glob("*.tar.gz")
    return found


def rows_of(sdist: Path) -> Iterable[Row]:
    """Every rated sentence of the distribution, domain by domain, in the order of its files."""
    with tarfile.open(sdist) as outer, tarfile.open(fileobj=_member(outer, INNER)) as archive:
        for domain, stem in DOMAINS.items():
            text = _member(archive, f"/{stem}_GroundTruth.txt").read().decode("utf-8")
            yield from _parse(domain, text)


def _member(archive: tarfile.TarFile, ending: str) -> IO[bytes]:
    for member in archive:
        if member.isfile() and member.name.endswith(ending):
            return archive.extractfile(member)
    raise SystemExit(f"There is no ...{ending} here: is this the source distribution of {REQUIREMENT}?")


def _parse(domain: str, text: str) -> list[Row]:
    found = []
    for number, line in enumerate(io.StringIO(text), start=1):
        fields = line.rstrip("\r\n").split("\t")
        if len(fields) != 3:
            raise SystemExit(f"{domain}, line {number}: expected id, score and text, found {line!r}.")
        identity, score, sentence = fields
        document = identity.split("_")[0] if domain in DOCUMENT_IDS else ""
        found.append((document, round(float(score), 4), " ".join(html.unescape(sentence).split())))
    texts, documents = [row[2] for row in found], [row[0] for row in found]
    groups = link_sources(texts, documents, names=domain == "film", variants=domain == "tweet")
    return [
        Row(domain, group, score, sentence) for group, (_, score, sentence) in zip(groups, found, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sdist", type=Path, help="a source distribution that is there already")
    parser.add_argument("--check", action="store_true", help="compare with the committed copy, write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sdist = options.sdist or download(Path(folder))
        digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
        if digest != SDIST_SHA256:
            raise SystemExit(f"{sdist.name} is not the file this was written for (SHA-256 {digest}).")
        packed = write_table(rows_of(sdist))
    target = FILES / TABLE
    if options.check:
        same = target.read_bytes() == packed
        print(f"{target.name}: {'the same bytes' if same else 'DIFFERS from what the sources give'}")
        raise SystemExit(0 if same else 1)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(packed)
    print(f"{target.name}: {len(read_table(packed)):,} sentences, {len(packed):,} bytes")


if __name__ == "__main__":
    main()
