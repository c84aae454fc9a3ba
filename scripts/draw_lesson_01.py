"""Draw lesson 01's picture and put it into the notebook, as the attachment that its text refers to.

python scripts/draw_lesson_01.py
"""

import base64
import io
from pathlib import Path

import nbformat
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from tlwidgets import palette

NOTEBOOK = Path("course/source/01-transfer-learning/01-transfer-learning.ipynb")
NAME = "what-carries-over.png"
INK, CARD = "#1f2933", palette.CARD
KEPT, NEW, OLD = palette.BLUE.print, palette.VERMILLION.print, "#8a8f94"


def main() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (cell,) = [cell for cell in notebook.cells if f"attachment:{NAME}" in cell.source]
    cell["attachments"] = {NAME: {"image/png": base64.b64encode(draw()).decode("ascii")}}
    nbformat.write(notebook, NOTEBOOK)
    print(f"Put {NAME} into {NOTEBOOK}")


def draw() -> bytes:
    """The picture as PNG: two kitchens, and the two models they stand for."""
    figure = Figure(figsize=(9.2, 3.5), dpi=140, facecolor=CARD)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 92), ylim=(0, 35))
    axes.axis("off")
    for x, title in ((27, "source"), (70, "target")):
        axes.text(x, 32.2, title, ha="center", size=14, weight="bold", color=INK)
    _row(axes, 18, "the chef", ("Italian recipes", "sushi recipes"), "knife work, feel, eye")
    _row(
        axes, 2.5, "the model", ("head: which sentences\nbelong together?", "head: liked or not?"), "backbone"
    )
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


def _row(axes: Axes, y: float, who: str, heads: tuple[str, str], body: str) -> None:
    axes.text(1.5, y + 6, who, va="center", size=12, style="italic", color=INK)
    _box(axes, 15, y + 7.2, heads[0], OLD, dashed=True)
    _box(axes, 58, y + 7.2, heads[1], NEW)
    _box(axes, 15, y, body, KEPT)
    _box(axes, 58, y, body + " (frozen)" if body == "backbone" else body, KEPT)
    axes.add_patch(
        FancyArrowPatch((40, y + 2.9), (57, y + 2.9), arrowstyle="-|>", mutation_scale=18, color=KEPT, lw=2.4)
    )
    axes.text(48.5, y + 4.1, "carries over", ha="center", size=10.5, color=KEPT)
    axes.text(40.3, y + 9.6, "stays behind", ha="left", size=10.5, color=INK)
    axes.text(56.7, y + 9.6, "new", ha="right", size=10.5, color=NEW)


def _box(axes: Axes, x: float, y: float, text: str, colour: str, dashed: bool = False) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            24,
            5.8,
            boxstyle="round,pad=0,rounding_size=1.2",
            facecolor=colour + "22",
            edgecolor=colour,
            linewidth=1.8,
            linestyle="--" if dashed else "-",
        )
    )
    axes.text(x + 12, y + 2.8, text, ha="center", va="center", size=11, color=INK, linespacing=1.1)


if __name__ == "__main__":
    main()
