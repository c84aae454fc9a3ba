"""A text that somebody wrote is what a tokenizer takes; a file's first bytes say what it is."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlwidgets.data import Media, MediaError, read_text
from tlwidgets.data.media import looks_like, text_of

pytestmark = pytest.mark.slow


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
    assert read_text("a\0b\x1b[31m\ud800") == ("ab[31m", ("3 characters that are not text were left out.",))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "is empty"),
        (" \n\0", "is empty"),
        ("\u200b\ufeff", "is empty"),
        ("a" * 5_001, "5,001 characters; at most 5,000"),
        (b"a", "of type bytes"),
    ],
)
def test_what_is_not_a_text_gets_a_sentence(wrong, says):
    with pytest.raises(MediaError, match=says):
        read_text(wrong)


LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn"))


@given(st.text(LETTERS, min_size=1, max_size=400), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_a_text_file_is_read_however_it_was_saved(text, encoding):
    content = text.encode(encoding)
    assert text_of(content) == text.removeprefix("\ufeff" if encoding == "utf-8" else "")
    assert looks_like(content) == "a text" or content.startswith((b"%PDF", b"<", b"ID3", b"GIF8"))


@given(st.integers(0, 9), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_a_long_text_is_one_wherever_its_beginning_is_cut(shift, encoding):
    content = ("a" * shift + "猫が好き" * 100).encode(encoding)
    assert looks_like(content) == looks_like(content[:512]) == "a text"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            "Grüße".encode("latin-1"),
            "is not a text that can be read. Expected plain text; save yours as UTF-8.",
        ),
        ("words".encode("utf-16-le"), "is not a text that can be read"),
        ("words".encode("utf-32"), "is not a text that can be read"),
        (b"\x89PNG\r\n\x1a\n\0\0", "it looks like a PNG picture"),
        (b"PK\x03\x04\xff", "it looks like a ZIP archive or an office document"),
        (b"a" * 20_005, "longer than 5,000 characters, the most that are taken"),
    ],
)
def test_other_files_are_not_read_as_text(content, says):
    with pytest.raises(MediaError, match=says):
        text_of(content)


@given(st.binary(max_size=600))
def test_a_guess_at_a_file_never_fails(content):
    assert isinstance(looks_like(content), str)


def test_a_record_stays_as_it_is():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Media("text", "text", text="a").text = "b"
