"""A matplotlib figure with words: readable on dark pages, and by those who do not see it."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from .. import palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Picture", "picture"]

CARD = palette.CARD


class Picture:
    """A figure as a PNG on a light card, with its alternative text. Prints as that text."""

    def __init__(self, png: bytes, alt: str, width: int):
        self.png, self.alt, self.width = png, alt, width

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        style = f"max-width:100%;width:{self.width}px;height:auto;background:{CARD};border-radius:8px"
        return (
            f'<img alt="{escape(self.alt, quote=True)}" style="{style}" src="data:image/png;base64,{data}">'
        )

    def __repr__(self) -> str:
        return f"[Figure: {self.alt}]"


def picture(figure: Figure, alt: str) -> Picture:
    """Turn a figure into a picture and close it. `alt` says what it shows to someone who cannot see it.

    Raises ValueError when `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("A figure needs an alternative text: say in a sentence or two what it shows.")
    from matplotlib import pyplot

    out = io.BytesIO()
    figure.savefig(
        out, format="png", dpi=144, facecolor=CARD, bbox_inches="tight", metadata={"Software": None}
    )
    pyplot.close(figure)
    return Picture(out.getvalue(), alt, width=round(figure.get_size_inches()[0] * 96))
