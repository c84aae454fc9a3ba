"""A submitted notebook is read whatever editor wrote it, and one that cannot be read gets a sentence."""

import json

import pytest
from classroom import RIGHT
from notebooks import PLAN, code, grade_id, hand_in, plan, released, sources

from graders.autograde.submission.files import MAX_FILE_BYTES, SubmissionError


def test_windows_line_ends_are_no_difference():
    content = json.dumps(released(RIGHT)).replace("\\n", "\\r\\n").encode()
    assert hand_in(content).submission.cells == hand_in(released(RIGHT)).submission.cells


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_an_editors_encoding_is_read(encoding):
    answers = RIGHT | {"build-head": f"# café\n{RIGHT['build-head']}"}
    content = json.dumps(released(answers), ensure_ascii=False).replace("–", "-").encode(encoding, "replace")
    assert sources(hand_in(content), "solution") == answers


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
def test_what_is_not_a_notebook_gets_a_sentence(content, said):
    with pytest.raises(SubmissionError, match=said):
        hand_in(content)
