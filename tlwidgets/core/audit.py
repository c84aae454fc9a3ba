"""Proof that frozen weights and buffers stayed as they were, byte for byte; and if not, the culprit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from .contents import copy_of, same_bytes
from .errors import FreezeError
from .hold import renormalises
from .plan import FreezePlan
from .scan import Scan, scan

_EXPLAIN = {
    "batch-norm-drift": (
        "In training mode a batch-norm layer moves its running statistics at every forward pass; "
        "requires_grad=False does not stop that.",
        "Put the frozen part in eval() after each model.train(), as apply_plan does.",
    ),
    "spectral-norm": (
        "Spectral norm refines its vectors by a step of power iteration at each forward pass in training "
        "mode.",
        "Put the frozen part in eval() after each model.train(), as apply_plan does.",
    ),
    "moving-buffer": (
        "A module of the frozen part updates this buffer in its forward pass.",
        "Put the frozen part in eval() after each model.train(), as apply_plan does.",
    ),
    "max-norm": (
        "nn.Embedding(max_norm=) rescales the rows it looks up, in place, with or without a gradient.",
        "Use apply_plan, which lets a frozen embedding work on a copy, or set max_norm=None.",
    ),
    "tied-weight": (
        "This weight has several names (it is tied), and it was thawed under another one.",
        "Freeze it under all its names; apply_plan does so.",
    ),
    "not-frozen": (
        "Its requires_grad is still True, so the optimizer trained it.",
        "Apply the plan before training: apply_plan(model, plan, optimizer).",
    ),
    "weight-decay": (
        "It shrank in proportion to its size: the optimizer kept decaying it, because an old gradient (even "
        "of zeros) was left in .grad.",
        "Set .grad = None when freezing, as apply_plan does; zero_grad(set_to_none=False) is not enough.",
    ),
    "momentum": (
        "The optimizer kept moving it with momentum from before it was frozen, because an old gradient (even "
        "of zeros) was left in .grad.",
        "Set .grad = None when freezing, as apply_plan does; zero_grad(set_to_none=False) is not enough.",
    ),
    "stale-gradient": (
        "A gradient from before it was frozen was still there when the optimizer stepped.",
        "Freeze between steps, and set .grad = None, as apply_plan does.",
    ),
    "written": (
        "Something wrote to it: it has no gradient, and no optimizer step explains the change.",
        "Look for code that assigns to it, loads a checkpoint, or averages weights.",
    ),
}


@dataclass(frozen=True)
class Violation:
    """Something frozen that changed.

    Attributes:
        name: qualified name of the parameter or buffer.
        group: id of the row it is in.
        kind: "parameter" or "buffer".
        culprit: one of batch-norm-drift, spectral-norm, moving-buffer, max-norm, tied-weight, not-frozen,
            weight-decay, momentum, stale-gradient, written.
        change: largest absolute difference of an element.
        explanation, remedy: sentences.
    """

    name: str
    group: str
    kind: str
    culprit: str
    change: float
    explanation: str
    remedy: str


@dataclass(frozen=True)
class AuditReport:
    """What moved since `audit` began.

    Attributes:
        violations: frozen weights and buffers whose bytes changed.
        moved, unmoved: names of trained weights that did and did not change.
        kept: number of frozen weights and buffers that are bit-identical.
    """

    violations: tuple[Violation, ...]
    moved: tuple[str, ...]
    unmoved: tuple[str, ...]
    kept: int

    @property
    def ok(self) -> bool:
        """Whether everything frozen is bit-identical."""
        return not self.violations

    def __str__(self) -> str:
        lines = [
            f"{self.kept} frozen weights and buffers: bit-identical."
            if self.ok
            else f"{len(self.violations)} frozen weights and buffers changed; {self.kept} are bit-identical."
        ]
        for culprit in dict.fromkeys(violation.culprit for violation in self.violations):
            found = [violation for violation in self.violations if violation.culprit == culprit]
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            names = ", ".join(f"`{violation.name}` (by {violation.change:.2g})" for violation in found[:3])
            lines.append(f"  {culprit}: {names}{more}. {found[0].explanation} {found[0].remedy}")
        lines.append(f"{len(self.moved)} trained weights moved, {len(self.unmoved)} did not.")
        return "\n".join(lines)

    __repr__ = __str__


class Watch:
    """Remembers a model's bytes; `report()` compares. Also a context manager."""

    def __init__(
        self, model: nn.Module, plan: FreezePlan, optimizer: torch.optim.Optimizer | None = None
    ) -> None:
        scanned = scan(model)
        plan.tree.check(scanned.names)
        if any(parameter.is_meta for parameter in scanned.parameters):
            raise FreezeError(
                "This model is on the meta device: it has shapes and no values, so there is nothing to "
                "compare. Load its weights first (model.to_empty, or from_pretrained)."
            )
        self._model, self._plan, self._optimizer = model, plan, optimizer
        self._before = {name: copy_of(tensor) for name, tensor, _ in _tensors(scanned)}

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def report(self) -> AuditReport:
        """Compare every weight and buffer with what it was.

        Raises:
            StructureChangedError: parameters were added or removed since.
        """
        scanned = scan(self._model)
        self._plan.tree.check(scanned.names)
        row_of = {
            name: row.id for row in self._plan.tree.root.children for name in (*row.parameters, *row.buffers)
        }
        trainable = self._plan.trainable
        active = self._plan._bits.active
        violations: list[Violation] = []
        moved: list[str] = []
        unmoved: list[str] = []
        kept = 0
        for name, tensor, owner in _tensors(scanned):
            before = self._before.get(name)
            after = copy_of(tensor)
            same = before is not None and same_bytes(before, after)
            parameter = isinstance(tensor, nn.Parameter)
            if parameter and name in trainable:
                (unmoved if same else moved).append(name)
            elif not parameter and active >> owner.number & 1:
                continue  # buffers of a part that trains may move
            elif same:
                kept += 1
            else:
                culprit = self._culprit(name, tensor, owner.module, before, after)
                explanation, remedy = _EXPLAIN[culprit]
                kind = "parameter" if parameter else "buffer"
                violations.append(
                    Violation(
                        name, row_of.get(name, ""), kind, culprit, _change(before, after), explanation, remedy
                    )
                )
        return AuditReport(tuple(violations), tuple(moved), tuple(unmoved), kept)

    def _culprit(
        self, name: str, tensor: Tensor, module: nn.Module, before: Tensor | None, after: Tensor
    ) -> str:
        if not isinstance(tensor, nn.Parameter):
            if isinstance(module, _NormBase):
                return "batch-norm-drift"
            spectral = "Spectral" in type(module).__name__ or name.endswith(("weight_u", "weight_v"))
            return "spectral-norm" if spectral else "moving-buffer"
        tied = any(name in found.names for found in self._plan.tree.tied)
        if tensor.requires_grad:
            return "tied-weight" if tied else "not-frozen"
        if before is None or before.shape != after.shape:
            return "written"
        if renormalises(module) and tensor is module.weight and _rows_only_shrank(before, after):
            return "max-norm"
        return self._optimizer_culprit(tensor, before, after)

    def _optimizer_culprit(self, tensor: Tensor, before: Tensor, after: Tensor) -> str:
        if tensor.grad is None:
            return "written"
        if not torch.count_nonzero(tensor.grad):
            # Only decay moves a weight along itself; momentum goes where old gradients pointed.
            return "weight-decay" if _is_scaled(before, after) else "momentum"
        state = self._optimizer.state.get(tensor, {}) if self._optimizer is not None else {}
        return "momentum" if any(key in state for key in ("momentum_buffer", "exp_avg")) else "stale-gradient"


