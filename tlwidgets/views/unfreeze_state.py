"""What the score of gradual unfreezing shows, as a plain dict: the widget, its twin and the tests all read this."""

from __future__ import annotations

from collections.abc import Callable

from ..core import Cost, FreezeError, FreezePlan, ModelTree
from ..core.tree import bits_of
from ..render.words import count, percent
from ..train.unfreezing import PRESETS, Unfreezing, rows_of

SCHEMA = 1


def rows(score: Unfreezing) -> list[dict]:
    """The rows from the head down to the embeddings, each with its words."""
    return [_row(score, row) for row in reversed(rows_of(score.tree))]


def _row(score: Unfreezing, row) -> dict:
    start = score.starts[row.id]
    others = [score.tree.group(each).label for each in score.together(row.id) if each != row.id]
    note = f"shares weights, and moves, with {_list(others)}" if others else ""
    return {
        "id": row.id,
        "label": row.label,
        "type": row.module_type,
        "count": count(row.numel) if row.numel or not row.tied_to else "tied",
        "start": start,
        "start_text": start_words(start),
        "note": row.fixed or note,
        "fixed": bool(row.fixed),
    }


def start_words(start: int | None) -> str:
    """When a row begins to learn."""
    return "never learns" if start is None else f"learns from epoch {start}"


def costs(score: Unfreezing, cost_of: Callable[[FreezePlan], Cost]) -> list[dict]:
    """For each epoch: what begins to learn in it, how much learns, and its backward work as a share of full fine-tuning's."""
    found = []
    names = {row.id: row.label for row in rows_of(score.tree)}
    for epoch in range(1, score.epochs + 1):
        plan = score.plan(epoch)
        cost = cost_of(plan)
        begins = [names[row] for row, start in score.starts.items() if start == epoch]
        found.append(
            {
                "epoch": epoch,
                "share": round(cost.backward_share, 4),
                "text": percent(cost.backward_share),
                "short": _short(cost.backward_share),
                "trainable": cost.trainable,
                "learns": count(cost.trainable),
                "begins": ", ".join(reversed(begins)) or "nothing new",
            }
        )
    return found


def _short(share: float) -> str:
    """A share as it fits into a narrow column."""
    return f"{100 * share:.0f} %" if share >= 0.01 or not share else "< 1 %"


def whole(found: list[dict]) -> str:
    """The cost of all epochs together, as a sentence."""
    mean = sum(cost["share"] for cost in found) / len(found)
    return f"All epochs together: {percent(round(mean, 4))} of full fine-tuning's backward work."


def presets(
    score: Unfreezing, options: dict[str, dict[str, int]], made: dict[str, Unfreezing | str]
) -> list[dict]:
    """The preset buttons. `made` holds each preset's schedule, or the sentence why this model has none."""
    most = {"every": score.epochs, "k": max((len(tower) for tower in score.tree.towers), default=1)}
    return [
        {
            "name": name,
            "title": preset.title,
            "description": preset.description,
            "active": made[name] == score,
            "unavailable": made[name] if isinstance(made[name], str) else "",
            "options": {
                key: {"value": value, "min": 1, "max": most[key]} for key, value in options[name].items()
            },
        }
        for name, preset in PRESETS.items()
    ]


def made_presets(
    tree: ModelTree, epochs: int, options: dict[str, dict[str, int]]
) -> dict[str, Unfreezing | str]:
    """Each preset's schedule for this model, or the sentence why there is none."""
    made: dict[str, Unfreezing | str] = {}
    for name in PRESETS:
        try:
            made[name] = Unfreezing.preset(name, tree, epochs, **options[name])
        except (FreezeError, ValueError) as error:
            made[name] = str(error)
    return made


def learning_words(score: Unfreezing) -> str:
    """What the last epoch trains, in a sentence."""
    tree, plan = score.tree, score.plan(score.epochs)
    learns = sum(tree.parameter_sizes[bit] for bit in bits_of(plan.gradient_bits))
    return f"By epoch {score.epochs}, {count(learns)} of {count(tree.total)} parameters learn."


def _list(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
