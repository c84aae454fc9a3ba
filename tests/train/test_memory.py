"""A training leaves no memory behind that nobody uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import psutil, torch
from tlwidgets.claims import lesson02
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import TaskData, fit

def train(preset):
    model = lesson02.classifier(from_scratch=False, seed=0)
    data = TaskData(lesson02.task(lesson02.FAR, 32, 0).train)
    fit(model, FreezePlan.preset(preset, ModelTree.of(model)), data, epochs=1, lr=1e-4)
    return sum(4 * weight.numel() for weight in model.parameters())

held = []
for preset in ("feature-extraction", "full"):
    weights = train(preset)
    held.append(psutil.Process().memory_info().rss)
print(held[1] - held[0], weights)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc is told to hand memory back")
def test_full_fine_tuning_leaves_less_behind_than_a_model_s_weights():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    held, weights = map(int, done.stdout.split())
    assert held < weights
