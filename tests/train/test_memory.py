"""A training takes no memory that it doesn't use and leaves none behind; a network that looks at many
pictures reuses it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

TRAINING = """
import psutil, torch
from course.units.u02_which_layers_to_train import experiments as lesson02
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import TaskData, fit

def train(preset):
    model = lesson02.classifier(from_scratch=False, seed=0)
    data = TaskData(lesson02.task(lesson02.FAR, 32, 0).train)
    fit(model, FreezePlan.preset(model, preset), data, epochs=1, lr=1e-4)
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
from tlwidgets.train.features import extract

model, _ = load_image_backbone()
pictures = torch.rand(120, 3, 192, 192)

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    extract.frozen_features(model, pictures)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages()
before = psutil.Process().memory_info().rss
print(pages() * resource.getpagesize(), psutil.Process().memory_info().rss - before)
"""

FINDING = """
import resource
import torch
from course.units.u02_which_layers_to_train import experiments as lesson02
from tlwidgets.core import FreezePlan, ModelTree, apply_plan
from tlwidgets.train.features.prefix import Sample, find_prefix
from tlwidgets.train.losses import logits_of

def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

model = lesson02.classifier(from_scratch=False, seed=0)
apply_plan(model, FreezePlan.preset(model, "feature-extraction"))
examples = lesson02.task(lesson02.FAR, 32, 0).train
names = ("input_ids", "attention_mask")
texts = [{name: examples[name][rows] for name in names} for rows in ([0, 1, 2, 3], [2, 0, 1])]
length = examples["input_ids"].shape[1]

def forward(inputs):
    return logits_of(model, inputs)

with torch.no_grad():
    forward(texts[0])
before = peak()
find_prefix(model, forward, Sample(*texts, (2, 0, 1), length, length))
print(peak() - before)
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


@linux
def test_finding_what_stays_the_same_keeps_no_copy_of_what_each_layer_puts_out():
    (grown,) = numbers(FINDING)
    assert grown < 12e6  # else 47 MB, for four texts
