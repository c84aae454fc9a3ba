"""The input without a browser: what comes over the wire is taken whole, or a sentence says why not."""

from __future__ import annotations

import gc
import io
import json
import weakref
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import wavfile

from tests.widgets.conftest import click, shown
from tlwidgets.data import Media, MediaError
from tlwidgets.widgets import MediaInput

RED = np.full((4, 6, 3), (255, 0, 0), np.uint8)
BLUE = np.full((5, 5, 3), (0, 0, 255), np.uint8)
TONE = (0.5 * np.sin(np.arange(16_000) / 5)).astype(np.float32)


def png(pixels=RED) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def wav(samples=TONE, rate=16_000) -> bytes:
    out = io.BytesIO()
    wavfile.write(out, rate, samples)
    return out.getvalue()


def send(panel, content: bytes, kind: str, name: str, piece: int = 50, **about) -> None:
    """As the browser sends a file."""
    about = {"form": "file", **about}
    click(panel, type="begin", id="a", kind=kind, name=name, size=len(content), **about)
    for at in range(0, len(content), piece):
        panel._widget._handle_custom_msg(
            {"type": "chunk", "id": "a", "at": at}, [memoryview(content[at : at + piece])]
        )
    click(panel, type="end", id="a")


def test_a_file_that_comes_in_pieces_is_read_and_told(live):
    told = []
    panel = MediaInput(on_input=told.append)
    messages = shown(panel)
    send(panel, png(), "picture", "C:\\pictures\\red.png")
    assert np.array_equal(panel.value.picture, RED) and panel.value.name == "red.png"
    assert told == [panel.value]
    assert {"type": "done", "id": "a"} in messages
    send(panel, wav(), "sound", "tone.wav", piece=10_000)
    assert np.array_equal(panel.value.sound, TONE) and panel.value.rate == 16_000
    click(panel, type="text", text=" Hello. ")
    assert panel.value.text == "Hello." and [media.kind for media in told] == ["picture", "sound", "text"]
    assert panel.recent == tuple(reversed(told))


def test_samples_that_a_browser_decoded_are_averaged_at_their_rate(live):
    panel = MediaInput(longest_sound=2)
    shown(panel)
    planes = np.stack([TONE, np.zeros_like(TONE)]).astype("<f4").tobytes()
    send(
        panel,
        planes,
        "sound",
        "song.mp3",
        piece=4_096,
        form="samples",
        rate=8_000,
        channels=2,
        decoded=True,
        seconds=9.0,
    )
    assert panel.value.notes == (
        "Your browser decoded it.",
        "Only the first 2.0 s of 9.0 s are used.",
        "Two channels were averaged.",
        "8,000 Hz became 16,000 Hz.",
    )
    assert len(panel.value.sound) == 32_000
    assert np.abs(panel.value.sound[2_000:-2_000]).max() == pytest.approx(0.25, abs=0.01)


def test_a_file_that_is_too_large_is_refused_by_its_size_alone(live):
    panel = MediaInput(most_bytes=1_000)
    messages = shown(panel)
    click(panel, type="begin", id="a", kind="picture", name="huge.png", size=200_000_000)
    panel._widget._throttle.flush()
    said = messages[-1]["state"]["message"]
    assert said == {
        "kind": "error",
        "text": "huge.png has 200.0 MB; at most 0.0 MB are taken. Make it smaller, or choose another.",
    }
    assert {"type": "done", "id": "a"} in messages
    panel._widget._handle_custom_msg({"type": "chunk", "id": "a", "at": 0}, [memoryview(b"more")])
    click(panel, type="end", id="a")
    assert panel.value is None and not len(panel._uploads)


def test_more_than_was_announced_is_not_kept(live):
    panel = MediaInput()
    shown(panel)
    click(panel, type="begin", id="a", kind="picture", name="x.png", size=10)
    panel._widget._handle_custom_msg({"type": "chunk", "id": "a", "at": 0}, [memoryview(bytes(11))])
    assert not len(panel._uploads) and "did not arrive completely" in panel.state["message"]["text"]
    for number in range(9):
        click(panel, type="begin", id=str(number), kind="picture", name="x.png", size=10)
    assert len(panel._uploads) == 4


