"""The schedule of gradual unfreezing: a row for each part of the model, a column for each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from ...core import Cost, FreezePlan, ModelTree, Profile, estimate_cost, profile
from ...train.unfreeze_schedule import UnfreezeSchedule, current_preset_name, schedule_presets
from ..base.history import History
from ..base.labels import labels
from ..base.panel import Panel, subscribe
from . import state as shown
from .static import unfreeze_html, unfreeze_text


class UnfreezeSchedulePanel(Panel):
    """Choose the epoch from which each part of a model learns, by dragging or from code.

    Args:
        model_or_tree: a model, or its `ModelTree` (the cost is then estimated from sizes alone). The model is
            not kept.
        epochs: how many epochs there are.
        schedule: where to begin: an `UnfreezeSchedule`, or plans by epoch (`gradual_unfreezing(tree)`). None
            begins with gradual unfreezing, one more part in each epoch.
        sample: a batch as the model takes it, from which the work is estimated.

    `panel.schedule` goes into `fit(model, panel.schedule[1], data, epochs=..., unfreeze=panel.schedule)`; a
    `TrainPanel` takes the panel itself, `TrainPanel(..., unfreeze=panel)`, and marks the epoch that is being
    trained.

    Raises:
        TypeError: neither a model nor a tree.
        ValueError: `epochs` is not a whole number above 0.
        FreezeError: a schedule that cannot be shown here.
    """

    requests = {
        "move": ("move", "row", "start", "gesture"),
        "preset": ("_preset", "name", "options"),
        "undo": ("undo",),
        "redo": ("redo",),
    }

    def __init__(
        self,
        model_or_tree: nn.Module | ModelTree,
        epochs: int,
        schedule: UnfreezeSchedule | Mapping[int, FreezePlan] | None = None,
        sample=None,
    ) -> None:
        super().__init__()
        self._tree, self._profile = _read(model_or_tree, sample)
        self._history = History(_begin(self._tree, epochs, schedule))
        self._presets = schedule_presets(self._tree)
        self._options = {name: dict(preset.options) for name, preset in self._presets.items()}
        self._made = shown.made_presets(self._tree, self._schedule.epochs, self._options)
        self._gesture: str | None = None
        self._costs: dict[FreezePlan, Cost] = {}
        self._callbacks: list[Callable[[UnfreezeSchedulePanel], None]] = []
        self._current = 0

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def tree(self) -> ModelTree:
        """The model's tree."""
        return self._tree

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return self._schedule.epochs

    @property
    def unfreezing(self) -> UnfreezeSchedule:
        """The schedule as a record: `.starts` by row, `.plan(epoch)`, `.to_dict()`."""
        return self._schedule

    @property
    def schedule(self) -> dict[int, FreezePlan]:
        """Plans by epoch, for `fit(..., unfreeze=)`."""
        return self._schedule.schedule

    @property
    def code(self) -> str:
        """Plain PyTorch lines with the same effect, and the call of `fit`."""
        return self._schedule.code()

    def to_dict(self) -> dict:
        """The schedule as plain JSON data; `UnfreezeSchedule.from_dict(tree, data)` reads it."""
        return self._schedule.to_dict()

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            costs = shown.costs(self._schedule, self._cost_of)
            return {
                "schema": shown.SCHEMA,
                "view": "unfreeze",
                "title": f"Unfreezing {self._tree.model_type}",
                "labels": labels("unfreeze", epochs=str(self._schedule.epochs)),
                "epochs": self._schedule.epochs,
                "rows": shown.rows(self._schedule),
                "costs": costs,
                "whole": shown.whole(costs),
                "status": shown.learning_words(self._schedule),
                "assumptions": self._cost_of(self._schedule.plan(1)).assumptions,
                "presets": shown.presets(self._schedule, self._presets, self._options, self._made),
                "code": self.code,
                "undo": self._history.can_undo,
                "redo": self._history.can_redo,
                "current": self._current,
                "message": dict(self._message),
                "closed": self._closed,
            }

    def _cost_of(self, plan: FreezePlan) -> Cost:
        if plan not in self._costs:
            self._costs[plan] = estimate_cost(self._tree, plan, self._profile)
        return self._costs[plan]

    # -- what can be done ------------------------------------------------------------------------------------

    def move(self, row: str, start: int | None, gesture: str | None = None) -> None:
        """Have a row, and those that share weights with it, learn from epoch `start` on; None means never.

        Moves of one `gesture` (a drag) are undone together.

        Raises:
            UnknownGroupError: the model has no such part.
            FreezeError: it has no row or cannot be trained, or there is no such epoch.
            NothingTrainableError: nothing would learn in epoch 1.
        """
        with self.lock:
            schedule = self._schedule.with_start(row, start)
            label = self._tree.group(row).label
            others = len(schedule.together(row)) - 1
            also = f", and {others} with it that shares its weights" if others == 1 else ""
            self._adopt(schedule, f"{label} {shown.start_words(start)}{also}.", gesture)

    def preset(self, name: str, **options: int) -> None:
        """Take one of the usual schedules: "gradual" (`every=`), "full", "feature-extraction", "last" (`k=`).

        Raises:
            FreezeError: unknown preset or option, or this model has no layers or head for it.
            ValueError: `every` is not a whole number above 0.
        """
        with self.lock:
            name = current_preset_name(name)
            schedule = UnfreezeSchedule.preset(self._tree, name, self._schedule.epochs, **options)
            self._options[name] = {**self._options[name], **options}
            self._made[name] = schedule
            self._adopt(schedule, f"{self._presets[name].title}: {self._presets[name].description}")

    def _preset(self, name, options) -> None:
        """As a view asks for it."""
        self.preset(str(name), **(options if isinstance(options, dict) else {}))

    def undo(self) -> None:
        """Go back to the schedule before the last change."""
        with self.lock:
            if not self._history.can_undo:
                self._say("info", "There is nothing to undo.")
                return
            self._history.undo()
            self._gesture = None
            self._changed("Undone.")

    def redo(self) -> None:
        """Take back the last `undo`."""
        with self.lock:
            if not self._history.can_redo:
                self._say("info", "There is nothing to redo.")
                return
            self._history.redo()
            self._gesture = None
            self._changed("Redone.")

    def mark(self, epoch: int) -> None:
        """Mark the epoch that is being trained; 0 marks none."""
        with self.lock:
            if epoch != self._current:
                self._current = epoch
                self._publish()

    def on_change(self, callback: Callable[[UnfreezeSchedulePanel], None]) -> Callable[[], None]:
        """Call `callback(panel)` after each change; returns a function that ends it."""
        return subscribe(self._callbacks, callback)

    def close(self) -> None:
        """End the live view. The output keeps the last state as a static table; the schedule can still be
        read."""
        with self.lock:
            if self._end():
                self._callbacks.clear()

    @property
    def _schedule(self) -> UnfreezeSchedule:
        return self._history.present

    def _adopt(self, schedule: UnfreezeSchedule, said: str, gesture: str | None = None) -> None:
        if schedule == self._schedule:
            self._say("info", said)
            return
        if gesture is not None and gesture == self._gesture:
            self._history.replace(schedule)
        else:
            self._history.record(schedule)
        self._gesture = None if self._history.drop_idle_step() else gesture
        self._changed(said)

    # -- telling ---------------------------------------------------------------------------------------------

    def _changed(self, said: str) -> None:
        self._say("info", said)
        for callback in list(self._callbacks):
            callback(self)

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return unfreeze_html(state), unfreeze_text(state)

    def __repr__(self) -> str:
        return f"UnfreezeSchedulePanel({self._tree.model_type}: {self._schedule})"


def _read(model_or_tree, sample) -> tuple[ModelTree, Profile | None]:
    if isinstance(model_or_tree, ModelTree):
        return model_or_tree, None
    if not isinstance(model_or_tree, nn.Module):
        raise TypeError(f"Expected a torch.nn.Module or a ModelTree; got a {type(model_or_tree).__name__}.")
    return ModelTree.of(model_or_tree), profile(model_or_tree, sample)


def _begin(tree: ModelTree, epochs: int, schedule) -> UnfreezeSchedule:
    if schedule is None:
        return UnfreezeSchedule.preset(tree, "gradual", epochs)
    if isinstance(schedule, UnfreezeSchedule):
        return UnfreezeSchedule.from_dict(tree, {**schedule.to_dict(), "epochs": epochs})
    return UnfreezeSchedule.from_schedule(tree, epochs, schedule)
