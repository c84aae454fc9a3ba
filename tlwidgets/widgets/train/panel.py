"""The training panel: start, pause and stop a training, and watch its curves."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import nn

from ...core import FreezeError, FreezePlan
from ...core.scan import scan
from ...train import (
    Control,
    EpochEnded,
    Event,
    Paused,
    PlanChanged,
    Run,
    Started,
    TaskData,
    Trace,
    Traced,
    TrainConfig,
    fit,
)
from ...train.config import shows_options
from ...train.data import as_task_data
from ..base.device import device_record
from ..base.environment import is_live
from ..base.labels import labels
from ..base.panel import Panel, join, sentence
from ..base.replaced import PATIENCE_S
from ..freeze.panel import FreezePanel
from ..unfreeze.panel import UnfreezeSchedulePanel
from . import state as shown
from .progress import Progress
from .static import curves_html, curves_text

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ...train import TrainOptions
    from ...train.data import Examples

_ALIVE = ("running", "pausing", "paused", "stopping")


class TrainPanel(Panel):
    """Train `model` in the background, with buttons and live curves; or from code, with the same effect.

    Args:
        model: any `torch.nn.Module`.
        plan: what is frozen: a `FreezePlan`; a `FreezePanel` of the same model, whose clicks then take effect
            between two steps of the training; or None, which keeps the model as it is.
        data: a `TaskData`, or training examples alone.
        config: the options of `fit`, as one record; None takes the defaults.
        fit_options: options of `TrainConfig` by name, which override those of `config`. `unfreeze` may be an
            `UnfreezeSchedulePanel`: it sets the number of epochs unless `epochs` is given, and shows which
            epoch is being trained.

    Display the panel by making it a cell's last line. Where nobody can click (papermill, nbconvert, grading),
    `start()` trains to the end before it returns, and the curves are shown as a static picture.

    Raises:
        TypeError: `model` is not a module, `plan` is neither plan nor panel, or training has no such option.
        ValueError: the panel belongs to another model, or an option is out of its range.
    """

    @shows_options()
    def __init__(
        self,
        model: nn.Module,
        plan: FreezePlan | FreezePanel | None,
        data: TaskData | Examples,
        *,
        config: TrainConfig | None = None,
        **fit_options: Unpack[TrainOptions],
    ) -> None:
        _check(model, plan)
        options: dict[str, Any] = {**fit_options}
        given = options.get("unfreeze")
        self._schedule_panel = given if isinstance(given, UnfreezeSchedulePanel) else None
        if self._schedule_panel is not None:
            options |= {"unfreeze": None, "epochs": options.get("epochs", self._schedule_panel.epochs)}
        self._config = TrainConfig.of(config, **options)
        super().__init__()
        self._model: nn.Module | None = model
        self._title = type(model).__name__
        self._plan = plan
        self._data = as_task_data(data)
        self._progress = Progress()
        self._followers: list[weakref.WeakMethod] = []
        self._control = Control()
        self._thread: threading.Thread | None = None
        self._run: Run | None = None
        self._error: BaseException | None = None
        self._phase = "ready"
        self._learns = shown.learns_words(model)
        self._device = device_record({parameter.device for parameter in scan(model).parameters})

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
                "This panel was closed and no longer has its model. Make a new one: TrainPanel(model, ...)."
            )
        return self._model

    @property
    def run(self) -> Run | None:
        """The record of the training that ended last, even if it failed; None before."""
        return self._run

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            return {
                "schema": shown.SCHEMA,
                "view": "train",
                "title": f"Training of {self._title}",
                "labels": labels("train"),
                "points": list(self._progress.curves.points),
                "rows": list(self._progress.curves.rows),
                **self._frame(),
            }

    @property
    def layers(self) -> Trace:
        """A copy of the gradients and the drift measured so far in the training that began last."""
        with self.lock:
            layers = self._progress.layers
            return Trace(layers.groups, layers.step[:], layers.gradient[:], layers.drift[:])

    def on_layers(self, method: Callable[[bool], None]) -> Callable[[], None]:
        """Call a bound method whenever `layers` has grown, and at the end; its argument says whether this is
        the end.

        The method does not keep its object alive. Returns a function that ends it.
        """
        follower = weakref.WeakMethod(method)
        self._followers.append(follower)
        return lambda: self._followers.remove(follower) if follower in self._followers else None

    requests = {"start": ("start",), "pause": ("pause",), "resume": ("resume",), "stop": ("stop",)}

    def changes(self, since):
        """The curves of a training grow too long to be sent whole: `items` take the place of all from index
        `from` on."""
        curves = self._progress.curves
        generation, points, rows = since[1:] if since and since[0] is curves else (0, 0, 0)
        if generation != curves.generation:
            points = rows = 0
        delta = {
            "frame": self._frame(),
            "points": {"from": points, "items": curves.points[points:]},
            "rows": {"from": rows, "items": curves.rows[rows:]},
        }
        return delta, (curves, curves.generation, len(curves.points), len(curves.rows))

    def _frame(self) -> dict:
        """The state without the curves: the part that may change at each step."""
        phase, progress, epochs = self._phase, self._progress, self._config.epochs
        if self._model is not None and phase in _ALIVE:
            self._device = device_record({parameter.device for parameter in scan(self._model).parameters})
        return {
            "phase": phase,
            "status": shown.status_words(
                phase, progress.step, progress.steps, progress.epoch, epochs, self._data.test is not None
            ),
            "step": progress.step,
            "steps": progress.steps,
            "epochs": epochs,
            "axes": shown.axes(progress.curves, progress.steps),
            "share": progress.share,
            "progress": progress.words,
            "left": progress.left if phase in ("running", "pausing", "paused") else "",
            "learns": self._learns,
            "device": self._device,
            "now": progress.curves.now,
            "result": "" if phase in _ALIVE else shown.result_words(self._run),
            "actions": {
                "start": phase not in _ALIVE and self._model is not None,
                "pause": phase == "running",
                "resume": phase in ("pausing", "paused"),
                "stop": phase in ("running", "pausing", "paused"),
            },
            "message": dict(self._message),
            "closed": self._model is None,
        }

    # -- what can be done ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start training. In a live view it returns at once, elsewhere when the training has ended.

        After the end it trains again, from the weights as they are. While a training is running, it does
        nothing.
        """
        with self.lock:
            self._check_open()
            if self._phase in _ALIVE:
                return
            control, thread = Control(), None
            self._borrow_panel(control)
            self._control, self._progress, self._error = control, Progress(), None
            self._phase, self._message = "running", {"kind": "", "text": ""}
            self._progress.clock.go()
            if is_live():
                thread = threading.Thread(target=self._train, args=(control,), name="training", daemon=True)
                self._thread = thread
        self._publish()
        if thread is not None:
            thread.start()
            return
        self._train(control)
        if isinstance(self._error, KeyboardInterrupt):
            raise self._error

    def pause(self) -> None:
        """Wait before the next step."""
        with self.lock:
            if self._phase != "running":
                return
            self._control.pause()
            self._phase = "pausing"
        self._publish()

    def resume(self) -> None:
        """Continue after a pause."""
        with self.lock:
            if self._phase not in ("pausing", "paused"):
                return
            self._phase = "running"
            self._progress.clock.go()
            self._control.resume()
        self._publish()

    def stop(self) -> None:
        """End before the next step, paused or not. The weights stay as they are then."""
        with self.lock:
            if self._phase not in _ALIVE:
                return
            self._control.stop()
            self._phase = "stopping"
        self._publish()

    def wait(self) -> Run:
        """Wait for the end and return the record. Interrupting the kernel stops the training, too.

        Raises:
            RuntimeError: training has not begun.
            ValueError, TypeError, FreezeError, TrainingError: what `fit` raised.
        """
        if self._thread is not None:
            join(self._thread, self.stop)
        if self._error is not None:
            raise self._error
        if self._run is None:
            raise RuntimeError(
                "There is nothing to wait for: training has not begun. Call start() first, or press Start."
            )
        return self._run

    def close(self) -> None:
        """Stop a running training and release the model. The output keeps the last state as a static view."""
        self.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self.lock:
            if self._model is None:
                return
            self._model = self._plan = None
            self._closed = True
            self._close_views()

    def _replaced(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    # -- training --------------------------------------------------------------------------------------------

    def _borrow_panel(self, control: Control) -> None:
        """Have the freezing panel's clicks wait for the next step."""
        if not isinstance(self._plan, FreezePanel):
            return
        if self._plan.defer is not None:
            raise FreezeError(
                "Another training of this model is running. Stop it first, or wait until it ends."
            )
        self._plan.defer = control.enqueue

    def _return_panel(self, control: Control) -> None:
        panel = self._plan
        if not isinstance(panel, FreezePanel):
            return
        with panel.lock:  # no click may fall between the two lines
            panel.defer = None
            control.run_commands()  # clicks that came after the last step

    def _train(self, control: Control) -> None:
        """One training, from start to end, in whichever thread."""
        run, error = None, None
        try:
            plan = self._plan.plan if isinstance(self._plan, FreezePanel) else self._plan
            config = self._config
            if self._schedule_panel is not None:
                schedule = self._schedule_panel.schedule
                config, plan = replace(config, unfreeze=schedule), schedule[1]
            run = fit(self.model, plan, self._data, config=config, control=control, on_event=self._on_event)
        except BaseException as raised:  # whatever it is, `wait` raises it in the thread that asks
            run, error = getattr(raised, "run", None), raised
        finally:
            self._return_panel(control)
            self._mark(0)
        with self.lock:
            self._progress.end()
            self._error = error
            if run is not None or error is not None:
                self._run = run
            if error is not None:
                self._message = {"kind": "error", "text": sentence(error)}
            self._phase = "failed" if run is None or error is not None else run.status
            if isinstance(error, KeyboardInterrupt):
                self._phase, self._message = "stopped", {"kind": "", "text": ""}
            self._learns = shown.learns_words(self._model)
        self._publish(now=True)
        self._tell_followers(ended=True)

    def _on_event(self, event: Event) -> None:
        with self.lock:
            if not isinstance(event, Paused):
                self._progress.take(event)
            elif self._phase == "pausing":  # else somebody has resumed or stopped it meanwhile
                self._progress.take(event)
                self._phase = "paused"
            if isinstance(event, (Started, PlanChanged)):
                self._learns = shown.learns_words(self._model)
        if isinstance(event, (Started, EpochEnded)):
            self._mark(min(self._progress.epoch + 1, self._config.epochs))
        if isinstance(event, Traced):
            self._tell_followers(ended=False)
        else:
            self._publish()

    def _tell_followers(self, ended: bool) -> None:
        for follower in list(self._followers):
            method = follower()
            if method is not None:
                method(ended)

    def _mark(self, epoch: int) -> None:
        """Show the epoch that is being trained in the schedule; 0 for none."""
        if self._schedule_panel is not None:
            self._schedule_panel.mark(epoch)

    # -- telling ---------------------------------------------------------------------------------------------

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return curves_html(state), curves_text(state)

    def __repr__(self) -> str:
        return (
            f"TrainPanel({self._title}: {self._phase}, step {self._progress.step} of {self._progress.steps})"
        )


def _check(model: object, plan: object) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"The model is a {type(model).__name__}. Expected a torch.nn.Module.")
    if plan is not None and not isinstance(plan, (FreezePlan, FreezePanel)):
        raise TypeError(
            f"The plan is a {type(plan).__name__}. Expected a FreezePlan, a FreezePanel of the same model, "
            "or None."
        )
    if isinstance(plan, FreezePanel) and plan.model is not model:
        raise ValueError(
            "The FreezePanel belongs to another model than the one to train. Pass the panel's own: "
            "TrainPanel(panel.model, panel, data)."
        )
