"""A training in another thread that makes one step after the other, each when a test says so."""

from __future__ import annotations

import threading

from tlwidgets.train import Stepped

PATIENCE = 120  # seconds


class Steps:
    """Takes the place of the function (`fit`, `fork`) that a panel's module trains with."""

    def __init__(self, monkeypatch, module, name: str):
        self._train = getattr(module, name)
        self._made, self._go = threading.Semaphore(0), threading.Semaphore(0)
        monkeypatch.setattr(module, name, self._train_by_steps)

    def _train_by_steps(self, *arguments, on_event, **options):
        def listener(event):
            on_event(event)
            if isinstance(event, Stepped):
                self._made.release()
                assert self._go.acquire(timeout=PATIENCE)

        return self._train(*arguments, on_event=listener, **options)

    def wait(self):
        """Wait until a step has been made; the training then waits for `go`."""
        assert self._made.acquire(timeout=PATIENCE)

    def go(self, steps: int = 1):
        """Let the training make so many steps more."""
        self._go.release(steps)
