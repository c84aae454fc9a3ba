"""At most one call per interval, and always the last one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Throttle:
    """Calls `act` at once or, within `interval` seconds of the last call, as soon as they have passed.

    Safe to use from any thread. `act` runs in the calling thread or in a timer's, without a lock held here.
    """

    def __init__(self, act: Callable[[], None], interval: float):
        self._act = act
        self._interval = interval
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._last = -float("inf")

    def touch(self) -> None:
        """Something changed: act now, or as soon as the interval has passed."""
        with self._lock:
            if self._timer is not None:
                return
            wait = self._last + self._interval - time.monotonic()
            if wait > 0:
                self._timer = threading.Timer(wait, self.flush)
                self._timer.daemon = True
                self._timer.start()
                return
            self._last = time.monotonic()
        self._act()

    def flush(self) -> None:
        """Act now, in place of a call that was due."""
        self.restart()
        self._act()

    def restart(self) -> None:
        """Begin an interval now, and forget a call that was due."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._last = time.monotonic()
