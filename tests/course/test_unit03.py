"""What unit 03's checks say about programs that are in no catalogue is true and helps."""

import re

import pytest

from graders.checks import CheckFailed, exercises
from graders.checks.programs import functions

pytestmark = pytest.mark.slow

EXERCISES = {exercise.id: exercise for exercise in exercises("03-multimodal-models")}
PROGRAM = {
    "contrastive-loss": "cross_entropy_both_ways",
    "really-uses": "eval_and_back",
    "split-clips": "one_pass",
    "fuse-late": "sum_and_count",
}


def told(exercise_id: str, program: str) -> CheckFailed:
    """What a check says to this program."""
    exercise = EXERCISES[exercise_id]
    with pytest.raises(CheckFailed) as caught:
        exercise.check(*functions(program, exercise.functions))
    return caught.value


def changed(exercise_id: str, old: str, new: str) -> str:
    """A right program with one thing in it that is not right."""
    right = EXERCISES[exercise_id].right[PROGRAM[exercise_id]]
    assert old in right
    return right.replace(old, new)


@pytest.mark.parametrize("exercise_id", PROGRAM)
def test_a_forgotten_return_is_asked_for(exercise_id):
    failed = told(exercise_id, changed(exercise_id, "    return ", "    answer = "))
    assert "None" in failed.message and "return" in failed.message
    assert failed.mistake is None


def test_a_label_that_was_translated_is_not_called_another_clip_s():
    program = changed(
        "split-clips", "clip[key] for key", "len(clip[key]) if key == 'label' else clip[key] for key"
    )
    assert re.search(r"the label \d+, and its own is '.+'", told("split-clips", program).message)


def test_two_things_that_are_not_lists_are_named():
    program = changed("split-clips", "return train, test", "return iter(train), tuple(test)")
    assert (
        "returned a list_iterator and a tuple. Expected a tuple of two lists"
        in told("split-clips", program).message
    )


def test_a_lost_waveform_is_told_by_the_keys_that_are_left():
    program = changed("split-clips", '("text", "waveform", "label")', '("text", "label")')
    assert (
        told("split-clips", program).message
        == "A clip has the keys 'label', 'text'. Expected 'text', 'waveform', 'label'."
    )


def test_both_directions_apart_are_not_taken_for_a_lost_gradient():
    program = changed("contrastive-loss", "(rows + columns) / 2", "rows, columns")
    assert "returned a tuple. Expected one tensor" in told("contrastive-loss", program).message


@pytest.mark.parametrize(
    "program",
    [
        changed("really-uses", "model(shuffled)", "model(features)"),
        changed("really-uses", "argmax(1)", "argmax()"),
    ],
    ids=["shuffled for nothing", "one class for all"],
)
def test_where_nothing_ever_falls_the_message_holds_for_each_cause(program):
    failed = told("really-uses", program)
    assert failed.mistake.id == "all-together"
    assert "the second does not get the shuffled rows" in failed.message


def test_a_share_of_the_accuracy_is_no_fall_of_it():
    program = changed("really-uses", "whole - less", "1 - less / whole")
    assert told("really-uses", program).mistake.id == "share-of-what-was-right"
