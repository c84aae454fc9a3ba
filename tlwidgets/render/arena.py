"""An arena's results as pictures with their numbers behind them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..train import ArenaResult, Standing
from . import html
from .charts import COLOURS, MARKS, QUIET
from .figure import Picture, picture


class ArenaPage:
    """Pictures of one or several arenas, and a table that opens below; prints as the table."""

    def __init__(self, pictures: Sequence[Picture], results: Sequence[ArenaResult]) -> None:
        self.pictures, self.results = tuple(pictures), tuple(results)

    def _repr_html_(self) -> str:
        parts = [picture._repr_html_() for picture in self.pictures]
        for result in self.results:
            rows = [tuple(map(escape, _cells(line))) for line in result.standings()]
            parts.append(
                html.details(
                    f"The numbers: {result.name}",
                    html.table(_HEAD, rows, f"Measured on {result.machine}.", right=range(1, len(_HEAD))),
                )
            )
        return "".join(parts)

    def __repr__(self) -> str:
        lines = []
        for result in self.results:
            lines.append(f"{result.name} (measured on {result.machine})")
            lines += ["  " + "  ".join(_cells(line)) for line in result.standings()]
        return "\n".join(lines)


_HEAD = ("Contender", "Examples", "Rate", "Right on test", "95 % interval", "Seeds", "Seconds", "Learn")


def _cells(line: Standing) -> tuple[str, ...]:
    spread = f"{line.low:.1%} to {line.high:.1%}" if line.seeds > 1 else "one seed"
    return (
        line.contender,
        f"{line.examples:,}",
        f"{line.rate:g}",
        f"{line.accuracy:.1%}",
        spread,
        str(line.seeds),
        f"{line.wall_s:.1f}",
        f"{line.trainable:,}",
    )


def arena_page(*results: ArenaResult, chance: float | None = None) -> ArenaPage:
    """Accuracy against the number of examples, a panel for each arena, with bands of the 95 % interval.

    Raises:
        ValueError: no arena, or one without bouts.
    """
    _check(results)
    return ArenaPage([_by_examples(results, chance)], results)


def cost_page(*results: ArenaResult, chance: float | None = None) -> ArenaPage:
    """Accuracy against seconds of training, a panel for each arena; a line joins a contender's numbers of examples.

    Raises:
        ValueError: no arena, or one without bouts.
    """
    _check(results)
    return ArenaPage([_by_cost(results, chance)], results)


def curves_page(result: ArenaResult, examples: int) -> ArenaPage:
    """Training loss against steps for one number of examples: the mean over the seeds, and their whole range.

    Raises:
        ArenaError: no bout with so many examples.
    """
    return ArenaPage([_curves(result, examples)], [result])


def _check(results: Sequence[ArenaResult]) -> None:
    if not results or not all(result.bouts for result in results):
        raise ValueError("An arena without bouts can't be drawn. Let it fight first: arena.fight().")


def _panels(count: int):
    from matplotlib import pyplot

    return pyplot.subplots(
        1, count, figsize=(4.6 * count, 3.7), sharey=True, squeeze=False, layout="constrained"
    )


def _by_examples(results: Sequence[ArenaResult], chance: float | None) -> Picture:
    figure, axes = _panels(len(results))
    for place, result in zip(axes[0], results, strict=True):
        for name, colour, mark in zip(result.contenders, COLOURS, MARKS, strict=False):
            lines = [line for line in result.standings() if line.contender == name]
            sizes = [line.examples for line in lines]
            place.plot(sizes, [line.accuracy for line in lines], mark, color=colour, lw=2, label=name)
            place.fill_between(
                sizes,
                [line.low for line in lines],
                [line.high for line in lines],
                color=colour,
                alpha=0.15,
                lw=0,
            )
        place.set_xscale("log", base=2)
        place.set_xticks(result.sizes, [f"{size:,}" for size in result.sizes])
        place.minorticks_off()
        place.set(title=result.name, xlabel="training examples")
    return _finished(figure, axes, chance, _words(results))


def _by_cost(results: Sequence[ArenaResult], chance: float | None) -> Picture:
    from matplotlib.ticker import LogLocator

    figure, axes = _panels(len(results))
    for place, result in zip(axes[0], results, strict=True):
        for name, colour, mark in zip(result.contenders, COLOURS, MARKS, strict=False):
            lines = [line for line in result.standings() if line.contender == name]
            seconds = [line.wall_s for line in lines]
            place.plot(seconds, [line.accuracy for line in lines], mark, color=colour, lw=1, label=name)
            for line in lines:
                place.annotate(
                    f"{line.examples:,}",
                    (line.wall_s, line.accuracy),
                    xytext=(4, 4),
                    textcoords="offset points",
                    size=8,
                )
        place.set_xscale("log")
        place.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        place.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        place.minorticks_off()
        place.set(title=result.name, xlabel="seconds of training (numbers: examples)")
    return _finished(figure, axes, chance, "Against seconds of training. " + _words(results))


def _curves(result: ArenaResult, examples: int) -> Picture:
    found = {name: result.of(name, examples) for name in result.contenders}
    figure, axes = _panels(1)
    place, said = axes[0, 0], []
    for (name, bouts), colour, mark in zip(found.items(), COLOURS, MARKS, strict=False):
        points = list(zip(*(bout.losses for bout in bouts), strict=False))
        steps = bouts[0].steps[: len(points)]
        means = [sum(values) / len(values) for values in points]
        place.plot(steps, means, mark[1:], color=colour, lw=2, label=name)
        place.fill_between(
            steps, list(map(min, points)), list(map(max, points)), color=colour, alpha=0.15, lw=0
        )
        said.append(f"{name} from {means[0]:.2f} to {means[-1]:.2f}")
    place.set(title=f"{result.name}, {examples:,} examples", xlabel="step")
    place.set_ylabel("training loss")
    place.spines[["top", "right"]].set_visible(False)
    place.legend(frameon=False)
    return picture(figure, f"Training loss over the steps, mean of the seeds: {'; '.join(said)}.")


def _finished(figure, axes, chance: float | None, words: str) -> Picture:
    for place in axes[0]:
        if chance is not None:
            place.axhline(chance, color=QUIET, lw=1, ls=":")
        place.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        place.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("right on held-out examples")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)), frameon=False)
    return picture(figure, words)


def _words(results: Sequence[ArenaResult]) -> str:
    said = []
    for result in results:
        parts = []
        for name in result.contenders:
            lines = [line for line in result.standings() if line.contender == name]
            told = ", ".join(f"{line.accuracy:.0%} with {line.examples:,}" for line in lines)
            parts.append(f"{name} {told}")
        said.append(f"{result.name}: {'; '.join(parts)}.")
    return " ".join(said)
