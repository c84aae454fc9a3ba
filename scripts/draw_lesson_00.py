"""Draw lesson 00's picture and put it into the notebook, as the attachment that its text refers to.

python scripts/draw_lesson_00.py
"""

import base64
import io
from pathlib import Path

import nbformat
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from tlwidgets import palette

NOTEBOOK = Path("course/source/00-where-we-left-off/00-where-we-left-off.ipynb")
NAME = "lora.png"
INK, CARD = "#1f2933", palette.CARD
FROZEN, LEARNS = palette.FROZEN.print, palette.TRAINED.print


def main() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (cell,) = [cell for cell in notebook.cells if f"attachment:{NAME}" in cell.source]
    cell["attachments"] = {NAME: {"image/png": base64.b64encode(draw()).decode("ascii")}}
    nbformat.write(notebook, NOTEBOOK)
    print(f"Put {NAME} into {NOTEBOOK}")


def draw() -> bytes:
    """The picture as PNG: a large matrix that stays, and two thin ones beside it that learn."""
    figure = Figure(figsize=(9.2, 3.7), dpi=140, facecolor=CARD)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 92), ylim=(0, 37))
    axes.axis("off")
    _box(axes, (25, 19), 15, 15, FROZEN, "W", "frozen: 576 × 576")
    _box(axes, (25, 8.5), 15, 2.2, LEARNS, "A", "learns: 8 × 576")
    _box(axes, (51, 2.1), 2.2, 15, LEARNS, "B", "learns:\n576 × 8", beside=True)
    axes.text(7, 17.5, "x", ha="center", va="center", size=17, style="italic", color=INK)
    axes.text(79, 17.5, "y", ha="center", va="center", size=17, style="italic", color=INK)
    axes.text(71, 17.5, "+", ha="center", va="center", size=20, color=INK)
    axes.text(63.3, 10.6, r"$\times\ \alpha / r$", ha="left", va="center", size=13, color=LEARNS)
    _arrow(axes, (9, 18.4), (24.5, 26.5), FROZEN)
    _arrow(axes, (9, 16.8), (24.5, 9.8), LEARNS)
    _arrow(axes, (40.5, 26.5), (69.5, 18.8), FROZEN)
    _arrow(axes, (40.5, 9.6), (50.5, 9.6), LEARNS)
    _arrow(axes, (53.7, 9.6), (69.5, 16.4), LEARNS)
    _arrow(axes, (72.8, 17.5), (77.3, 17.5), INK)
    axes.text(43, 31.5, "the book: a page as it was", ha="left", size=12, style="italic", color=FROZEN)
    axes.text(7, 3.2, "the card\nclipped beside it", ha="left", size=12, style="italic", color=LEARNS)
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


def _box(axes: Axes, corner, width, height, colour, name, words, beside=False) -> None:
    axes.add_patch(Rectangle(corner, width, height, facecolor=colour + "22", edgecolor=colour, linewidth=1.8))
    x, y = corner
    middle = (x + width / 2, y + height / 2)
    axes.text(*middle, name, ha="center", va="center", size=14, weight="bold", color=INK)
    if beside:
        axes.text(x + width + 1, y + 0.3, words, ha="left", va="bottom", size=10.5, color=INK)
    else:
        axes.text(middle[0], y - 0.7, words, ha="center", va="top", size=10.5, color=INK)


def _arrow(axes: Axes, start, end, colour) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=16, color=colour, linewidth=2.0)
    )


if __name__ == "__main__":
    main()
