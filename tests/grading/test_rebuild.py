"""What runs is the instructor's notebook with a student's answers in it, whatever was handed in."""

import json
import os
from copy import deepcopy
from dataclasses import replace

import nbformat
import pytest
from classroom import RIGHT, ROOT, UNIT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders.autograde.assignment import load_assignment
from graders.autograde.autograded import autograded_notebook
from graders.autograde.course import open_course
from graders.autograde.handed_in import MAX_FILE_BYTES, RebuildError, find_notebooks, read_file
from graders.autograde.rebuild import MAX_SOURCE_BYTES, rebuild
from graders.autograde.records import Evidence
from graders.autograde.text import visible

ASSIGNMENT = load_assignment(open_course(ROOT / "course"), UNIT)
(LESSON,) = ASSIGNMENT.lessons
EVIDENCE = Evidence("graded", "", ())
PLAN = [
    (cell.kind, cell.grade_id)
    for cell in rebuild(ASSIGNMENT, LESSON, LESSON.release.encode(), "ada").submission.cells
]


def released(answers: dict[str, str] | None = None) -> dict:
    """The student version as JSON, with answers."""
    notebook = json.loads(LESSON.release)
    for cell in notebook["cells"]:
        if grade_id(cell) in (answers or {}):
            cell["source"] = answers[grade_id(cell)]
    return notebook


def grade_id(cell: dict) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def find(notebook: dict, id: str) -> dict:
    return next(cell for cell in notebook["cells"] if cell.get("id") == id or grade_id(cell) == id)


def place(notebook: dict, id: str) -> int:
    return notebook["cells"].index(find(notebook, id))


def code(source: str, **metadata) -> dict:
    """A code cell of a student's own."""
    return {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "outputs": [],
        "execution_count": None,
    }


def hand_in(notebook: dict | bytes):
    content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return rebuild(ASSIGNMENT, LESSON, content, "ada")


def plan(rebuilt) -> list[tuple[str, str]]:
    return [(cell.kind, cell.grade_id) for cell in rebuilt.submission.cells]


def sources(rebuilt, kind: str) -> dict[str, str] | list[str]:
    cells = [cell for cell in rebuilt.submission.cells if cell.kind == kind]
    return (
        [cell.source for cell in cells] if kind == "extra" else {cell.grade_id: cell.source for cell in cells}
    )


def instructors(rebuilt) -> list[tuple[str, str, str, float]]:
    """What the instructor wrote of a rebuilt notebook."""
    cells = rebuilt.submission.cells
    return [
        (cell.kind, cell.grade_id, cell.source, cell.points)
        for cell in cells
        if cell.kind in ("setup", "test")
    ]


ORIGINAL = instructors(hand_in(released()))


def test_an_honest_notebook_is_setup_answers_and_checks_in_order():
    rebuilt = hand_in(released(RIGHT))
    assert plan(rebuilt) == [
        ("setup", ""), ("setup", ""),
        ("solution", "build-head"), ("test", "check-build-head"),
        ("solution", "freeze-backbone"), ("test", "check-freeze-backbone"),
        ("solution", "choose-plan"), ("test", "check-choose-plan"),
    ]  # fmt: skip
    assert sources(rebuilt, "solution") == RIGHT
    assert rebuilt.submission.notes == ()
    assert [cell.points for cell in rebuilt.submission.cells if cell.kind == "test"] == [1, 2, 2]


def test_the_same_file_draws_the_same_inputs_and_another_one_others():
    first, again, other = hand_in(released(RIGHT)), hand_in(released(RIGHT)), hand_in(released())
    assert (first.submission.digest, first.submission.seed) == (
        again.submission.digest,
        again.submission.seed,
    )
    assert first.submission.seed != other.submission.seed
    content = json.dumps(released(RIGHT)).encode()
    assert rebuild(ASSIGNMENT, LESSON, content, "ben").submission.seed != first.submission.seed


def test_a_students_own_cell_stays_after_the_cell_it_followed():
    notebook = released(RIGHT)
    notebook["cells"].insert(place(notebook, "check-build-head"), code("helper = 1"))
    notebook["cells"].insert(0, code("first = 1"))
    rebuilt = hand_in(notebook)
    assert plan(rebuilt)[0] == ("extra", "")
    assert plan(rebuilt)[3:6] == [("solution", "build-head"), ("extra", ""), ("test", "check-build-head")]
    assert sources(rebuilt, "extra") == ["first = 1", "helper = 1"]


def test_a_changed_setup_cell_runs_after_the_instructors_own():
    notebook = released(RIGHT)
    find(notebook, "setup-torch")["source"] += "\nimport math"
    rebuilt = hand_in(notebook)
    assert instructors(rebuilt) == ORIGINAL
    assert sources(rebuilt, "extra") == ["import torch\nfrom torch import nn\nimport math"]
    assert plan(rebuilt)[1:3] == [("setup", ""), ("extra", "")]


