"""For all tests: few threads, GPU tests that skip by themselves, and groups that must not run side by side."""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores
# As in an activated environment: nbgrader calls `alembic` by name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

import pytest
from hypothesis import settings

# The same examples each time where a change is judged; new ones each time at a desk.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# With `--dist loadgroup` the tests of a group run in one process, one after the other: browsers and whole notebooks would
# slow each other down, and what a notebook's memory is would not be measured alone.
GROUPS = ("browser", "notebook", "fresh")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skipif(not _has_gpu(), reason="needs a CUDA device"))
        for name in GROUPS:
            if item.get_closest_marker(name) and not item.get_closest_marker("xdist_group"):
                item.add_marker(pytest.mark.xdist_group(name))


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
