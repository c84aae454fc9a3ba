"""In a real JupyterLab: the view of one's own picture, sound or text is worked by keyboard, and remembers."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.widgets.media.files import (
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
    tab,
    tone,
    wav,
)

pytestmark = pytest.mark.browser


def test_a_picture_is_pasted(notebook):
    opened = notebook("paste.ipynb", SETUP, SHOW)
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.evaluate(
        """async (content) => {
             const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
             const picture = new Blob([bytes], { type: 'image/png' });
             await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
           }""",
        base64.b64encode(saved(halves(), "PNG")).decode(),
    )
    button(opened, "Choose a file").focus()
    opened.page.keyboard.press("Control+v")
    gets(opened, "image.png")
    assert is_red(pixel(opened, 5, 5)) and is_blue(pixel(opened, 5, -5))
    assert opened.page.evaluate("document.querySelectorAll('.jp-CodeCell').length") == 2, "no cell was pasted"


def test_all_is_done_by_keyboard(notebook):
    opened = notebook("keys.ipynb", SETUP, SHOW)
    keys = opened.page.keyboard
    tab(opened, "Picture").focus()
    for key, name in (
        ("ArrowRight", "Sound"),
        ("ArrowRight", "Text"),
        ("ArrowRight", "Picture"),
        ("End", "Text"),
    ):
        keys.press(key)
        assert tab(opened, name).get_attribute("aria-selected") == "true"
        assert tab(opened, name).evaluate("(node) => node === document.activeElement")
    for words in ("A cat.", "A dog."):
        opened.locate(".tl-media").get_by_label("Your text").focus()
        keys.press("Control+a")
        keys.type(words)
        keys.press("Control+Enter")
        opened.locate(".tl-media blockquote").get_by_text(words, exact=True).wait_for()
    earlier = opened.locate(".tl-media").get_by_role("button", name="text: A cat.")
    earlier.focus()
    keys.press("Enter")
    opened.locate(".tl-media blockquote").get_by_text("A cat.", exact=True).wait_for()
    assert (
        opened.locate(".tl-media").get_by_role("button", name="text: A cat.").get_attribute("aria-pressed")
        == "true"
    )
    button(opened, "Undo").focus()
    keys.press("Enter")
    opened.locate(".tl-media blockquote").get_by_text("A dog.", exact=True).wait_for()
    button(opened, "Clear").focus()
    keys.press("Enter")
    opened.locate(".tl-media .tl-value").wait_for(state="hidden")
    assert opened.kernel("print(media.value)") == "None"
    tab(opened, "Text").focus()
    keys.press("Home")
    with opened.page.expect_file_chooser() as chooser:
        button(opened, "Choose a file").press("Enter")
    chooser.value.set_files(
        [{"name": "halves.png", "mimeType": "image/png", "buffer": saved(halves(), "PNG")}]
    )
    gets(opened, "halves.png")


@pytest.mark.long
def test_the_receipt_keeps_the_last_input_when_the_notebook_is_opened_again(notebook):
    opened = notebook("media_receipt.ipynb", SETUP, SHOW)
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    receipt = opened.locate("div[class^=tl-receipt]")
    receipt.get_by_text("halves.png").first.wait_for(state="attached")
    assert not receipt.is_visible()
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "media_receipt.ipynb")
    receipt.wait_for()
    assert (
        receipt.locator("img").get_attribute("alt")
        == "halves.png, as the model gets it: 64 pixels wide, 32 high"
    )
    assert opened.locate(".tl-media").count() == 0


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility_and_nothing_sticks_out(notebook, theme):
    opened = notebook(f"media_axe{theme[-4:].strip()}.ipynb", SETUP, SHOW)
    opened.theme(theme)
    drop(
        opened,
        wav((tone(440, 16_000) * 32_767).astype(np.int16), 16_000),
        "a very long name of a sound file.wav",
        "audio/wav",
    )
    gets(opened, "a very long name of a sound file.wav")
    drop(opened, saved(halves(), "PNG"), "halves.png", "image/png")
    gets(opened, "halves.png")
    for name in ("Text", "Sound", "Picture"):
        tab(opened, name).click()
        if name == "Sound":
            button(opened, "Record").click()
            opened.locate(".tl-media [role=meter]").wait_for()
        found = Axe().run(opened.page, context=".tl-media").response["violations"]
        assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
    for width in (1200, 700):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate(STICKING_OUT) == []


STICKING_OUT = """() => {
  const frame = document.querySelector('.tl-media').getBoundingClientRect();
  return [...document.querySelectorAll('.tl-media :is(button, p, img, svg, li, pre, span)')]
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > frame.right + 0.5)
    .map((node) => node.outerHTML);
}"""
