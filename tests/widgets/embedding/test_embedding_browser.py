"""In a real JupyterLab: partners move from before to after by slider and button, and can be visited by
keyboard."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.widgets.pairs import before_and_after, picture_and_name

pytestmark = pytest.mark.browser

SETUP = """
import torch
from tlwidgets import EmbeddingMap

data = torch.load("embeddings.pt")
seen = EmbeddingMap(data["before"], data["after"], names=data["names"], groups=data["groups"])
"""


@pytest.fixture
def opened(lab, notebook):
    """A map of drawings and their names, before and after training by contrast."""
    import torch

    pairs = picture_and_name()
    before, after = before_and_after(pairs)
    data = {"before": before, "after": after, "names": pairs.names, "groups": pairs.groups}
    torch.save(data, lab.folder / "embeddings.pt")
    opened = notebook("embedding.ipynb", SETUP, "seen")
    points(opened).first.wait_for()
    return opened


def slider(opened):
    return opened.locate(".tl-embedding").get_by_role("slider", name="Between before and after")


def points(opened):
    return opened.locate(".tl-embedding .tl-point")


def place(opened, number: int) -> list[float]:
    """Where a point is on the map, from 0 to 1."""
    found = points(opened).nth(number).get_attribute("transform")
    return [float(part) / 520 for part in found.removeprefix("translate(").removesuffix(")").split()]


def expected(opened, number: int, share: float) -> list[float]:
    """Where Python puts it."""
    code = f"""
state = seen.state
name = state["modalities"][{number % 2}]["name"]
(x, y), (u, v) = (state["points"][name][when][{number // 2}] for when in ("before", "after"))
a, b = state["axis"]["x"], state["axis"]["y"]
x, y = x + {share} * (u - x), y + {share} * (v - y)
print((x - a["low"]) / (a["high"] - a["low"]), (b["high"] - y) / (b["high"] - b["low"]))
"""
    return [float(part) for part in opened.kernel(code).split()]


def test_the_slider_moves_the_points_between_their_places_before_and_after(opened):
    assert points(opened).count() == 160
    slider(opened).focus()
    for key, share, words in (
        ("Home", 0, "before"),
        ("ArrowRight", 0.01, "1 % of the way"),
        ("End", 1, "after"),
        ("ArrowLeft", 0.99, "99 % of the way"),
    ):
        opened.page.keyboard.press(key)
        assert slider(opened).get_attribute("aria-valuetext") == words
        for number in (0, 1, 77):
            assert place(opened, number) == pytest.approx(expected(opened, number, share), abs=1e-3)
    opened.locate(".tl-embedding").get_by_role("button", name="Before").press("Enter")
    assert place(opened, 0) == pytest.approx(expected(opened, 0, 0), abs=1e-3)


def test_play_ends_after_and_is_not_there_for_those_who_asked_for_no_motion(opened):
    play = opened.locate(".tl-embedding .tl-play")
    said = opened.texts_of(play)
    play.press("Enter")
    opened.page.wait_for_function("(said) => said.length === 2", arg=said)
    assert said.json_value() == ["Pause", "Play"]
    assert slider(opened).get_attribute("aria-valuetext") == "after"
    assert place(opened, 5) == pytest.approx(expected(opened, 5, 1), abs=1e-3)
    opened.page.emulate_media(reduced_motion="reduce")
    play.wait_for(state="hidden")
    opened.locate(".tl-embedding").get_by_role("button", name="Before").click()
    assert slider(opened).get_attribute("aria-valuetext") == "before"
    opened.page.emulate_media(reduced_motion="no-preference")
    play.wait_for()


def test_the_keyboard_goes_from_point_to_point_and_to_partners(opened):
    about = opened.locate(".tl-embedding .tl-about")
    points(opened).first.focus()
    names = opened.kernel("print('|'.join(data['names']))").split("|")
    far = opened.kernel("print('|'.join(f'{b} {a}' for b, a in seen.state['pairs'][0]['distances']))").split(
        "|"
    )
    for key, modality, row in (
        ("ArrowRight", "image", 1),
        ("ArrowDown", "text", 1),
        ("ArrowRight", "text", 2),
        ("End", "text", 79),
        ("ArrowRight", "text", 79),
        ("ArrowUp", "image", 79),
        ("Home", "image", 0),
    ):
        opened.page.keyboard.press(key)
        before, after = far[row].split()
        said = about.inner_text()
        assert said.startswith(f"{modality}: {names[row]} (")
        assert said.endswith(f"{before} away before, {after} after")
        focused = opened.page.evaluate("() => document.activeElement.getAttribute('aria-label')")
        assert focused == said
        assert opened.locate(".tl-embedding .tl-point[tabindex='0']").count() == 1
        assert opened.locate(".tl-embedding .tl-point.tl-marked").count() == 2, "its partner is marked, too"


def test_pointing_at_a_mark_names_it(opened):
    opened.locate(".tl-embedding").get_by_role("button", name="After").click()
    mark = points(opened).nth(79)
    label = mark.get_attribute("aria-label")
    box = mark.bounding_box()
    opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.locate(".tl-embedding .tl-about").filter(has_text="after").wait_for()
    assert opened.locate(".tl-embedding .tl-about").inner_text() == label


@pytest.mark.long
def test_the_receipt_shows_both_maps_when_the_notebook_is_opened_again(opened):
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    words = opened.kernel("print(seen.state['words'])")
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "embedding.ipynb")
    receipt.wait_for()
    assert words in receipt.inner_text()
    for when in ("before", "after"):
        assert receipt.get_by_role("img", name=f"Map of embeddings. {when} training").is_visible()
    assert opened.locate(".tl-embedding").count() == 0


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility_and_nothing_sticks_out(opened, theme):
    opened.theme(theme)
    opened.locate(".tl-embedding summary").click()
    points(opened).first.focus()
    found = Axe().run(opened.page, context=".tl-embedding").response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
    for width in (1200, 700):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate(STICKING_OUT) == []


STICKING_OUT = """() => {
  const frame = document.querySelector('.tl-embedding').getBoundingClientRect();
  const parts = '.tl-embedding .tl-map, .tl-embedding .tl-beside > *, .tl-embedding .tl-bar > *';
  return [...document.querySelectorAll(parts)]
    .map((node) => [node.className, node.getBoundingClientRect().right])
    .filter(([, right]) => right > frame.right + 0.5);
}"""
