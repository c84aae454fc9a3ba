"""What changes while a run trains, and the same as plain data, from which it continues to the same bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from ..core import FreezePlan, ModelTree, apply_plan
from ..core.scan import scan
from .checkpoint import LoopPosition, load_weights, make_record
from .records import Run
from .trace import Tracer


class BestEpoch(NamedTuple):
    """The lowest validation loss so far, and the weights and buffers that gave it, by name.

    A weight that has never learned is not among them; it is added before its first step.
    """

    loss: float
    weights: dict[str, Tensor]


@dataclass
class TrainState:
    """What changes from step to step, and what it changes in.

    Attributes:
        model, tree: the model that is trained, on the training device, and its tree.
        optimizer, scheduler, scaler: `scaler` has an effect only with 16-bit floating point.
        groups: the parameters of each row of the tree.
        tracer: what measures gradients and drift; None measures nothing.
        run: the record that is being written; its curves count the steps.
        device: where the model and the data are.
        order: random numbers of the order of the examples.
        learned: names of the weights that have ever learned in this run.
        best: see `BestEpoch`; None without `patience`, or before the first evaluation.
        read_features: whether the run that a record is of was reading features back when the record was made.
    """

    model: nn.Module
    tree: ModelTree
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler
    scaler: torch.amp.GradScaler
    groups: Mapping[str, list[nn.Parameter]]
    tracer: Tracer | None
    run: Run
    device: torch.device
    order: torch.Generator = field(default_factory=torch.Generator)
    learned: set[str] = field(default_factory=set)
    best: BestEpoch | None = None
    read_features: bool = False

    @property
    def step(self) -> int:
        """Optimizer steps made."""
        return self.run.steps

    def position(self, epoch: int) -> LoopPosition:
        """Before the first batch of a pass that has not begun."""
        return LoopPosition(epoch, 0, self.order.get_state(), entered=False)

    def learning_weights(self) -> list[nn.Parameter]:
        """Weights that have a gradient."""
        held = (weight for group in self.optimizer.param_groups for weight in group["params"])
        return [weight for weight in held if weight.grad is not None]

    def gradients(self) -> list[Tensor]:
        """Their gradients."""
        return [weight.grad for weight in self.learning_weights() if weight.grad is not None]

    def note_learning(self) -> None:
        """Remember which weights learn now."""
        learning = {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}
        if self.best is not None:
            for name in learning.keys() - self.learned:
                self.best.weights[name] = learning[name].detach().clone()
        self.learned.update(learning)
        if self.tracer is not None:
            self.tracer.note_start()

    # -- the best epoch --------------------------------------------------------------------------------------

    def note_epoch(self, epoch: int, loss: float) -> None:
        """Keep the weights of this epoch if its validation loss is the lowest so far, and finite."""
        if math.isfinite(loss) and (self.best is None or loss < self.best.loss):
            tensors = _tensors(self.model)
            names = [*self.learned, *(name for name, _ in self.model.named_buffers())]
            self.best = BestEpoch(loss, {name: tensors[name].detach().clone() for name in names})
            self.run.best_epoch = epoch

    def take_best(self) -> bool:
        """Give the model the weights of the best epoch, where one is kept.

        Returns:
            Whether that changed something that does not learn now and that features may depend on.
        """
        if self.best is None:
            return False
        tensors = _tensors(self.model)
        other = {
            name: value
            for name, value in self.best.weights.items()
            if not torch.equal(tensors[name], value.to(self.device))
        }
        load_weights(self.model, other)
        return any(not tensors[name].requires_grad for name in other)

    # -- as plain data ---------------------------------------------------------------------------------------

    def to_record(self, position: LoopPosition, frozen: str) -> dict[str, Any]:
        """All that the next steps depend on, but for the options and the weights that never learned.

        Args:
            position: where the run is.
            frozen: `frozen_digest` of the weights that never learned.
        """
        cuda = self.device.type == "cuda"
        state = {
            "config": self.run.config,
            **position._asdict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.device) if cuda else None,
            "plan": FreezePlan.from_model(self.model, self.tree).to_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
            "best": None if self.best is None else list(self.best),
            "run": self.run.state(),
        }
        return make_record(self.model, self.learned, frozen, state)

    def restore(self, record: Mapping[str, Any]) -> LoopPosition:
        """Continue from `record`; the model must be as it was before training, and the options the same."""
        apply_plan(self.model, FreezePlan.from_dict(self.tree, record["plan"]), self.optimizer)
        self.learned.update(record["learned"])
        if self.tracer is not None:
            parameters = dict(self.model.named_parameters())
            self.tracer.note_start([parameters[name] for name in record["learned"]])
        load_weights(self.model, record["weights"])
        self.optimizer.load_state_dict(record["optimizer"])
        self.scheduler.load_state_dict(record["schedule"])
        self.scaler.load_state_dict(record["scaler"])
        torch.set_rng_state(record["random"])
        if record["random_cuda"] is not None:
            torch.cuda.set_rng_state(record["random_cuda"], self.device)
        self.best = None if record["best"] is None else BestEpoch(*record["best"])
        self.run.load_state(record["run"])
        if self.tracer is not None:
            self.tracer.trace = self.run.trace
        self.order.set_state(record["order"])
        # The same bits need the same way: features where there were features, none where there were none.
        self.read_features = bool(self.run.cache and self.run.cache[-1]["used"])
        return LoopPosition(record["epoch"], record["batch"], record["order"], record["entered"])


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return dict(model.named_parameters()) | dict(model.named_buffers())


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Elements that learn, and all."""
    parameters = scan(model).parameters
    return {
        "trainable": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        "total": sum(parameter.numel() for parameter in parameters),
    }
