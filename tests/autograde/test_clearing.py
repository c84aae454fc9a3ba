"""Clearing up removes whatever a submission left, and nothing else."""

import os

from graders.autograde.sandbox.clearing import clear


def test_no_nesting_is_too_deep(tmp_path):
    folder = tmp_path / "left"
    folder.mkdir()
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(2500):
            os.mkdir("deeper")
            os.chdir("deeper")
        with open("file", "w") as file:
            file.write("at the bottom")
    finally:
        os.fchdir(here)
        os.close(here)
    clear(str(folder))
    assert os.listdir(tmp_path) == []


def test_what_a_link_points_to_stays(tmp_path):
    folder, other = tmp_path / "left", tmp_path / "other"
    (folder / "below").mkdir(parents=True)
    other.mkdir()
    (other / "file").write_text("not the submission's")
    (folder / "link").symlink_to(other)
    (folder / "below" / "link").symlink_to(other / "file")
    (folder / "below" / "circle").symlink_to(folder)
    clear(str(folder))
    assert not folder.exists() and (other / "file").read_text() == "not the submission's"


def test_folders_that_nobody_may_read_and_odd_names_are_removed(tmp_path):
    folder = tmp_path / "left"
    (folder / "shut" / ".moved-0").mkdir(parents=True)
    (folder / ".moved-0").mkdir()
    (folder / ".moved-1").write_text("")
    os.mkfifo(folder / "shut" / "pipe")
    os.chmod(folder / "shut", 0)
    clear(str(folder))
    assert not folder.exists()


def test_a_folder_that_is_not_there_is_no_trouble(tmp_path):
    clear(str(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []
