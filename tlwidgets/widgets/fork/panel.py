"""The fork panel: a run's curves, a marker on one of its steps, and forks that continue from such a step in
another way."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from ...core import FreezeError, FreezePlan, ModelTree
from ...train import ForkError, Run, TrainingError
from ..base.environment import is_live
from ..base.labels import labels
from ..base.panel import Panel
from ..base.replaced import PATIENCE_S
from ..freeze.panel import FreezePanel
from ..freeze.state import most_layers, preset_plans
from ..train.panel import TrainPanel
from . import choice as chosen
from . import state as shown
from .forks import Forks
from .static import fork_html, fork_text


class ForkPanel(Panel):
    """Fork a run at a step that is chosen on its curves, and compare the curves of both.

    Args:
        source: a `TrainPanel` (the end of its training is waited for), or the `Run` that `fit` returned.
            Either must have been trained with `snapshots=...`.
        model: the model that was trained; by default the model of the `TrainPanel`. It is not changed: each
            fork trains a copy.
        freezing: an optional `FreezePanel`; its plan becomes one of the choices.

    Display the panel by making it a cell's last line. In a live view `.fork()` trains in the background;
    elsewhere it returns when the training has ended. `.forks` has the `.run` and the `.model` of each.

    Raises:
        TypeError: `source` is neither, or it is a Run and `model` is not a module.
        ForkError: the run kept no snapshots.
        RuntimeError: the training panel's training has not begun.
    """

    def __init__(
        self, source: TrainPanel | Run, model: nn.Module | None = None, freezing: FreezePanel | None = None
    ) -> None:
        run, model = _read(source, model)
        if run.snapshots is None or not run.snapshots.steps:
            raise ForkError(
                "This run kept no snapshots, so it cannot be forked. Train with snapshots: "
                "TrainPanel(..., snapshots=25), or fit(..., snapshots=25), keeps the state every 25 steps."
            )
        super().__init__()
        self._run, self._freezing = run, freezing
        self._model: nn.Module | None = model
        self._from_panel = isinstance(source, TrainPanel)
        self._tree = ModelTree.of(model)
        self._title = type(model).__name__
        self._each = shown.steps_an_epoch(run)
        self._steps = run.config["epochs"] * self._each
        k = min(2, most_layers(self._tree))
        self._plans = preset_plans(self._tree, k)
        self._forks = Forks(run, self.lock, self._told)
        self._choice = chosen.Choice(step=0, k=k)
        self._choice = replace(self._choice, step=min(self._most, self._each))

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def run(self) -> Run:
        """The run that is forked."""
        return self._run

    @property
    def forks(self) -> list[shown.Fork]:
        """The forks that have ended, oldest first: `.run`, `.model`, `.step`, `.change`."""
        return self._forks.ended

    @property
    def code(self) -> str:
        """Python code for the fork that the button would make now."""
        with self.lock:
            base = "training.run" if self._from_panel else "run"
            if self._choice.base:
                base = f"forks.forks[{[each.name for each in self.forks].index(self._choice.base)}].run"
            return chosen.code_of(self._choice, base, self._new_rate())

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            return {
                "schema": shown.SCHEMA,
                "view": "fork",
                "title": f"Forks of the training of {self._title}",
                "labels": labels("fork"),
                "lines": self._forks.lines(),
                **self._frame(),
            }

    requests = {
        "move": ("move", "step"),
        "plan": ("choose_plan", "name", "k"),
        "rate": ("choose_rate", "name"),
        "base": ("choose_base", "name"),
        "fork": ("fork",),
        "stop": ("stop",),
        "remove": ("remove", "name"),
        "restore": ("restore",),
    }

    def changes(self, since):
        """Lines are sent when they change, the marker and the choices each time; `frame.order` names the
        lines there are."""
        frame, forks, known = self._frame(), self._forks.items, since or {}
        now = {each.name: (id(each), each.version) for each in forks}
        changed = [each.line for each in forks if known.get(each.name) != now[each.name]]
        return {"frame": frame, "lines": changed}, now

    def _frame(self) -> dict:
        """The state without the lines: the part that may change whenever the marker moves."""
        forks = self._forks
        lines = forks.lines()
        place, how = shown.place_words(self._choice.step, self._each, shown.kept_steps(self._base_run()))
        running = forks.running is not None
        closed = self._model is None
        return {
            "step": self._choice.step,
            "most": self._most,
            "steps": self._steps,
            "each": self._each,
            "place": place,
            "how": how,
            "axes": shown.axes(lines, self._steps),
            "bases": chosen.base_items(self._choice, [each.name for each in self.forks]),
            "plans": self._plan_items(),
            "rates": chosen.rate_items(self._choice),
            "rows": forks.rows(),
            "epochs": shown.epoch_table(lines),
            "order": [line["name"] for line in lines],
            "share": shown.share_of(forks.running, forks.at, self._steps),
            "progress": shown.progress_words(forks.running, forks.at, self._steps),
            "left": "",
            "running": running,
            "actions": {
                "fork": not running and not closed and not forks.full,
                "stop": running and not forks.stopping,
                "remove": not running and not closed,
                "restore": forks.removed is not None and not running and not closed,
            },
            "code": self.code if not closed else "",
            "status": forks.status,
            "message": dict(self._message),
            "closed": closed,
        }

    def _plan_items(self) -> list[dict]:
        return chosen.plan_items(self._choice, self._tree, self._plans, self._freezing is not None)

    def _base_run(self) -> Run:
        return self._forks.run_of(self._choice.base)

    @property
    def _most(self) -> int:
        run = self._base_run()
        return run.steps - (run.status != "stopped")

    # -- what can be chosen ----------------------------------------------------------------------------------

    def move(self, step: int) -> None:
        """Put the marker after this step.

        Raises:
            ForkError: the run has no such step.
        """
        with self.lock:
            if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= self._most:
                raise ForkError(
                    f"There is no step {step!r} to fork at. Expected a whole number from 0 (before the first "
                    "step) to "
                    f"{self._most:,}."
                )
            self._choose(step=step)

    def choose_plan(self, name: str, k: int | None = None) -> None:
        """Choose the freeze plan from the fork on: "as" (as the run did), "panel" (the freezing panel's
        plan), or a preset.

        Raises:
            FreezeError: there is no such plan, or it would train nothing in this model.
        """
        with self.lock:
            items = {each["name"]: each for each in self._plan_items()}
            if name not in items:
                raise FreezeError(
                    f"There is no plan {name!r} to choose. Expected one of {', '.join(map(repr, items))}."
                )
            if k is not None and name == "last":
                self._plans["last"] = FreezePlan.preset(self._tree, "last", k=k)
            elif items[name]["unavailable"]:
                raise FreezeError(items[name]["unavailable"])
            self._choose(plan=name, k=self._choice.k if k is None or name != "last" else k)

    def choose_rate(self, name: str) -> None:
        """Choose the learning rate from the fork on: "same", "half", "tenth" or "twice".

        Raises:
            ForkError: there is no such choice.
        """
        with self.lock:
            if name not in chosen.RATES:
                raise ForkError(
                    f"There is no rate {name!r} to choose. Expected one of "
                    f"{', '.join(map(repr, chosen.RATES))}."
                )
            self._choose(rate=name)

    def choose_base(self, name: str) -> None:
        """Choose what to fork: "" for the run, or the name of a fork ("A").

        Raises:
            ForkError: there is no such fork, or it has not ended.
        """
        with self.lock:
            if name and name not in [each.name for each in self.forks]:
                raise ForkError(
                    f"There is no fork {name!r} that has ended. Expected '' (the run) or a fork's name."
                )
            self._choice = replace(self._choice, base=name)
            self._choose(step=min(self._choice.step, self._most))

    def _choose(self, **changes) -> None:
        self._choice = replace(self._choice, **changes)
        self._say("", "")

    # -- what can be done ------------------------------------------------------------------------------------

    def fork(self) -> None:
        """Fork at the marker: in the background in a live view, elsewhere to the end before it returns.

        Raises:
            FreezeError: the panel was closed.
            ForkError: a fork is training, or the panel has as many forks as it can show.
            ForkError, ValueError, TrainingError: what `fork` raised, where it trains before it returns.
        """
        with self.lock:
            if self._model is None:
                raise FreezeError(
                    "This panel was closed and no longer has its model. Make a new one: ForkPanel(training)."
                )
            live = is_live()
            train = self._forks.begin(self._choice, self._model, self._chosen_plan(), self._new_rate(), live)
            self._say("", "")
        train()
        if not live and self._forks.error is not None:
            raise self._forks.error

    def _chosen_plan(self) -> FreezePlan | None:
        name = self._choice.plan
        if name == "as":
            return None
        if name == "panel" and self._freezing is not None:
            return self._freezing.plan
        plan = self._plans[name]
        assert isinstance(plan, FreezePlan)  # what is unavailable cannot be chosen
        return plan

    def _new_rate(self) -> float | dict[str, float] | None:
        snapshots = self._base_run().snapshots
        assert snapshots is not None  # a run without any is refused, and a fork keeps them as its run did
        return chosen.rate_of(self._choice, snapshots.options["lr"])

    def stop(self) -> None:
        """Stop the running fork before its next step; its curves stay."""
        with self.lock:
            self._forks.stop()
        self._publish()

    def wait(self) -> Run:
        """Wait for the running fork and return its record, or that of the last fork if none is running.

        Raises:
            RuntimeError: nothing was forked yet.
            ForkError, ValueError, TrainingError: what `fork` raised.
        """
        self._forks.wait()
        if self._forks.error is not None:
            raise self._forks.error
        runs = [each.run for each in self._forks.items if each.run is not None]
        if not runs:
            raise RuntimeError("There is nothing to wait for: nothing was forked. Call fork() first.")
        return runs[-1]

    def remove(self, name: str | None = None) -> None:
        """Remove a fork (by default the last one); `restore` brings it back.

        Raises:
            ForkError: there is no such fork, or it is still training.
        """
        with self.lock:
            gone = self._forks.remove(name)
            if self._choice.base == gone.name:
                self.choose_base("")
            self._say("", "")

    def restore(self) -> None:
        """Bring back the fork that was removed last.

        Raises:
            ForkError: no fork was removed, or another one was made since.
        """
        with self.lock:
            self._forks.restore()
            self._say("", "")

    def close(self) -> None:
        """Stop a running fork and release the models. The output keeps the last state as a static view."""
        self.stop()
        self._forks.wait()
        with self.lock:
            if self._model is None:
                return
            self._model = self._freezing = None
            for each in self.forks:
                each.model = None
            self._closed = True
            self._close_views()

    def _replaced(self) -> None:
        self.stop()
        self._forks.join(PATIENCE_S)

    # -- telling ---------------------------------------------------------------------------------------------

    def _told(self, now: bool) -> None:
        """Called when a fork has made a step, or has ended."""
        words = self._forks.error_words() if now else ""
        if words:
            self._message = {"kind": "error", "text": words}
        self._publish(now)

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return fork_html(state), fork_text(state)

    def __repr__(self) -> str:
        return f"ForkPanel({self._title}: {len(self.forks)} forks, marker after step {self._choice.step})"


def _read(source, model) -> tuple[Run, nn.Module]:
    if isinstance(source, TrainPanel):
        try:
            run = source.wait()
        except TrainingError as error:  # it can be forked from before it broke
            run = error.run
        return run, source.model if model is None else model
    if not isinstance(source, Run):
        raise TypeError(
            f"The first argument is a {type(source).__name__}. Expected a TrainPanel, or the Run that "
            "fit returned."
        )
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"The model is a {type(model).__name__}. Expected the torch.nn.Module that the run trained: "
            "ForkPanel(run, model)."
        )
    return source, model