@pytest.mark.parametrize(
    ("content", "kind", "name", "about", "says"),
    [
        (b"", "picture", "empty.png", {}, "empty.png is empty: it has 0 bytes"),
        (b"Dear cat", "picture", "letter.png", {}, "letter.png is not a picture: it looks like a text"),
        (png(), "sound", "cat.wav", {}, "cat.wav cannot be read as a sound: it looks like a PNG picture"),
        (png(), "film", "cat.mp4", {}, "takes a picture, sound or text; got a film"),
        (b"\0\1\2", "sound", "x.aac", {"form": "undecoded"}, "Your browser cannot decode it either"),
        (
            bytes(7),
            "sound",
            "x.mp3",
            {"form": "samples", "rate": 48_000, "channels": 1},
            "did not arrive completely",
        ),
        (
            bytes(8),
            "sound",
            "x.mp3",
            {"form": "samples", "rate": "fast", "channels": 1},
            "did not arrive completely",
        ),
        (
            bytes(8),
            "sound",
            "x.mp3",
            {"form": "samples", "rate": float("nan"), "channels": 1},
            "did not arrive",
        ),
        (bytes(8), "sound", "x.mp3", {"form": "samples", "rate": 1, "channels": 1}, "samples a second"),
    ],
)
def test_what_can_not_be_taken_gets_a_sentence_and_what_there_was_stays(
    live, content, kind, name, about, says
):
    panel = MediaInput(example=RED)
    messages = shown(panel)
    send(panel, content, kind, name, **about)
    message = panel.state["message"]
    assert message["kind"] == "error" and says in message["text"]
    assert np.array_equal(panel.value.picture, RED)
    assert {"type": "done", "id": "a"} in messages


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["begin", "chunk", "end", "text", "choose", "listen", "undo", "clear", "hello", "fly", None]
            ),
            st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "kind",
                        "name",
                        "size",
                        "form",
                        "rate",
                        "channels",
                        "seconds",
                        "shrunk",
                        "at",
                        "text",
                        "place",
                    ]
                ),
                json_values | st.sampled_from(["a", "picture", "sound", "samples", 0, 8]),
            ),
            st.binary(max_size=8),
        ),
        max_size=8,
    )
)
def test_no_message_from_a_browser_breaks_the_panel(messages):
    with (
        patch.dict("os.environ", TLWIDGETS_VIEW="live"),
        patch("IPython.display.publish_display_data"),
    ):
        panel = MediaInput()
        shown(panel)
        for kind, content, piece in messages:
            panel._widget._handle_custom_msg({**content, "type": kind}, [memoryview(piece)])
            json.dumps(panel.state, allow_nan=False)
        panel.give("still there")
        assert panel.value.text == "still there"
        panel.close()


def test_undo_and_clear_go_back_and_tell(static):
    told = []
    panel = MediaInput(on_input=told.append)
    red, blue = panel.give(RED), panel.give(BLUE)
    panel.clear()
    assert panel.value is None and panel.code == "" and not panel.state["value"]
    panel.undo()
    assert panel.value is blue
    panel.undo()
    assert panel.value is red and told == [red, blue, blue, red]
    panel.undo()
    assert panel.value is red and panel.state["message"]["text"] == "There is nothing to undo."
    panel.choose(0)
    assert panel.value is blue
    assert [entry["chosen"] for entry in panel.state["recent"]] == [True, False]
    panel.undo()
    assert panel.value is red
    with pytest.raises(MediaError, match="no earlier input at place 9; there are 2"):
        panel.choose(9)


def test_only_the_last_few_are_kept(static):
    panel = MediaInput()
    for number in range(40):
        panel.give(f"text {number}")
    assert [media.text for media in panel.recent] == [f"text {number}" for number in range(39, 33, -1)]
    assert len(panel._history) == 12


def test_a_callback_is_told_what_there_is_and_its_words_are_shown(static):
    panel = MediaInput(example=RED)
    end = panel.on_input(lambda media: f"A {media.kind} of {media.picture.shape[1]} columns.")
    assert panel.state["answer"] == "A picture of 6 columns."
    panel.give(BLUE)
    assert panel.state["answer"] == "A picture of 5 columns."
    end()
    end()
    panel.give(RED)
    assert panel.state["answer"] == ""


