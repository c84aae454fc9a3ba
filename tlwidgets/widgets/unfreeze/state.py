"""What the schedule of gradual unfreezing shows, as a plain dict: the widget, its static view and tests read
this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypedDict

from ...core import Cost, FreezeError, FreezePlan, ModelTree
from ...train.unfreeze_schedule import SchedulePreset, UnfreezeSchedule
from ..base.formats import count, percent
from ..base.labels import number_option
from ..base.records import PanelState, Preset


class UnfreezeRow(TypedDict):
    """A part of the model. `start`: the epoch from which on it learns; None for never."""

    id: str
    label: str
    type: str
    count: str
    start: int | None
    start_text: str
    start_short: str
    note: str
    fixed: bool


class UnfreezeCost(TypedDict):
    """What an epoch costs."""

    epoch: int
    share: float
    text: str
    short: str
    trainable: int
    learns: str
    begins: str


class UnfreezeState(PanelState):
    """The state of a schedule's panel. `current`: the epoch that is being trained; 0 for none."""

    view: Literal["unfreeze"]
    epochs: int
    rows: list[UnfreezeRow]
    costs: list[UnfreezeCost]
    whole: str
    status: str
    assumptions: str
    presets: list[Preset]
    code: str
    undo: bool
    redo: bool
    current: int


SCHEMA = 1


def rows(schedule: UnfreezeSchedule) -> list[dict]:
    """The rows from the head down to the embeddings, each with its words."""
    return [_row(schedule, row) for row in reversed(schedule.tree.unfolded_rows)]


def _row(schedule: UnfreezeSchedule, row) -> dict:
    start = schedule.starts[row.id]
    others = [schedule.tree.group(each).label for each in schedule.together(row.id) if each != row.id]
    note = f"shares weights, and moves, with {_list(others)}" if others else ""
    return {
        "id": row.id,
        "label": row.label,
        "type": row.module_type,
        "count": count(row.numel) if row.numel or not row.tied_to else "tied",
        "start": start,
        "start_text": start_words(start),
        "start_short": "never" if start is None else f"epoch {start}",
        "note": row.fixed or note,
        "fixed": bool(row.fixed),
    }


def start_words(start: int | None) -> str:
    """When a row begins to learn."""
    return "never learns" if start is None else f"learns from epoch {start}"


def costs(schedule: UnfreezeSchedule, cost_of: Callable[[FreezePlan], Cost]) -> list[dict]:
    """For each epoch: what begins to learn in it, how much learns, and its backward work as a share of full
    fine-tuning's."""
    found = []
    names = {row.id: row.label for row in schedule.tree.unfolded_rows}
    for epoch in range(1, schedule.epochs + 1):
        plan = schedule.plan(epoch)
        cost = cost_of(plan)
        begins = [names[row] for row, start in schedule.starts.items() if start == epoch]
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
    return f"All epochs together: {percent(round(mean, 4))} of the backward work of full fine-tuning."


def presets(
    schedule: UnfreezeSchedule,
    presets: Mapping[str, SchedulePreset],
    options: dict[str, dict[str, int]],
    made: dict[str, UnfreezeSchedule | str],
) -> list[dict]:
    """The preset buttons. `made` holds each preset's schedule, or a sentence that says why there is none."""
    most = {"every": schedule.epochs, "k": max((len(tower) for tower in schedule.tree.towers), default=1)}
    return [
        {
            "name": name,
            "title": f"{preset.title}, every" if "every" in options[name] else preset.title,
            "description": preset.description,
            "active": made[name] == schedule,
            "unavailable": made[name] if isinstance(made[name], str) else "",
            "options": {key: number_option(key, value, most[key]) for key, value in options[name].items()},
        }
        for name, preset in presets.items()
    ]


def made_presets(
    tree: ModelTree, epochs: int, options: dict[str, dict[str, int]]
) -> dict[str, UnfreezeSchedule | str]:
    """Each preset's schedule for this model, or a sentence that says why there is none."""
    made: dict[str, UnfreezeSchedule | str] = {}
    for name in options:
        try:
            made[name] = UnfreezeSchedule.preset(tree, name, epochs, **options[name])
        except (FreezeError, ValueError) as error:
            made[name] = str(error)
    return made


def learning_words(schedule: UnfreezeSchedule) -> str:
    """What the last epoch trains, in a sentence."""
    tree, plan = schedule.tree, schedule.plan(schedule.epochs)
    learns = plan.trainable_count
    return f"By epoch {schedule.epochs}, {count(learns)} of {count(tree.total)} parameters learn."


def _list(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
