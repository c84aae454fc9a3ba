"""A learning-rate range test as a picture."""

from __future__ import annotations

from ..train import RangeTest
from .charts import COLOURS, QUIET
from .figure import Picture, picture

__all__ = ["range_test_picture"]


def range_test_picture(result: RangeTest) -> Picture:
    """Loss against learning rate, with the suggestion marked.

    Raises:
        ValueError: the test ended before its first step.
    """
    if not result.rates:
        raise ValueError(
            "This range test has no step to draw. Its loss was infinite from the start: check the data."
        )
    from matplotlib import pyplot

    figure, place = pyplot.subplots(figsize=(5.2, 3.4), layout="constrained")
    place.plot(result.rates, result.losses, color=COLOURS[5], lw=1, label="each step")
    place.plot(result.rates, result.smooth, color=COLOURS[0], lw=2, label="smoothed")
    place.axvline(
        result.suggestion, color=COLOURS[1], lw=1.5, ls="--", label=f"suggestion: {result.suggestion:.2g}"
    )
    place.set_xscale("log")
    place.set(xlabel="learning rate", ylabel="training loss")
    top = max(result.smooth)
    place.set_ylim(min(result.losses) - 0.05 * top, 1.25 * top)
    place.spines[["top", "right"]].set_visible(False)
    place.tick_params(colors=QUIET)
    place.legend(frameon=False)
    return picture(
        figure,
        f"Training loss against a learning rate that grows from {result.rates[0]:.2g} to "
        f"{result.rates[-1]:.2g}: smoothed, it "
        f"goes from {result.smooth[0]:.2f} down to {min(result.smooth):.2f} and ends at "
        f"{result.smooth[-1]:.2f}. {result.words}",
    )
