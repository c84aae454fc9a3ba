"""Running a model with the outputs of some module calls given instead of computed.

A *site* is one call of one module during a forward pass. While a `Replay` is active, the module's own forward is
replaced: at a site it hands out what was fed, elsewhere it runs as ever. The rest of the model (masks, residual
connections, whatever its forward does) is not touched, so this works for any module without knowing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten


class Site(NamedTuple):
    """The `ordinal`-th call (from 0) of the module with this name."""

    module: str
    ordinal: int


@dataclass(frozen=True)
class Leaf:
    """How one tensor of a site's output is shaped.

    Attributes:
        shape: sizes on the sample it was measured on.
        dtype: its type.
        batch: the axis that counts the examples; None where the tensor is the same for every example.
        lengths: the axes as long as the batch's longest example.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    batch: int | None
    lengths: tuple[int, ...]

    def sizes(self, examples: int, length: int) -> tuple[int, ...]:
        """The shape for a batch of so many examples, padded to this length."""
        sizes = list(self.shape)
        for axis in self.lengths:
            sizes[axis] = length
        if self.batch is not None:
            sizes[self.batch] = examples
        return tuple(sizes)

    def nothing(self, examples: int, length: int, device: torch.device) -> Tensor:
        """A stand-in of the right shape that takes no memory; NaN, so that no use of its values goes unnoticed."""
        return torch.full((), float("nan"), dtype=self.dtype, device=device).expand(
            self.sizes(examples, length)
        )


@dataclass(frozen=True)
class Output:
    """What a site puts out: the structure around its tensors, and the tensors' leaves; other values are kept."""

    spec: TreeSpec
    leaves: tuple[Leaf | object, ...]

    def tensors(self) -> tuple[Leaf, ...]:
        """The leaves that are tensors."""
        return tuple(leaf for leaf in self.leaves if isinstance(leaf, Leaf))

    def build(self, tensors: Iterable[Tensor]) -> object:
        """The output around these tensors."""
        rest = iter(tensors)
        return tree_unflatten(
            [next(rest) if isinstance(leaf, Leaf) else leaf for leaf in self.leaves], self.spec
        )


class Enough(Exception):
    """Ends a forward pass whose remainder nobody needs."""


class Replay:
    """Hands out given outputs at sites; see the module's text.

    Use as a context manager around one forward pass:

        with Replay(modules, {site: output, ...}):
            model(...)
    """

    def __init__(self, modules: Mapping[str, nn.Module], outputs: Mapping[Site, object]) -> None:
        self._given: dict[nn.Module, dict[int, object]] = {}
        for site, output in outputs.items():
            self._given.setdefault(modules[site.module], {})[site.ordinal] = output
        self._before: list[tuple[nn.Module, object]] = []

    def __enter__(self) -> Replay:
        for module, given in self._given.items():
            # accelerate and others put a forward of their own on the instance; it comes back afterwards.
            self._before.append((module, module.__dict__.get("forward")))
            module.__dict__["forward"] = _standing_in(module.forward, given)
        return self

    def __exit__(self, *_) -> None:
        for module, before in self._before:
            if before is None:
                del module.__dict__["forward"]
            else:
                module.__dict__["forward"] = before
        self._before.clear()


def _standing_in(forward, given: Mapping[int, object]):
    calls = 0

    def stand_in(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls - 1 in given:
            return given[calls - 1]
        return forward(*args, **kwargs)

    return stand_in


class Capture:
    """Notes the outputs of some sites during one forward pass, and ends the pass after the last of them.

    `outputs` has what was noted; the pass ends with `Enough`, which this context swallows.
    """

    def __init__(self, modules: Mapping[str, nn.Module], sites: Sequence[Site]) -> None:
        self.outputs: dict[Site, list[Tensor]] = {}
        self._modules, self._sites = modules, set(sites)
        self._handles: list = []

    def __enter__(self) -> Capture:
        for name in {site.module for site in self._sites}:
            self._handles.append(self._modules[name].register_forward_hook(self._note(name)))
        return self

    def _note(self, name: str):
        calls = 0

        def hook(module, args, output):
            nonlocal calls
            site = Site(name, calls)
            calls += 1
            if site in self._sites:
                self.outputs[site] = [leaf for leaf in tree_flatten(output)[0] if isinstance(leaf, Tensor)]
                if len(self.outputs) == len(self._sites):
                    raise Enough

        return hook

    def __exit__(self, kind, error, traceback) -> bool:
        for handle in self._handles:
            handle.remove()
        return kind is Enough