def test_changed_checks_count_as_they_were_handed_out():
    notebook = released(RIGHT)
    check = find(notebook, "check-build-head")
    check["source"] = "pass"
    check["metadata"]["nbgrader"]["points"] = 100
    rebuilt = hand_in(notebook)
    assert instructors(rebuilt) == ORIGINAL
    assert "The cell `check-build-head` was changed; the lesson's own was taken." in rebuilt.submission.notes


def test_deleted_checks_are_back_and_copied_ones_run_once():
    notebook = released(RIGHT)
    notebook["cells"].remove(find(notebook, "check-build-head"))
    notebook["cells"].append(dict(find(notebook, "check-choose-plan")))
    rebuilt = hand_in(notebook)
    assert instructors(rebuilt) == ORIGINAL and sources(rebuilt, "extra") == []


def test_a_renamed_check_neither_runs_nor_costs_anything():
    notebook = released(RIGHT)
    check = find(notebook, "check-build-head")
    check["metadata"]["nbgrader"]["grade_id"] = "check-something"
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == PLAN
    check["source"] = "raise SystemExit"
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == PLAN
    assert "A check that is not the lesson's (`check-something`) was left out." in rebuilt.submission.notes


def test_of_two_copies_of_an_answer_the_one_that_was_filled_in_counts():
    notebook = released(RIGHT)
    stub = find(released(), "build-head")
    notebook["cells"].insert(place(notebook, "build-head"), stub)
    rebuilt = hand_in(notebook)
    assert sources(rebuilt, "solution") == RIGHT
    assert any("`build-head` is there 2 times" in note for note in rebuilt.submission.notes)


def test_of_two_answers_the_one_in_its_place_counts():
    notebook = released(RIGHT)
    other = {**find(notebook, "build-head"), "source": "build_head = None"}
    notebook["cells"].insert(0, other)
    notebook["cells"].append(other)
    assert sources(hand_in(notebook), "solution") == RIGHT


def test_of_two_answers_in_their_place_the_last_one_counts_and_the_first_runs_before_it():
    """As in a notebook that is run from top to bottom: it may hold a helper, or an attempt that was given up."""
    notebook = released(RIGHT)
    helper = {**find(notebook, "build-head"), "id": "copied", "source": "class Head(nn.Linear): pass"}
    notebook["cells"][place(notebook, "build-head") : place(notebook, "build-head")] = [
        helper,
        code("own = 1"),
    ]
    rebuilt = hand_in(notebook)
    assert sources(rebuilt, "solution") == RIGHT
    assert sources(rebuilt, "extra") == [helper["source"], "own = 1"]
    first = plan(rebuilt).index(("extra", ""))
    assert plan(rebuilt)[first : first + 3] == [("extra", ""), ("extra", ""), ("solution", "build-head")]


@pytest.mark.parametrize("where", ["build-head", "check-choose-plan"])
def test_an_answer_that_lost_all_its_names_is_found_by_what_it_defines(where):
    notebook = released(RIGHT)
    cell = find(notebook, "build-head")
    notebook["cells"].remove(cell)
    notebook["cells"].insert(place(notebook, where) if where != "build-head" else 6, code(cell["source"]))
    rebuilt = hand_in(notebook)
    assert sources(rebuilt, "solution") == RIGHT and plan(rebuilt) == PLAN
    said = "The cell `build-head` is missing; the one that defines `build_head` was taken for it."
    assert rebuilt.submission.notes == (said,)


def test_a_notebook_without_ids_and_metadata_is_read():
    notebook = released(RIGHT)
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"] = {"_uuid": "x", "trusted": True}
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == PLAN and sources(rebuilt, "solution") == RIGHT


def test_a_missing_answer_is_said_and_costs_only_its_exercise():
    notebook = released(RIGHT)
    notebook["cells"].remove(find(notebook, "build-head"))
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == [one for one in PLAN if one != ("solution", "build-head")]
    assert rebuilt.submission.notes == ("The cell `build-head` is missing from what was handed in.",)


def test_reordered_cells_run_in_the_lessons_order():
    notebook = released(RIGHT)
    notebook["cells"].reverse()
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == PLAN and sources(rebuilt, "solution") == RIGHT


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_that_became_prose_is_an_answer(kind):
    notebook = released(RIGHT)
    find(notebook, "build-head")["cell_type"] = kind
    rebuilt = hand_in(notebook)
    assert sources(rebuilt, "solution") == RIGHT
    assert f"The cell `build-head` had become {kind}; it counts as code." in rebuilt.submission.notes


def test_windows_line_ends_are_no_difference():
    content = json.dumps(released(RIGHT)).replace("\\n", "\\r\\n").encode()
    assert hand_in(content).submission.cells == hand_in(released(RIGHT)).submission.cells


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_an_editors_encoding_is_read(encoding):
    answers = RIGHT | {"build-head": f"# café\n{RIGHT['build-head']}"}
    content = json.dumps(released(answers), ensure_ascii=False).replace("–", "-").encode(encoding, "replace")
    assert sources(hand_in(content), "solution") == answers


