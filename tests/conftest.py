"""For all tests: few threads, GPU tests that skip by themselves, and tests that stay together when two run at
a time."""

import os
import random
import sys
import threading
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores
# As in an activated environment: nbgrader calls `alembic` by name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing of it on a machine that has other work; pytest's own limit ends what
# hangs.
desk = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("desk", desk)
# The same examples each time where a change is judged; new ones each time at a desk.
settings.register_profile("ci", desk, derandomize=True)
# Likewise what a test draws without a seed of its own: else it would depend on the tests that its process ran
# before.
JUDGED = bool(os.environ.get("CI"))
settings.load_profile("ci" if JUDGED else "desk")

# With `--dist loadgroup` the tests whose ids begin alike run in one process, one after the other: what they
# share (a JupyterLab server and Chromium, a course that nbgrader has generated, features of every sound) is
# made once, and two browsers don't slow each other down. The first that fits counts; the process for all
# others is whichever is free.
TOGETHER = (
    "tests/attacks/test_attacks.py::test_an_attack_does_no_harm[",
    "tests/attacks/",
    "tests/course/test_experiments_03.py",
    "tests/grading/",
    "tests/nbgrader/",
)
IN_A_BROWSER = "_browser.py::"  # the tests of each widget that share a JupyterLab server and Chromium


@pytest.fixture(autouse=True)
def nothing_is_written_late(monkeypatch):
    """A receipt that is due a second later would be written into the outputs of the next test.

    It is called off before what this test has patched is put back.
    """
    yield
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()
            thread.join()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if JUDGED:
        import numpy
        import torch

        seed = zlib.crc32(item.nodeid.encode())
        random.seed(seed)
        numpy.random.seed(seed)
        torch.manual_seed(seed)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skipif(not _has_gpu(), reason="needs a CUDA device"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Groups by id: xdist's own (by mark) are lost from pytest 9.2 on, without a word (pytest-xdist issue
    1386)."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ById(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if IN_A_BROWSER in nodeid:
                return IN_A_BROWSER
            return next((start for start in TOGETHER if nodeid.startswith(start)), nodeid)

    return ById(config, log)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
