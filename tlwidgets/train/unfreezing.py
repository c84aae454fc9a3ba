"""From which epoch on each part of a model learns: a schedule for gradual unfreezing, as a score that can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..core import FreezeError, FreezePlan, Group, ModelTree, NothingTrainableError
from ..core.code import path
from ..core.presets import nothing
from ..core.tree import bits_of
from .optim import gradual_unfreezing

NEVER = None


@dataclass(frozen=True)
class UnfreezePreset:
    """A usual schedule: its name, what a person reads, and its options with their defaults."""

    name: str
    title: str
    description: str
    options: Mapping[str, int]


PRESETS: dict[str, UnfreezePreset] = {
    preset.name: preset
    for preset in (
        UnfreezePreset("all", "All at once", "Every weight learns from the first epoch on.", {}),
        UnfreezePreset("head", "Head only", "Feature extraction: nothing but the head ever learns.", {}),
        UnfreezePreset(
            "gradual",
            "Gradual",
            "The head first, then one more part every so many epochs, the last layer first (Howard and Ruder 2018).",
            {"every": 1},
        ),
        UnfreezePreset(
            "last", "Last layers", "The last k layers and the head learn from the start.", {"k": 2}
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Unfreezing:
    """An immutable schedule. Make one with `preset`, `from_schedule` or `from_dict`, change it with `with_start`.

    Attributes:
        tree: of the model that it is for.
        epochs: how many there are.
        starts: by row of the tree, in forward order: the epoch (from 1) from which it learns on; None is never.
    """

    tree: ModelTree
    epochs: int
    starts: Mapping[str, int | None]

    # -- making one ------------------------------------------------------------------------------------------

    @classmethod
    def preset(cls, name: str, tree: ModelTree, epochs: int, **options: int) -> Unfreezing:
        """One of the usual schedules: "all", "head", "gradual" (`every=1`), "last" (`k=2`).

        Raises:
            FreezeError: unknown preset or option, or one that this model has no layers or head for.
            ValueError: `every` or `epochs` is no whole number above 0.
        """
        if name not in PRESETS:
            raise FreezeError(
                f"There is no schedule {name!r}. Expected one of {', '.join(map(repr, PRESETS))}."
            )
        unknown = sorted(set(options) - set(PRESETS[name].options))
        if unknown:
            known = ", ".join(PRESETS[name].options) or "none"
            raise FreezeError(f"The schedule {name!r} has no option {unknown[0]!r}. Its options: {known}.")
        if name == "gradual":
            return cls.from_schedule(tree, epochs, gradual_unfreezing(tree, **options))
        plan = {"all": "full", "head": "feature-extraction", "last": "last"}[name]
        return cls.from_schedule(tree, epochs, {1: FreezePlan.preset(plan, tree, **options)})

    @classmethod
    def from_schedule(cls, tree: ModelTree, epochs: int, schedule: Mapping[int, FreezePlan]) -> Unfreezing:
        """Read what `fit(unfreeze=...)` takes; plans of later epochs than `epochs` are left out.

        Raises:
            FreezeError: a plan trains a part of a row, freezes again what learned, or there is none for epoch 1.
            ValueError: `epochs` is no whole number above 0.
        """
        _check_epochs(epochs)
        if 1 not in schedule:
            raise FreezeError(
                "The schedule has no plan for epoch 1. Expected {1: plan, ...}, as gradual_unfreezing(tree) gives it."
            )
        starts: dict[str, int | None] = {}
        for row in rows_of(tree):
            start = NEVER
            for epoch in sorted(each for each in schedule if each <= epochs):
                state = "frozen" if row.fixed else schedule[epoch].state(row.id)
                if state == "partial":
                    raise FreezeError(
                        f"In epoch {epoch} a part of {row.label} learns, and a part stays frozen. A score thaws whole rows: "
                        "expected plans such as those of gradual_unfreezing(tree)."
                    )
                if state == "trained" and start is NEVER:
                    start = epoch
                elif state == "frozen" and start is not NEVER:
                    raise FreezeError(
                        f"{row.label} learns from epoch {start} on and is frozen again in epoch {epoch}. A score only "
                        "thaws: leave it frozen until it is to learn for good."
                    )
            starts[row.id] = start
        return cls(tree, epochs, starts)._checked()

    @classmethod
    def from_dict(cls, tree: ModelTree, data: Mapping) -> Unfreezing:
        """Read back what `to_dict` wrote, for a tree with the same rows.

        Raises:
            FreezeError: no schedule, one of a newer version, of another model, or one that can't be.
        """
        if not isinstance(data, Mapping) or not isinstance(data.get("starts"), Mapping):
            raise FreezeError("This is no schedule: a mapping made by to_dict() was expected.")
        if data.get("schema") != 1:
            raise FreezeError(
                f"This schedule has version {data.get('schema')!r}, and version 1 was expected. Update the course's package."
            )
        _check_epochs(data.get("epochs"))
        rows = [row.id for row in rows_of(tree)]
        if sorted(rows) != sorted(data["starts"]):
            odd = sorted(set(rows) ^ set(data["starts"]))[0]
            raise FreezeError(
                f"The schedule is of another model: {odd!r} is in one of them only. Expected one made for this "
                f"{tree.model_type}; make a new one with Unfreezing.preset."
            )
        made = cls(tree, data["epochs"], {row: data["starts"][row] for row in rows})
        for row, start in made.starts.items():
            made._check_start(row, start)
        return made._checked()

    def with_start(self, row: str, start: int | None) -> Unfreezing:
        """A schedule in which this row learns from epoch `start` on (None: never), and those that share weights with it.

        Raises:
            UnknownGroupError: the model has no such part.
            FreezeError: it is no row, can't be trained, or `start` is no epoch.
            NothingTrainableError: nothing would learn in epoch 1.
        """
        self._check_start(row, start)
        moved = {each: start for each in self.together(row)}
        return replace(self, starts={**self.starts, **moved})._checked()

    # -- what it says ----------------------------------------------------------------------------------------

    def together(self, row: str) -> tuple[str, ...]:
        """The rows that share a weight with this one, itself among them: they learn from the same epoch on."""
        masks = {each.id: self.tree.masks(each.id).parameters for each in rows_of(self.tree)}
        shared, found = masks[row], {row}
        while True:
            more = {each for each, mask in masks.items() if mask & shared} - found
            if not more:
                return tuple(each for each in masks if each in found)
            found |= more
            for each in more:
                shared |= masks[each]

    def plan(self, epoch: int) -> FreezePlan:
        """What learns in this epoch."""
        plan = nothing(self.tree)
        for row in rows_of(self.tree):
            start = self.starts[row.id]
            if start is not NEVER and start <= epoch:
                plan = plan.with_policy(row.id, "trained")
        return plan

    @property
    def schedule(self) -> dict[int, FreezePlan]:
        """For `fit(model, schedule[1], data, unfreeze=schedule)`: a plan for epoch 1 and each in which more is thawed."""
        thawing = {1, *(start for start in self.starts.values() if start is not NEVER)}
        return {epoch: self.plan(epoch) for epoch in sorted(thawing)}

    def to_dict(self) -> dict:
        """The schedule as plain JSON data."""
        return {"schema": 1, "epochs": self.epochs, "starts": dict(self.starts)}

    def code(self, model_name: str = "model") -> str:
        """Python lines, with torch alone, that thaw a model named `model_name` in the same way."""
        return _code(self, model_name)

    # -- what can't be ---------------------------------------------------------------------------------------

    def _check_start(self, row: str, start) -> None:
        group = self.tree.group(row)
        if group.id not in self.starts:
            raise FreezeError(
                f"{group.label} ({group.id!r}) is no row of the score. Expected one of "
                f"{', '.join(map(repr, list(self.starts)[-3:]))} and the others that it shows."
            )
        if start is NEVER:
            return
        if isinstance(start, bool) or not isinstance(start, int) or not 1 <= start <= self.epochs:
            raise FreezeError(
                f"{start!r} is no epoch to begin with. Expected a whole number from 1 to {self.epochs}, or None for never."
            )
        if group.fixed:
            raise FreezeError(f"{group.label} can't be trained: {group.fixed}.")

    def _checked(self) -> Unfreezing:
        if 1 not in self.starts.values():
            raise NothingTrainableError(
                "Nothing would learn in epoch 1, so it could change nothing. Expected at least one part that begins there: "
                "let another one (the head, for instance) begin in epoch 1 first."
            )
        for row, start in self.starts.items():
            for other in self.together(row):
                if self.starts[other] != start:
                    raise FreezeError(
                        f"{row!r} and {other!r} share weights, so they learn from the same epoch on. Expected one start for "
                        "both."
                    )
        return self

    def __eq__(self, other) -> bool:
        if not isinstance(other, Unfreezing):
            return NotImplemented
        same = self.tree is other.tree or self.tree.parameter_names == other.tree.parameter_names
        return same and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.epochs, tuple(self.starts.items())))

    def __str__(self) -> str:
        begin = {start for start in self.starts.values() if start is not NEVER}
        return f"{self.epochs} epochs, thawing before epoch {', '.join(map(str, sorted(begin)))}"


def rows_of(tree: ModelTree) -> list[Group]:
    """The rows of a score, in forward order: those of the tree, with each layer of a long list on its own."""
    rows = []
    for row in tree.root.children or (tree.root,):
        rows.extend(row.children if row.kind == "layers" else [row])
    return rows


def _check_epochs(epochs) -> None:
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"epochs is {epochs!r}. Expected a whole number of at least 1.")


def _code(score: Unfreezing, model_name: str) -> str:
    tree = score.tree
    rows = [row for row in rows_of(tree) if not row.fixed]
    parts = [(row.id, score.starts[row.id]) for row in rows] + _still(score)
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
        "def begin_epoch(epoch):  # from 1, in place of model.train(): what is frozen keeps its statistics, and drops nothing",
        f"    {model_name}.train()",
        "    for part, start in starts:",
        "        learns = start is not None and epoch >= start",
        "        part.requires_grad_(learns)",
        *(mode if bare else ["        part.train(learns)"]),
        "",
        "",
        "# The same with this toolkit:",
        f"# fit({model_name}, schedule[1], data, epochs={score.epochs}, unfreeze=schedule)",
    ]
    return "\n".join(lines)


def _still(score: Unfreezing) -> list[tuple[str, int | None]]:
    """Modules without weights that stand in no row (a dropout before the head), and wait for an epoch after the first."""
    tree = score.tree
    rows = tuple(row.id for row in rows_of(tree))
    active: dict[int, int] = {}
    for epoch, plan in sorted(score.schedule.items()):
        for bit in bits_of(plan.active_bits):
            active.setdefault(bit, epoch)
    return [
        (name, active.get(bit, NEVER))
        for bit, name in enumerate(tree.module_names)
        if active.get(bit) != 1
        and tree.own[1 << bit] == (0, 0)
        and not any(name == row or name.startswith(f"{row}.") or not row for row in rows)
    ]
