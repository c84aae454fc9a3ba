"""An arena's results as plain data: charts with their words and the tables behind them. The live and the
static views draw it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from ...train import ArenaResult, Bout, Paired, Standing
from ..base.plot import axis, log_ticks, nice_ticks, series, sign

_ROOM = 0.06  # beside the outermost marks, so that they are not cut


def arena_state(result: ArenaResult, chance: float | None = None, mine: Sequence[Bout] | None = None) -> dict:
    """All charts of an arena, by name, and how each contender is drawn.

    Args:
        result: what is shown; one without bouts has no charts.
        chance: accuracy of guessing, a faint line.
        mine: those of the bouts that are a person's own, the others being recorded; None treats all alike.

    Returns:
        `legend`: name, slot, glyph and dash of each contender. `charts`: for each of "examples", "cost",
        "differences" and "curves": `name`, `title`, `label` (what is chosen between; "" for nothing),
        `choices`, and `variants`, one for each
        choice: a chart (see `plot`) and its `table` (head, rows, sort, caption).
    """
    own = None if mine is None else frozenset(mine)
    legend = [{"name": name, **sign(slot)} for slot, name in enumerate(result.contenders)]
    if not result.bouts:
        return {"legend": legend, "charts": []}
    lines = result.standings()
    whose = {(line.contender, line.examples): _whose(result, line, own) for line in lines}
    charts = [_by_examples(result, lines, whose, chance), _by_cost(result, lines, whose, chance)]
    if len(result.contenders) > 1:
        charts.append(_differences(result, whose))
    charts.append(_all_curves(result, whose))
    return {"legend": legend, "charts": charts}


def standings_table(result: ArenaResult, mine: Sequence[Bout] | None = None) -> dict:
    """A row for each contender and number of examples."""
    own = None if mine is None else frozenset(mine)
    lines = result.standings()
    return _standings(result, lines, {(x.contender, x.examples): _whose(result, x, own) for x in lines})


def accuracy_words(result: ArenaResult) -> str:
    """The accuracy of each contender for each number of examples."""
    lines, parts = result.standings(), []
    for name in result.contenders:
        told = ", ".join(f"{x.accuracy:.0%} with {x.examples:,}" for x in lines if x.contender == name)
        parts.append(f"{name} {told}")
    return f"{result.name}: {'; '.join(parts)}."


# -- charts --------------------------------------------------------------------------------------------


def _by_examples(result, lines, whose, chance) -> dict:
    drawn = []
    for slot, name in enumerate(result.contenders):
        own = [line for line in lines if line.contender == name]
        drawn.append(
            series(
                slot,
                name,
                [(line.examples, line.accuracy) for line in own],
                band=[
                    (line.examples, max(0.0, line.low), min(1.0, line.high)) for line in own if line.seeds > 1
                ],
                marks=[_mark(line.examples, line, whose) for line in own],
            )
        )
    sizes = axis([[size, f"{size:,}"] for size in result.sizes], "training examples", log=True, room=_ROOM)
    table = _standings(result, lines, whose)
    return _chart(
        "examples",
        "Accuracy on held-out examples",
        sizes,
        _shares(lines, chance),
        drawn,
        table,
        accuracy_words(result),
        chance,
    )


def _by_cost(result, lines, whose, chance) -> dict:
    """A line joins the results of a contender; the more examples, the larger the mark."""
    scale = dict(zip(result.sizes, _spread(0.8, 1.35, len(result.sizes)), strict=True))
    drawn = []
    for slot, name in enumerate(result.contenders):
        own = [line for line in lines if line.contender == name]
        drawn.append(
            series(
                slot,
                name,
                [(_seconds(line), line.accuracy) for line in own],
                marks=[_mark(_seconds(line), line, whose, scale[line.examples]) for line in own],
            )
        )
    seconds = [_seconds(line) for line in lines]
    ticks = [[tick, f"{tick:g}"] for tick in log_ticks(min(seconds), max(seconds))]
    more = "; larger marks: more examples" if len(result.sizes) > 1 else ""
    x = axis(ticks, f"seconds of training{more}", log=True, room=_ROOM)
    words = "against seconds of training. " + "; ".join(
        f"{line.contender} with {line.examples:,} examples {line.accuracy:.0%} in {line.wall_s:.1f} s"
        for line in lines
    )
    table = _standings(result, lines, whose)
    return _chart("cost", "Accuracy and cost", x, _shares(lines, chance), drawn, table, f"{words}.", chance)


def _differences(result: ArenaResult, whose) -> dict:
    """How far the others are ahead of one contender, seed by seed; one chart for each contender as that
    one."""
    found = {
        (one, other, size): result.difference(one, other, size)
        for one in result.contenders
        for other in result.contenders
        for size in result.sizes
        if one != other and _met(result, one, other, size)
    }
    extremes = [
        100 * value for paired in found.values() for value in (paired.low, paired.high, paired.difference)
    ]
    ticks = nice_ticks(min([0.0, *extremes]), max([0.0, *extremes]))
    y = axis([[tick, f"{tick:+g}" if tick else "0"] for tick in ticks])
    x = axis([[size, f"{size:,}"] for size in result.sizes], "training examples", log=True, room=_ROOM)
    variants = []
    for base in result.contenders:
        drawn, rows, sort, said = [], [], [], []
        for slot, name in enumerate(result.contenders):
            pairs = {size: found[name, base, size] for size in result.sizes if (name, base, size) in found}
            if not pairs:
                continue
            drawn.append(
                series(
                    slot,
                    name,
                    [(size, 100 * paired.difference) for size, paired in pairs.items()],
                    band=[(size, 100 * p.low, 100 * p.high) for size, p in pairs.items() if p.seeds > 1],
                    marks=[
                        (
                            size,
                            100 * p.difference,
                            _paired_words(name, base, size, p),
                            _both(whose[name, size], whose[base, size]),
                            1,
                        )
                        for size, p in pairs.items()
                    ],
                )
            )
            said += [_paired_words(name, base, size, paired) for size, paired in pairs.items()]
            for size, p in pairs.items():
                rows.append(
                    [name, f"{size:,}", _points(p.difference), _between(p), f"{p.in_favour} of {p.seeds}"]
                )
                sort.append([name, size, p.difference, p.low, p.in_favour / p.seeds])
        head = ["Contender", "Examples", f"Points ahead of {base}", "95 % interval", "Seeds ahead"]
        table = {
            "head": head,
            "rows": rows,
            "sort": sort,
            "caption": "Differences seed by seed, on the same examples.",
        }
        words = "; ".join(said) or "no seed in common"
        variants.append(
            {
                "title": f"Points ahead of {base}, seed by seed",
                "x": x,
                "y": y,
                "series": drawn,
                "level": 0.0,
                "words": f"{words}.",
                "table": table,
            }
        )
    return {
        "name": "differences",
        "title": "Points ahead, seed by seed",
        "label": "against",
        "choices": list(result.contenders),
        "variants": variants,
    }


def _all_curves(result: ArenaResult, whose) -> dict:
    return {
        "name": "curves",
        "title": "Training loss",
        "label": "examples" if len(result.sizes) > 1 else "",
        "choices": [f"{size:,}" for size in result.sizes],
        "variants": [curves(result, size, whose) for size in result.sizes],
    }


def curves(result: ArenaResult, examples: int, whose=None) -> dict:
    """Training loss over the steps: the mean of the seeds, and their whole range.

    Raises:
        ArenaError: no bout with so many examples.
    """
    if examples not in result.sizes:
        result.of(result.contenders[0] if result.bouts else "anybody", examples)
    drawn, said, rows, sort, top, last = [], [], [], [], 0.0, 1
    for slot, name in enumerate(result.contenders):
        bouts = [bout for bout in result.bouts if (bout.contender, bout.examples) == (name, examples)]
        if not bouts:
            continue
        points = list(zip(*(bout.losses for bout in bouts), strict=False))
        steps = bouts[0].steps[: len(points)]
        means = [fmean(values) for values in points]
        band = [(s, min(v), max(v)) for s, v in zip(steps, points, strict=True)] if len(bouts) > 1 else ()
        end = (steps[-1], means[-1], f"{name}: {means[-1]:.2f}", (whose or {}).get((name, examples), ""), 1)
        drawn.append(series(slot, name, list(zip(steps, means, strict=True)), band=band, marks=[end]))
        said.append(f"{name} from {means[0]:.2f} to {means[-1]:.2f}")
        low, high = min(points[-1]), max(points[-1])
        rows.append(
            [name, f"{means[0]:.3f}", f"{means[-1]:.3f}", f"{low:.3f} to {high:.3f}", str(len(bouts))]
        )
        sort.append([name, means[0], means[-1], high - low, len(bouts)])
        top, last = max(top, *map(max, points)), max(last, steps[-1])
    ticks = nice_ticks(0.0, top)
    table = {
        "head": ["Contender", "First step", "Last step", "Range over seeds", "Seeds"],
        "rows": rows,
        "sort": sort,
        "caption": f"Training loss with {examples:,} examples, mean of the seeds.",
    }
    return {
        "title": f"Training loss, {examples:,} examples",
        "x": {
            "low": 0,
            "high": 1.02 * last,
            "log": False,
            "ticks": [[0, "0"], [last, f"{last:,}"]],
            "title": "step",
        },
        "y": axis([[tick, f"{tick:g}"] for tick in ticks]),
        "series": drawn,
        "level": None,
        "words": f"mean of the seeds: {'; '.join(said)}.",
        "table": table,
    }


def _chart(name, title, x, y, drawn, table, words, chance) -> dict:
    variant = {
        "title": title,
        "x": x,
        "y": y,
        "series": drawn,
        "level": chance,
        "words": words,
        "table": table,
    }
    return {"name": name, "title": title, "label": "", "choices": [], "variants": [variant]}


def _shares(lines: Sequence[Standing], chance: float | None) -> dict:
    values = [value for line in lines for value in (line.low, line.high, line.accuracy)]
    values += [] if chance is None else [chance]
    ticks = nice_ticks(max(0.0, min(values)), min(1.0, max(values)))
    return axis([[tick, f"{100 * tick:g} %"] for tick in ticks])


# -- parts ---------------------------------------------------------------------------------------------


def _whose(result: ArenaResult, line: Standing, own: frozenset[Bout] | None) -> str:
    """Empty for one's own bouts (or where there is no difference), "recorded" for others', "part" for
    both."""
    if own is None:
        return ""
    bouts = result.of(line.contender, line.examples)
    count = sum(bout in own for bout in bouts)
    return "" if count == len(bouts) else "part" if count else "recorded"


def _both(one: str, other: str) -> str:
    return one if one == other else "part"


def _mark(x: float, line: Standing, whose, size: float = 1) -> tuple:
    kind = whose[line.contender, line.examples]
    also = {"recorded": ", recorded", "part": ", partly recorded", "": ""}[kind]
    words = f"{line.contender}, {line.examples:,} examples: {line.accuracy:.1%} ({_spread_words(line)})"
    words += f", {line.wall_s:.1f} s{also}"
    return x, line.accuracy, words, kind, size


def _standings(result: ArenaResult, lines: Sequence[Standing], whose) -> dict:
    measured = ["Rate", "Test accuracy", "95 % interval", "Seeds", "Seconds", "Trainable"]
    head = ["Contender", "Examples", *measured]
    rows, sort = [], []
    for line in lines:
        rows.append(
            [
                line.contender,
                f"{line.examples:,}",
                f"{line.rate:g}",
                f"{line.accuracy:.1%}",
                _spread_words(line),
                str(line.seeds),
                f"{line.wall_s:.1f}",
                f"{line.trainable:,}",
            ]
        )
        width = line.high - line.low
        sort.append(
            [
                line.contender,
                line.examples,
                line.rate,
                line.accuracy,
                width,
                line.seeds,
                line.wall_s,
                line.trainable,
            ]
        )
    if any(whose.values()):
        head.append("Whose")
        for line, row, key in zip(lines, rows, sort, strict=True):
            kind = whose[line.contender, line.examples]
            row.append({"": "yours", "part": "partly yours", "recorded": "recorded"}[kind])
            key.append(row[-1])
    return {"head": head, "rows": rows, "sort": sort, "caption": f"Measured on {result.machine}."}


def _spread_words(line: Standing) -> str:
    return f"{line.low:.1%} to {line.high:.1%}" if line.seeds > 1 else "one seed"


def _seconds(line: Standing) -> float:
    return max(line.wall_s, 1e-3)


def _spread(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * place / max(1, count - 1) for place in range(count)] if count > 1 else [1.0]


def _met(result: ArenaResult, one: str, other: str, size: int) -> bool:
    seeds = [
        {b.seed for b in result.bouts if (b.contender, b.examples) == (name, size)} for name in (one, other)
    ]
    return bool(seeds[0] & seeds[1])


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _between(paired: Paired) -> str:
    return f"{_points(paired.low)} to {_points(paired.high)}" if paired.seeds > 1 else "one seed"


def _paired_words(name: str, base: str, size: int, paired: Paired) -> str:
    side = "ahead of" if paired.difference >= 0 else "behind"
    return f"{name} {100 * abs(paired.difference):.1f} points {side} {base} with {size:,} examples"
