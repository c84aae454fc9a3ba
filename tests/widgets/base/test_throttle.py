"""The throttle: acts at once, then no more than once in each interval."""

import threading

from tlwidgets.widgets.base.throttle import Throttle


def test_it_acts_at_once_then_waits_and_a_flush_replaces_what_is_due():
    done = []
    throttle = Throttle(lambda: done.append(1), 3600)
    for _ in range(100):
        throttle.touch()
    assert len(done) == 1
    throttle.flush()
    assert len(done) == 2


def test_what_is_due_is_done_without_another_touch():
    due = threading.Semaphore(0)
    throttle = Throttle(due.release, 0.01)
    throttle.touch()
    throttle.touch()
    assert due.acquire(timeout=120) and due.acquire(timeout=120)
