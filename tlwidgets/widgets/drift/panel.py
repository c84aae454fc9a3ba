"""The drift panel: which layers gradients reach, and how far each has moved, step by step."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping

from ...train import Run
from ..base.formats import plural
from ..base.labels import labels
from ..base.panel import Panel
from ..train.panel import TrainPanel
from .state import drift_state
from .static import drift_html, drift_text, traces_of


class DriftPanel(Panel):
    """See what happens in the layers during a training, afterwards or while it is running.

    Args:
        runs: a `Run`; several by name, of models with the same layers; or a `TrainPanel`, whose training is
            followed.

    One row for each group of layers, the first layer at the top: the norm of its gradient, its distance from
    where it started, and, where no gradient arrives, why. A slider selects one of the steps that were
    measured (`trace_every` of `fit` says how often). Display the panel by making it a cell's last line. Where
    nobody can click, the last step is shown as a static page.

    Raises:
        TypeError: `runs` is none of these.
        ValueError: a run without measurements, or runs of models with other layers.
    """

    interval = 0.5  # a training may be measured at each step, and nobody follows so many layers any faster

    def __init__(self, runs: Run | Mapping[str, Run] | TrainPanel) -> None:
        super().__init__()
        self._training: weakref.ref[TrainPanel] | None = None
        self._version = 0
        self._drawn = -1
        self._state: dict = {}
        self._unfollow: Callable[[], None] = lambda: None
        if isinstance(runs, TrainPanel):
            self._training, self._traces = weakref.ref(runs), {"": runs.layers}
            self._unfollow = runs.on_layers(self._follow)
            self._sync_with_training()  # once more: what came between the two lines
            return
        if not isinstance(runs, (Run, Mapping)):
            raise TypeError(
                f"A {type(runs).__name__} has no layers to show. Expected a Run, several Runs by name, or a "
                "TrainPanel."
            )
        self._traces = traces_of(runs)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            if self._drawn != self._version:
                self._state, self._drawn = drift_state(self._traces), self._version
            named = labels("drift")
            return {
                "schema": 1,
                "view": "drift",
                "title": named["panel"],
                "labels": named,
                "status": self._status(),
                "live": self._training is not None and not self._closed,
                "message": dict(self._message),
                "closed": self._closed,
                **self._state,
            }

    def _status(self) -> str:
        measured = sorted({step for trace in self._traces.values() for step in trace.step})
        if not measured:
            return "Nothing has been measured yet: the first step appears as soon as it is done."
        steps = f"steps {measured[0]:,} to {measured[-1]:,}" if len(measured) > 1 else f"step {measured[0]:,}"
        return f"{plural(len(measured), 'measurement')}, {steps}"

    def close(self) -> None:
        """Stop following a training. The output keeps the last step as a static view."""
        with self.lock:
            if self._closed:
                return
            self._unfollow()
            self._closed = True
            self._close_views()

    def _sync_with_training(self) -> None:
        training = self._training() if self._training is not None else None
        if training is not None:
            with self.lock:
                self._traces, self._version = {"": training.layers}, self._version + 1

    def _follow(self, ended: bool) -> None:
        self._sync_with_training()
        self._publish(now=ended)

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return drift_html(state), drift_text(state)

    def __repr__(self) -> str:
        return f"DriftPanel({self._status()})"
