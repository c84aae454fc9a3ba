"""A student's folder: files are found under other names, and nothing is followed out of it."""

import os

import pytest
from classroom import UNIT

from graders.autograde.submission.files import SubmissionError, find_notebooks, read_file


def test_links_are_not_followed(tmp_path):
    secret = tmp_path / "gradebook.db"
    secret.write_bytes(b"secret")
    folder = tmp_path / "submitted" / "ada" / UNIT
    folder.mkdir(parents=True)
    (folder / f"{UNIT}.ipynb").symlink_to(secret)
    (found,) = find_notebooks(folder, (UNIT,))
    with pytest.raises(SubmissionError, match="is a link"):
        read_file(found.path)
    other = tmp_path / "submitted" / "ben"
    other.symlink_to(tmp_path / "submitted" / "ada")
    (found,) = find_notebooks(other / UNIT, (UNIT,))
    assert found.path is None and "is a link" in found.problem


def test_what_is_not_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    for name in ("pipe.ipynb", "folder.ipynb", "missing.ipynb"):
        with pytest.raises(SubmissionError, match=name):
            read_file(tmp_path / name)


def test_one_file_of_another_name_is_taken_and_two_are_not(tmp_path):
    (tmp_path / "mine <b>.ipynb").write_text("{}")
    (found,) = find_notebooks(tmp_path, (UNIT,))
    assert found.path == tmp_path / "mine <b>.ipynb"
    assert found.notes == (f"The notebook was called mine ?b?.ipynb; it was taken for {UNIT}.ipynb.",)
    (tmp_path / "other.ipynb").write_text("{}")
    (found,) = find_notebooks(tmp_path, (UNIT,))
    assert found.path is None and "mine ?b?.ipynb, other.ipynb" in found.problem
    assert find_notebooks(tmp_path / "nobody", (UNIT,))[0].path is None


def test_an_ending_in_capitals_is_an_ending(tmp_path):
    (tmp_path / f"{UNIT}.IPYNB").write_text("{}")
    (found,) = find_notebooks(tmp_path, (UNIT,))
    assert (found.path, found.notes) == (tmp_path / f"{UNIT}.IPYNB", ())


def test_where_there_is_no_notebook_it_says_what_there_is(tmp_path):
    (tmp_path / "timestamp.txt").write_text("2026-01-10 10:00:00 UTC")
    assert "but it is empty" in find_notebooks(tmp_path, (UNIT,))[0].problem
    (tmp_path / "homework <b>.zip").write_bytes(b"PK")
    (tmp_path / UNIT).mkdir()
    problem = find_notebooks(tmp_path, (UNIT,))[0].problem
    assert f"it has a folder {UNIT}, homework ?b?.zip. Hand in the notebook itself" in problem


def test_what_a_system_adds_to_a_renamed_file_is_no_second_one(tmp_path):
    (tmp_path / "mine.ipynb").write_text("{}")
    (tmp_path / "._mine.ipynb").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (found,) = find_notebooks(tmp_path, (UNIT,))
    assert found.path == tmp_path / "mine.ipynb"
