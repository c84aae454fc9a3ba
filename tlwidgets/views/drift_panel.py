"""The drift panel: which layers gradients reach, and how far each has moved, step by step."""

from __future__ import annotations

import weakref
from collections.abc import Mapping

from ..render.drift import drift_html, drift_text, traces_of
from ..render.drift_state import drift_state
from ..render.words import plural
from ..train import Run
from .panel import Panel
from .train_panel import TrainPanel


class DriftPanel(Panel):
    """Look at the layers of a run while it went, or while it goes.

    Args:
        runs: a `Run`; several by name, of models with the same layers; or a `TrainPanel`, whose training is followed.

    One row a group of layers, first layer at the top: the norm of its gradient, its distance from where it started, and, where
    no gradient arrives, why. A slider goes through the steps that were measured (`trace_every` of `fit` says how often).
    Display the panel by making it a cell's last line. Where nobody can click, the last step is shown as a static page.

    Raises:
        TypeError: `runs` is none of these.
        ValueError: a run without measurements, or runs of models with other layers.
    """

    def __init__(self, runs: Run | Mapping[str, Run] | TrainPanel) -> None:
        super().__init__()
        self._training: weakref.ref[TrainPanel] | None = None
        self._version = 0
        self._drawn, self._state = -1, {}
        if isinstance(runs, TrainPanel):
            self._training, self._traces = weakref.ref(runs), {"": runs.layers}
            self._unfollow = runs.on_layers(self._follow)
            self._look()  # once more: what came between the two lines
            return
        if not isinstance(runs, (Run, Mapping)):
            raise TypeError(
                f"A {type(runs).__name__} has no layers to look at. Expected a Run, several Runs by name, or a TrainPanel."
            )
        self._traces, self._unfollow = traces_of(runs), lambda: None

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static twin and tests read."""
        with self._lock:
            if self._drawn != self._version:
                self._state, self._drawn = drift_state(self._traces), self._version
            return {
                "schema": 1,
                "view": "drift",
                "title": "Gradients and drift",
                "status": self._status(),
                "live": self._training is not None and not self._closed,
                "message": dict(self._message),
                "closed": self._closed,
                **self._state,
            }

    def _status(self) -> str:
        measured = sorted({step for trace in self._traces.values() for step in trace.step})
        if not measured:
            return "Nothing is measured yet: the first step of the training is shown as soon as it is made."
        steps = f"steps {measured[0]:,} to {measured[-1]:,}" if len(measured) > 1 else f"step {measured[0]:,}"
        return f"{plural(len(measured), 'measurement')}, {steps}"

    def close(self) -> None:
        """Stop following a training. The output keeps the last step as a static page."""
        with self._lock:
            if self._closed:
                return
            self._unfollow()
            self._closed = True
            self._close_views()

    def _look(self) -> None:
        training = self._training()
        if training is not None:
            with self._lock:
                self._traces, self._version = {"": training.layers}, self._version + 1

    def _follow(self, ended: bool) -> None:
        self._look()
        self._publish(now=ended)

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return drift_html(state), drift_text(state)

    def _make_widget(self):
        from .drift_widget import DriftWidget

        return DriftWidget(self)

    def __repr__(self) -> str:
        return f"DriftPanel({self._status()})"
