"""Recording which calls of modules a forward pass makes, and what they put out.

The pass is a training step's: with gradients, so that frozen parts take the paths that they take in training.
What autograd would keep is let go at once.
"""

from __future__ import annotations

import functools
import random
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import checkpoint
from torch.utils._pytree import TreeSpec, tree_flatten

from .replay import Forwards, Site

Forward = Callable[[Mapping[str, Tensor]], Tensor]
"""From inputs by name to logits."""

_CHECKPOINT, _MODULE = checkpoint.__file__, nn.modules.module.__file__


@dataclass
class Call:
    """What one call of a module put out.

    Attributes:
        site: which call.
        spec: the structure of the output.
        leaves: its tensors and other values.
        has_inner: whether modules were called inside it.
        usable: False where the output cannot be replaced: it is drawn at random, depends on weights that
            learn, is not an ordinary tensor, or is computed again in the backward pass.
    """

    site: Site
    spec: TreeSpec | None = None
    leaves: list[Any] = field(default_factory=list)
    has_inner: bool = False
    usable: bool = True


@dataclass
class Recording:
    """The calls of a forward pass.

    Attributes:
        calls: those that were recorded, by site.
        counts: how often each module was called.
        inside: modules that were called inside a recorded call.
        logits: what the model put out.
    """

    calls: dict[Site, Call]
    counts: dict[str, int]
    inside: set[str]
    logits: Tensor


def record(
    names: Mapping[nn.Module, str],
    opened: Set[Site],
    forward: Forward,
    inputs: Mapping[str, Tensor],
    seed: int,
) -> Recording:
    """Record the outermost calls of a forward pass, but for opened ones and modules that learn.

    A call that returns the very tensor that an earlier one put out (dropout that is off, say) does not count.
    """
    recorder = _Recorder(names, opened)
    torch.manual_seed(seed)
    with Forwards({module: recorder.listens_to for module in names}), as_in_training():
        logits = forward(inputs).detach()
    return Recording(recorder.calls, recorder.counts, recorder.inside, logits)


@contextmanager
def as_in_training() -> Iterator[None]:
    """With gradients, but nothing is kept for a backward pass."""
    hooks = torch.autograd.graph.saved_tensors_hooks(lambda tensor: None, lambda nothing: nothing)
    with torch.enable_grad(), hooks:
        yield


class _Recorder:
    def __init__(self, names: Mapping[nn.Module, str], opened: Set[Site]) -> None:
        self.calls: dict[Site, Call] = {}
        self.counts: dict[str, int] = {}
        self.inside: set[str] = set()
        self._names, self._opened = names, opened
        self._learn = {module for module in names if any(w.requires_grad for w in module.parameters())}
        self._weights = {id(w) for module in names for w in module._parameters.values() if w is not None}
        self._outer: Call | None = None
        self._put_out: dict[int, tuple[weakref.ref[Tensor], int]] = {}
        self._independent: set[Any] = set()  # nodes of the graph that no weight leads to

    def listens_to(self, module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        """The module's forward, with its calls noted."""

        @functools.wraps(forward)
        def noted(*args: Any, **kwargs: Any) -> Any:
            site = self._count(module)
            if self._outer is not None:
                self._outer.has_inner = True
                self.inside.add(site.module)
                return forward(*args, **kwargs)
            if module in self._learn or site in self._opened:
                return forward(*args, **kwargs)
            call = self._outer = Call(site)
            before = _random_numbers()
            try:
                output = forward(*args, **kwargs)
            finally:
                self._outer = None
            if not self._is_known(output):
                self._note(call, output, (args, kwargs))
                call.usable &= before == _random_numbers()
            return output

        return noted

    def _count(self, module: nn.Module) -> Site:
        name = self._names[module]
        site = Site(name, self.counts.get(name, 0))
        self.counts[name] = site.ordinal + 1
        return site

    def _is_known(self, output: Any) -> bool:
        """Whether an earlier call put out the same tensor, and nothing was written to it since."""
        if not isinstance(output, Tensor) or output.is_inference():  # those do not count writes
            return False
        known = self._put_out.get(id(output))
        if known is not None and known[0]() is output and known[1] == output._version:
            return True
        self._put_out[id(output)] = weakref.ref(output), output._version
        return False

    def _note(self, call: Call, output: Any, given: Any) -> None:
        leaves, call.spec = tree_flatten(output)
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        call.usable = (
            all(tensor.layout is torch.strided and not tensor.is_nested for tensor in tensors)
            and not any(map(self._depends_on_weights, tensors))
            and not _is_computed_again(given)
        )
        if call.usable:
            call.leaves = [
                leaf.detach().clone().requires_grad_(leaf.requires_grad) if isinstance(leaf, Tensor) else leaf
                for leaf in leaves
            ]
        self.calls[call.site] = call

    def _depends_on_weights(self, tensor: Tensor) -> bool:
        """Whether a gradient would flow from a tensor into a weight, however small."""
        pending, met = [tensor.grad_fn] if tensor.grad_fn is not None else [], set[Any]()
        while pending:
            node = pending.pop()
            if node in met or node in self._independent:
                continue
            met.add(node)
            if id(getattr(node, "variable", None)) in self._weights:
                return True
            pending += [following for following, _ in node.next_functions if following is not None]
        self._independent |= met
        return False


def _is_computed_again(given: Any) -> bool:
    """Whether gradient checkpointing computes the call that is being made once more in the backward pass.

    A call that is all that a checkpoint wraps is not, where no gradient flows into it.
    """
    frame: FrameType | None = sys._getframe(2)
    alone = True
    while frame is not None:
        file = frame.f_code.co_filename
        if file == _CHECKPOINT:
            wants = any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in tree_flatten(given)[0])
            return not alone or wants
        alone &= file in (_MODULE, __file__)
        frame = frame.f_back
    return False


def _random_numbers() -> tuple[Any, ...]:
    """The state of all random numbers that a forward pass may draw."""
    states: list[Any] = [torch.get_rng_state().numpy().tobytes(), random.getstate()]
    if torch.cuda.is_initialized():
        states += [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()]
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        kind, keys, *rest = numpy.random.get_state()
        states += [kind, keys.tobytes(), *rest]
    return tuple(states)
