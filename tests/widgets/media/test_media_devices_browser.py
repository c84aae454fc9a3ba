"""In a real JupyterLab: what camera and microphone give is what the model gets, and both are given back."""

from __future__ import annotations

import re

import pytest

from tests.widgets.devices import TONE
from tests.widgets.media.files import (
    LENT,
    SETUP,
    SHOW,
    button,
    drop,
    gets,
    halves,
    is_blue,
    is_red,
    pixel,
    saved,
    says,
    tab,
    watch_tracks,
)

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("page")]  # they change what a page offers


def test_what_the_microphone_hears_is_what_the_model_gets(notebook):
    opened = notebook("microphone.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    tab(opened, "Sound").click()
    button(opened, "Record").click()
    opened.page.wait_for_function(
        "() => Number(document.querySelector('.tl-media [role=meter]').getAttribute('aria-valuenow')) > 50"
    )
    opened.locate(".tl-media .tl-time").get_by_text(re.compile(r"^[1-9]\.\d of 10 s")).wait_for()
    assert opened.page.evaluate(LENT) == 1
    button(opened, "Stop and use it").click()
    assert opened.page.evaluate(LENT) == 0, "the microphone is given back at once"
    gets(opened, "microphone.wav")
    hertz, seconds = map(float, opened.kernel("print(loudest(), len(media.value.sound) / 16_000)").split())
    assert abs(hertz - TONE) < 2, "the tone that was played to the microphone"
    assert 1 <= seconds <= 10
    assert button(opened, "Record").evaluate("(node) => node === document.activeElement")
    button(opened, "Play").click()
    opened.page.wait_for_function("window.tlPlayed.length === 1 && window.tlPlayed[0].startsWith('blob:')")


def test_a_recording_ends_by_itself(notebook):
    opened = notebook(
        "most.ipynb", SETUP.replace("MediaInput(", "MediaInput('sound', longest_sound=0.5, ", 1), SHOW
    )
    assert opened.locate(".tl-media [role=tablist]").is_hidden()
    watch_tracks(opened.page)
    button(opened, "Record").click()
    gets(opened, "microphone.wav")
    assert opened.kernel("print(len(media.value.sound))") == "8000"
    assert opened.page.evaluate(LENT) == 0


def test_a_still_from_the_camera_is_what_the_model_gets(notebook):
    opened = notebook("camera.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    button(opened, "Camera").click()
    button(opened, "Take the picture").click()
    assert opened.page.evaluate(LENT) == 0, "the camera's light goes out at once"
    gets(opened, "camera.png")
    assert is_red(pixel(opened, 5, 5)) and is_blue(pixel(opened, 5, -5))


def look(opened) -> None:
    """Have the camera on."""
    button(opened, "Camera").click()
    opened.locate(".tl-media .tl-video").wait_for()
    assert opened.page.evaluate(LENT) == 1


def test_the_camera_is_given_back_whichever_way_one_leaves_it(notebook):
    opened = notebook("leave.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    for leave in (
        lambda: button(opened, "Cancel").click(),
        lambda: tab(opened, "Text").click(),
        lambda: opened.kernel("media.close()"),
    ):
        tab(opened, "Picture").click()
        look(opened)
        leave()
        opened.page.wait_for_function(f"{LENT} === 0")


GOING = {
    "cleared output": lambda opened: opened.command("notebook:clear-all-cell-outputs"),
    "closed notebook": lambda opened: opened.close(),
}


@pytest.mark.parametrize("way", GOING)
def test_the_camera_is_given_back_when_its_view_goes(notebook, way):
    opened = notebook("gone.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    look(opened)
    GOING[way](opened)
    opened.page.wait_for_function(f"{LENT} === 0")


def test_after_a_restart_of_the_kernel_the_receipt_stands_in_and_the_camera_is_given_back(notebook):
    opened = notebook("restart.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    look(opened)
    opened.restart_kernel()
    opened.page.wait_for_function(f"{LENT} === 0")
    opened.locate(".tl-media").wait_for(state="hidden")
    opened.locate("div[class^=tl-receipt]").get_by_text("In JupyterLab, run this cell").wait_for()


def test_a_device_that_is_granted_too_late_is_given_back(notebook):
    opened = notebook("late.ipynb", SETUP, SHOW)
    watch_tracks(opened.page)
    opened.page.evaluate(
        """() => { const lend = MediaDevices.prototype.getUserMedia;
             const granted = new Promise((resolve) => { window.tlGrant = resolve; });
             MediaDevices.prototype.getUserMedia = async function (...rest) {
               await granted;
               return lend.apply(this, rest);
             }; }"""
    )
    button(opened, "Camera").click()
    tab(opened, "Text").click()
    opened.page.evaluate("window.tlGrant()")
    opened.page.wait_for_function(f"window.tlTracks.length === 1 && {LENT} === 0")


REFUSED = {
    "NotAllowedError": "The browser may not use the microphone.",
    "NotFoundError": "No microphone was found.",
    "NotReadableError": "The microphone is in use by another program.",
    "AbortError": "The microphone cannot be used (gone).",
}


def test_a_device_that_is_refused_gets_a_sentence_and_files_still_work(notebook):
    opened = notebook("refused.ipynb", SETUP, SHOW)
    opened.page.evaluate(
        "() => { MediaDevices.prototype.getUserMedia = async () => { throw new DOMException('gone', "
        "window.tlError); }; }"
    )
    tab(opened, "Sound").click()
    for error, words in REFUSED.items():
        opened.page.evaluate("(name) => { window.tlError = name; }", error)
        button(opened, "Record").click()
        says(opened, words)
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    assert opened.locate(".tl-media .tl-message").text_content() == "", "what was said before is gone"


@pytest.mark.parametrize(
    ("secure", "words"), [(True, "offers no camera to pages"), (False, "only over https")]
)
def test_where_there_are_no_devices_the_view_says_so_and_files_still_work(notebook, page, secure, words):
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined });"
        f"Object.defineProperty(window, 'isSecureContext', {{ get: () => {str(secure).lower()} }});"
    )
    opened = notebook("devices.ipynb", SETUP, SHOW)
    camera = button(opened, "Camera")
    assert camera.get_attribute("aria-disabled") == "true"
    why = opened.locate(f"#{camera.get_attribute('aria-describedby')}")
    assert words in why.inner_text() and "Choose a file instead." in why.inner_text()
    camera.press("Enter")
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
