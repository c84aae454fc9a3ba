"""Every colour stands in one place: the palette."""

import re
from pathlib import Path

import pytest

from tlwidgets import palette
from tlwidgets.figures.charts import COLOURS
from tlwidgets.widgets.base import static_html
from tlwidgets.widgets.base.assets import style

ROOT = Path(__file__).resolve().parents[1]
COLOUR = re.compile(r"#[0-9a-f]{6}\b", re.IGNORECASE)
OURS = {found.lower() for found in COLOUR.findall((ROOT / "tlwidgets/palette.py").read_text())}
FILES = [
    path
    for folder in ("tlwidgets", "graders", "scripts")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".js", ".css") and path.name != "palette.py"
]


def test_no_other_file_names_a_colour_of_the_palette():
    neutral = {"#ffffff"}  # white is not of a palette
    found = {
        path.relative_to(ROOT): colours
        for path in FILES
        if (colours := {each.lower() for each in COLOUR.findall(path.read_text())} & (OURS - neutral))
    }
    assert len(FILES) > 100 and found == {}


@pytest.mark.parametrize(
    "name", [path.parent.name for path in (ROOT / "tlwidgets/widgets").glob("*/widget.css")]
)
def test_every_colour_that_a_style_sheet_asks_for_is_defined(name):
    sheet = style(name)
    defined = set(re.findall(r"(--tl-[\w-]+)\s*:", sheet))
    assert set(re.findall(r"var\((--tl-[\w-]+)\)", sheet)) <= defined | {
        "--tl-share-fill",
        "--tl-epochs",
        "--tl-share",
    }


def test_a_colour_that_changes_is_changed_everywhere(monkeypatch):
    before = palette.css()
    assert (
        before.count(f"--tl-blue: {palette.BLUE.light};")
        == before.count(f"--tl-blue: {palette.BLUE.dark};")
        == 1
    )
    assert ".tl .tl-s0 {\n  --tl-series: var(--tl-blue);\n}" in before
    assert tuple(hue.print for hue in palette.SERIES) == COLOURS
    assert tuple(hue.both for hue in palette.SERIES) == static_html.SERIES


@pytest.mark.parametrize("place", range(4))
def test_no_two_series_have_the_same_colour(place):
    assert len({hue[place] for hue in palette.SERIES}) == len(palette.SERIES)
