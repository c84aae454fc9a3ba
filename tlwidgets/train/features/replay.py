"""Running a model with the outputs of some module calls given instead of computed.

A *site* is one call of one module during a forward pass. While a `Replay` is active, the module's own forward
is replaced: at a site it returns what was given, elsewhere it runs as usual. The rest of the model (masks,
residual connections, whatever its forward does, hooks) is not touched, so this works for any module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

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
        lengths: the axes that are as long as the longest example of the batch.
        wants_gradient: whether the model asks for its gradient (for gradient checkpointing above it, say).
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    batch: int | None
    lengths: tuple[int, ...]
    wants_gradient: bool = False

    def sizes(self, examples: int, length: int) -> tuple[int, ...]:
        """The shape for a batch of so many examples, padded to this length."""
        sizes = list(self.shape)
        for axis in self.lengths:
            sizes[axis] = length
        if self.batch is not None:
            sizes[self.batch] = examples
        return tuple(sizes)

    def nothing(self, examples: int, length: int, device: torch.device) -> Tensor:
        """A stand-in of the right shape that takes no memory; NaN, so that no use of it goes unnoticed."""
        return torch.full((), float("nan"), dtype=self.dtype, device=device).expand(
            self.sizes(examples, length)
        )


@dataclass(frozen=True)
class Output:
    """What a site puts out: the structure around its tensors, how these are shaped, and other values."""

    spec: TreeSpec
    leaves: tuple[Leaf | object, ...]

    def tensors(self) -> tuple[Leaf, ...]:
        """The leaves that are tensors."""
        return tuple(leaf for leaf in self.leaves if isinstance(leaf, Leaf))

    def build(self, tensors: Iterable[Tensor]) -> object:
        """The output around these tensors."""
        rest = iter(tensors)
        return tree_unflatten(
            [_given(next(rest), leaf) if isinstance(leaf, Leaf) else leaf for leaf in self.leaves], self.spec
        )

    def tensors_of(self, output: object) -> list[Tensor] | None:
        """The tensors of what the site put out another time; None where that is of another structure."""
        leaves, spec = tree_flatten(output)
        if spec != self.spec:
            return None
        for expected, leaf in zip(self.leaves, leaves, strict=True):
            if isinstance(expected, Leaf):
                if not isinstance(leaf, Tensor) or leaf.dim() != len(expected.shape):
                    return None
            elif expected is not None and expected != leaf:
                return None
        return [leaf for leaf in leaves if isinstance(leaf, Tensor)]


def _given(tensor: Tensor, leaf: Leaf) -> Tensor:
    return tensor.requires_grad_() if leaf.wants_gradient else tensor


class Enough(Exception):
    """Ends a forward pass of which nothing more is needed."""


Changed: TypeAlias = Callable[[nn.Module, Callable[..., Any]], Callable[..., Any]]
"""Takes a module and its forward; returns what is called in its place."""


class Forwards:
    """Other forwards for some modules, as long as this context lasts; the modules' hooks run as ever."""

    def __init__(self, changed: Mapping[nn.Module, Changed]) -> None:
        self._changed = changed
        self._before: list[tuple[nn.Module, Any]] = []

    def __enter__(self) -> None:
        for module, change in self._changed.items():
            # accelerate and others put a forward of their own on the instance: it is put back afterwards.
            self._before.append((module, module.__dict__.get("forward")))
            module.__dict__["forward"] = change(module, module.forward)

    def __exit__(self, *_: object) -> None:
        for module, before in self._before:
            if before is None:
                del module.__dict__["forward"]
            else:
                module.__dict__["forward"] = before
        self._before.clear()


class Replay:
    """Hands out given outputs at sites, as the module's docstring describes.

    Use it as a context manager around one forward pass:

        with Replay(modules, {site: output, ...}, counts):
            model(...)

    `as_expected` says afterwards whether each module was called as often as `counts` has it; `left_out` are
    those tensors among the outputs that only take the place of others.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        outputs: Mapping[Site, object],
        counts: Mapping[str, int],
        left_out: Sequence[Tensor] = (),
    ) -> None:
        self.left_out = left_out
        self._given: dict[str, dict[int, object]] = {}
        for site, output in outputs.items():
            self._given.setdefault(site.module, {})[site.ordinal] = output
        self._expected, self._calls = counts, dict.fromkeys(self._given, 0)
        self._forwards = Forwards({modules[name]: self._standing_in(name) for name in self._given})

    def __enter__(self) -> Replay:
        self._forwards.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._forwards.__exit__(*error)

    @property
    def as_expected(self) -> bool:
        """Whether every module of a site was called as often as expected."""
        return all(count == self._expected[name] for name, count in self._calls.items())

    def _standing_in(self, name: str) -> Changed:
        """A forward that returns what is given for a call, by its number, and is the module's otherwise."""
        given, calls = self._given[name], self._calls

        def change(module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
            def stand_in(*args: Any, **kwargs: Any) -> object:
                number = calls[name]
                calls[name] = number + 1
                return given[number] if number in given else forward(*args, **kwargs)

            return stand_in

        return change


class Capture:
    """Keeps the outputs of some sites during one forward pass, and ends the pass after the last of them.

    `outputs` has what each site put out, as it was then; the pass ends with `Enough`, which this context
    swallows. A site that is not called is missing.
    """

    def __init__(self, modules: Mapping[str, nn.Module], sites: Sequence[Site]) -> None:
        self.outputs: dict[Site, object] = {}
        self._sites = set(sites)
        self._forwards = Forwards({modules[name]: self._noted(name) for name in {s.module for s in sites}})

    def __enter__(self) -> Capture:
        self._forwards.__enter__()
        return self

    def _noted(self, name: str) -> Changed:
        calls = 0

        def change(module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
            def noted(*args: Any, **kwargs: Any) -> object:
                nonlocal calls
                site = Site(name, calls)
                calls += 1
                output = forward(*args, **kwargs)
                if site in self._sites:
                    last = len(self.outputs) == len(self._sites) - 1
                    self.outputs[site] = output if last else _as_it_is_now(output)
                    if last:
                        raise Enough
                return output

            return noted

        return change

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> bool:
        self._forwards.__exit__(kind, *error)
        return kind is Enough


def _as_it_is_now(output: object) -> object:
    """A copy, since what comes later may write to it."""
    leaves, spec = tree_flatten(output)
    return tree_unflatten([x.detach().clone() if isinstance(x, Tensor) else x for x in leaves], spec)
