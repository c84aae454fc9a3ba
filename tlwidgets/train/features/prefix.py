"""Finding the part of a model whose output never changes while it trains.

Nothing is assumed about the architecture. The model runs twice on a few examples, in training mode, with other random
numbers, other neighbours in the batch, other padding, and other values in the weights that learn. A module call whose
output is the same for the same example belongs to the frozen prefix. Dropout that is still active, batch statistics, or
a thawed layer further down (even behind a `detach`) show in the values, wherever in the code they are. Only the outermost
calls are noted, for the outputs of all calls would take the memory of some dozen batches; where one of them changes, the
model runs again, and the calls within it are noted in its place.

Of the calls found, most feed only each other. A call's output has to be kept only if the rest of the model uses it: the
others are replaced by NaN, and where that reaches the model's output, it was needed after all.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from .replay import Leaf, Output, Replay, Site

Forward = Callable[[Mapping[str, Tensor]], Tensor]
"""Inputs by name to scores."""

# Another batch size or padding changes the order of summation, and with it the last bits; dropout changes far more.
TOLERANCE = 1e-4

_AT_ONCE = 2**18  # numbers that are compared at a time


@dataclass(frozen=True)
class Prefix:
    """The frozen prefix of a model: what is kept, and what is passed over.

    Attributes:
        kept: sites whose output the rest of the model uses, in the order of their calls.
        skipped: sites that feed only other sites.
    """

    kept: Mapping[Site, Output]
    skipped: Mapping[Site, Output]

    def replay(
        self,
        modules: Mapping[str, nn.Module],
        features: Mapping[Site, Sequence[Tensor]],
        examples: int,
        length: int,
        device: torch.device,
    ) -> Replay:
        """A context in which the model's forward uses these features instead of computing them."""
        outputs = {site: output.build(features[site]) for site, output in self.kept.items()}
        for site, output in self.skipped.items():
            outputs[site] = output.build(leaf.nothing(examples, length, device) for leaf in output.tensors())
        return Replay(modules, outputs)


@dataclass(frozen=True)
class NoPrefix:
    """There is nothing to keep, and why."""

    why: str


@dataclass
class _Call:
    """What one call put out, and whether modules were called within it."""

    site: Site
    spec: object = None
    leaves: list = field(default_factory=list)
    has_inner: bool = False


@dataclass(frozen=True)
class Sample:
    """A few examples, the same twice: `many` of them, and `few` in another order and with other padding."""

    many: Mapping[str, Tensor]
    few: Mapping[str, Tensor]
    rows: tuple[int, ...]  # where the examples of `few` are in `many`
    length_many: int
    length_few: int


def find_prefix(model: nn.Module, forward: Forward, sample: Sample) -> Prefix | NoPrefix:
    """The frozen prefix of `model` as it stands (flags, modes and hooks as they will be while it trains).

    The model is left as it was: buffers, modes and random numbers.
    """
    if all(parameter.requires_grad for parameter in model.parameters() if parameter.is_floating_point()):
        return NoPrefix("nothing is frozen")
    modules = dict(model.named_modules())
    names = {module: name for name, module in reversed(modules.items())}
    with _left_as_it_was(model), torch.no_grad():
        opened, inner = set(), True
        while inner:
            first, scores = _record(names, opened, forward, sample.many, seed=1)
            with _learned_something(model):
                second, _ = _record(names, opened, forward, sample.few, seed=2)
            outputs = {site: _constant(call, second.get(site), sample) for site, call in first.items()}
            inner = {site for site, call in first.items() if outputs[site] is None and call.has_inner}
            opened |= inner
        found = {site: output for site, output in outputs.items() if output is not None}
        if not found:
            return NoPrefix("no frozen part comes before the first part that learns (or is random)")
        if not any(_multiplies(modules[site.module]) for site in found):
            return NoPrefix("the frozen part only looks things up, which is as quick as reading them back")
        values = {site: [leaf for leaf in first[site].leaves if isinstance(leaf, Tensor)] for site in found}
        return _thin_out(modules, forward, sample, scores, values, found)


