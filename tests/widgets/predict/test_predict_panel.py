"""A guess comes before the answer; a guess that makes no sense gets a sentence."""

import pytest

from tests.widgets.conftest import click, shown
from tlwidgets.widgets import Predict
from tlwidgets.widgets.base.environment import is_live
from tlwidgets.widgets.predict.static import predict_html, predict_text


@pytest.mark.parametrize(
    ("said", "meant"), [("1,200", 1200), ("1.5 M", 1.5e6), ("85 %", 0.85), (3, 3.0), ("2k", 2000)]
)
def test_numbers_as_people_write_them(said, meant):
    asked = Predict("How many?")
    asked.guess = said
    assert asked.guess == meant


@pytest.mark.parametrize("nonsense", ["many", "", None, True, "1.2.3", float("nan")])
def test_what_is_not_a_number_gets_a_sentence(nonsense):
    asked = Predict("How many?")
    with pytest.raises(ValueError, match="is not a number"):
        asked.guess = nonsense


def test_a_choice_is_one_of_the_choices():
    asked = Predict("Which?", kind="choice", choices=("early", "late"))
    with pytest.raises(ValueError, match="Expected one of the choices"):
        asked.guess = "never"
    asked.guess = "early"
    asked.reveal("late")
    assert "Not what you guessed" in asked.state["verdict"]


def test_after_the_answer_the_guess_stays():
    asked = Predict("How many?", unit="parameters")
    asked.reveal(770)
    with pytest.raises(ValueError, match="The answer has been revealed"):
        asked.guess = 770
    assert asked.state["verdict"] == "No guess made."


def test_a_guess_from_the_browser_is_taken_or_refused_with_a_sentence(live):
    asked = Predict("How many?", unit="parameters")
    messages = shown(asked)
    click(asked, type="guess", value="many")
    click(asked, type="guess", value="1.5 k")
    click(asked, type="hello", view="a")
    state = messages[-1]["state"]
    assert [message["type"] for message in messages].count("snapshot") == len(messages)
    assert (state["guess"], state["message"]["text"], asked.guess) == ("1,500 parameters", "", 1500.0)
    click(asked, type="guess", value="many")
    assert asked.guess == 1500.0 and asked.state["message"]["kind"] == "error"
    assert "is not a number" in asked.state["message"]["text"]
    click(asked, type="dance")
    assert "'dance'" in asked.state["message"]["text"] and asked.guess == 1500.0
    asked.close()


def test_the_live_view_has_the_words_and_the_static_view_the_same_values(live):
    asked = Predict("How many?", unit="parameters")
    asked.guess = 385
    asked.reveal(770)
    assert [(side["text"], side["share"]) for side in asked.state["sides"]] == [
        ("385 parameters", 0.5),
        ("770 parameters", 1.0),
    ]
    for said in (predict_html(asked.state), predict_text(asked.state)):
        for words in ("385 parameters", "770 parameters", "Too low, by a factor of 2."):
            assert words in said


def test_revealing_publishes_the_comparison_and_the_view_keeps_it_when_closed(live, published):
    asked = Predict("How many?")
    shown(asked)
    asked.reveal(770)
    assert "770" in published[-1][0]["text/plain"] and "No guess made" not in published[-1][0]["text/html"]
    asked.close()
    asked.close()
    receipt, transient, update = published[-1]
    assert update and "770" in receipt["text/html"] and transient["display_id"].startswith("tl-receipt")
    assert asked._widget is None


def test_where_nobody_clicks_the_static_view_is_shown_and_no_widget_is_made(static, published):
    asked = Predict("Which?", kind="choice", choices=("early", "late"))
    asked._ipython_display_()
    assert "No guess made." in published[-1][0]["text/plain"] and asked._widget is None


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


def test_the_environment_variable_decides_and_a_typo_gets_a_sentence(monkeypatch):
    for value, live in (("live", True), ("static", False)):
        monkeypatch.setenv("TLWIDGETS_VIEW", value)
        assert is_live() is live
    monkeypatch.setenv("TLWIDGETS_VIEW", "dynamic")
    with pytest.raises(ValueError, match="expected 'live' or 'static'"):
        is_live()
    monkeypatch.delenv("TLWIDGETS_VIEW")
    assert is_live() is False
