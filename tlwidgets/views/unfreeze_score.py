"""The score of gradual unfreezing: a row a part of the model, a column an epoch, and where each part begins to learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from ..core import Cost, FreezeError, FreezePlan, ModelTree, estimate_cost, profile
from ..render.unfreeze import unfreeze_html, unfreeze_text
from ..train.unfreezing import PRESETS, Unfreezing
from . import unfreeze_state as shown
from .assets import script, style
from .panel import Panel, subscribe
from .wire import PanelWidget, unknown_request

_HISTORY = 200  # schedules that undo remembers


class UnfreezeScore(Panel):
    """Choose from which epoch on each part of a model learns, by dragging or from code.

    Args:
        model_or_tree: a model, or its `ModelTree` (the cost is then told from sizes alone). The model is not kept.
        epochs: how many epochs there are.
        schedule: where to begin: an `Unfreezing`, or plans by epoch (`gradual_unfreezing(tree)`). None begins with
            gradual unfreezing, one part an epoch.
        sample: a batch as the model takes it, from which work is told.

    `score.schedule` goes into `fit(model, score.schedule[1], data, epochs=..., unfreeze=score.schedule)`; a `TrainPanel`
    takes the score itself, `TrainPanel(..., unfreeze=score)`, and marks the epoch that is being trained.

    Raises:
        TypeError: neither a model nor a tree.
        ValueError: `epochs` is no whole number above 0.
        FreezeError: a schedule that can't be shown as a score.
    """

    def __init__(
        self,
        model_or_tree: nn.Module | ModelTree,
        epochs: int,
        schedule: Unfreezing | Mapping[int, FreezePlan] | None = None,
        sample=None,
    ) -> None:
        super().__init__()
        self._tree, self._profile = _read(model_or_tree, sample)
        self._score = _begin(self._tree, epochs, schedule)
        self._options = {name: dict(preset.options) for name, preset in PRESETS.items()}
        longest = max((len(tower) for tower in self._tree.towers), default=1)
        self._options["last"]["k"] = min(self._options["last"]["k"], longest)
        self._made = shown.made_presets(self._tree, self._score.epochs, self._options)
        self._past: list[Unfreezing] = []
        self._future: list[Unfreezing] = []
        self._gesture: str | None = None
        self._costs: dict[int, Cost] = {}
        self._callbacks: list[Callable[[UnfreezeScore], None]] = []
        self._current = 0

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def tree(self) -> ModelTree:
        """The model's tree."""
        return self._tree

    @property
    def epochs(self) -> int:
        """How many epochs the score has."""
        return self._score.epochs

    @property
    def unfreezing(self) -> Unfreezing:
        """The schedule as a record: `.starts` by row, `.plan(epoch)`, `.to_dict()`."""
        return self._score

    @property
    def schedule(self) -> dict[int, FreezePlan]:
        """Plans by epoch, for `fit(..., unfreeze=)`."""
        return self._score.schedule

    @property
    def code(self) -> str:
        """Plain PyTorch lines with the same effect, and the call of `fit`."""
        return self._score.code()

    def to_dict(self) -> dict:
        """The schedule as plain JSON data; `Unfreezing.from_dict(tree, data)` reads it."""
        return self._score.to_dict()

    @property
    def state(self) -> dict:
        """All that the score shows, as plain data: what the widget, its static twin and tests read."""
        with self._lock:
            costs = shown.costs(self._score, self._cost_of)
            return {
                "schema": shown.SCHEMA,
                "view": "unfreeze",
                "title": f"Unfreezing {self._tree.model_type}",
                "epochs": self._score.epochs,
                "rows": shown.rows(self._score),
                "costs": costs,
                "whole": shown.whole(costs),
                "status": shown.learning_words(self._score),
                "assumptions": self._cost_of(self._score.plan(1)).assumptions,
                "presets": shown.presets(self._score, self._options, self._made),
                "code": self.code,
                "undo": bool(self._past),
                "redo": bool(self._future),
                "current": self._current,
                "message": dict(self._message),
                "closed": self._closed,
            }

    def _cost_of(self, plan: FreezePlan) -> Cost:
        if plan.gradient_bits not in self._costs:
            self._costs[plan.gradient_bits] = estimate_cost(self._tree, plan, self._profile)
        return self._costs[plan.gradient_bits]

    # -- what can be done ------------------------------------------------------------------------------------

    def move(self, row: str, start: int | None, gesture: str | None = None) -> None:
        """Have a row, and those that share weights with it, learn from epoch `start` on; None is never.

        Moves of one `gesture` (a drag) are undone together.

        Raises:
            UnknownGroupError: the model has no such part.
            FreezeError: it is no row, can't be trained, or `start` is no epoch.
            NothingTrainableError: nothing would learn in epoch 1.
        """
        with self._lock:
            score = self._score.with_start(row, start)
            label = self._tree.group(row).label
            others = len(score.together(row)) - 1
            also = f", and {others} with it that shares its weights" if others == 1 else ""
            self._adopt(score, f"{label} {shown.start_words(start)}{also}.", gesture)

    def preset(self, name: str, **options: int) -> None:
        """Take one of the usual schedules: "all", "head", "gradual" (`every=`), "last" (`k=`).

        Raises:
            FreezeError: unknown preset or option, or this model has no layers or head for it.
            ValueError: `every` is no whole number above 0.
        """
        with self._lock:
            score = Unfreezing.preset(name, self._tree, self._score.epochs, **options)
            self._options[name] = {**self._options[name], **options}
            self._made[name] = score
            self._adopt(score, f"{PRESETS[name].title}: {PRESETS[name].description}")

    def undo(self) -> None:
        """Go back to the schedule before the last change."""
        self._travel(self._past, self._future, "Undone.", "There is nothing to undo.")

    def redo(self) -> None:
        """Take back the last `undo`."""
        self._travel(self._future, self._past, "Done again.", "There is nothing to do again.")

    def mark(self, epoch: int) -> None:
        """Mark the epoch that is being trained; 0 marks none."""
        with self._lock:
            if epoch != self._current:
                self._current = epoch
                self._publish()

    def on_change(self, callback: Callable[[UnfreezeScore], None]) -> Callable[[], None]:
        """Call `callback(score)` after each change; returns a function that ends it."""
        return subscribe(self._callbacks, callback)

    def close(self) -> None:
        """End the live view. The output keeps the last state as a static table; the schedule can still be read."""
        with self._lock:
            if self._end():
                self._callbacks.clear()

    def _adopt(self, score: Unfreezing, said: str, gesture: str | None = None) -> None:
        if score == self._score:
            self._say("info", said)
            return
        if gesture is None or gesture != self._gesture:
            self._past.append(self._score)
            del self._past[:-_HISTORY]
        self._gesture = gesture
        self._score = score
        if self._past and self._past[-1] == score:  # dragged back to where it was
            self._past.pop()
            self._gesture = None
        self._future.clear()
        self._changed(said)

    def _travel(self, source: list, target: list, said: str, nothing: str) -> None:
        with self._lock:
            if not source:
                self._say("info", nothing)
                return
            target.append(self._score)
            self._score = source.pop()
            self._gesture = None
            self._changed(said)

    # -- telling ---------------------------------------------------------------------------------------------

    def _changed(self, said: str) -> None:
        self._say("info", said)
        for callback in list(self._callbacks):
            callback(self)

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return unfreeze_html(state), unfreeze_text(state)

    def _make_widget(self):
        return _ScoreWidget(self)

    def __repr__(self) -> str:
        return f"UnfreezeScore({self._tree.model_type}: {self._score})"


