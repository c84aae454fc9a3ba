"""A guess comes before the answer; a guess that makes no sense gets a sentence."""

import pytest

from tlwidgets.views import Predict
from tlwidgets.views.environment import is_live


@pytest.mark.parametrize(
    ("said", "meant"), [("1,200", 1200), ("1.5 M", 1.5e6), ("85 %", 0.85), (3, 3.0), ("2k", 2000)]
)
def test_numbers_as_people_write_them(said, meant):
    asked = Predict("How many?")
    asked.guess = said
    assert asked.guess == meant


@pytest.mark.parametrize("nonsense", ["many", "", None, True, "1.2.3", float("nan")])
def test_what_is_no_number_gets_a_sentence(nonsense):
    asked = Predict("How many?")
    with pytest.raises(ValueError, match="is no number"):
        asked.guess = nonsense


def test_a_choice_is_one_of_the_choices():
    asked = Predict("Which?", kind="choice", choices=("early", "late"))
    with pytest.raises(ValueError, match="none of the choices"):
        asked.guess = "never"
    asked.guess = "early"
    asked.reveal("late")
    assert "Not what you guessed" in asked.state["verdict"]


def test_after_the_answer_the_guess_stays():
    asked = Predict("How many?", unit="parameters")
    asked.reveal(770)
    with pytest.raises(ValueError, match="The answer is out"):
        asked.guess = 770
    assert asked.state["verdict"] == "No guess made."


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "essay"},
        {"kind": "choice"},
        {"kind": "choice", "choices": ("a", "a")},
        {"choices": ("a", "b")},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        Predict("What?", **wrong)


def test_the_environment_variable_decides_and_a_typo_is_told(monkeypatch):
    for value, live in (("live", True), ("static", False)):
        monkeypatch.setenv("TLWIDGETS_VIEW", value)
        assert is_live() is live
    monkeypatch.setenv("TLWIDGETS_VIEW", "dynamic")
    with pytest.raises(ValueError, match="expected 'live' or 'static'"):
        is_live()
    monkeypatch.delenv("TLWIDGETS_VIEW")
    assert is_live() is False
