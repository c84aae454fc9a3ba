"""The state of a run between two steps, as plain data: taken from a loop, and put back into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ..core import FreezePlan, apply_plan
from .checkpoint import put_weights

if TYPE_CHECKING:
    from .loop import Loop


class Place(NamedTuple):
    """Before which batch of which pass a run is.

    `order` is the state of the order's random numbers at the start of the pass; `entered` says whether the pass has begun
    (what its beginning does to the plan is done).
    """

    epoch: int
    batch: int
    order: Tensor
    entered: bool


def state_of(loop: Loop, place: Place) -> dict:
    """All that the next steps depend on, but for the weights and the options."""
    cuda = loop.device.type == "cuda"
    return {
        "config": loop.run.config,
        **place._asdict(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state(loop.device) if cuda else None,
        "plan": FreezePlan.from_model(loop.tree, loop.model).to_dict(),
        "optimizer": loop.optimizer.state_dict(),
        "schedule": loop.schedule.state_dict(),
        "scaler": loop.scaler.state_dict(),
        "best": None if loop.best is None else list(loop.best),
        "run": loop.run.state(),
    }


def put_back(loop: Loop, record: dict) -> Place:
    """Have `loop`, made with the same options on a model as it was before training, go on from `record`."""
    apply_plan(FreezePlan.from_dict(loop.tree, record["plan"]), loop.model, loop.optimizer)
    loop.learned.update(record["learned"])
    if loop.tracer is not None:
        parameters = dict(loop.model.named_parameters())
        loop.tracer.note_start([parameters[name] for name in record["learned"]])
    put_weights(record["weights"], loop.model)
    loop.optimizer.load_state_dict(record["optimizer"])
    loop.schedule.load_state_dict(record["schedule"])
    loop.scaler.load_state_dict(record["scaler"])
    torch.set_rng_state(record["random"])
    if record["random_cuda"] is not None:
        torch.cuda.set_rng_state(record["random_cuda"], loop.device)
    loop.best = None if record["best"] is None else tuple(record["best"])
    loop.run.take_state(record["run"])
    if loop.tracer is not None:
        loop.tracer.trace = loop.run.trace
    loop.order.set_state(record["order"])
    # The same bits need the same way: features where there were features, none where there were none.
    loop.fed_before = bool(loop.run.cache and loop.run.cache[-1]["used"])
    return Place(record["epoch"], record["batch"], record["order"], record["entered"])
