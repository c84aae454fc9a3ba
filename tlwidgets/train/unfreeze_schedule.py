"""From which epoch on each part of a model learns: a schedule that can be changed part by part."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from ..core import PRESETS, FreezeError, FreezePlan, ModelTree, NothingTrainableError
from ..core.argument_order import model_first
from ..core.code import path
from .optim import gradual_unfreezing
from .whole_numbers import check_whole_number, is_whole_number

NEVER = None

_OLD_NAMES = {"all": "full", "head": "feature-extraction"}


@dataclass(frozen=True)
class SchedulePreset:
    """A usual schedule: its name, what a person reads, and its options with their defaults."""

    name: str
    title: str
    description: str
    options: Mapping[str, int]


GRADUAL = SchedulePreset(
    "gradual",
    "Gradual",
    "The head first, then one more part every `every` epochs, the last layer first (Howard and Ruder 2018).",
    {"every": 1},
)


def schedule_presets(model: nn.Module | ModelTree) -> dict[str, SchedulePreset]:
    """The usual schedules by name: one plan from the first epoch to the last, or gradual unfreezing.

    Of the plans' presets, those are left out that would train a part of a row of this model.
    """
    tree = ModelTree.of(model)
    presets = {}
    for name, preset in PRESETS.items():
        if preset.offered(tree) and not _splits_a_row(tree, name):
            longest = max((len(tower) for tower in tree.towers), default=1)
            options = {
                key: min(2, longest) if value is None else value for key, value in preset.options.items()
            }
            presets[name] = SchedulePreset(name, preset.title, preset.description, options)
    return {**presets, GRADUAL.name: GRADUAL}


def _splits_a_row(tree: ModelTree, preset: str) -> bool:
    try:
        plan = FreezePlan.preset(tree, preset)
    except FreezeError:  # it does not fit this model at all, and says so when it is asked for
        return False
    return any(plan.state(row.id) == "partial" for row in tree.unfolded_rows if not row.fixed)


@dataclass(frozen=True, eq=False)
class UnfreezeSchedule:
    """An immutable schedule, made by `preset`, `from_schedule` or `from_dict`; `with_start` changes it.

    A row is a row of the model's tree, or one of the layers that a row stands for.

    Attributes:
        tree: of the model that it is for.
        epochs: how many there are.
        starts: for each row, in forward order, the epoch (from 1) from which it learns; None means never.
    """

    tree: ModelTree
    epochs: int
    starts: Mapping[str, int | None]

    # -- making one ------------------------------------------------------------------------------------------

    @classmethod
    def preset(cls, model: nn.Module | ModelTree, name: str, epochs: int, **options: Any) -> UnfreezeSchedule:
        """One of `schedule_presets(model)`, such as "gradual" (`every=1`), "full" or "last" (`k=`).

        `head` names the new part where it is not found, as in `FreezePlan.preset`.

        Raises:
            FreezeError: unknown preset or option, or one that this model has no layers or head for.
            ValueError: `every` or `epochs` is not a whole number above 0.
        """
        kinds = (nn.Module, ModelTree)
        model, name = model_first(model, name, kinds, "UnfreezeSchedule.preset(model, name, epochs)")
        tree, name = ModelTree.of(model, options.pop("head", None)), current_preset_name(name)
        if name == GRADUAL.name:
            unknown = sorted(set(options) - set(GRADUAL.options))
            if unknown:
                raise FreezeError(
                    f"The schedule {name!r} has no option {unknown[0]!r}. Its options: "
                    f"{', '.join(GRADUAL.options)}."
                )
            return cls.from_schedule(tree, epochs, gradual_unfreezing(tree, **options))
        if name not in PRESETS:
            known = ", ".join(map(repr, schedule_presets(tree)))
            raise FreezeError(f"There is no schedule {name!r}. Expected one of {known}.")
        return cls.from_schedule(tree, epochs, {1: FreezePlan.preset(tree, name, **options)})

    @classmethod
    def from_schedule(
        cls, tree: ModelTree, epochs: int, schedule: Mapping[int, FreezePlan]
    ) -> UnfreezeSchedule:
        """Read what `fit(unfreeze=...)` takes; plans of epochs after `epochs` are left out.

        Raises:
            FreezeError: a plan trains only a part of a row or freezes again what learned, or epoch 1 has no
                plan.
            ValueError: `epochs` is not a whole number above 0.
        """
        check_whole_number("epochs", epochs)
        if 1 not in schedule:
            raise FreezeError(
                "The schedule has no plan for epoch 1. Expected {1: plan, ...}, as gradual_unfreezing(model) "
                "gives it."
            )
        starts: dict[str, int | None] = {}
        for row in tree.unfolded_rows:
            start = NEVER
            for epoch in sorted(each for each in schedule if each <= epochs):
                state = "frozen" if row.fixed else schedule[epoch].state(row.id)
                if state == "partial":
                    raise FreezeError(
                        f"In epoch {epoch} a part of {row.label} learns, and a part stays frozen. A schedule "
                        "thaws whole rows: expected plans such as those of gradual_unfreezing(model)."
                    )
                if state == "trained" and start is NEVER:
                    start = epoch
                elif state == "frozen" and start is not NEVER:
                    raise FreezeError(
                        f"{row.label} learns from epoch {start} on and is frozen again in epoch {epoch}. A "
                        "schedule only thaws: leave it frozen until it is to learn for good."
                    )
            starts[row.id] = start
        return cls(tree, epochs, starts)._checked()

    @classmethod
    def from_dict(cls, tree: ModelTree, data: Mapping[str, Any]) -> UnfreezeSchedule:
        """Read back what `to_dict` wrote, for a tree with the same rows.

        Raises:
            FreezeError: it is not a schedule, of a newer version, of another model, or could not be trained.
            ValueError: its number of epochs is not a whole number above 0.
        """
        if not isinstance(data, Mapping) or not isinstance(data.get("starts"), Mapping):
            raise FreezeError("This is not a schedule. Expected a mapping made by to_dict().")
        if data.get("schema") != 1:
            raise FreezeError(
                f"This schedule has version {data.get('schema')!r}, and version 1 was expected. Update the "
                "course's package."
            )
        check_whole_number("epochs", data.get("epochs"))
        rows = [row.id for row in tree.unfolded_rows]
        if sorted(rows) != sorted(data["starts"]):
            odd = sorted(set(rows) ^ set(data["starts"]))[0]
            raise FreezeError(
                f"The schedule is of another model: only one of the two has {odd!r}. Expected one made for "
                f"this {tree.model_type}; make a new one with UnfreezeSchedule.preset."
            )
        made = cls(tree, data["epochs"], {row: data["starts"][row] for row in rows})
        for row, start in made.starts.items():
            made._check_start(row, start)
        return made._checked()

    def with_start(self, row: str, start: int | None) -> UnfreezeSchedule:
        """A schedule in which this row, and those that share weights with it, learn from epoch `start` on.

        Raises:
            UnknownGroupError: the model has no such part.
            FreezeError: it is not a row or cannot be trained, or `start` is not an epoch.
            NothingTrainableError: nothing would learn in epoch 1.
        """
        self._check_start(row, start)
        moved = {each: start for each in self.together(row)}
        return replace(self, starts={**self.starts, **moved})._checked()

    # -- what it says ----------------------------------------------------------------------------------------

    def together(self, row: str) -> tuple[str, ...]:
        """The rows that share a weight with this one, itself among them: they start in the same epoch."""
        weights = {each.id: set(each.parameters) for each in self.tree.unfolded_rows}
        shared, found = set(weights[row]), {row}
        while True:
            more = {each for each, own in weights.items() if own & shared} - found
            if not more:
                return tuple(each for each in weights if each in found)
            found |= more
            for each in more:
                shared |= weights[each]

    def plan(self, epoch: int) -> FreezePlan:
        """What learns in this epoch."""
        plan = FreezePlan.all_frozen(self.tree)
        for row in self.tree.unfolded_rows:
            start = self.starts[row.id]
            if start is not NEVER and start <= epoch:
                plan = plan.with_policy(row.id, "trained")
        return plan

    @property
    def schedule(self) -> dict[int, FreezePlan]:
        """For `fit(model, schedule[1], data, unfreeze=schedule)`: a plan for each epoch that thaws more."""
        thawing = {1, *(start for start in self.starts.values() if start is not NEVER)}
        return {epoch: self.plan(epoch) for epoch in sorted(thawing)}

    def to_dict(self) -> dict[str, Any]:
        """The schedule as plain JSON data."""
        return {"schema": 1, "epochs": self.epochs, "starts": dict(self.starts)}

    def code(self, model_name: str = "model") -> str:
        """Python lines, with torch alone, that thaw a model named `model_name` in the same way."""
        return _code(self, model_name)

    # -- checks ----------------------------------------------------------------------------------------------

    def _check_start(self, row: str, start: object) -> None:
        group = self.tree.group(row)
        if group.id not in self.starts:
            raise FreezeError(
                f"{group.label} ({group.id!r}) is not a row of the schedule. Expected one of its rows, such "
                f"as {', '.join(map(repr, list(self.starts)[-3:]))}."
            )
        if start is NEVER:
            return
        if not is_whole_number(start) or start > self.epochs:
            raise FreezeError(
                f"A row starts to learn in an epoch from 1 to {self.epochs}, or never (None); got {start!r}."
            )
        if group.fixed:
            raise FreezeError(f"{group.label} cannot be trained: {group.fixed}.")

    def _checked(self) -> UnfreezeSchedule:
        if 1 not in self.starts.values():
            raise NothingTrainableError(
                "Nothing would learn in epoch 1, so it could change nothing. At least one part must start "
                "there: let another one (the head, for instance) start in epoch 1 first."
            )
        for row, start in self.starts.items():
            for other in self.together(row):
                if self.starts[other] != start:
                    raise FreezeError(
                        f"{row!r} and {other!r} share weights, so they learn from the same epoch on. Give "
                        "both the same start."
                    )
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnfreezeSchedule):
            return NotImplemented
        same = self.tree is other.tree or self.tree.parameter_names == other.tree.parameter_names
        return same and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.epochs, tuple(self.starts.items())))

    def __str__(self) -> str:
        begin = {start for start in self.starts.values() if start is not NEVER}
        return f"{self.epochs} epochs, thawing before epoch {', '.join(map(str, sorted(begin)))}"


def current_preset_name(name: str) -> str:
    """The name of a preset now, where it is called by the one it had before; with a warning."""
    if name not in _OLD_NAMES:
        return name
    new = _OLD_NAMES[name]
    warnings.warn(
        f"The schedule {name!r} is now called {new!r}, as the plan is. The old name works for this release "
        "only.",
        FutureWarning,
        stacklevel=3,
    )
    return new


def _code(schedule: UnfreezeSchedule, model_name: str) -> str:
    tree = schedule.tree
    rows = [row for row in tree.unfolded_rows if not row.fixed]
    parts = [(row.id, schedule.starts[row.id]) for row in rows] + _waiting(schedule)
    width = max(len(path(name, model_name)) for name, _ in parts) + 2
    lines = ["# From which epoch on each part learns", "starts = ["]
    for name, start in reversed(parts):
        note = "  # never" if start is NEVER else ""
        lines.append(f"    ({path(name, model_name) + ',':<{width}}{start}),{note}")
    bare = any(row.kind == "parameter" for row in rows)
    mode = ["        if isinstance(part, torch.nn.Module):", "            part.train(learns)"]
    lines += [
        "]",
        "# Every weight from the start: an optimizer passes over those without a gradient.",
        f"optimizer = torch.optim.AdamW({model_name}.parameters(), lr=1e-3)",
        "",
        "",
        "# Call it instead of model.train(): frozen parts keep their statistics, without dropout.",
        "def begin_epoch(epoch):  # from 1",
        f"    {model_name}.train()",
        "    for part, start in starts:",
        "        learns = start is not None and epoch >= start",
        "        part.requires_grad_(learns)",
        *(mode if bare else ["        part.train(learns)"]),
        "",
        "",
        "# The same with this toolkit:",
        f"# fit({model_name}, schedule[1], data, epochs={schedule.epochs}, unfreeze=schedule)",
    ]
    return "\n".join(lines)


def _waiting(schedule: UnfreezeSchedule) -> list[tuple[str, int | None]]:
    """Modules without weights that belong to no row (dropout before the head) and start after epoch 1."""
    tree = schedule.tree
    rows = tuple(row.id for row in tree.unfolded_rows)
    active: dict[str, int] = {}
    for epoch, plan in sorted(schedule.schedule.items()):
        for name in plan.active_modules:
            active.setdefault(name, epoch)
    return [
        (name, active.get(name, NEVER))
        for name in tree.module_names
        if active.get(name) != 1
        and name in tree.bare_modules
        and not any(name == row or name.startswith(f"{row}.") or not row for row in rows)
    ]
