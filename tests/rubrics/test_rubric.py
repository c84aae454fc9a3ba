"""A rubric is declared once, in the lesson: students never see it, formgrader shows, the audit keeps it."""

import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from graders.cli.student import unchecked_student_notebook
from graders.lint.rules import static_findings
from graders.rubrics import Criterion, read_rubrics, rubric_of, rubric_problems
from tests.grading.classroom import RIGHT, UNIT, Classroom, environment

SCHEME = """The lower ones, since they find what all pictures have.

### BEGIN MARK SCHEME
- 0.75: says which layers | and why
- (0,25 points): names a measurement
Half a point for a sketch.
### END MARK SCHEME
"""


def question(source: str = SCHEME, points: float = 1.0, **meta):
    cell = nbformat.v4.new_markdown_cell(source)
    cell.metadata["nbgrader"] = {
        "grade": True, "grade_id": "essay", "locked": False, "points": points, "schema_version": 3,
        "solution": True, "task": False, **meta,
    }  # fmt: skip
    return cell


def test_lines_that_name_points_are_criteria_and_others_are_notes():
    rubric = rubric_of(question(), "01")
    assert rubric.criteria == (
        Criterion(0.75, "says which layers | and why"),
        Criterion(0.25, "names a measurement"),
    )
    assert (rubric.best, rubric.notes) == (1.0, "Half a point for a sketch.")
    assert "- **0.75**: says which layers | and why\n- **0.25**: names" in rubric.as_markdown()


def test_a_scheme_without_points_is_all_notes_and_a_cell_without_one_has_no_rubric():
    free = question("### BEGIN MARK SCHEME\nBe generous: 2 is full.\n### END MARK SCHEME")
    assert rubric_of(free, "01").notes == "Be generous: 2 is full." and not list(rubric_problems(free))
    assert rubric_of(question("No scheme."), "01") is None


def test_a_task_may_have_one_too():
    task = question(grade=False, solution=False, task=True, locked=True)
    assert rubric_of(task, "01").best == 1.0 and not list(rubric_problems(task))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (question(points=3.0), "add up to 1, and the cell has 3"),
        (question(grade=False), "no person grades it"),
        (question("### BEGIN MARK SCHEME\n- 2: all"), "1 lines `### BEGIN MARK SCHEME` and 0"),
        (question("### END MARK SCHEME\n### BEGIN MARK SCHEME"), "in this order"),
    ],
)
def test_an_author_is_told_what_is_wrong(cell, said):
    (problem,) = rubric_problems(cell)
    assert said in problem
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert ("rubric", problem) in [(one.rule, one.message) for one in static_findings(notebook, "01-x")]


def with_question(room: Classroom, source: str = SCHEME) -> None:
    path = room.folder / "source" / UNIT / f"{UNIT}.ipynb"
    lesson = nbformat.read(path, as_version=4)
    cells = {one.metadata.get("nbgrader", {}).get("grade_id"): one for one in lesson.cells}
    if "essay" in cells:
        cells["essay"].source = source
    else:
        cells["check-choose-plan"].metadata.nbgrader.points -= 1
        lesson.cells.append(question(source))
    nbformat.write(lesson, path)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    room = Classroom.make(tmp_path_factory.mktemp("rubric") / "course")
    with_question(room)
    room.nbgrader("generate_assignment", UNIT, "--force")
    room.hand_in("ada", RIGHT | {"essay": "The lower ones, I think."})
    room.grade()
    return room


def kept(room: Classroom) -> list[tuple]:
    with sqlite3.connect(room.folder / "gradebook.db") as book:
        rows = book.execute("SELECT cell, version, best, criteria FROM tlcourse_rubrics ORDER BY version")
        return rows.fetchall()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_students_never_get_it(room):
    released = (room.folder / "release" / UNIT / f"{UNIT}.ipynb").read_text(encoding="utf-8")
    built = nbformat.writes(unchecked_student_notebook(room.folder / "source" / UNIT / f"{UNIT}.ipynb"))
    room.nbgrader("generate_feedback", UNIT, "--force")
    for text in (released, built, room.feedback("ada")):
        assert "names a measurement" not in text and "MARK SCHEME" not in text
    assert "The lower ones, I think." in room.feedback("ada")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_formgrader_shows_it_below_the_answer(room):
    with Gradebook(room.address, "transfer-learning") as book:
        submission = book.find_submission_notebook(UNIT, UNIT, "ada").id
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", "--port=0"]
    command += ["--ServerApp.jpserver_extensions={'nbgrader': True}", "--IdentityProvider.token=t"]
    there = {**environment(), "JUPYTER_RUNTIME_DIR": str(room.folder / "runtime")}
    server = subprocess.Popen(command, cwd=room.folder, env=there, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        page = fetch(server, room.folder / "runtime", f"formgrader/submissions/{submission}/")
    finally:
        server.terminate()
        server.wait(20)
    answer, rubric = page.index("The lower ones, I think."), page.index("names a measurement")
    assert answer < rubric and "<strong>Rubric</strong> (points: 1)" in page
    assert "Half a point for a sketch." in page and "since they find what all pictures" not in page


def fetch(server: subprocess.Popen, runtime: Path, path: str) -> str:
    """A page of a server that is starting."""
    for _ in range(600):
        found = list(runtime.glob("jpserver-*.json"))
        if found:
            try:
                url = json.loads(found[0].read_text())["url"]
                with urllib.request.urlopen(f"{url}{path}?token=t", timeout=60) as answer:
                    return answer.read().decode()
            except (ValueError, urllib.error.URLError) as error:
                if isinstance(error, urllib.error.HTTPError):
                    raise
        assert server.poll() is None
        time.sleep(0.1)
    raise AssertionError("the server did not start")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_audit_keeps_each_version_once_and_no_grade_changes(room, tmp_path):
    copy = room.copy(tmp_path / "course")
    (first,) = kept(copy)
    assert first[:3] == ("essay", 1, 1.0) and json.loads(first[3])[0]["points"] == 0.75
    assert "0 graded, 1 graded before" in copy.grade() and len(kept(copy)) == 1
    with_question(copy, SCHEME.replace("names a measurement", "names two"))
    assert "0 graded, 1 graded before" in copy.grade()  # a corrected rubric grades nobody again
    assert [row[1] for row in kept(copy)] == [1, 2] and "names two" in kept(copy)[1][3]


def test_rubrics_are_read_from_a_unit_s_folder(tmp_path):
    nbformat.write(nbformat.v4.new_notebook(cells=[question(), question("x")]), tmp_path / "one.ipynb")
    assert [(one.notebook, one.cell) for one in read_rubrics(tmp_path)] == [("one", "essay")]
