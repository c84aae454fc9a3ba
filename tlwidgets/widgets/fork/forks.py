"""The forks of a run: one trains at a time, in the background or not; those that ended stay until they are
removed."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from functools import partial

from torch import nn

from ...core import FreezePlan
from ...train import Control, EpochEnded, Event, ForkError, Run, Stepped, fork
from ..base.panel import join, sentence
from ..train.state import CurveBuffer
from . import state as shown
from .choice import Choice, change_words
from .state import MOST_FORKS, Fork

_NAMES = "ABCDEFGH"


class Forks:
    """The forks of `run`; each trains a copy of the run's model.

    Every change is made under `lock`; `tell(now)` is called after it.

    Attributes:
        items: all forks, including the one that is training.
        running: the fork that is training, or None; `at` is its current step.
        status, error: what happened last, in words, and the error of the last fork.
    """

    def __init__(self, run: Run, lock, tell: Callable[[bool], None]) -> None:
        self.run = run
        self.items: list[Fork] = []
        self.removed: tuple[int, Fork] | None = None
        self.running: Fork | None = None
        self.stopping = False
        self.at = 0
        self.status = "Move the marker to a step, choose what to change from there on, and fork."
        self.error: BaseException | None = None
        self._line = shown.line_of(shown.curves_of(run), "", "The run", 0)
        self._lock, self._tell = lock, tell
        self._curves = CurveBuffer()
        self._control = Control()
        self._thread: threading.Thread | None = None

    @property
    def ended(self) -> list[Fork]:
        """The forks that have ended."""
        return [each for each in self.items if each.run is not None]

    @property
    def full(self) -> bool:
        """Whether there are as many as the panel can show."""
        return len(self.items) >= MOST_FORKS

    def run_of(self, name: str) -> Run:
        """The record of the ended fork of this name; for any other name, the run's."""
        runs = (each.run for each in self.items if each.name == name and each.run is not None)
        return next(runs, self.run)

    def lines(self) -> list[dict]:
        """The lines of the charts, the run's first."""
        if self.running is not None:  # drawn when it is looked at, not at each step
            self.running.line = self._line_of(self.running)
        return [self._line, *(each.line for each in self.items)]

    def rows(self) -> list[dict]:
        """The rows of the table below the charts, the run's first."""
        rows = [shown.result_row(self._line, self.run, "", "")]
        for each in self.items:
            since = f"step {each.step:,}" + (f" of fork {each.base}" if each.base else "")
            rows.append(shown.result_row(each.line, each.run, since, each.change))
        return rows

    # -- training --------------------------------------------------------------------------------------------

    def begin(
        self, choice: Choice, model: nn.Module, plan: FreezePlan | None, rate, live: bool
    ) -> Callable[[], None]:
        """Make a fork, and return a function that trains it: in a thread of its own if `live`, else before it
        returns.

        Raises:
            ForkError: one is training, or there are as many as the panel can show.
        """
        if self.running is not None:
            raise ForkError("A fork is being trained. Stop it, or wait until it ends, then fork again.")
        if self.full:
            raise ForkError(f"This panel shows at most {MOST_FORKS} forks. Remove one, then fork again.")
        names, places = [each.name for each in self.items], [each.place for each in self.items]
        name = next(each for each in _NAMES if each not in names)
        place = next(each for each in range(1, MOST_FORKS + 1) if each not in places)
        made = Fork(name, choice.base, choice.step, change_words(choice), place)
        base = self.run_of(choice.base)
        self._curves = shown.curves_of(base, choice.step)
        made.line = self._line_of(made)
        self.items.append(made)
        self.running, self.at, self.error, self.stopping, self.removed = made, 0, None, False, None
        self._control = Control()
        self.status = f"Fork {name} is training: {made.change} from step {made.step:,} on."
        arguments = (made, base, model, plan, rate, self._control)
        if not live:
            return lambda: self._train(*arguments)
        self._thread = threading.Thread(target=self._train, args=arguments, name="forking", daemon=True)
        return self._thread.start

    def _train(
        self, made: Fork, base: Run, trained: nn.Module, plan: FreezePlan | None, rate, control: Control
    ) -> None:
        model, run, error = None, None, None
        tell = partial(self._on_event, made)
        try:
            model = copy.deepcopy(trained)
            run = fork(base, model, made.step, plan, lr=rate, control=control, on_event=tell)
        except BaseException as raised:  # whatever it is, `wait` raises it in the thread that asks
            run, error = getattr(raised, "run", None), raised
        with self._lock:
            self.running, self.error = None, error
            if run is None or run.steps < made.step:  # it ended before its first own step
                self.items.remove(made)
                self.status = f"Fork {made.name} was not made."
            else:
                made.run, made.model = run, model
                self._curves.finish()
                made.line = self._line_of(made)
                made.version += 1
                rows = {row["name"]: row for row in self.rows()}
                self.status = shown.compare_words(made.name, rows[made.name], rows.get(made.base, rows[""]))
        self._tell(True)

    def _on_event(self, made: Fork, event: Event) -> None:
        with self._lock:
            self.at = max(self.at, event.step)
            if event.step > made.step:
                if isinstance(event, Stepped):
                    self._curves.step(event)
                elif isinstance(event, EpochEnded):
                    self._curves.epoch(event)
            made.version += 1
        self._tell(False)

    def _line_of(self, made: Fork) -> dict:
        return shown.line_of(self._curves, made.name, f"Fork {made.name}", made.place, made.step)

    def stop(self) -> None:
        """Stop the running fork before its next step."""
        if self.running is not None:
            self._control.stop()
            self.stopping = True

    def wait(self) -> None:
        """Wait for the running fork. Interrupting the kernel stops it, too."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return

        def stop() -> None:
            with self._lock:
                self.stop()

        join(thread, stop)

    def join(self, seconds: float) -> None:
        """Wait for the running fork, but no longer than this."""
        if self._thread is not None:
            self._thread.join(seconds)

    def error_words(self) -> str:
        """The error of the last fork, in words; empty if there was none."""
        return "" if self.error is None else sentence(self.error)

    # -- removing --------------------------------------------------------------------------------------------

    def remove(self, name: str | None) -> Fork:
        """See `ForkPanel.remove`."""
        if not self.items:
            raise ForkError("There is no fork to remove.")
        names = [each.name for each in self.items]
        name = names[-1] if name is None else name
        if name not in names:
            raise ForkError(f"There is no fork {name!r}. Expected one of {', '.join(names)}.")
        place = names.index(name)
        if self.items[place] is self.running:
            raise ForkError(f"Fork {name} is being trained. Stop it first.")
        self.removed = (place, self.items.pop(place))
        self.status = f"Fork {name} was removed."
        return self.removed[1]

    def restore(self) -> None:
        """See `ForkPanel.restore`."""
        if self.removed is None:
            raise ForkError("There is no removed fork to bring back.")
        (place, back), self.removed = self.removed, None
        self.items.insert(place, back)
        self.status = f"Fork {back.name} is back."
