"""Steering a run from another thread: everything takes effect between two steps."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Control:
    """Pause, resume, stop, and commands run between two steps. All methods are safe from any thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._commands: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def pause(self) -> None:
        """Wait before the next step."""
        self._go.clear()

    def resume(self) -> None:
        """Go on after a pause."""
        self._go.set()

    def stop(self) -> None:
        """End before the next step, whether paused or not."""
        self._stop.set()
        self._go.set()

    def enqueue(self, command: Callable[[], object]) -> None:
        """Run `command` in the training thread between two steps, also while paused."""
        self._commands.put(command)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    @property
    def paused(self) -> bool:
        """Whether the run is to wait."""
        return not self._go.is_set() and not self.stopped

    def run_commands(self) -> int:
        """Run the enqueued commands in order; returns how many there were. For the training thread."""
        count = 0
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return count
            command()
            count += 1

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for `resume` or `stop`; returns whether to go on. For the training thread."""
        return self._go.wait(seconds)
