"""In a real JupyterLab: words find drawings by mouse, keyboard and own words; sounds play; a receipt stays
behind."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.widgets.pairs import picture_and_name

pytestmark = pytest.mark.browser

SETUP = """
import torch
from tests.widgets.pairs import Pairs, shared_space
from tlwidgets import RetrievalGrid

pairs = Pairs(**torch.load("drawings.pt", weights_only=False))
space = shared_space(pairs)
words, drawings = space.text(pairs.text), space.image(pairs.image)
"""
BY_WORDS = """
grid = RetrievalGrid(words, drawings, query_names=pairs.names, gallery_names=pairs.names,
                     gallery_pictures=pairs.pictures, encode=space.encode)
grid
"""
BY_DRAWINGS = """
grid = RetrievalGrid(drawings, words, query_names=pairs.names, gallery_names=pairs.names,
                     query_pictures=pairs.pictures)
grid
"""

WIDTH = "(image) => image.decode().then(() => image.naturalWidth)"


@pytest.fixture
def searched(lab, notebook):
    """`searched(cell)` opens a notebook with that cell after the set-up."""
    import torch

    torch.save(dict(vars(picture_and_name())), lab.folder / "drawings.pt")
    return lambda cell, name="retrieval.ipynb": notebook(name, SETUP, cell)


def queries(opened):
    return opened.locate(".tl-retrieval").get_by_role("listbox", name="Pick a query")


def said(opened, words: str) -> None:
    opened.locate(".tl-retrieval .tl-words").filter(has_text=words).wait_for()


def test_the_keyboard_picks_a_query_and_the_grid_shows_what_the_space_finds(searched):
    opened = searched(BY_WORDS)
    queries(opened).focus()
    for key, number in (
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("End", 79),
        ("ArrowUp", 78),
        ("Home", 0),
        ("PageDown", 5),
    ):
        opened.page.keyboard.press(key)
        name = opened.kernel(f"print(pairs.names[{number}])")
        said(opened, f"The first result for “{name}” is")
        selected = queries(opened).get_by_role("option", selected=True)
        assert selected.count() == 1 and selected.get_attribute("aria-label") == name
        assert queries(opened).get_attribute("aria-activedescendant") == selected.get_attribute("id")
    found = opened.kernel("print('|'.join(name for name, _ in grid.found))").split("|")
    hits = opened.locate(".tl-retrieval").get_by_role("list", name="Found, best first")
    assert [image.get_attribute("alt") for image in hits.get_by_role("img").all()] == found
    assert {image.evaluate(WIDTH) for image in hits.get_by_role("img").all()} == {72}


def test_a_query_that_is_picked_beforehand_is_in_sight(searched):
    opened = searched(BY_WORDS.replace("\ngrid\n", "\ngrid.pick(70)\ngrid\n"))
    said(opened, "The first result for “")
    opened.page.wait_for_function(
        """() => {
             const [box, row] = ['.tl-queries', '[role=option][aria-selected=true]'].map(
               (part) => document.querySelector(`.tl-retrieval ${part}`).getBoundingClientRect());
             return row.height > 0 && row.top >= box.top && row.bottom <= box.bottom;
           }"""
    )


def test_the_right_one_is_marked_by_a_sign_and_a_border(searched):
    opened = searched(BY_WORDS)
    far = int(opened.kernel("print(max(range(80), key=lambda query: grid.ranks[query]))"))
    opened.kernel(f"grid.pick({far})")
    beyond = opened.locate(".tl-retrieval").get_by_role("list", name="The first right one, further down")
    beyond.wait_for()
    rank = opened.kernel(f"print(grid.ranks[{far}])")
    said(opened, f"The right one has rank {rank} of 80.")
    assert "✓ right" in beyond.inner_text() and rank in beyond.inner_text()
    widths = opened.page.evaluate(
        "() => ['.tl-hit--right', '.tl-hit:not(.tl-hit--right)']"
        ".map((hit) => getComputedStyle(document.querySelector(hit)).borderTopWidth)"
    )
    assert widths == ["3px", "1px"]


def test_own_words_are_searched_for_and_mistakes_are_explained(searched):
    opened = searched(BY_WORDS)
    own = opened.locate(".tl-retrieval").get_by_label("Search for")
    own.fill("a sweet dessert")
    own.press("Enter")
    said(opened, "The first result for “a sweet dessert” is")
    first = opened.locate(".tl-hits .tl-hit-name").first.inner_text()
    assert first == opened.kernel("grid.ask('a sweet dessert'); print(grid.found[0][0])")
    assert queries(opened).get_by_role("option", selected=True).count() == 0
    own.fill(" ")
    own.press("Enter")
    opened.locate(".tl-retrieval .tl-message").filter(
        has_text="The text has 0 characters. Expected 1 to 200"
    ).wait_for()


def test_drawings_are_picked_from_tiles_of_one_sheet(searched):
    opened = searched(BY_DRAWINGS)
    option = queries(opened).get_by_role("option").nth(6)
    option.click()
    name = opened.kernel("print(pairs.names[6])")
    said(opened, f"The first result for “{name}” is")
    picked = opened.locate(".tl-picked").get_by_role("img", name=name)
    assert picked.is_visible()
    sheets = opened.page.evaluate(
        "() => [...new Set([...document.querySelectorAll('.tl-tile')].map((tile) => "
        "tile.style.backgroundImage))]"
    )
    assert len(sheets) == 1 and sheets[0].startswith('url("blob:')
    across = opened.page.evaluate(
        "() => { const all = [...document.querySelectorAll('.tl-query')];"
        " return all.filter((one) => one.offsetTop === all[0].offsetTop).length; }"
    )
    assert across > 1
    queries(opened).focus()
    opened.page.keyboard.press("ArrowDown")
    below = opened.kernel(f"print(pairs.names[{6 + across}])")
    said(opened, f"The first result for “{below}” is")


def test_a_sound_that_was_found_plays_and_stops(searched):
    cell = """
