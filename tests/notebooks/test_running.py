"""A lesson runs from top to bottom on a small machine, offline; unanswered, it stops at the first
exercise."""

import html
import re

import nbformat
import pytest
import torch

from tests.notebooks.conftest import KNOWN_WITHIN, LIMIT_S, execute

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]

# The promise is for small machines, which have PyTorch's CPU build. A CUDA build maps its own libraries and
# context on top.
LIMIT_BYTES = 3e9 if torch.version.cuda else 1.5e9
EXERCISES_S = 30
TELLING = 24  # characters of a line that says more than `with torch.no_grad():`


def tell(capsys, record_property, what, run):
    """Measured figures go into the report of the tests and onto the screen."""
    record_property("took_s", round(run.took_s, 1))
    record_property("wall_s", round(run.wall_s, 1))
    record_property("peak_mb", round(run.peak_bytes / 1e6))
    with capsys.disabled():
        wall = (
            f"{run.wall_s:.1f} s here, {run.waited_s:.1f} s of them waiting, {run.slowness:.1f} times as slow"
        )
        print(f" [{what}: {run.took_s:.1f} s ({wall}), peak {run.peak_bytes / 1e6:.0f} MB]", end="")


def test_the_solved_lesson_runs_in_time_and_memory(source_run, lesson, capsys, record_property):
    tell(capsys, record_property, f"{lesson.stem}, solved", source_run)
    assert source_run.returncode == 0, source_run.log[-3000:]
    assert source_run.took_s < LIMIT_S * KNOWN_WITHIN
    assert source_run.peak_bytes < LIMIT_BYTES


def test_the_solved_lesson_writes_nothing_to_stderr(source_run):
    noise = [
        output["text"]
        for cell in source_run.notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    ]
    assert noise == []


def test_nothing_shown_before_an_exercise_gives_its_answer_away(source_run):
    """No line of a model answer is in the code, the output or the text above it, but for the last hint."""
    shown, given_away = "", {}
    for cell in source_run.notebook.cells:
        if "### BEGIN SOLUTION" in cell.source:
            answer = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.DOTALL)
            lines = [_bare(line) for line in "\n".join(answer).splitlines()]
            found = [line for line in lines if len(line) >= TELLING and line in shown]
            if found:
                given_away[cell["id"]] = found
            continue
        *others, last = re.split(r"(?=<details>)", cell.source)
        shown += _bare("".join(others) if others else last)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown += _bare(output.get("text", "") + data.get("text/plain", "") + data.get("text/html", ""))
    assert given_away == {}


def _bare(text: str) -> str:
    """The text without blanks, markup and comments, by which it is compared."""
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>|#.*", "", html.unescape(text)))


def test_every_picture_the_lesson_draws_has_alternative_text(source_run):
    drawn = "".join(
        output["data"].get("text/html", "")
        for cell in source_run.notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    )
    images = re.findall(r"<img\b[^>]*>|<figure\b[^>]*>.*?</figure>", drawn, flags=re.DOTALL)
    assert images
    for image in images:
        words = re.search(r'(?:\balt|aria-label)="([^"]+)"', image)
        thumbnail = re.search(r'\bwidth="\d\d"', image)  # its name is enough; a figure has to say more
        assert words and (thumbnail or len(words[1]) > 20), image[:200]
    bare = [
        cell["id"]
        for cell in source_run.notebook.cells
        for output in cell.get("outputs", [])
        if {"image/png", "image/svg+xml"} & set(output.get("data", {})) and "text/html" not in output["data"]
    ]
    assert bare == [], f"figures without alternative text, from cells {bare}"


@pytest.mark.long
def test_the_unanswered_lesson_stops_at_the_first_exercise_with_a_clear_message(
    release_run, lesson, capsys, record_property
):
    tell(capsys, record_property, f"{lesson.stem}, unanswered", release_run)
    cells = release_run.notebook.cells
    failed = [cell for cell in cells if any(o.output_type == "error" for o in cell.get("outputs", []))]
    graded = [cell["id"] for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert release_run.returncode != 0
    assert [cell["id"] for cell in failed] == graded[:1]
    (error,) = [output for output in failed[0].outputs if output.output_type == "error"]
    assert re.match(r"`\w+` is not written yet: fill in its cell", error.evalue)
    assert release_run.took_s < LIMIT_S * KNOWN_WITHIN
    assert release_run.peak_bytes < LIMIT_BYTES


@pytest.mark.long
def test_exercises_stand_without_the_demonstrations(lesson, tmp_path):
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and "demo" not in cell.metadata.get("tags", [])
    ]
    nbformat.write(notebook, tmp_path / "exercises.ipynb")
    run = execute(tmp_path / "exercises.ipynb", tmp_path / "out.ipynb", lesson.parent)
    assert run.returncode == 0, run.log[-3000:]
    assert run.took_s < EXERCISES_S * KNOWN_WITHIN
