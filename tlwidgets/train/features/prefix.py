"""Finding the part of a model whose output never changes while it trains.

Nothing is assumed about the architecture. The model runs twice on a few examples, in training mode, with other random
numbers, other neighbours in the batch, other padding, and other values in the weights that learn. A module call whose
output is the same for the same example belongs to the frozen prefix. Dropout that is still active, batch statistics, or
a thawed layer further down (even behind a `detach`) show in the values, wherever in the code they are.

Of the calls found, most feed only each other. A call's output has to be kept only if the rest of the model uses it: the
others are replaced by NaN, and where that reaches the model's output, it was needed after all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from .replay import Leaf, Output, Replay, Site

Forward = Callable[[Mapping[str, Tensor]], Tensor]
"""Inputs by name to scores."""

# Another batch size or padding changes the order of summation, and with it the last bits; dropout changes far more.
TOLERANCE = 1e-4


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
    name: str
    ordinal: int
    inner: list[_Call] = field(default_factory=list)
    spec: object = None
    leaves: list = field(default_factory=list)

    @property
    def site(self) -> Site:
        return Site(self.name, self.ordinal)


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
        first, scores = _record(names, forward, sample.many, seed=1)
        with _learned_something(model):
            second, _ = _record(names, forward, sample.few, seed=2)
        twins = {call.site: call for call in _walk(second)}
        found = list(_outermost(first, twins, modules, sample))
        if not found:
            return NoPrefix("no frozen part comes before the first part that learns (or is random)")
        if not any(_multiplies(modules[call.name]) for call, _ in found):
            return NoPrefix("the frozen part only looks things up, which is as quick as reading them back")
        return _thin_out(model, modules, forward, sample, scores, found)


def _record(names, forward: Forward, inputs, seed: int) -> tuple[list[_Call], Tensor]:
    """The calls of one forward pass as a forest, with their outputs."""
    roots: list[_Call] = []
    stack: list[_Call] = []
    counts: dict[str, int] = {}

    def before(module, args):
        name = names[module]
        call = _Call(name, counts.get(name, 0))
        counts[name] = call.ordinal + 1
        (stack[-1].inner if stack else roots).append(call)
        stack.append(call)

    def after(module, args, output):
        call = stack.pop()
        leaves, call.spec = tree_flatten(output)
        call.leaves = [leaf.clone() if isinstance(leaf, Tensor) else leaf for leaf in leaves]

    handles = [module.register_forward_pre_hook(before) for module in names]
    handles += [module.register_forward_hook(after) for module in names]
    try:
        torch.manual_seed(seed)
        scores = forward(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return roots, scores


def _walk(calls: Sequence[_Call]) -> Iterator[_Call]:
    for call in calls:
        yield call
        yield from _walk(call.inner)


def _outermost(
    calls: Sequence[_Call], twins: Mapping[Site, _Call], modules, sample: Sample
) -> Iterator[tuple[_Call, Output]]:
    """The largest calls that put out the same whatever is learned."""
    for call in calls:
        output = None
        if not any(parameter.requires_grad for parameter in modules[call.name].parameters()):
            output = _constant(call, twins.get(call.site), sample)
        if output is not None:
            yield call, output
        else:
            yield from _outermost(call.inner, twins, modules, sample)


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


def _thin_out(model, modules, forward: Forward, sample: Sample, scores: Tensor, found) -> Prefix | NoPrefix:
    """Keep as few of the outputs as will do."""
    values = {call.site: [leaf for leaf in call.leaves if isinstance(leaf, Tensor)] for call, _ in found}
    outputs = {call.site: output for call, output in found}

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
    largest = float(a.abs().nan_to_num(nan=0.0, posinf=0.0).max())  # masks hold infinities

    return torch.allclose(a, b, rtol=tolerance, atol=tolerance * largest, equal_nan=False)


def _any(inputs: Mapping[str, Tensor]) -> Tensor:
    return next(iter(inputs.values()))
