"""A training leaves no memory behind that nobody uses, and a network that looks at many pictures reuses what it frees."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRAINING = """
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


LOOKING = """
import resource
import psutil, torch
from tlwidgets.models import load_image_backbone
from tlwidgets.train.features import once

model, _ = load_image_backbone()
pictures = torch.rand(120, 3, 192, 192)

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    once.frozen_features(model, pictures)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages()
before = psutil.Process().memory_info().rss
print(pages() * resource.getpagesize(), psutil.Process().memory_info().rss - before)
"""

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only glibc is told when to hand memory back"
)


def numbers(code: str) -> list[int]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(map(int, done.stdout.split()))


@linux
def test_full_fine_tuning_leaves_less_behind_than_a_model_s_weights():
    held, weights = numbers(TRAINING)
    assert held < weights


@linux
def test_looking_at_pictures_asks_the_system_for_few_pages_and_keeps_none():
    asked, held = numbers(LOOKING)
    assert asked < 250e6  # else about 1 GB for these 120: each one's activations
    assert held < 16e6