def audit(model: nn.Module, plan: FreezePlan, optimizer: torch.optim.Optimizer | None = None) -> Watch:
    """Remember every byte of `model` (a copy in main memory), to prove later what moved.

    ```python
    watch = audit(model, plan)
    ...  # train
    print(watch.report())
    ```

    Raises:
        FreezeError: the model has no values (`meta` device).
        StructureChangedError: the plan was made for another model.
    """
    return Watch(model, plan, optimizer)


@dataclass(frozen=True)
class _Owner:
    number: int  # bit of the module in plans
    module: nn.Module


def _tensors(scanned: Scan) -> Iterator[tuple[str, Tensor, _Owner]]:
    """Each parameter (canonical name) and buffer with the module that holds it, shared modules once."""
    numbers: dict[int, int] = {}
    done: set[int] = set()
    for entry in scanned.modules:
        if id(entry.module) in numbers:
            continue
        owner = _Owner(numbers.setdefault(id(entry.module), len(numbers)), entry.module)
        prefix = f"{entry.name}." if entry.name else ""
        for key, parameter in entry.module._parameters.items():
            if parameter is not None and id(parameter) not in done:
                done.add(id(parameter))
                yield prefix + key, parameter, owner
        for key, buffer in entry.module._buffers.items():
            if buffer is not None:
                yield prefix + key, buffer, owner


def _change(before: Tensor | None, after: Tensor) -> float:
    if before is None or before.shape != after.shape or not after.numel():
        return float("nan")
    before, after = (_dense(tensor) for tensor in (before, after))
    return float((after - before).abs().max())


def _dense(tensor: Tensor) -> Tensor:
    whole = tensor if tensor.layout is torch.strided else tensor.to_dense()
    return whole.to(torch.complex128 if whole.is_complex() else torch.float64)


def _is_scaled(before: Tensor, after: Tensor) -> bool:
    delta, weight = (after.double() - before.double()).flatten(), before.double().flatten()
    cosine = torch.dot(delta, weight) / (delta.norm() * weight.norm()).clamp_min(1e-300)
    return bool(cosine < -0.999)


def _rows_only_shrank(before: Tensor, after: Tensor) -> bool:
    changed = (before != after).any(dim=1)
    old, new = before[changed].double(), after[changed].double()
    parallel = torch.nn.functional.cosine_similarity(old, new, dim=1) > 0.9999
    return bool(parallel.all() and (new.norm(dim=1) <= old.norm(dim=1)).all())