def test_what_a_callback_raises_is_a_sentence_in_the_view_and_an_error_in_code(live):
    def broken(media):
        raise RuntimeError("the index is empty")

    panel = MediaInput(on_input=broken)
    shown(panel)
    send(panel, png(), "picture", "red.png")
    assert panel.state["message"] == {
        "kind": "error",
        "text": "Your input was read, but the code that handles it failed: RuntimeError: the index is empty",
    }
    assert np.array_equal(panel.value.picture, RED)
    with pytest.raises(RuntimeError, match="the index is empty"):
        panel.give(BLUE)


def test_a_sound_is_sent_to_be_heard_when_it_is_asked_for(live):
    panel = MediaInput(example=TONE)
    shown(panel)
    sent = []
    panel._widget.send = lambda content, buffers=None: sent.append((content, buffers))
    click(panel, type="listen")
    (content, (buffer,)) = sent[-1]
    assert content == {"type": "sound"}
    rate, heard = wavfile.read(io.BytesIO(buffer))
    assert rate == 16_000 and len(heard) == len(TONE)


def test_where_nobody_can_click_the_example_is_shown(static, published):
    panel = MediaInput(example=RED, on_input=lambda media: "Looks red.")
    panel._ipython_display_()
    data = published[-1][0]
    assert panel._widget is None
    assert "picture, as the model gets it: 6 pixels wide, 4 high." in data["text/plain"]
    assert "Looks red." in data["text/plain"] and "In JupyterLab, run this cell" in data["text/html"]


def test_the_page_follows_what_later_cells_do(static, published):
    panel = MediaInput(example=RED)
    panel._ipython_display_()
    place = published[-1][1]
    panel.on_input(lambda media: f"{media.picture.shape[1]} columns.")
    data, transient, update = published[-1]
    assert update and transient == place and "6 columns." in data["text/plain"]
    panel.give(BLUE)
    assert "5 columns." in published[-1][0]["text/plain"]


def test_a_file_of_code_is_what_its_bytes_say(static, tmp_path):
    panel = MediaInput()
    (tmp_path / "misnamed.txt").write_bytes(png())
    assert panel.give(tmp_path / "misnamed.txt").kind == "picture" and panel.value.name == "misnamed.txt"
    (tmp_path / "words.png").write_bytes("Ein Käse.".encode())
    assert panel.give(tmp_path / "words.png").text == "Ein Käse."
    assert panel.give(wav()).kind == "sound"
    with pytest.raises(MediaError, match="is not a picture: it looks like a text"):
        panel.give(tmp_path / "words.png", "picture")
    assert panel.give(png(), name="red").name == "red"
    media = Media("text", "mine", text="words")
    assert panel.give(media) is media
    with pytest.raises(MediaError, match=r"gone\.png could not be opened"):
        panel.give(tmp_path / "gone.png")
    with pytest.raises(MediaError, match="neither a picture"):
        panel.give(np.zeros((3, 3, 3)))
    with pytest.raises(MediaError, match="takes a sound; got a picture"):
        MediaInput(("sound",)).give(RED)
    for thing in (None, 3, ["red.png"]):
        with pytest.raises(
            MediaError, match=f"Got a {type(thing).__name__}. Expected a picture, a sound or a text"
        ):
            panel.give(thing)


@pytest.mark.parametrize("precision", [torch.float64, torch.bfloat16])
def test_a_tensor_of_any_precision_is_a_sound(static, precision):
    tone = torch.tensor(TONE, dtype=precision, requires_grad=True)
    assert MediaInput().give(tone).sound.shape == TONE.shape


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"accept": ()}, "at least one of picture, sound, text"),
        ({"accept": ("film",)}, "at least one of picture, sound, text"),
        ({"accept": ("text", "text")}, "each once"),
        ({"most_bytes": 0}, "most_bytes must be a number of at least 1; got 0"),
        ({"longest_sound": float("nan")}, "longest_sound must be .* got nan"),
        ({"longest_side": "big"}, "longest_side must be .* got 'big'"),
        ({"rate": 1}, "rate must be a number of at least 1000; got 1"),
    ],
)
def test_an_input_that_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        MediaInput(**arguments)


def test_a_closed_input_keeps_its_value_and_a_lost_one_is_let_go(live):
    panel = MediaInput(example=RED)
    shown(panel)
    panel.close()
    panel.close()
    assert np.array_equal(panel.value.picture, RED) and panel.state["closed"]
    lost = weakref.ref(MediaInput(example=RED))
    gc.collect()
    assert lost() is None
