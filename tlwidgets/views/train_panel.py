"""The training panel: start, pause and stop a training, and watch its curves."""

from __future__ import annotations

import difflib
import inspect
import threading
import weakref
from collections.abc import Callable

from torch import nn

from ..core import FreezeError, FreezePlan
from ..core.scan import scan
from ..render.curves import curves_html, curves_text
from ..render.words import percent
from ..train import (
    Control,
    EpochEnded,
    Event,
    FeaturesComputed,
    Paused,
    PlanChanged,
    Resumed,
    Run,
    Started,
    Stepped,
    TaskData,
    Trace,
    Traced,
    fit,
)
from ..train.data import as_task_data
from . import train_state as shown
from .device import device_record
from .environment import is_live
from .freeze_panel import FreezePanel
from .panel import Panel, join, sentence
from .unfreeze_score import UnfreezeScore

_ALIVE = ("running", "pausing", "paused", "stopping")
_OPTIONS = {
    name: parameter.default
    for name, parameter in inspect.signature(fit).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name not in ("control", "on_event")
}


class TrainPanel(Panel):
    """Train `model` in the background, with buttons and live curves; or from code, with the same effect.

    Args:
        model: any `torch.nn.Module`.
        plan: what is frozen: a `FreezePlan`; a `FreezePanel` of the same model, whose clicks then take effect between
            two steps of the training; or None, which keeps the model as it is.
        data: a `TaskData`, or training examples alone.
        **fit_options: `epochs`, `batch_size`, `lr` and the others of `fit`. `unfreeze` may be an `UnfreezeScore`: it gives
            the number of epochs, where none is given, and shows which epoch is being trained.

    Display the panel by making it a cell's last line. Where nobody can click (papermill, nbconvert, grading),
    `start()` trains to the end before it returns, and the curves are shown as a static picture.

    Raises:
        TypeError: `model` is no module, or `plan` is neither plan nor panel, or `fit` has no such option.
        ValueError: the panel belongs to another model.
    """

    def __init__(
        self, model: nn.Module, plan: FreezePlan | FreezePanel | None, data: TaskData, **fit_options
    ) -> None:
        _check(model, plan, fit_options)
        super().__init__()
        self._model: nn.Module | None = model
        self._title = type(model).__name__
        self._plan = plan
        self._data = as_task_data(data)
        self._options = {**_OPTIONS, **fit_options}
        self._score = score if isinstance(score := self._options["unfreeze"], UnfreezeScore) else None
        if self._score is not None:
            self._options["epochs"] = fit_options.get("epochs", self._score.epochs)
        self._trace = shown.Trace()
        self._layers = Trace()
        self._followers: list[weakref.WeakMethod] = []
        self._clock = shown.Clock()
        self._control = Control()
        self._thread: threading.Thread | None = None
        self._run: Run | None = None
        self._error: BaseException | None = None
        self._phase = "ready"
        self._step = self._steps = self._epoch = 0
        self._once = ""  # how far the frozen layers' only pass is
        self._learns = shown.learns_words(model)
        self._device = device_record({parameter.device for parameter in scan(model).parameters})

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def model(self) -> nn.Module:
        """The model.

        Raises:
            FreezeError: the panel was closed.
        """
        self._check_open()
        return self._model

    def _check_open(self) -> None:
        if self._model is None:
            raise FreezeError(
                "This panel was closed and has let its model go. Make a new one: TrainPanel(model, ...)."
            )

    @property
    def run(self) -> Run | None:
        """The record of the training that ended last; None before. One that failed leaves its record, too."""
        return self._run

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static twin and tests read."""
        with self._lock:
            return {
                "schema": shown.SCHEMA,
                "view": "train",
                "title": f"Training of {self._title}",
                "points": list(self._trace.points),
                "rows": list(self._trace.rows),
                **self._frame(),
            }

    @property
    def layers(self) -> Trace:
        """A copy of the gradients and the drift measured so far in the training that began last."""
        with self._lock:
            layers = self._layers
            return Trace(layers.groups, layers.step[:], layers.gradient[:], layers.drift[:])

    def on_layers(self, method: Callable[[bool], None]) -> Callable[[], None]:
        """Call a bound method whenever `layers` has grown, and at the end; it is told whether this is the end.

        It is held weakly. Returns a function that ends it.
        """
        follower = weakref.WeakMethod(method)
        self._followers.append(follower)
        return lambda: self._followers.remove(follower) if follower in self._followers else None

    def _frame(self) -> dict:
        """All but the curves: what may change at each step."""
        phase, steps, epochs = self._phase, self._steps, self._options["epochs"]
        if self._model is not None and phase in _ALIVE:
            self._device = device_record({parameter.device for parameter in scan(self._model).parameters})
        left = ""
        if self._step and phase in ("running", "pausing", "paused"):
            left = f"about {shown.time_words(self._clock.seconds / self._step * (steps - self._step))} left"
        return {
            "phase": phase,
            "status": shown.status_words(
                phase, self._step, steps, self._epoch, epochs, self._data.test is not None
            ),
            "step": self._step,
            "steps": steps,
            "epochs": epochs,
            "share": self._step / steps if steps else 0.0,
            "progress": self._once or (f"step {self._step:,} of {steps:,}" if steps else "no step yet"),
            "left": left if self._step < steps else "",
            "learns": self._learns,
            "device": self._device,
            "now": self._trace.now,
            "result": self._result(),
            "actions": {
                "start": phase not in _ALIVE and self._model is not None,
                "pause": phase == "running",
                "resume": phase in ("pausing", "paused"),
                "stop": phase in ("running", "pausing", "paused"),
            },
            "message": dict(self._message),
            "closed": self._model is None,
        }

    def _result(self) -> str:
        if self._run is None or self._phase in _ALIVE:
            return ""
        seconds = self._run.costs.wall_s
        took = f"{seconds:.1f} s of training" if seconds >= 1 else f"{1000 * seconds:.0f} ms of training"
        if self._run.test_accuracy is None:
            return took
        return f"{percent(self._run.test_accuracy)} of the test data right, {took}"

    # -- what can be done ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin training, and return at once where somebody can click; else train to the end.

        After an end it begins anew, with the weights as they are. While a training runs, nothing happens.
        """
        with self._lock:
            self._check_open()
            if self._phase in _ALIVE:
                return
            live = is_live()
            control = Control()
            self._borrow_panel(control)
            self._control, self._trace, self._clock = control, shown.Trace(), shown.Clock()
            self._layers, self._error = Trace(), None
            self._phase, self._message = "running", {"kind": "", "text": ""}
            self._step = self._steps = self._epoch = 0
            if self._widget is not None:
                self._widget.restart()
            self._clock.go()
            if live:
                self._thread = threading.Thread(
                    target=self._train, args=(control,), name="training", daemon=True
                )
        self._publish()
        if live:
            self._thread.start()
            return
        self._train(control)
        if isinstance(self._error, KeyboardInterrupt):
            raise self._error

    def pause(self) -> None:
        """Wait before the next step."""
        with self._lock:
            if self._phase != "running":
                return
            self._control.pause()
            self._phase = "pausing"
        self._publish()

    def resume(self) -> None:
        """Go on after a pause."""
        with self._lock:
            if self._phase not in ("pausing", "paused"):
                return
            self._phase = "running"
            self._clock.go()
            self._control.resume()
        self._publish()

    def stop(self) -> None:
        """End before the next step, paused or not. The weights stay as they are then."""
        with self._lock:
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
        thread = self._thread
        if thread is None and self._run is None and self._error is None:
            raise RuntimeError(
                "There is nothing to wait for: training has not begun. Call start() first, or press Start."
            )
        if thread is not None:
            join(thread, self.stop)
        if self._error is not None:
            raise self._error
        return self._run

    def close(self) -> None:
        """Stop a running training and let the model go. The output keeps the last state as a static picture."""
        self.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self._lock:
            if self._model is None:
                return
            self._model = self._plan = None
            self._closed = True
            self._close_views()

    # -- training --------------------------------------------------------------------------------------------

    def _borrow_panel(self, control: Control) -> None:
        """Have the freezing panel's clicks wait for the next step."""
        if not isinstance(self._plan, FreezePanel):
            return
        if self._plan.defer is not None:
            raise FreezeError(
                "Another training of this model is running. Stop it first, or wait for its end."
            )
        self._plan.defer = control.enqueue

    def _return_panel(self, control: Control) -> None:
        panel = self._plan
        if not isinstance(panel, FreezePanel):
            return
        with panel._lock:  # no click may fall between the two lines
            panel.defer = None
            control.run_commands()  # clicks that came after the last step

    def _train(self, control: Control) -> None:
        """One training, from start to end, in whichever thread."""
        run, error = None, None
        try:
            plan = self._plan.plan if isinstance(self._plan, FreezePanel) else self._plan
            options = dict(self._options)
            if self._score is not None:
                options["unfreeze"] = self._score.schedule
                plan = options["unfreeze"][1]
            run = fit(self._model, plan, self._data, control=control, on_event=self._on_event, **options)
        except BaseException as raised:  # whatever it is, `wait` raises it in the thread that asks
            run, error = getattr(raised, "run", None), raised
        finally:
            self._return_panel(control)
            self._mark(0)
        with self._lock:
            self._clock.halt()
            self._trace.finish()
            self._error = error
            if run is not None or error is not None:
                self._run = run
            if error is not None:
                self._message = {"kind": "error", "text": sentence(error)}
            self._phase = run.status if error is None else "failed"
            if isinstance(error, KeyboardInterrupt):
                self._phase, self._message = "stopped", {"kind": "", "text": ""}
            self._learns = shown.learns_words(self._model)
        self._publish(now=True)
        self._tell_followers(ended=True)

    def _on_event(self, event: Event) -> None:
        with self._lock:
            self._once = ""
            if isinstance(event, Stepped):
                self._step = event.step
                self._trace.step(event)
            elif isinstance(event, EpochEnded):
                self._epoch = event.epoch
                self._trace.epoch(event)
            elif isinstance(event, Traced):
                self._layers.groups = list(event.groups)
                self._layers.step.append(event.step)
                self._layers.gradient.append(list(event.gradient))
                self._layers.drift.append(list(event.drift))
            elif isinstance(event, Started):
                self._steps = event.steps
                self._learns = shown.learns_words(self._model)
            elif isinstance(event, PlanChanged):
                self._learns = shown.learns_words(self._model)
            elif isinstance(event, Paused) and self._phase == "pausing":
                self._phase = "paused"
                self._clock.halt()
            elif isinstance(event, Resumed):
                self._clock.go()
            elif isinstance(event, FeaturesComputed) and event.done < event.total:
                self._once = f"frozen layers, once: {event.done:,} of {event.total:,} {event.part} examples"
        if isinstance(event, (Started, EpochEnded)):
            self._mark(min(self._epoch + 1, self._options["epochs"]))
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
        """Show the epoch that is being trained in the score; 0 for none."""
        if self._score is not None:
            self._score.mark(epoch)

    # -- telling ---------------------------------------------------------------------------------------------

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return curves_html(state), curves_text(state)

    def _make_widget(self):
        from .train_widget import TrainWidget

        return TrainWidget(self)

    def __repr__(self) -> str:
        return f"TrainPanel({self._title}: {self._phase}, step {self._step} of {self._steps})"


def _check(model, plan, options: dict) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"The model is a {type(model).__name__}. Expected a torch.nn.Module.")
    if plan is not None and not isinstance(plan, (FreezePlan, FreezePanel)):
        raise TypeError(
            f"The plan is a {type(plan).__name__}. Expected a FreezePlan, a FreezePanel of the same model, or None."
        )
    if isinstance(plan, FreezePanel) and plan.model is not model:
        raise ValueError(
            "The FreezePanel belongs to another model than the one to train. Pass the panel's own: "
            "TrainPanel(panel.model, panel, data)."
        )
    for name in options:
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, 1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            raise TypeError(
                f"TrainPanel has no option {name!r}. {meant}Expected some of {', '.join(_OPTIONS)}."
            )
