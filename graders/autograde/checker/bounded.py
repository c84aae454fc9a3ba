"""Ends a check that does not end by itself, as with a student's model that is endless to run."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

_DEAF_S = 3.0
_LOOK_S = 0.1


@contextlib.contextmanager
def bounded(seconds: float, stop: Callable[[], None], leave: Callable[[], None]) -> Iterator[None]:
    """Bound the processor time of the code in the `with` block.

    Args:
        stop: called when it is used up; raises what ends the block. A signal is handled between two
            operations of PyTorch.
        leave: called on another thread some time later, when a single operation takes hours; ends the
            process.
    """
    before = signal.signal(signal.SIGPROF, lambda number, frame: stop())
    signal.setitimer(signal.ITIMER_PROF, seconds)
    done = threading.Event()
    end = time.process_time() + seconds + _DEAF_S

    def look() -> None:
        while not done.wait(_LOOK_S):
            if time.process_time() > end:
                leave()
                return

    watch = threading.Thread(target=look, daemon=True)
    with contextlib.suppress(RuntimeError):  # no thread could be started; the worker ends the check later
        watch.start()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        done.set()
        if watch.ident is not None:
            watch.join()  # if it has found this late, it ends this process
