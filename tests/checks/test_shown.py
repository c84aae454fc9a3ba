"""In a notebook a check says that it was passed, or shows its message and where the answer stopped."""

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from graders.checks import exercises

FUSE_LATE = next(one for one in exercises("03-multimodal-models") if one.id == "fuse-late")
RIGHT = FUSE_LATE.right["row_by_row"]
CALL = "from graders.checks import check_fuse_late\ncheck_fuse_late(fuse_late)"


@pytest.fixture
def shown():
    """What running these cells, one after the other, puts on the screen."""
    shell = InteractiveShell.instance()

    def run(*cells: str) -> str:
        with capture_output() as captured:
            for cell in cells:
                shell.run_cell(cell)
        return captured.stdout + captured.stderr

    yield run
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_the_message_and_its_hint_are_all_there_is(shown):
    said = shown(
        "def fuse_late(logits, present):\n    return sum(one.softmax(1) for one in logits.values())", CALL
    )
    first, second = said.strip().splitlines()
    assert first.startswith("CheckFailed: This adds the probabilities up")
    assert second.startswith("Try: Divide by how many")


def test_code_that_stopped_is_shown_with_its_line(shown):
    said = shown(
        "def fuse_late(logits, present):\n    names = list(logits)\n    return logits[names[9]]", CALL
    )
    assert "stopped with IndexError: list index out of range" in said
    assert "Line 3 of its cell: return logits[names[9]]" in said
    assert "reference.py" not in said and "against_reference" not in said


def test_what_was_passed_is_said_with_its_xp(shown):
    said = shown("import torch", RIGHT, CALL)
    assert said.strip() == "✓ Fuse late: passed, 1 XP. (Provisional: the gradebook has the last word.)"


def test_without_a_notebook_nothing_is_said(capfd):
    namespace = {"torch": torch}
    exec(RIGHT, namespace)
    FUSE_LATE.check(namespace["fuse_late"])
    assert capfd.readouterr() == ("", "")
