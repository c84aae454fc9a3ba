"""The freezing panel: a model's layers as a tree, each with a control that freezes or thaws it for real."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import torch
from torch import nn

from ..core import (
    PRESETS,
    FreezeError,
    FreezePlan,
    ModelTree,
    NothingTrainableError,
    Policy,
    apply_plan,
    estimate_cost,
    plan_code,
    profile,
)
from ..render.freeze import freeze_html, freeze_text
from ..render.words import count, plural
from . import freeze_state as shown
from .device import device_record
from .environment import is_live
from .follow import after_each_cell, fingerprint, shape_changed
from .panel import subscribe
from .receipt import Receipt

_DEFAULT_K = 2  # "the last k layers", before anybody chose
_HISTORY = 200  # plans that undo remembers; a plan is three integers


class FreezePanel:
    """Freeze and thaw the layers of `model` by clicking, or from code; both act on the model itself at once.

    Args:
        model: any `torch.nn.Module`, on any device (on `meta`, too: nothing is allocated).
        optimizer: the optimizer in use; frozen weights are taken out of its state.
        sample: a batch as the model takes it, from which work and activation memory are told. Without
            one, a batch is made from the model's configuration where it has one.
        title: the heading; the name of the model's class where it is left out.

    Display the panel by making it a cell's last line. Where nobody can click (papermill, nbconvert,
    grading) the same state is shown as a static table. The panel keeps the model alive until `close()`,
    or until neither a variable nor a view on the page holds the panel.

    Raises:
        TypeError: `model` is not a module.
        NoParametersError: it has nothing to freeze.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer | None = None,
        sample=None,
        *,
        title: str | None = None,
    ):
        self._lock = threading.RLock()
        self._title = title
        self._model: nn.Module | None = model
        self._optimizer = optimizer
        self._sample = sample
        self._callbacks: list[Callable[[FreezePanel], None]] = []
        self._open: dict[str, None] = {}
        self._message = {"kind": "", "text": ""}
        self._revision = 0
        self._k: int | None = None
        self._pending = False
        self._depth = 0
        self._widget = None
        self.defer: Callable[[Callable[[], None]], None] | None = None
        """None, or what takes a callable and calls it when the model may be changed (between two
        training steps).
        """
        self._read_model()
        self._receipt = Receipt(self._rendered)
        self._stop_following = after_each_cell(self._after_cell)

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def model(self) -> nn.Module:
        """The model.

        Raises:
            FreezeError: the panel was closed.
        """
        if self._model is None:
            raise FreezeError(
                "This panel was closed and has let its model go. Make a new one: FreezePanel(model)."
            )
        return self._model

    @property
    def tree(self) -> ModelTree:
        """The model's tree, as last read."""
        return self._tree

    @property
    def plan(self) -> FreezePlan:
        """What is frozen and what learns now, changes made in code included."""
        with self._lock:
            self._look()
            return self._plan

    @property
    def code(self) -> str:
        """Plain PyTorch lines with the same effect."""
        return plan_code(self.plan)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static twin and tests read."""
        with self._lock:
            return {
                "schema": shown.SCHEMA,
                "view": "freeze",
                "title": self._title or self._tree.model_type,
                "rows": shown.rows_of(self._plan, self._open),
                "code": plan_code(self._plan),
                **self._frame(),
            }

    def _frame(self) -> dict:
        """All but the rows and the code: what may change at each click."""
        cost = estimate_cost(self._tree, self._plan, self._profile, self._optimizer_name)
        presets = shown.presets_of(self._plan, self._k, self._presets)
        active = [preset["title"] for preset in presets if preset["active"]]
        return {
            "revision": self._revision,
            "plan": active[0] if active else "Your own choice",
            "presets": presets,
            "summary": shown.summary_of(cost, self._full_cost),
            "device": device_record(self._print.devices),
            "notes": [tied.explanation for tied in self._tree.tied],
            "message": dict(self._message),
            "undo": bool(self._past),
            "redo": bool(self._future),
            "pending": self._pending,
            "closed": self._model is None,
        }

    # -- what can be done ------------------------------------------------------------------------------------

    def set_policy(self, group: str, policy: str | Policy) -> None:
        """Freeze or thaw a group: "frozen", "trained", or a `Policy` for gradients, statistics and
        dropout apart.

        Raises:
            UnknownGroupError: the model has no such group.
            NothingTrainableError: nothing would be left to train, or the group can't be trained.
        """
        with self._acting():
            plan = self._plan.with_policy(group, policy)
            label = self._tree.group(group).label
            self._adopt(
                plan, {"frozen": f"{label} is frozen.", "trained": f"{label} learns."}, plan.state(group)
            )

    def toggle(self, group: str) -> None:
        """Thaw a group that is frozen, in part or whole; freeze one that learns. Raises as `set_policy`."""
        with self._acting():
            trained = self._plan.state(group) == "trained"
            self.set_policy(group, "frozen" if trained else "trained")

    def preset(self, name: str, **options) -> None:
        """Take one of the usual plans: "feature-extraction", "last" (`k=`), "full", "norms-and-biases".

        Raises:
            FreezeError: unknown preset or option.
            NothingTrainableError: it would train nothing in this model.
        """
        with self._acting():
            plan = FreezePlan.preset(name, self._tree, **options)
            if name == "last":
                self._k = options.get("k") or min(_DEFAULT_K, shown.most_layers(self._tree))
                self._presets["last"] = plan
            self._adopt(plan, {}, "", f"{PRESETS[name].title}: {PRESETS[name].description}")

    def undo(self) -> None:
        """Go back to the plan before the last change."""
        self._travel(self._past, self._future, "Undone.", "There is nothing to undo.")

    def redo(self) -> None:
        """Take back the last `undo`."""
        self._travel(self._future, self._past, "Done again.", "There is nothing to do again.")

    def refresh(self) -> None:
        """Read the model again: what code froze or thawed, and modules that were added or taken away."""
        with self._lock:
            if not self._look():
                self._say("info", "The tree shows the model as it is.")
            self._publish()

    def on_change(self, callback: Callable[[FreezePanel], None]) -> Callable[[], None]:
        """Call `callback(panel)` after each change of the plan; returns a function that ends it."""
        return subscribe(self._callbacks, callback)

    def close(self) -> None:
        """Let the model go. The output keeps the last state as a static table."""
        with self._lock:
            if self._model is None:
                return
            self._stop_following()
            self._receipt.close()
            self._model = self._optimizer = self._sample = self.defer = None
            self._callbacks.clear()
            if self._widget is not None:
                self._widget.close()
                self._widget = None

    # -- changing the model ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _acting(self) -> Iterator[nn.Module]:
        """Hold the lock, after a look at the model: commands build on what it is now, whoever changed it."""
        with self._lock:
            model = self.model
            if not self._depth:
                self._look()
            self._depth += 1
            try:
                yield model
            finally:
                self._depth -= 1

    def _adopt(self, plan: FreezePlan, words: dict, state: str, said: str = "") -> None:
        if not plan.gradient_bits:
            raise NothingTrainableError(
                "That would freeze everything, and a model in which nothing learns can't be trained. "
                "Thaw another group first (the head, for instance), then freeze this one."
            )
        if plan == self._plan:
            if said or self._widget is not None:  # code that sets up a panel is told nothing
                self._say("info", said or "It is so already.")
            self._publish()
            return
        before = self._plan
        self._apply(plan)
        self._past.append(before)
        del self._past[:-_HISTORY]
        self._future.clear()
        self._say("info", f"{said or words.get(state, 'Changed.')} {self._learning()}")
        self._changed()

    def _travel(self, source: list, target: list, said: str, nothing: str) -> None:
        with self._acting():
            if not source:
                self._say("info", nothing)
                self._publish()
                return
            before = self._plan
            self._apply(source[-1])
            source.pop()
            target.append(before)
            self._say("info", f"{said} {self._learning()}")
            self._changed()

    def _apply(self, plan: FreezePlan) -> None:
        """Put a plan into effect, now or at the next step; the old one stays where that fails."""
        if self.defer is None:
            apply_plan(plan, self.model, self._optimizer)
            self._plan, self._print = plan, fingerprint(self.model)
            return
        self._plan = plan
        if not self._pending:
            self._pending = True
            self.defer(self._apply_pending)

    def _apply_pending(self) -> None:
        """Called between two training steps; an error is told in the panel, training goes on."""
        with self._lock:
            self._pending = False
            if self._model is None:
                return
            try:
                apply_plan(self._plan, self._model, self._optimizer)
                self._print = fingerprint(self._model)
                self._publish()
            except FreezeError as error:
                self._read_model()  # back to what the model is
                self._say("error", str(error))
                self._changed()

    # -- following the model ---------------------------------------------------------------------------------

    def _read_model(self) -> None:
        """Read tree, sizes and plan anew; what can't be carried over (history, open rows) is dropped."""
        self._tree = ModelTree.of(self.model)
        self._profile = profile(self.model, self._sample)
        self._plan = FreezePlan.from_model(self._tree, self.model)
        self._print = fingerprint(self.model)
        self._optimizer_name = shown.optimizer_name(self._optimizer)
        self._k = min(self._k or _DEFAULT_K, shown.most_layers(self._tree))
        self._presets = shown.preset_plans(self._tree, self._k)
        full = self._presets["full"]
        full = full if isinstance(full, FreezePlan) else self._plan
        self._full_cost = estimate_cost(self._tree, full, self._profile, self._optimizer_name)
        self._past: list[FreezePlan] = []
        self._future: list[FreezePlan] = []
        self._open = {id: None for id in self._open if self._has(id)}

    def _has(self, id: str) -> bool:
        return any(group.id == id for group in self._tree.walk())

    def _look(self) -> bool:
        """Take over what code did to the model since; whether there was anything."""
        if self._model is None or self._pending:
            return False
        last, self._print = self._print, fingerprint(self._model)
        if self._print == last:
            return False
        difference = shape_changed(self._tree, self._print)
        if difference:
            self._read_model()
            self._say("info", f"The model changed its shape: {difference}. The tree was read again.")
            self._changed(rebuilt=True)
            return True
        now = FreezePlan.from_model(self._tree, self._model)
        if now == self._plan:
            return False
        self._past.append(self._plan)
        self._future.clear()
        rows = self._tree.root.children or (self._tree.root,)
        number = sum(self._plan.state(row.id) != now.state(row.id) for row in rows)
        self._plan = now
        self._say("info", f"Changed in code: {plural(number, 'group')}. {self._learning()}")
        self._changed()
        return True

    def _after_cell(self) -> None:
        with self._lock:
            try:
                self._look()
            except FreezeError as error:  # the model lost all its weights, for instance
                self._say("error", str(error))
                self._publish()

    # -- telling ---------------------------------------------------------------------------------------------

    def _learning(self) -> str:
        return f"{count(self._plan.trainable_count)} of {count(self._tree.total)} parameters learn."

    def _say(self, kind: str, text: str) -> None:
        self._message = {"kind": kind, "text": text}

    def _changed(self, rebuilt: bool = False) -> None:
        self._revision += 1
        self._publish(rebuilt)
        for callback in list(self._callbacks):
            callback(self)

    def _publish(self, rebuilt: bool = False) -> None:
        if self._widget is not None:
            self._widget.publish(rebuilt)
        self._receipt.touch()

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return freeze_html(state), freeze_text(state)

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        if not is_live() or self._model is None:
            html, text = self._rendered()
            publish_display_data({"text/html": html, "text/plain": text})
            return
        if self._widget is None:
            from .freeze_widget import FreezeWidget

            self._widget = FreezeWidget(self)
        self._widget.show()
        self._receipt.show()

    def __repr__(self) -> str:
        if self._model is None:
            return f"FreezePanel({self._tree.model_type}, closed)"
        return f"FreezePanel({self._tree.model_type}: {self._learning()[:-1]})"
