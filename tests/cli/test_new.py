"""`tlcourse new-unit` and `new-exercise` make skeletons that keep every rule and overwrite nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "u07_sound_and_sense"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A copy of the course with a new unit, to which an exercise was added."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "course", folder / "course", ignore=shutil.ignore_patterns("__pycache__"))
    before = files(folder)
    done = tlcourse(folder, "new-unit", "07-sound-and-sense", "--title", "Sound and sense")
    assert done.returncode == 0, done.stderr
    new = set(files(folder)) - set(before)
    assert {path.split("/")[1] + "/" + path.split("/")[2] for path in new} == {
        f"units/{FOLDER}",
        "source/07-sound-and-sense",
    }
    assert {path: content for path, content in files(folder).items() if path in before} == before
    before = files(folder)
    done = tlcourse(
        folder, "new-exercise", "07", "count-layers", "--points", "2", "--title", 'Count "layers"'
    )
    assert done.returncode == 0, done.stderr
    assert "first-07 is now worth 3 XP" in done.stdout
    after = files(folder)
    changed = {path for path in before if after[path] != before[path]}
    notebook = "course/source/07-sound-and-sense/07-sound-and-sense.ipynb"
    assert changed == {notebook, f"course/units/{FOLDER}/first_07/exercise.py"}
    assert all(path.startswith(f"course/units/{FOLDER}/count_layers/") for path in set(after) - set(before))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def tlcourse(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "300"}
    command = [sys.executable, "-m", "graders.cli", *arguments]  # `-m` finds this folder's course first
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_skeletons_keep_every_rule_and_their_check_works(made):
    done = tlcourse(made, "lint-lesson", "07", "--static", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    done = tlcourse(made, "lint-lesson", "07", "--strict", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = json.loads(done.stdout)
    assert [rate["exercise"] for rate in report["rates"]] == ["first-07", "count-layers"]


def test_the_new_check_and_the_claims_are_found(made):
    code = (
        "from graders.checks import check_count_layers, exercises; from course.claims.__main__ import "
        "lessons;check_count_layers(lambda x: 2 * x);"
        "print([(one.number, one.points, one.title) for one in exercises('07-sound-and-sense')], '07' in "
        "lessons())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=made,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[(1, 3, 'First 07'), (2, 2, 'Count \"layers\"')] True\n", done.stderr


def test_a_skeleton_is_formatted(made):
    places = [made / "course" / "units" / FOLDER, made / "course" / "source" / "07-sound-and-sense"]
    for command in ("check", "format --check"):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command.split(), "--config", ROOT / "pyproject.toml", *places],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new-exercise", "07", "Count Layers"], "is not a name for an exercise"),
        (["new-exercise", "07", "class"], "is not a name for an exercise"),
        (["new-exercise", "99", "count"], "There is no unit '99'. Expected one of"),
        (["new-exercise", "07", "count_layers"], "count_layers is there already"),
        (["new-exercise", "07", "build_head"], "build_head is there already: a check is found by its name"),
        (["new-exercise", "07", "load-data"], "has a cell 'load-data' already"),
        (["new-unit", "sound"], "'sound' is not a unit's name"),
        (["new-unit", "08_Sound"], "'08_Sound' is not a unit's name"),
        (["new-unit", "01-other"], "The number 01 belongs to 01-transfer-learning"),
        (["new-unit", "08-sound", "--exercise", "build_head"], "build_head is there already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_made_gets_a_sentence_and_changes_nothing(made, arguments, said):
    before = files(made)
    done = tlcourse(made, *arguments)
    assert done.returncode != 0 and said in done.stderr
    assert files(made) == before


def test_folders_that_are_there_are_kept(made):
    place = made / "course" / "source" / "09-kept"
    place.mkdir()
    done = tlcourse(made, "new-unit", "09-kept")
    assert done.returncode == 1 and "is there already, and nothing is overwritten" in done.stderr
    assert list(place.iterdir()) == [] and not (made / "course" / "units" / "u09_kept").exists()
    place.rmdir()


def test_outside_the_course_a_sentence_says_where_to_go(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").touch()
    done = tlcourse(tmp_path, "new-unit", "08-sound")
    assert done.returncode == 1 and "and not the course's package" in done.stderr


@pytest.mark.parametrize("command", ["new-unit", "new-exercise"])
def test_help_says_what_is_made(made, command):
    said = " ".join(tlcourse(made, command, "--help").stdout.split())
    assert "Nothing is overwritten." in said and "lint-lesson" in said
