"""The freezing panel: a model's layers as a tree, each with a control that really freezes or thaws it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import nn

from ...core import (
    PRESETS,
    FreezeError,
    FreezePlan,
    ModelTree,
    NothingTrainableError,
    Policy,
    plan_code,
)
from ..base.device import device_record
from ..base.formats import count
from ..base.history import History
from ..base.labels import labels
from ..base.panel import Panel, subscribe
from . import state as shown
from .follow import Looked, after_each_cell, shape_changed
from .static import freeze_html, freeze_text

_PLAN_REQUESTS = ("toggle", "preset", "undo", "redo")


class FreezePanel(Panel):
    """Freeze and thaw the layers of `model` by clicking or from code; both change the model itself at once.

    Args:
        model: any `torch.nn.Module`, on any device (even on `meta`: nothing is allocated).
        optimizer: the optimizer in use; frozen weights are taken out of its state.
        sample: a batch as the model takes it, from which work and activation memory are estimated. By default
            a batch is made from the model's configuration, if it has one.
        title: the heading; by default the name of the model's class.
        head: the name of the model's new part, or several, where it is not found; the panel's notes say what
            is taken for the head, and why.

    Display the panel by making it a cell's last line. Where nobody can click (papermill, nbconvert, grading),
    the same state is shown as a static table. The panel keeps the model until `close()`, or until neither a
    variable nor a view on the page refers to the panel.

    Raises:
        TypeError: `model` is not a module.
        NoParametersError: it has nothing to freeze.
        UnknownGroupError: it has no part called `head`.
    """

    requests = {
        "toggle": ("toggle", "id"),
        "preset": ("_choose_preset", "name", "options"),
        "undo": ("undo",),
        "redo": ("redo",),
        "refresh": ("refresh",),
        "expand": ("_expand", "id"),
        "code": ("_send_code",),
    }
    interval = 0.0  # a click is answered at once
    heard_while_busy = False  # a click changes the model, which the cell may be using

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer | None = None,
        sample=None,
        *,
        title: str | None = None,
        head: str | Sequence[str] | None = None,
    ):
        super().__init__()
        self._head = head
        self._title = title
        self._model: nn.Module | None = model
        self._optimizer = optimizer
        self._sample = sample
        self._callbacks: list[Callable[[FreezePanel], None]] = []
        self._open: dict[str, None] = {}
        self._revision = 0
        self._code_requests = 0
        self._pending = False
        self._depth = 0  # of commands that call each other
        self.defer: Callable[[Callable[[], None]], None] | None = None
        """An optional function that runs its argument between two steps of a training."""
        self._read_model()
        self._stop_following = after_each_cell(self._follow)

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def model(self) -> nn.Module:
        """The model.

        Raises:
            FreezeError: the panel was closed.
        """
        return self._check_open()

    def _check_open(self) -> nn.Module:
        if self._model is None:
            raise FreezeError(
                "This panel was closed and no longer holds its model. Make a new one: FreezePanel(model)."
            )
        return self._model

    @property
    def tree(self) -> ModelTree:
        """The model's tree, as last read."""
        return self._tree

    @property
    def plan(self) -> FreezePlan:
        """The current freeze plan, including changes made in code."""
        with self.lock:
            self._sync_from_model()
            return self._plan

    @property
    def code(self) -> str:
        """Plain PyTorch lines with the same effect."""
        return plan_code(self.plan)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            title = self._title or self._tree.model_type
            return {
                "schema": shown.SCHEMA,
                "view": "freeze",
                "title": title,
                "labels": labels("freeze", title=title),
                "rows": shown.rows_of(self._plan, self._open),
                "code": plan_code(self._plan),
                **self._frame(),
            }

    def changes(self, since: object) -> tuple[dict | None, shown.Sent]:
        """The rows that changed or were opened, and the code if a view asked for it; all of a new tree."""
        rows = shown.rows_of(self._plan, self._open)
        sent = shown.Sent(self._tree, shown.flat(rows), self._code_requests)
        if not isinstance(since, shown.Sent) or since.tree is not self._tree:
            return None, sent
        delta: dict[str, object] = {
            "rows": shown.changed_rows(since.rows, sent.rows),
            "opened": shown.opened_rows(since.rows, rows),
            "frame": self._frame(),
        }
        if sent.code_requests != since.code_requests:
            delta["code"] = plan_code(self._plan)
        return delta, sent

    def _frame(self) -> dict:
        """The state without the rows and the code: the part that may change at each click."""
        presets = self._figures.presets(self._plan)
        active = [preset["title"] for preset in presets if preset["active"]]
        return {
            "revision": self._revision,
            "plan": active[0] if active else "Your own choice",
            "presets": presets,
            "summary": self._figures.summary(self._plan),
            "device": device_record(self._devices),
            "notes": [*self._tree.head_notes, *(tied.explanation for tied in self._tree.tied)],
            "message": shown.message_of(self._message, self._pending),
            "undo": self._history.can_undo,
            "redo": self._history.can_redo,
            "pending": self._pending,
            "closed": self._closed,
        }

    @property
    def _plan(self) -> FreezePlan:
        return self._history.present

    # -- what can be done ------------------------------------------------------------------------------------

    def set_policy(self, group: str, policy: str | Policy) -> None:
        """Freeze or thaw a group: "frozen", "trained", or a `Policy` for gradients, statistics and dropout.

        Raises:
            UnknownGroupError: the model has no such group.
            NothingTrainableError: nothing would be left to train, or the group cannot be trained.
        """
        with self._command():
            plan = self._plan.with_policy(group, policy)
            label = self._tree.group(group).label
            words = {"frozen": f"{label} is frozen.", "trained": f"{label} learns."}
            # Code that sets up a panel needs no such message; a click does.
            unchanged = "Nothing changed." if self._widget is not None else ""
            self._adopt(plan, words.get(plan.state(group), "Changed."), unchanged)

    def toggle(self, group: str) -> None:
        """Thaw a group that is frozen, even in part; freeze one that learns. Raises as `set_policy` does."""
        with self._command():
            trained = self._plan.state(group) == "trained"
            self.set_policy(group, "frozen" if trained else "trained")

    def preset(self, name: str, **options) -> None:
        """Use one of the usual plans: "feature-extraction", "last" (`k=`), "full", "norms-and-biases".

        Raises:
            FreezeError: unknown preset or option.
            NothingTrainableError: it would train nothing in this model.
        """
        with self._command():
            plan = FreezePlan.preset(self._tree, name, **options)
            if name == "last":
                self._figures.choose_last(options.get("k"), plan)
            words = f"{PRESETS[name].title}: {PRESETS[name].description}"
            self._adopt(plan, words, unchanged=words)

    def undo(self) -> None:
        """Go back to the plan before the last change."""
        with self._command():
            if self._history.can_undo:
                self._travel(self._history.undo, self._history.redo, "Undone.")
            else:
                self._say("info", "There is nothing to undo.")

    def redo(self) -> None:
        """Take back the last `undo`."""
        with self._command():
            if self._history.can_redo:
                self._travel(self._history.redo, self._history.undo, "Redone.")
            else:
                self._say("info", "There is nothing to redo.")

    def refresh(self) -> None:
        """Read the model again: what code froze or thawed, and modules that were added or removed."""
        with self.lock:
            if not self._sync_from_model():
                self._say("info", "The tree shows the model as it is.")

    def on_change(self, callback: Callable[[FreezePanel], None]) -> Callable[[], None]:
        """Call `callback(panel)` after each change of the plan; returns a function that ends this."""
        return subscribe(self._callbacks, callback)

    def close(self) -> None:
        """Release the model. The output keeps the last state as a static table."""
        with self.lock:
            if not self._end():
                return
            self._stop_following()
            self._model = self._optimizer = self._sample = self.defer = None
            del self._seen
            self._callbacks.clear()

    # -- requests of views -----------------------------------------------------------------------------------

    def handle(self, request: Mapping, buffers: Sequence = ()) -> None:
        """Carry out what a view asks, unless it would change a plan that the view has not seen."""
        try:
            with self._command():
                if request.get("type") in _PLAN_REQUESTS and request.get("revision") != self._revision:
                    raise FreezeError(shown.STALE)
                super().handle(request, buffers)
        except FreezeError as error:
            self._say("error", str(error))

    def _choose_preset(self, name: object, options: object) -> None:
        self.preset(str(name), **(options if isinstance(options, dict) else {}))

    def _expand(self, id: str) -> None:
        self._open[self._tree.group(id).id] = None
        self._publish()

    def _send_code(self) -> None:
        self._code_requests += 1
        self._publish()

    # -- changing the model ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _command(self) -> Iterator[None]:
        """Hold the lock, and begin from what the model is now, whoever changed it."""
        with self.lock:
            self._check_open()
            if not self._depth:
                self._sync_from_model()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    def _adopt(self, plan: FreezePlan, words: str, unchanged: str) -> None:
        if plan.trains_nothing:
            raise NothingTrainableError(
                "That would freeze everything, and a model in which nothing learns cannot be trained. "
                "Thaw another group first (the head, for instance), then freeze this one."
            )
        if plan == self._plan:
            if unchanged:
                self._say("info", unchanged)
            return
        self._apply(plan)
        self._history.record(plan)
        self._changed(f"{words} {self._learning()}")

    def _travel(self, step: Callable[[], FreezePlan], back: Callable[[], FreezePlan], words: str) -> None:
        plan = step()
        try:
            self._apply(plan)
        except FreezeError:
            back()
            raise
        self._changed(f"{words} {self._learning()}")

    def _apply(self, plan: FreezePlan) -> None:
        """Put a plan into effect, or, while something trains, have the last one applied at the next step."""
        if self.defer is None:
            self._seen.apply(plan, self._optimizer)
        elif not self._pending:
            self._pending = True
            self.defer(self._apply_pending)

    def _apply_pending(self) -> None:
        """Called between two training steps. An error is shown in the panel, and training goes on."""
        with self.lock:
            self._pending = False
            if self._model is None:
                return
            try:
                self._seen.again()
                self._seen.apply(self._plan, self._optimizer)
                self._publish()
            except FreezeError as error:
                self._read_model(self._figures.k)  # back to what the model is
                self._changed(str(error), "error")

    # -- following the model ---------------------------------------------------------------------------------

    def _read_model(self, k: int | None = None) -> None:
        """Read tree, sizes and plan again; history and open rows that no longer fit are dropped.

        `k` is what was chosen last for "the last k layers".
        """
        self._seen = Looked(self.model)
        self._devices = self._seen.structure.devices()
        self._tree = ModelTree.of_scan(self._seen.structure.scan, self._head)
        self._history = History(FreezePlan.of_flags(self._seen.flags, self._tree))
        self._figures = shown.Figures(self.model, self._tree, self._sample, self._optimizer, k)
        ids = {group.id for group in self._tree.walk()} if self._open else set()
        self._open = {id: None for id in self._open if id in ids}

    def _sync_from_model(self) -> bool:
        """Take over what code has done to the model since; returns whether there was anything."""
        if self._model is None or self._pending:
            return False
        if not self._seen.again():
            return False
        difference = shape_changed(self._tree, self._seen.structure)
        if difference:
            self._read_model(self._figures.k)
            self._changed(f"The model changed its shape: {difference}. The tree was read again.")
            return True
        now = FreezePlan.of_flags(self._seen.flags, self._tree)
        if now == self._plan:
            return False
        words = shown.changed_in_code(self._plan, now)
        self._history.record(now)
        self._changed(f"{words} {self._learning()}")
        return True

    def _follow(self) -> None:
        """Called after each cell: `_sync_from_model`, with errors shown in the panel."""
        with self.lock:
            try:
                if not self._sync_from_model() and self._model is not None:
                    self._devices = self._seen.structure.devices()  # the model may have been moved
            except FreezeError as error:  # the model lost all its weights, for instance
                self._say("error", str(error))

    def _learning(self) -> str:
        return f"{count(self._plan.trainable_count)} of {count(self._tree.total)} parameters learn."

    def _changed(self, words: str, kind: str = "info") -> None:
        self._revision += 1
        self._say(kind, words)
        for callback in list(self._callbacks):
            callback(self)

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return freeze_html(state), freeze_text(state)

    def _ipython_display_(self) -> None:
        self._follow()
        super()._ipython_display_()

    def __repr__(self) -> str:
        if self._closed:
            return f"FreezePanel({self._tree.model_type}, closed)"
        return f"FreezePanel({self._tree.model_type}: {self._learning()[:-1]})"