class _ScoreWidget(PanelWidget):
    """Small enough to be sent whole.

    From the browser, beside a panel's usual messages: move {row, start, gesture}; preset {name, options}; undo; redo.
    """

    _esm = script("unfreeze_score")
    _css = style("unfreeze_score")
    requests = ("undo", "redo")

    def _answer(self, panel, kind, content: dict) -> None:
        try:
            if kind == "move":
                panel.move(content.get("row"), content.get("start"), content.get("gesture"))
            elif kind == "preset":
                options = content.get("options")
                panel.preset(str(content.get("name")), **(options if isinstance(options, dict) else {}))
            elif kind == "hello" or kind in self.requests:
                super()._answer(panel, kind, content)
            else:
                raise FreezeError(unknown_request(kind))
        except (FreezeError, ValueError) as error:
            panel._say("error", str(error))


def _read(model_or_tree, sample) -> tuple[ModelTree, object]:
    if isinstance(model_or_tree, ModelTree):
        return model_or_tree, None
    if not isinstance(model_or_tree, nn.Module):
        raise TypeError(
            f"A score is made of a torch.nn.Module or a ModelTree, and this is a {type(model_or_tree).__name__}."
        )
    return ModelTree.of(model_or_tree), profile(model_or_tree, sample)


def _begin(tree: ModelTree, epochs: int, schedule) -> Unfreezing:
    if schedule is None:
        return Unfreezing.preset("gradual", tree, epochs)
    if isinstance(schedule, Unfreezing):
        return Unfreezing.from_dict(tree, {**schedule.to_dict(), "epochs": epochs})
    return Unfreezing.from_schedule(tree, epochs, schedule)
