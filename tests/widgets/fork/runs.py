"""A run with snapshots, for a fork panel."""

from __future__ import annotations

from tests.train.fork_tasks import make_data, make_model
from tlwidgets.core import FreezePlan
from tlwidgets.train import fit

STEPS, STEPS_PER_EPOCH = 24, 8


def train(**options):
    """A finished run of `STEPS` steps, and the model that it trained."""
    model = make_model()
    plan = FreezePlan.preset(model, "feature-extraction")
    options = {"epochs": 3, "batch_size": 8, "lr": 0.02, "snapshots": 5, **options}
    return fit(model, plan, make_data(), **options), model