def test_answers_are_found_by_the_cells_id_where_the_metadata_is_gone():
    notebook = released(RIGHT)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == PLAN and sources(rebuilt, "solution") == RIGHT


@pytest.mark.parametrize("schema", [0, 1, 2, 99, "three", None])
def test_an_unknown_schema_of_the_metadata_is_no_reason_not_to_grade(schema):
    notebook = released(RIGHT)
    for cell in notebook["cells"]:
        if grade_id(cell):
            cell["metadata"]["nbgrader"]["schema_version"] = schema
    assert sources(hand_in(notebook), "solution") == RIGHT


def test_notebooks_of_older_formats_are_read():
    old = released(RIGHT)
    for cell in old["cells"]:
        del cell["id"]
    old["nbformat_minor"] = 2
    assert plan(hand_in(old)) == PLAN and sources(hand_in(old), "solution") == RIGHT
    cells = [
        {**cell, "input": cell.pop("source")} if cell["cell_type"] == "code" else cell
        for cell in old["cells"]
    ]
    third = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    assert plan(hand_in(third)) == PLAN and sources(hand_in(third), "solution") == RIGHT


def test_cells_that_are_none_are_left_out_and_said():
    notebook = released(RIGHT)
    notebook["cells"][:0] = [
        None,
        5,
        [],
        {},
        {"cell_type": "code", "source": 5},
        {"cell_type": [], "source": ""},
    ]
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == PLAN and sources(rebuilt, "solution") == RIGHT
    assert len(rebuilt.submission.notes) == 6


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b" \n", "empty file"),
        (b"my dog ate it", "not JSON"),
        (b'{"cells": [', "not JSON"),
        (b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[]", "no list of cells"),
        (b'{"cells": 5}', "no list of cells"),
        (b'{"worksheets": 5}', "no list of cells"),
        (b"\x00\xff\xfe\x80", "not JSON"),
        (b" " * (MAX_FILE_BYTES + 1), "larger than 32 MiB"),
        (json.dumps({"cells": [code("x")] * 2001}).encode(), "2,001 cells"),
        (b'{"cells": [' + b"[]," * 1_000_001 + b"[]]}", "more than 2,000,000 numbers, texts and lists"),
    ],
    ids=range(13),
)
def test_what_is_no_notebook_gets_a_sentence(content, said):
    with pytest.raises(RebuildError, match=said):
        hand_in(content)


def test_a_cell_full_of_data_gets_a_sentence():
    with pytest.raises(RebuildError, match="`build-head` holds 256 KiB of source, and at most 256 KiB"):
        hand_in(released({"build-head": "x" * (MAX_SOURCE_BYTES + 1)}))
    notebook = released()
    notebook["cells"] += [code("y" * 250_000)] * 5
    with pytest.raises(RebuildError, match="The cells hold 12.. KiB"):
        hand_in(notebook)


def test_names_are_looked_for_in_no_more_than_is_read():
    notebook = released()
    notebook["cells"].remove(find(notebook, "build-head"))
    notebook["cells"].append(code("a=\n" * 7_000_000))
    with pytest.raises(RebuildError, match="KiB are read"):
        hand_in(notebook)


def test_links_are_not_followed(tmp_path):
    secret = tmp_path / "gradebook.db"
    secret.write_bytes(b"secret")
    folder = tmp_path / "submitted" / "ada" / UNIT
    folder.mkdir(parents=True)
    (folder / f"{UNIT}.ipynb").symlink_to(secret)
    (found,) = find_notebooks(folder, (UNIT,))
    with pytest.raises(RebuildError, match="is a link"):
        read_file(found.path)
    other = tmp_path / "submitted" / "ben"
    other.symlink_to(tmp_path / "submitted" / "ada")
    (found,) = find_notebooks(other / UNIT, (UNIT,))
    assert found.path is None and "is a link" in found.problem


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    for name in ("pipe.ipynb", "folder.ipynb", "missing.ipynb"):
        with pytest.raises(RebuildError, match=name):
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
    assert "and it is empty" in find_notebooks(tmp_path, (UNIT,))[0].problem
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


def test_thousands_of_remarks_are_counted():
    notebook = released()
    notebook["cells"] += [3] * 1500
    *some, last = hand_in(notebook).submission.notes
    assert len(some) == 20 and last == "There is more of this kind (1,480)."


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
    """The released notebook after a student has been at it: cells copied, moved, dropped, changed, made up."""
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
        replace(cell, source=visible(cell.source, 16 << 10)) for cell in rebuilt.submission.cells
    ]


@settings(max_examples=300, deadline=None)
@given(anything | st.binary(max_size=200))
def test_whatever_the_file_the_only_error_is_a_sentence(content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        rebuilt = hand_in(content)
    except RebuildError as error:
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
