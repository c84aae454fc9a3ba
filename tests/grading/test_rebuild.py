"""What runs is the instructor's notebook with a student's answers in it, whatever was handed in."""

import pytest
from classroom import RIGHT
from notebooks import ORIGINAL, PLAN, code, find, hand_in, instructors, place, plan, released, sources

from graders.autograde.submission.files import SubmissionError
from graders.autograde.submission.rebuild import MAX_SOURCE_BYTES


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
    assert hand_in(released(RIGHT), student="ben").submission.seed != first.submission.seed


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
    assert "The cell `check-build-head` was changed; the lesson's own was used." in rebuilt.submission.notes


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
    """As in a notebook that is run from top to bottom: it may hold a helper, or an abandoned attempt."""
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
    said = "The cell `build-head` is missing; the cell that defines `build_head` was taken for it."
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


def test_answers_are_found_by_the_cells_id_where_the_metadata_is_gone():
    notebook = released(RIGHT)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    rebuilt = hand_in(notebook)
    assert plan(rebuilt) == PLAN and sources(rebuilt, "solution") == RIGHT


def test_a_cell_full_of_data_gets_a_sentence():
    with pytest.raises(SubmissionError, match="`build-head` holds 256 KiB of source, and at most 256 KiB"):
        hand_in(released({"build-head": "x" * (MAX_SOURCE_BYTES + 1)}))
    notebook = released()
    notebook["cells"] += [code("y" * 250_000)] * 5
    with pytest.raises(SubmissionError, match="The cells hold 12.. KiB"):
        hand_in(notebook)


def test_names_are_looked_for_in_no_more_than_is_read():
    notebook = released()
    notebook["cells"].remove(find(notebook, "build-head"))
    notebook["cells"].append(code("a=\n" * 7_000_000))
    with pytest.raises(SubmissionError, match="KiB are read"):
        hand_in(notebook)


def test_thousands_of_remarks_are_counted():
    notebook = released()
    notebook["cells"] += [3] * 1500
    *some, last = hand_in(notebook).submission.notes
    assert len(some) == 20 and last == "And 1,480 more of this kind."
