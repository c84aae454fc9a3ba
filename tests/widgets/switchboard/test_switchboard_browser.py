"""In a real JupyterLab: modalities of real features are switched by mouse and keyboard, and a receipt stays
behind."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.widgets.pairs import GROUPS, picture_and_name

pytestmark = pytest.mark.browser

SETUP = """
import torch
from tests.widgets.pairs import GROUPS, Early, Late, trained
from tlwidgets import ModalitySwitchboard

features = torch.load("pairs.pt")
labels = features.pop("labels")
train, test = ({name: tensor[part] for name, tensor in features.items()}
    for part in (slice(48), slice(48, None)))
models = {"early": trained(Early, train, labels[:48]), "late": trained(Late, train, labels[:48])}
board = ModalitySwitchboard(models, test, labels[48:], classes=GROUPS)
"""


@pytest.fixture
def opened(lab, notebook):
    """A switchboard of two fusion models on held-out drawings and their names."""
    import torch

    pairs = picture_and_name()
    torch.save({"image": pairs.image, "text": pairs.text, "labels": pairs.labels}, lab.folder / "pairs.pt")
    return notebook("switchboard.ipynb", SETUP, "board")


def radio(opened, modality: str, mode: str):
    group = opened.locate(".tl-switchboard").get_by_role("radiogroup", name=modality, exact=True)
    return group.get_by_role("radio", name=mode, exact=True)


def told(opened, words: str) -> None:
    opened.locate(".tl-switchboard .tl-message").filter(has_text=words).wait_for()


def accuracies(opened) -> list[str]:
    return opened.kernel("print(*(f'{r.accuracy:.3f}' for r in board.results.values()))").split()


def test_the_keyboard_switches_a_modality_and_all_models_are_measured(opened):
    assert radio(opened, "text", "On").is_checked()
    before = accuracies(opened)
    radio(opened, "text", "On").focus()
    for words in ("text off", "text noise", "text shuffled"):
        opened.page.keyboard.press("ArrowRight")
        told(opened, f"Image on, {words}")
    assert opened.kernel("print(board.modes)") == "{'image': 'on', 'text': 'shuffled'}"
    after = accuracies(opened)
    assert after != before
    values = opened.locate(".tl-result-value").all_inner_texts()
    assert [f"{float(value.removesuffix(' %')) / 100:.3f}" for value in values] == after
    assert "Image on, text shuffled" in opened.locate(".tl-switchboard .tl-message").inner_text()
    opened.page.keyboard.press("Control+z")
    told(opened, "Image on, text noise")
    assert radio(opened, "text", "Noise").is_checked()
    opened.page.keyboard.press("Control+y")
    told(opened, "Image on, text shuffled")
    opened.locate(".tl-switchboard").get_by_role("button", name="All on").press("Enter")
    told(opened, "Image on, text on")
    assert accuracies(opened) == before


def test_what_was_tried_is_a_table_and_the_code_gives_the_same(opened):
    radio(opened, "image", "Missing").check(force=True)
    told(opened, "Image missing, text on")
    opened.locate(".tl-switchboard summary").filter(has_text="Combinations tried").press("Enter")
    rows = (
        opened.locate(".tl-switchboard .tl-details").filter(has_text="Combinations tried").locator("tbody tr")
    )
    assert [row.locator("td").first.inner_text() for row in rows.all()] == ["on", "missing"]
    opened.locate(".tl-switchboard summary").filter(has_text="plain PyTorch").press("Enter")
    code = opened.locate(".tl-switchboard .tl-code").inner_text()
    opened.kernel("features, labels, model = test, labels[48:], models['early']")
    said = opened.kernel(f"{code}\nprint(f'{{accuracy:.3f}}')")
    assert said == accuracies(opened)[0]


@pytest.mark.long
def test_the_receipt_shows_the_last_setting_when_the_notebook_is_opened_again(opened):
    radio(opened, "image", "Off").check(force=True)
    told(opened, "Image off, text on")
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    opened.page.wait_for_function(
        "() => document.querySelector('div[class^=tl-receipt]').textContent.includes('zeros in its place')"
    )
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "switchboard.ipynb")
    receipt.wait_for()
    assert "zeros in its place" in receipt.inner_text()
    assert receipt.get_by_role("img", name="early").first.is_visible()
    assert opened.locate(".tl-switchboard").count() == 0


def test_a_board_that_is_gone_says_so(opened):
    opened.kernel("board._widget._held = None; board._widget._panel_reference = lambda: None")
    radio(opened, "text", "Off").check(force=True)
    told(opened, "The panel is no longer in memory. Run its cell again.")


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility_and_nothing_sticks_out(opened, theme):
    opened.theme(theme)
    radio(opened, "text", "Noise").check(force=True)
    told(opened, "text noise")
    for summary in opened.locate(".tl-switchboard summary").all():
        summary.click()
    assert opened.locate(".tl-confusion").count() == 2 * len(GROUPS) ** 2
    found = Axe().run(opened.page, context=".tl-switchboard").response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
    for width in (1200, 700):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate(STICKING_OUT) == []


def test_the_tables_of_two_models_never_lie_over_each_other(opened):
    opened.locate(".tl-switchboard summary").filter(has_text="Each class").click()
    for width in (900, 700, 560, 540, 520, 400):
        opened.page.evaluate(f"document.querySelector('.tl-switchboard').style.width = '{width}px'")
        one, other = (table.bounding_box() for table in opened.locate(".tl-class-model table").all())
        beside = one["x"] + one["width"] <= other["x"]
        below = one["y"] + one["height"] <= other["y"]
        assert beside or below, (width, one, other)


STICKING_OUT = """() => {
  const frame = document.querySelector('.tl-switchboard').getBoundingClientRect();
  const parts = '.tl-modality, .tl-mode, .tl-result, .tl-result > *, .tl-means';
  return [...document.querySelectorAll(parts)].map((node) => [node.className,
      node.getBoundingClientRect().right])
    .filter(([, right]) => right > frame.right + 0.5);
}"""
