"""The freezing panel in a real JupyterLab: mouse, keyboard, dark theme, receipts, export."""

import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

MODEL = """
import torch
from transformers import BertConfig, BertForSequenceClassification
from tlwidgets import FreezePanel
config = BertConfig(hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64,
    vocab_size=100)
model = BertForSequenceClassification(config)
panel = FreezePanel(model)
panel.preset("feature-extraction")
"""
LONG_TYPES = """
from torch import nn
from tlwidgets import FreezePanel

class BlockWithANameThatIsLongerThanItsRow(nn.Sequential):
    pass

blocks = nn.ModuleList(BlockWithANameThatIsLongerThanItsRow(nn.Linear(8, 8), nn.ReLU()) for _ in range(4))
model = nn.ModuleDict({"picture_encoder": nn.ModuleDict({"blocks": blocks}), "head": nn.Linear(8, 2)})
"""
LEARNS = (
    "print(all(p.requires_grad for p in model.bert.encoder.layer[3].parameters()),"
    " any(p.requires_grad for p in model.bert.encoder.layer[2].parameters()))"
)


def row(notebook, label: str):
    return notebook.locate(f".tl-freeze [role=treeitem]:has(.tl-label:text-is('{label}'))")


@pytest.fixture
def panel(notebook):
    opened = notebook("freeze.ipynb", MODEL, "panel")
    row(opened, "Encoder layer 4").wait_for()
    return opened


def summary(panel) -> str:
    return panel.locate(".tl-freeze .tl-summary").inner_text()


def test_a_click_thaws_the_layer_in_the_kernel_and_the_numbers_follow(panel):
    before = summary(panel)
    layer = row(panel, "Encoder layer 4")
    assert layer.get_attribute("aria-checked") == "false"
    layer.locator(".tl-lock").click()
    panel.page.wait_for_function(
        "(e) => e.getAttribute('aria-checked') === 'true'", arg=layer.element_handle()
    )
    assert panel.kernel(LEARNS) == "True False"
    assert summary(panel) != before
    assert (
        "13," in panel.kernel("print(f'{panel.plan.trainable_count:,}')")
        or panel.kernel(
            "print(panel.plan.trainable_count == sum(p.numel() for p in model.parameters() if "
            "p.requires_grad))"
        )
        == "True"
    )


def test_the_keyboard_alone_does_the_same(panel):
    first = panel.locate(".tl-freeze [role=treeitem][tabindex='0']")
    first.focus()
    keys = panel.page.keyboard
    keys.press("End")
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    focused = panel.page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    assert "Encoder layer 4" in focused
    keys.press("Space")
    layer = row(panel, "Encoder layer 4")
    panel.page.wait_for_function(
        "(e) => e.getAttribute('aria-checked') === 'true'", arg=layer.element_handle()
    )
    assert panel.kernel(LEARNS) == "True False"
    keys.press("Control+z")
    panel.page.wait_for_function(
        "(e) => e.getAttribute('aria-checked') === 'false'", arg=layer.element_handle()
    )
    assert panel.kernel(LEARNS) == "False False"


def test_what_code_freezes_the_panel_shows(panel):
    panel.page.evaluate("() => document.activeElement.blur()")
    panel.kernel("model.bert.pooler.requires_grad_(True); panel.refresh()")
    pooler = row(panel, "Pooler")
    panel.page.wait_for_function(
        "(e) => e.getAttribute('aria-checked') === 'true'", arg=pooler.element_handle()
    )


def test_freezing_everything_is_refused_with_a_sentence(panel):
    head = row(panel, "Head: classifier")
    head.locator(".tl-lock").click()
    panel.locate(".tl-freeze .tl-message:has-text('freeze everything')").wait_for()
    assert head.get_attribute("aria-checked") == "true"


def test_presets_and_the_code_they_stand_for(panel):
    panel.locate(".tl-freeze .tl-presets button:has-text('Everything')").click()
    embeddings = row(panel, "Embeddings")
    panel.page.wait_for_function(
        "(e) => e.getAttribute('aria-checked') === 'true'", arg=embeddings.element_handle()
    )
    assert panel.kernel("print(all(p.requires_grad for p in model.parameters()))") == "True"
    panel.locate(".tl-freeze button:has-text('Show me the code')").click()
    panel.locate(".tl-freeze .tl-code:has-text('model.requires_grad_(True)')").wait_for()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_no_serious_barrier_in_either_theme(panel, theme):
    panel.theme(theme)
    row(panel, "Encoder layer 4").locator(".tl-lock").click()
    found = Axe().run(panel.page, context=".tl-freeze", options={"resultTypes": ["violations"]})
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in serious]


def test_in_a_narrow_window_types_are_cut_and_labels_are_not(notebook):
    opened = notebook("freeze_narrow.ipynb", LONG_TYPES, "FreezePanel(model)")
    opened.locate(".tl-freeze [role=treeitem]").first.wait_for()
    for width in (420, 200):
        opened.page.evaluate(f"document.querySelector('.tl-freeze').style.width = '{width}px'")
        cut = (
            "(nodes) => nodes.filter((node) => node.scrollWidth > node.clientWidth).map((node) => "
            "node.textContent)"
        )
        assert opened.locate(".tl-freeze .tl-label").evaluate_all(cut) == []
        assert opened.locate(".tl-freeze .tl-type").evaluate_all(cut) != []


def test_closed_and_opened_again_the_notebook_has_a_receipt(panel):
    row(panel, "Encoder layer 4").locator(".tl-lock").click()
    panel.page.wait_for_function(
        "(e) => e.getAttribute('aria-checked') === 'true'", arg=row(panel, "Encoder layer 4").element_handle()
    )
    panel.kernel("panel._receipt.flush()")
    panel.save()
    panel.close()
    again = panel.open(panel.lab.folder / "freeze.ipynb")
    receipt = again.locate(".jp-OutputArea-output:has-text('What learns and what is frozen')").first
    receipt.wait_for()
    text = receipt.inner_text()
    assert "Encoder layer 4" in text and "Trains" in text and "Frozen" in text


def test_exported_to_html_the_state_is_there_without_scripts(panel, browser, tmp_path):
    panel.kernel("panel._receipt.flush()")
    panel.save()
    source = panel.lab.folder / "freeze.ipynb"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(source), "--output-dir", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((Path(tmp_path) / "freeze.html").as_uri())
    assert page.get_by_text("Encoder layer 4").first.is_visible()
    assert page.get_by_text("Frozen").first.is_visible()
    context.close()


def test_fifty_clicks_are_answered_while_one_watches(panel):
    import statistics

    from tests.widgets.freeze.click_speed import click_times

    assert statistics.median(click_times(panel, 50)) < 1000  # the bench has the figure
