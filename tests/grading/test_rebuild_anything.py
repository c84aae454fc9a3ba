"""Properties of rebuilding, over notebooks after a student has been at them and over arbitrary bytes."""

import json
from copy import deepcopy
from dataclasses import replace

import nbformat
from classroom import RIGHT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notebooks import LESSON, ORIGINAL, PLAN, code, hand_in, instructors, plan, released, sources

from graders.autograde.records import Evidence
from graders.autograde.results.notebook import autograded_notebook
from graders.autograde.submission.files import SubmissionError
from graders.autograde.text import visible_source

EVIDENCE = Evidence("graded", "", ())

# Anything JSON can say, with words in it that mean something to a reader of notebooks.
words = st.sampled_from(
    ["cells", "cell_type", "code", "markdown", "source", "metadata", "nbgrader", "grade_id", "build-head",
     "check-build-head", "worksheets", "input", "id", "tags", "demo", "setup"]
) | st.text(max_size=5)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)
SECRET = "student_source_of_a_check"


@st.composite
def notebooks(draw) -> dict:
    """The released notebook after a student worked on it: cells copied, moved, dropped, changed, made up."""
    notebook = released(draw(st.sampled_from([{}, RIGHT])))
    cells = notebook["cells"]
    for _ in range(draw(st.integers(0, 8))):
        number = draw(st.integers(0, len(cells) - 1))
        match draw(st.integers(0, 8)):
            case 0:
                cells.insert(draw(st.integers(0, len(cells))), deepcopy(cells[number]))
            case 1:
                cells.insert(draw(st.integers(0, len(cells) - 1)), cells.pop(number))
            case 2 if len(cells) > 1:
                del cells[number]
            case 3 if isinstance(cells[number], dict):
                cells[number] = {**cells[number], "source": draw(anything)}
            case 4 if isinstance(cells[number], dict):
                cells[number] = {**cells[number], "metadata": draw(anything)}
            case 5 if isinstance(cells[number], dict):
                cells[number] = {
                    **cells[number],
                    "cell_type": draw(st.sampled_from(["code", "markdown", "raw", 5])),
                }
            case 6:
                cells.insert(number, draw(anything))
            case 7:
                cells.insert(number, code(draw(words), tags=draw(anything)))
            case _:
                if isinstance(cells[number], dict):
                    cells[number] = {key: cells[number][key] for key in list(cells[number])[1:]}
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code" and "check" in str(_id_of(cell)):
            cell["source"] = SECRET
    return notebook


def _id_of(cell: dict):
    metadata = cell.get("metadata")
    grade = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return grade.get("grade_id") if isinstance(grade, dict) else None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(notebooks())
def test_whatever_a_student_does_setup_and_checks_are_the_instructors(notebook):
    rebuilt = hand_in(notebook)
    assert instructors(rebuilt) == ORIGINAL
    assert [one for one in plan(rebuilt) if one[0] in ("setup", "solution", "test")] == [
        one for one in PLAN if one[0] != "solution" or one[1] in rebuilt.answers
    ]
    assert not any(SECRET in cell.source for cell in rebuilt.submission.cells)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(notebooks())
def test_rebuilding_what_was_rebuilt_changes_nothing(notebook):
    rebuilt = hand_in(notebook)
    again = hand_in(nbformat.writes(autograded_notebook(LESSON, rebuilt, EVIDENCE)).encode())
    whole = [
        cell
        for cell in again.submission.cells
        if cell.source != "# This cell is missing from what was handed in."
    ]
    # What acts on a terminal, or turns text around, is spelled out in what is shown.
    assert whole == [
        replace(cell, source=visible_source(cell.source, 16 << 10)) for cell in rebuilt.submission.cells
    ]


@settings(max_examples=300, deadline=None)
@given(anything | st.binary(max_size=200))
def test_whatever_the_file_the_only_error_is_a_sentence(content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        rebuilt = hand_in(content)
    except SubmissionError as error:
        assert str(error).endswith(".") and len(str(error)) > 40
    else:
        assert instructors(rebuilt) == ORIGINAL


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(RIGHT)), st.text(max_size=50)))
def test_an_honest_notebook_comes_through_whole(answers):
    rebuilt = hand_in(released(answers))
    expected = {id: source.replace("\r\n", "\n").replace("\r", "\n") for id, source in answers.items()}
    stubs = {cell.grade_id: cell.source for cell in LESSON.cells if cell.role == "solution"}
    assert sources(rebuilt, "solution") == {**stubs, **expected}
    assert plan(rebuilt) == PLAN and rebuilt.submission.notes == ()
