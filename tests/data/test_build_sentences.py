"""The build script makes the table from the published archive, and refuses what is not that archive."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tlwidgets.data.sentence_table import read_table, write_table

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_sentences.py"


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def build(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    import build_sentences

    return build_sentences


def sdist(folder, line=b"1\t1.234567\tA &amp; B are  good\r\n"):
    inner = archive(
        {
            f"x/{stem}_GroundTruth.txt": line
            for stem in ("movieReviewSnippets", "amazonReviewSnippets", "tweets", "nytEditorialSnippets")
        }
    )
    path = folder / "vaderSentiment.tar.gz"
    path.write_bytes(archive({"v/additional_resources/hutto_ICWSM_2014.tar.gz": inner}))
    return path


def test_rows_are_cleaned_and_keep_their_order(build, tmp_path):
    rows = list(build.rows_of(sdist(tmp_path)))
    assert [row.domain for row in rows] == ["film", "product", "tweet", "editorial"]
    assert {row[1:] for row in rows} == {(0, 1.2346, "A & B are good")}
    assert read_table(write_table(rows)) == rows


def test_a_line_of_another_form_is_named(build, tmp_path):
    with pytest.raises(SystemExit, match="film, line 1: expected id, score and text"):
        list(build.rows_of(sdist(tmp_path, b"1\tno text\n")))


def test_another_archive_is_refused_before_anything_is_written(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--sdist", str(sdist(tmp_path))], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "is not the file this was written for" in done.stderr