def _record(
    names, opened: Set[Site], forward: Forward, inputs, seed: int
) -> tuple[dict[Site, _Call], Tensor]:
    """The outermost calls of one forward pass that are not opened, nor of modules that learn; and the scores.

    A call that hands on the very tensor that one before it put out (of dropout that is off, say) is none of its own.
    """
    learn = {module for module in names if any(weight.requires_grad for weight in module.parameters())}
    calls: dict[Site, _Call] = {}
    counts: dict[str, int] = {}
    stack: list[_Call] = []
    outer: _Call | None = None
    put_out: dict[int, tuple[weakref.ref, int]] = {}

    def before(module, args):
        nonlocal outer
        name = names[module]
        call = _Call(Site(name, counts.get(name, 0)))
        counts[name] = call.site.ordinal + 1
        stack.append(call)
        if outer is not None:
            outer.has_inner = True
        elif module not in learn and call.site not in opened:
            outer = call

    def after(module, args, output):
        nonlocal outer
        call = stack.pop()
        if call is not outer:
            return
        outer = None
        if isinstance(output, Tensor) and not output.is_inference():  # those count no writes
            known, version = put_out.get(id(output), (lambda: None, 0))
            if known() is output and version == output._version:  # not written to either
                return
            put_out[id(output)] = weakref.ref(output), output._version
        leaves, call.spec = tree_flatten(output)
        call.leaves = [leaf.clone() if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        calls[call.site] = call

    handles = [module.register_forward_pre_hook(before) for module in names]
    handles += [module.register_forward_hook(after) for module in names]
    try:
        torch.manual_seed(seed)
        scores = forward(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return calls, scores


def _constant(one: _Call, other: _Call | None, sample: Sample) -> Output | None:
    """The output's shape where both calls put out the same; None where they don't, or it can't be kept."""
    if other is None or len(one.leaves) != len(other.leaves) or one.spec != other.spec:
        return None
    leaves: list[Leaf | object] = []
    for a, b in zip(one.leaves, other.leaves, strict=True):
        if not isinstance(a, Tensor):
            plain = isinstance(a, (int, float, str, bool, type(None)))
            if plain and a != b:
                return None
            leaves.append(a if plain else None)  # a cache of keys and values, say; checked by running without
            continue
        leaf = _leaf(a, b, sample)
        if leaf is None:
            return None
        leaves.append(leaf)
    if not any(isinstance(leaf, Leaf) for leaf in leaves):
        return None
    return Output(one.spec, tuple(leaves))


def _leaf(a: Tensor, b: object, sample: Sample) -> Leaf | None:
    if not isinstance(b, Tensor) or a.dim() != b.dim() or a.dtype != b.dtype:
        return None
    batch, lengths = None, []
    for axis, sizes in enumerate(zip(a.shape, b.shape, strict=True)):
        if sizes[0] == sizes[1]:
            continue
        if sizes == (len(_any(sample.many)), len(_any(sample.few))) and batch is None:
            batch = axis
        elif sizes == (sample.length_many, sample.length_few):
            lengths.append(axis)
        else:
            return None
    leaf = Leaf(tuple(a.shape), a.dtype, batch, tuple(lengths))
    shared = min(sample.length_many, sample.length_few)
    for axis in lengths:
        a, b = a.narrow(axis, 0, shared), b.narrow(axis, 0, shared)
    if batch is not None:
        a = a.index_select(batch, torch.tensor(sample.rows, device=a.device))
    return leaf if alike(a, b) else None


def _thin_out(
    modules,
    forward: Forward,
    sample: Sample,
    scores: Tensor,
    values: Mapping[Site, Sequence[Tensor]],
    outputs: Mapping[Site, Output],
) -> Prefix | NoPrefix:
    """Keep as few of the outputs as will do; `values` are those of the sample's many."""

    def enough(kept: Sequence[Site]) -> bool:
        prefix = _parted(outputs, kept)
        device, examples = scores.device, len(_any(sample.many))
        torch.manual_seed(1)
        try:
            with prefix.replay(modules, values, examples, sample.length_many, device):
                again = forward(sample.many)
        except (RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError):
            return False  # the model looked at what was left out
        return alike(scores, again)

    sites = list(outputs)
    # What is no number can't be made NaN, so its use would go unnoticed.
    fixed = {
        site
        for site, output in outputs.items()
        if not all(leaf.dtype.is_floating_point for leaf in output.tensors())
    }
    kept = [site for site in sites if site in fixed or site == sites[-1]]
    if not enough(kept):
        kept = sites
        if not enough(kept):
            return NoPrefix("the model does more with its frozen part than use its output")
        for site in sites:
            fewer = [other for other in kept if other != site]
            if site not in fixed and fewer and enough(fewer):
                kept = fewer
    return _parted(outputs, kept)


def _parted(outputs: Mapping[Site, Output], kept: Sequence[Site]) -> Prefix:
    return Prefix(
        {site: output for site, output in outputs.items() if site in kept},
        {site: output for site, output in outputs.items() if site not in kept},
    )


@contextlib.contextmanager
def _learned_something(model: nn.Module) -> Iterator[None]:
    """Other values in the weights that learn, for a while."""
    before = [(weight, weight.clone()) for weight in model.parameters() if weight.requires_grad]
    try:
        for weight, _ in before:
            weight.add_(torch.randn_like(weight), alpha=0.1)
        yield
    finally:
        for weight, value in before:
            weight.copy_(value)


@contextlib.contextmanager
def _left_as_it_was(model: nn.Module) -> Iterator[None]:
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    modes = [(module, module.training) for module in model.modules()]
    devices = sorted({p.device.index for p in model.parameters() if p.device.type == "cuda"})
    model.train()
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        for module, mode in modes:
            module.training = mode


def _multiplies(module: nn.Module) -> bool:
    return any(
        parameter.dim() > 1
        for part in module.modules()
        if not isinstance(part, (nn.Embedding, nn.EmbeddingBag))
        for parameter in part._parameters.values()
        if parameter is not None
    )


def alike(a: Tensor, b: Tensor, tolerance: float = TOLERANCE) -> bool:
    """Whether two tensors differ by no more than another order of summation explains (or by `tolerance`)."""
    if a.shape != b.shape:
        return False
    if not a.dtype.is_floating_point:
        return torch.equal(a, b)
    if not a.numel():
        return True
    # Some at a time: scores of a whole vocabulary are large, and what is compared takes several times as much.
    parts = list(zip(a.reshape(-1).split(_AT_ONCE), b.reshape(-1).split(_AT_ONCE), strict=True))
    # Masks hold infinities.
    largest = max(float(one.abs().nan_to_num(nan=0.0, posinf=0.0).max()) for one, _ in parts)
    return all(
        torch.allclose(one, other, rtol=tolerance, atol=tolerance * largest, equal_nan=False)
        for one, other in parts
    )


def _any(inputs: Mapping[str, Tensor]) -> Tensor:
    return next(iter(inputs.values()))