sounds = torch.sin(torch.arange(16000) * torch.tensor([[0.1], [0.2], [0.3]]))
points = torch.eye(3)
grid = RetrievalGrid(points, points, query_names=["low", "middle", "high"],
    gallery_names=["low", "middle", "high"],
                     gallery_sounds=sounds, query_sounds=sounds, rate=4000)
grid
"""
    opened = searched(cell)
    hits = opened.locate(".tl-retrieval").get_by_role("list", name="Found, best first")
    hits.get_by_role("button", name="Play low").press("Enter")
    stop = hits.get_by_role("button", name="Stop low")
    stop.wait_for()
    assert stop.inner_text() == "■"
    hits.get_by_role("button", name="Play high").click()
    hits.get_by_role("button", name="Stop high").wait_for()
    assert hits.get_by_role("button", name="Play low").is_visible(), "one at a time"
    hits.get_by_role("button", name="Stop high").click()
    hits.get_by_role("button", name="Play high").wait_for()


@pytest.mark.long
def test_the_receipt_shows_the_last_query_when_the_notebook_is_opened_again(searched):
    opened = searched(BY_WORDS)
    queries(opened).focus()
    opened.page.keyboard.press("End")
    name = opened.kernel("print(pairs.names[-1])")
    said(opened, f"The first result for “{name}” is")
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    opened.page.wait_for_function(
        "(name) => document.querySelector('div[class^=tl-receipt]').textContent.includes("
        "`The first result for “${name}” is`)",
        arg=name,
    )
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "retrieval.ipynb")
    receipt.wait_for()
    assert f"The first result for “{name}” is" in receipt.inner_text()
    assert receipt.locator("img").first.evaluate(WIDTH) == 72
    assert opened.locate(".tl-retrieval").count() == 0


def test_a_grid_that_is_gone_says_so(searched):
    opened = searched(BY_WORDS)
    opened.kernel("grid._widget._held = None; grid._widget._panel_reference = lambda: None")
    queries(opened).get_by_role("option").nth(3).click()
    gone = "The panel is no longer in memory. Run its cell again."
    opened.locate(".tl-retrieval .tl-message").filter(has_text=gone).wait_for()


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility_and_nothing_sticks_out(searched, theme):
    for cell, name in ((BY_WORDS, "words.ipynb"), (BY_DRAWINGS, "drawings.ipynb")):
        opened = searched(cell, name)
        opened.theme(theme)
        opened.locate(".tl-retrieval summary").click()
        found = Axe().run(opened.page, context=".jp-NotebookPanel:not(.lm-mod-hidden) .tl-retrieval")
        found = found.response["violations"]
        assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
        for width in (1200, 700):
            opened.page.set_viewport_size({"width": width, "height": 900})
            assert opened.page.evaluate(STICKING_OUT) == []


STICKING_OUT = """() => {
  const root = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .tl-retrieval');
  const frame = root.getBoundingClientRect();
  return [...root.querySelectorAll('.tl-hit, .tl-recall, .tl-queries, .tl-words, .tl-ask')]
    .map((node) => [node.className, node.getBoundingClientRect().right])
    .filter(([, right]) => right > frame.right + 0.5);
}"""
