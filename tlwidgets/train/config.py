"""The options of a training run: one record for `fit`, the panels, arenas, checkpoints and `Run.config`.

An option is added in three lines of this file: to `TrainConfig` (its default, and its line among the
attributes) and to `TrainOptions`, which a test keeps equal to it.
"""

from __future__ import annotations

import difflib
import inspect
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, TypeVar, get_args

import torch
from torch import nn

from ..core import FreezePlan
from .data import Examples
from .events import Event
from .features import FeatureCache
from .losses import Loss
from .metrics import check_metrics
from .optim import MakeOptimizer, OptimizerName, Rates, ScheduleName, check_rates
from .snapshots import Snapshots
from .whole_numbers import check_whole_number

if TYPE_CHECKING:
    from typing_extensions import Unpack

Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]

F = TypeVar("F", bound=Callable[..., Any])

_UNRECORDED = {"recorded": False}
# Records of runs from before there was such an option are equal to those in which it is not used.
_RECORDED_IF_SET = {"recorded": "if set"}


@dataclass(frozen=True)
class TrainConfig:
    """How to train. Every option has a default; a value that is out of range is rejected here, with a
    sentence.

    Attributes:
        epochs: passes over the training data.
        batch_size: examples in a batch.
        lr: the highest learning rate of the schedule: one for all, or one for each row of the model's tree,
            by id (`discriminative_rates`). None takes 1e-3 where only the head learns, and 5e-5 otherwise;
            the run's notes say which.
        optimizer: "adamw", "sgd" (momentum 0.9), or a function from parameter groups to an optimizer.
        weight_decay: of "adamw" and "sgd".
        decay_norms_and_biases: whether weight decay applies to biases and to the weights of normalisation
            layers, too; `transformers` leaves them out.
        schedule: "one-cycle", "linear", "cosine" or "constant".
        warmup: the share of the steps in which the rate climbs, from 0 up to (not including) 1.
        seed: draws the order of the examples and dropout; the same seed gives the same bits on a CPU.
        accumulate: batches whose gradients make one step, the same as one large batch would (but BatchNorm
            sees each alone).
        group_by_length: put texts of about the same length into a batch, so that less padding is computed.
        precision: "fp32"; "bf16" or "fp16" for mixed precision (on a GPU; on a CPU "bf16" works, and is
            slow).
        max_grad_norm: gradients whose L2 norm over all weights is larger are scaled down to it; None never
            does.
        patience: stop when the validation loss has not fallen for this many epochs (or is NaN), and take the
            weights of the best epoch, also where all epochs were made; None does neither.
        valid_every: evaluate on the validation data every `valid_every` epochs, and after the last.
        unfreeze: plans by epoch (from 1), each applied before its epoch (`gradual_unfreezing`).
        device: where to train; None takes the GPU if there is one, else the CPU.
        loss: function of (outputs, labels) to a mean over the examples, or to a value for each; labels that
            are -100 do not count. A mean over something else has a function `loss.count(labels)`, which says
            over how many. None takes what goes with the task: cross-entropy for classes, mean squared error
            for other numbers (the page on training data has a table).
        metrics: what else to measure on validation and test data, by name: functions of the (outputs, labels)
            of all examples to a number, or objects with `update`, `compute` and `reset` as in torchmetrics.
        callbacks: functions that are called in the training thread with each `Event`.
        cache: where features of the frozen part are kept; True is a cache that this process shares, False
            computes them anew in each pass.
        augment: function of a batch's inputs (a tensor, or a mapping) to changed ones, for each training
            step.
        source: examples of the source task, or a function from the model to an accuracy: measured before
            training and after each epoch that is evaluated.
        checkpoint: a file written at each epoch and when the run is stopped; the same call continues from it.
            It is removed when the run has finished.
        snapshots: keep the state at intervals of so many steps (a number, or a `Snapshots`), so that the run
            can be forked (`fork`).
        trace: measure gradients and drift of each group, at the first step and the last of each epoch.
        trace_every: also measure them every `trace_every` steps; 0 does not.

    Raises:
        ValueError: an option out of its range, or two that exclude each other.
    """

    epochs: int = 3
    batch_size: int = 16
    lr: Rates | None = 1e-3
    optimizer: OptimizerName | MakeOptimizer = "adamw"
    weight_decay: float = 0.01
    decay_norms_and_biases: bool = field(default=True, metadata=_RECORDED_IF_SET)
    schedule: ScheduleName = "one-cycle"
    warmup: float = 0.3
    seed: int = 0
    accumulate: int = 1
    group_by_length: bool = False
    precision: Precision = "fp32"
    max_grad_norm: float | None = field(default=None, metadata=_RECORDED_IF_SET)
    patience: int | None = None
    valid_every: int = 1
    unfreeze: Mapping[int, FreezePlan] | None = None
    device: str | torch.device | None = field(default=None, metadata=_UNRECORDED)
    loss: Loss | None = field(default=None, metadata=_UNRECORDED)
    metrics: Mapping[str, Any] | None = field(default=None, metadata=_UNRECORDED)
    callbacks: Sequence[Callable[[Event], object]] = field(default=(), metadata=_UNRECORDED)
    cache: bool | FeatureCache = field(default=True, metadata=_UNRECORDED)
    augment: Callable[..., Any] | None = field(default=None, metadata=_UNRECORDED)
    source: Examples | Callable[[nn.Module], float] | None = field(default=None, metadata=_UNRECORDED)
    checkpoint: str | Path | None = field(default=None, metadata=_UNRECORDED)
    snapshots: Snapshots | int | None = field(default=None, metadata=_UNRECORDED)
    trace: bool = field(default=True, metadata=_UNRECORDED)
    trace_every: int = field(default=0, metadata=_UNRECORDED)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "valid_every"):
            check_whole_number(name, getattr(self, name))
        if self.lr is not None:
            check_rates(self.lr)
        if self.metrics is not None:
            check_metrics(self.metrics)
        if not isinstance(self.callbacks, Sequence) or not all(map(callable, self.callbacks)):
            raise TypeError(f"callbacks is {self.callbacks!r:.60}. Expected a list of functions of an event.")
        warmup = self.warmup
        if isinstance(warmup, bool) or not isinstance(warmup, (int, float)) or not 0 <= warmup < 1:
            raise ValueError(
                f"warmup is {warmup!r}. Expected a share of the steps, from 0 up to (not including) 1."
            )
        if not callable(self.optimizer):
            _check_choice("optimizer", self.optimizer, OptimizerName, ", or a function")
        _check_choice("schedule", self.schedule, ScheduleName)
        _check_choice("precision", self.precision, Precision)
        if self.patience is not None:
            check_whole_number("patience", self.patience)
        most = 1.0 if self.max_grad_norm is None else self.max_grad_norm
        if isinstance(most, bool) or not isinstance(most, (int, float)) or not most > 0:
            raise ValueError(f"max_grad_norm is {most!r}. Expected a number above 0, such as 1.0, or None.")
        self._check_kinds()
        if self.snapshots is not None and not isinstance(self.snapshots, Snapshots):
            check_whole_number("snapshots", self.snapshots)
        if self.snapshots is not None and self.checkpoint is not None:
            raise ValueError(
                "A run with a checkpoint cannot keep snapshots: when it continues from the checkpoint, its "
                "first steps would be missing. Leave out one of `checkpoint` and `snapshots`."
            )

    def _check_kinds(self) -> None:
        decay, seed = self.weight_decay, self.seed
        if isinstance(decay, bool) or not isinstance(decay, (int, float)) or not 0 <= decay < math.inf:
            raise ValueError(f"weight_decay is {decay!r}. Expected a number from 0 up, such as 0.01.")
        if isinstance(seed, bool) or not isinstance(seed, int) or not -(2**63) <= seed < 2**64:
            raise ValueError(f"seed is {seed!r}. Expected a whole number, from 0 up to 2**64 - 1.")
        for name in ("loss", "augment"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise TypeError(f"{name} is a {type(value).__name__}. Expected a function, or None.")
        if not isinstance(self.cache, (bool, FeatureCache, type(None))):
            raise TypeError(
                f"cache is a {type(self.cache).__name__}. Expected True, False or a FeatureCache."
            )
        if not isinstance(self.checkpoint, (str, os.PathLike, type(None))):
            kind = type(self.checkpoint).__name__
            raise TypeError(f"checkpoint is a {kind}. Expected the path of a file, or None.")
        if self.unfreeze is not None and not (
            isinstance(self.unfreeze, Mapping)
            and all(
                isinstance(epoch, int) and isinstance(plan, FreezePlan)
                for epoch, plan in self.unfreeze.items()
            )
        ):
            raise TypeError(
                f"unfreeze is {self.unfreeze!r:.60}. Expected freeze plans by epoch, such as "
                "gradual_unfreezing(...) gives, or None."
            )

    @classmethod
    def of(cls, config: TrainConfig | None = None, **options: Unpack[TrainOptions]) -> TrainConfig:
        """The options of `config` (None: the defaults), overridden by `options`.

        Raises:
            TypeError: there is no option of that name.
            ValueError: as `TrainConfig`.
        """
        names = option_names()
        for name in options:
            if name not in names:
                near = difflib.get_close_matches(name, names, 1)
                meant = f"Did you mean {near[0]!r}? " if near else ""
                raise TypeError(
                    f"Training has no option {name!r}. {meant}Expected some of {', '.join(names)}."
                )
        if config is not None and not isinstance(config, TrainConfig):
            raise TypeError(f"config is a {type(config).__name__}. Expected a TrainConfig.")
        return replace(config or cls(), **options)

    def steps_an_epoch(self, examples: int) -> int:
        """Optimizer steps of one pass over so many training examples."""
        return math.ceil(math.ceil(examples / self.batch_size) / self.accumulate)

    def steps(self, examples: int) -> int:
        """Optimizer steps in all."""
        return self.epochs * self.steps_an_epoch(examples)

    @property
    def highest_lr(self) -> float:
        """The learning rate, or the largest of those of the rows."""
        if self.lr is None:
            raise ValueError("lr=None: the learning rate depends on what learns, which `fit` looks at.")
        return max(self.lr.values()) if isinstance(self.lr, Mapping) else self.lr

    def to_json(self) -> dict[str, Any]:
        """What the result depends on, as plain JSON data: what the options contribute to `Run.config`."""
        recorded = [
            each.name
            for each in fields(self)
            if (how := each.metadata.get("recorded", True)) is True
            or (how == "if set" and getattr(self, each.name) != each.default)
        ]
        return {name: _plain(name, getattr(self, name)) for name in recorded}


class TrainOptions(TypedDict, total=False):
    """The same options as keywords, for functions that take `**options: Unpack[TrainOptions]`."""

    epochs: int
    batch_size: int
    lr: Rates | None
    optimizer: OptimizerName | MakeOptimizer
    weight_decay: float
    decay_norms_and_biases: bool
    schedule: ScheduleName
    warmup: float
    seed: int
    accumulate: int
    group_by_length: bool
    precision: Precision
    max_grad_norm: float | None
    patience: int | None
    valid_every: int
    unfreeze: Mapping[int, FreezePlan] | None
    device: str | torch.device | None
    loss: Loss | None
    metrics: Mapping[str, Any] | None
    callbacks: Sequence[Callable[[Event], object]]
    cache: bool | FeatureCache
    augment: Callable[..., Any] | None
    source: Examples | Callable[[nn.Module], float] | None
    checkpoint: str | Path | None
    snapshots: Snapshots | int | None
    trace: bool
    trace_every: int


def option_names() -> tuple[str, ...]:
    """The names of all options, in the order of the record."""
    return tuple(each.name for each in fields(TrainConfig))


def plans_to_json(plans: Mapping[int, FreezePlan] | None) -> dict[str, Any]:
    """Plans by epoch as plain JSON data."""
    return {str(epoch): plan.to_dict() for epoch, plan in (plans or {}).items()}


def shows_options(defaults: TrainConfig | None = None) -> Callable[[F], F]:
    """Name the options, with these defaults, in the signature and the help of a function of `**options`.

    A type checker follows `Unpack[TrainOptions]`; this is for people who ask a notebook (`fit?`, Shift+Tab).
    """
    shown = defaults or TrainConfig()

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        named = {each.name for each in own}
        options = [
            inspect.Parameter(
                each.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=getattr(shown, each.name),
                annotation=each.type,
            )
            for each in fields(shown)
            if each.name not in named
        ]
        function.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
        documented = inspect.cleandoc(TrainConfig.__doc__ or "").partition("Attributes:\n")[2]
        listed = documented.partition("\n\n")[0]
        function.__doc__ = (
            f"{inspect.cleandoc(function.__doc__ or '')}\n\nOptions (of `TrainConfig`):\n{listed}\n"
        )
        return function

    return decorate


def _check_choice(name: str, value: object, choices: Any, more: str = "") -> None:
    known = get_args(choices)
    if value not in known:
        raise ValueError(f"Unknown {name} {value!r}. Expected one of {', '.join(known)}{more}.")


def _plain(name: str, value: Any) -> Any:
    if name == "unfreeze":
        return plans_to_json(value)
    if isinstance(value, Mapping):
        return dict(value)
    return getattr(value, "__name__", "custom") if callable(value) else value
