"""The arena panel: several ways to train are compared in the background, with results as they come in."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from ...core import FreezeError
from ...train import Arena, ArenaResult, Bout, Control
from ..base.environment import is_live
from ..base.formats import plural, time_words
from ..base.labels import labels
from ..base.panel import Panel, join, sentence
from ..base.replaced import PATIENCE_S
from .state import arena_state
from .static import arena_html, arena_text

_ALIVE = ("running", "stopping")


class ArenaPanel(Panel):
    """Let the contenders of `arena` fight in the background, and see who is ahead while they do.

    Args:
        arena: who fights, on what, and for how long.
        folder: finished runs are kept here, so that an arena can continue after a stop, even in another
            kernel; None keeps them for as long as the panel lives.
        recorded: results from another machine, shown until your own replace them, bout by bout.
        mine: bouts that you have fought already (in an arena of the same name), shown as yours until they are
            fought again.
        chance: accuracy of guessing, drawn as a faint line.

    Display the panel by making it a cell's last line. Where nobody can click (papermill, nbconvert, grading),
    `start()` runs to the end before it returns, and the results are shown as a static page.

    Raises:
        TypeError: `arena` is not an Arena, or `recorded` or `mine` is not an ArenaResult.
        ValueError: those results are of another arena.
    """

    def __init__(
        self,
        arena: Arena,
        folder: str | Path | None = None,
        recorded: ArenaResult | None = None,
        *,
        mine: ArenaResult | None = None,
        chance: float | None = None,
    ) -> None:
        _check(arena, recorded, "recorded")
        _check(arena, mine, "mine")
        super().__init__()
        self._arena: Arena | None = arena
        self._title, self._budget, self._runs = arena.name, _budget_words(arena), arena.runs
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="arena-")
            folder = self._temporary.name
        self._folder = Path(folder)
        self._recorded, self._chance = recorded, chance
        self._earlier = {_key(bout): bout for bout in (mine.bouts if mine is not None else ())}
        self._bouts = dict(self._earlier)
        self._counted = 0  # bouts reported since the start
        self._charts: dict = {}
        self._version, self._drawn = 0, -1
        self._control = Control()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._phase = "ready"
        self._done, self._now = 0, ""
        self._began: tuple[int, float] | None = None  # runs done when the first was made, and when that was

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def mine(self) -> ArenaResult:
        """What this machine has found so far."""
        with self.lock:
            return ArenaResult(self._title, "this machine", tuple(self._bouts.values()))

    @property
    def result(self) -> ArenaResult:
        """What is shown: the recorded bouts, with your own in their place where there are any."""
        mine = self.mine
        if self._recorded is None:
            return mine
        return self._recorded.replaced_by(mine) if mine.bouts else self._recorded

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            if self._drawn != self._version:  # drawn anew only where there is something new
                own = None if self._recorded is None else tuple(self._bouts.values())
                self._charts = arena_state(self.result, self._chance, own)
                for chart in self._charts["charts"]:
                    chart["chosen"] = len(chart["variants"]) - 1
                self._drawn = self._version
            return {
                "schema": 1,
                "view": "arena",
                "title": self._title,
                "labels": labels("arena", title=self._title),
                "budget": self._budget,
                **self._charts,
                **self._frame(),
            }

    requests = {"start": ("start",), "stop": ("stop",)}

    def changes(self, since):
        """Charts are sent when a bout has ended; between bouts only the progress."""
        return ({"frame": self._frame()} if since == self._version else None), self._version

    def _frame(self) -> dict:
        """The state without the charts: the part that may change with each run."""
        phase, total = self._phase, self._runs
        alive = phase in _ALIVE
        left = [self._now] if alive and self._now else []
        if phase == "running" and self._began is not None and self._done > self._began[0]:
            each = (time.monotonic() - self._began[1]) / (self._done - self._began[0])
            left.append(f"about {time_words(each * (total - self._done))} left")
        return {
            "phase": phase,
            "status": _status_words(phase, self._done, total, self._recorded is not None),
            "done": self._done,
            "total": total,
            "share": self._done / total,
            "progress": f"{self._done:,} of {plural(total, 'run')}",
            "left": ", ".join(left),
            "whose": self._whose_words(),
            "actions": {
                "start": not alive and phase != "finished" and not self._closed,
                "stop": phase == "running",
            },
            "message": dict(self._message),
            "closed": self._closed,
        }

    def _whose_words(self) -> str:
        if self._recorded is None:
            return ""
        if not self._bouts:
            return f"Hollow: recorded on {self._recorded.machine}. Your own runs replace them."
        return f"Filled: your runs. Hollow: recorded on {self._recorded.machine}. Pale: both."

    # -- what can be done ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start, or continue after a stop: runs that the folder has are not repeated.

        In a live view it returns at once, elsewhere when all runs are done. While the arena is running, it
        does nothing.

        Raises:
            FreezeError: the panel was closed.
        """
        with self.lock:
            arena, thread = self._arena, None
            if arena is None:
                raise FreezeError("This panel was closed. Make a new one: ArenaPanel(arena, folder).")
            if self._phase in _ALIVE:
                return
            self._control, self._error = Control(), None
            self._phase, self._message = "running", {"kind": "", "text": ""}
            self._done, self._now, self._began = 0, "", None
            self._bouts, self._counted = (
                dict(self._earlier),
                0,
            )  # reported again at once, where the folder has them
            self._version += 1
            if is_live():
                thread = threading.Thread(target=self._fight, args=(arena,), name="arena", daemon=True)
            self._thread = thread
        self._publish()
        if thread is not None:
            thread.start()
            return
        self._fight(arena)
        if isinstance(self._error, KeyboardInterrupt):
            raise self._error

    def stop(self) -> None:
        """Stop before the next step. Finished runs are kept; the current one is repeated when the arena
        continues."""
        with self.lock:
            if self._phase != "running":
                return
            self._control.stop()
            self._phase = "stopping"
        self._publish()

    def wait(self) -> ArenaResult:
        """Wait for the end and return `result`. Interrupting the kernel stops the arena, too.

        Raises:
            RuntimeError: nothing has been started.
            TrainingError: a run failed.
            ArenaError: the folder cannot be written to.
        """
        if self._phase == "ready":
            raise RuntimeError(
                "There is nothing to wait for: the arena has not begun. Call start() first, or press Start."
            )
        if self._thread is not None:
            join(self._thread, self.stop)
        if self._error is not None:
            raise self._error
        return self.result

    def close(self) -> None:
        """Stop a running arena and release its models and data. The output keeps the last results as a static
        view."""
        self.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self.lock:
            if self._closed:
                return
            self._arena, self._closed = None, True
            self._close_views()
            if self._temporary is not None:
                self._temporary.cleanup()

    def _replaced(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    # -- the fight -------------------------------------------------------------------------------------------

    def _fight(self, arena: Arena) -> None:
        """All runs, in whichever thread."""
        error = None
        try:
            arena.fight(
                self._folder, on_progress=self._on_progress, on_bout=self._on_bout, control=self._control
            )
        except BaseException as raised:  # whatever it is, `wait` raises it in the thread that asks
            error = raised
        with self.lock:
            self._error, self._now = error, ""
            whole = self._counted == _counting(arena)
            self._phase = "failed" if error is not None else "finished" if whole else "stopped"
            if isinstance(error, KeyboardInterrupt):
                self._phase = "stopped"
            elif error is not None:
                self._message = {"kind": "error", "text": sentence(error)}
        self._publish(now=True)

    def _on_progress(self, done: int, total: int, words: str) -> None:
        with self.lock:
            self._done, self._now = (
                done,
                words if done < total else "",
            )  # and here those that chose a rate, too
            self._began = self._began or (done, time.monotonic())
        self._publish()

    def _on_bout(self, bout: Bout) -> None:
        with self.lock:
            self._bouts[_key(bout)] = bout
            self._counted += 1
            self._done = min(
                self._done + 1, self._runs
            )  # runs that were found in the folder are reported here only
            self._version += 1
        self._publish()

    # -- showing ---------------------------------------------------------------------------------------------

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return arena_html(state), arena_text(state)

    def __repr__(self) -> str:
        return f"ArenaPanel({self._title}: {self._phase}, {self._done} of {self._runs} runs)"


def _key(bout: Bout) -> tuple[str, int, int]:
    return bout.contender, bout.examples, bout.seed


def _check(arena, results, what: str) -> None:
    if not isinstance(arena, Arena):
        raise TypeError(f"The arena is a {type(arena).__name__}. Expected a tlwidgets.train.Arena.")
    if results is None:
        return
    if not isinstance(results, ArenaResult):
        raise TypeError(
            f"{what} is a {type(results).__name__}. Expected an ArenaResult, such as ArenaResult.load(path) "
            "or panel.mine."
        )
    if results.name != arena.name:
        raise ValueError(
            f"{what} has results of the arena {results.name!r}, and this one is {arena.name!r}. "
            "Expected results of the same arena: others are not comparable."
        )


def _counting(arena: Arena) -> int:
    return len(arena.contenders) * len(arena.sizes) * len(arena.seeds)


def _budget_words(arena: Arena) -> str:
    rates = len(arena.contenders[0].rates)
    sizes = ", ".join(f"{size:,}" for size in arena.sizes)
    tried = f", the best of {rates} rates" if rates > 1 else ""
    return (
        f"{plural(len(arena.contenders), 'contender')}; {sizes} examples; "
        f"{plural(len(arena.seeds), 'seed')}; "
        f"{plural(arena.steps, 'step')} of up to {arena.batch_size} examples{tried}"
    )


def _status_words(phase: str, done: int, total: int, recorded: bool) -> str:
    """One sentence for each phase. Changes seldom, so that it can be read out."""
    now = "Results recorded elsewhere are shown. " if recorded else ""
    return {
        "ready": (
            f"{now}The {plural(total, 'run')} of this arena have not begun. Start them with the button, or "
            "with .start()."
        ),
        "running": "The arena is running.",
        "stopping": "Stopping before the next step.",
        "finished": f"Finished: {plural(total, 'run')}.",
        "stopped": (
            f"Stopped after {done:,} of {plural(total, 'run')}. Finished runs are kept, and "
            "the arena continues from there."
        ),
        "failed": (
            f"Failed after {done:,} of {plural(total, 'run')}. Finished runs are kept, and "
            "the arena continues from there."
        ),
    }[phase]
