"""A text that somebody wrote is what a tokenizer takes; a file's first bytes say what it is."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlwidgets.data import Media, MediaError, read_text
from tlwidgets.data.media import looks_like


@given(st.text(st.characters(codec=None), max_size=200))
def test_any_text_can_be_written_down_afterwards(text):
    try:
        kept, _ = read_text(text)
    except MediaError as error:
        assert "is empty" in str(error)
    else:
        kept.encode("utf-8")
        assert kept == kept.strip() != "" and read_text(kept) == (kept, ())


def test_letters_of_all_scripts_and_emoji_stay():
    for text in ("Ein Käse", "猫が好き", "صباح الخير", "👩‍🚀 flies", "a\nb\tc"):
        assert read_text(f"  {text} ") == (text, ())
    assert read_text("a\0b\x1b[31m\ud800") == ("ab[31m", ("3 characters that are no text were left out.",))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "is empty"),
        (" \n\0", "is empty"),
        ("a" * 5_001, "5,001 characters; at most 5,000"),
        (b"a", "of type bytes"),
    ],
)
def test_what_is_no_text_gets_a_sentence(wrong, says):
    with pytest.raises(MediaError, match=says):
        read_text(wrong)


@given(st.binary(max_size=600))
def test_a_guess_at_a_file_never_fails(content):
    assert isinstance(looks_like(content), str)


def test_a_record_stays_as_it_is():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Media("text", "text", text="a").text = "b"
