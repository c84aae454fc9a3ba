"""Finding the part of a model whose output never changes while it trains.

Nothing is assumed about the architecture. The model runs twice on a few examples, in training mode; the
second time with other random numbers, other neighbours in the batch, other padding, and other values in the
weights that learn. A module call whose output is the same for the same example belongs to the frozen prefix.
Dropout that is still active, batch statistics, or a thawed layer further down (even behind a `detach`) show
in the values, wherever in the code they are. Only the outermost calls are recorded, because the outputs of
all calls would take the memory of some dozen batches; where the output of one changes, the model runs again,
and the calls inside it are recorded instead.

A module that remembers (counts its calls, keeps an average) is not frozen, whatever `requires_grad` says.
What a forward pass changes is compared, and where it changes anything, the model runs once more from there.

Most of the calls that are found feed only each other. A call's output has to be kept only if the rest of the
model uses it: the others are replaced by NaN, and where the model's output depends on one, it was needed
after all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...core.untouched import left_as_it_was
from .compare import alike
from .record import Call, Forward, Recording, as_in_training, record
from .replay import Leaf, Output, Replay, Site
from .sample import Sample, plain
from .states import module_states, tensors_kept, whole_state
from .traces import Traces


@dataclass(frozen=True)
class Prefix:
    """The frozen prefix of a model: what is kept, and what is passed over.

    Attributes:
        kept: sites whose output the rest of the model uses, in the order of their calls.
        skipped: sites that feed only other sites.
        counts: how often a forward pass calls each module.
        moving: names of the modules whose buffers a forward pass changes; none of them is passed over.
    """

    kept: Mapping[Site, Output]
    skipped: Mapping[Site, Output]
    counts: Mapping[str, int]
    moving: Sequence[str] = ()

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
        left_out: list[Tensor] = []
        for site, output in self.skipped.items():
            nothing = [leaf.nothing(examples, length, device) for leaf in output.tensors()]
            left_out += nothing
            outputs[site] = output.build(nothing)
        return Replay(modules, outputs, self.counts, left_out)


@dataclass(frozen=True)
class NoPrefix:
    """There is nothing to keep; `why` is a clause without a full stop."""

    why: str


def find_prefix(model: nn.Module, forward: Forward, sample: Sample) -> Prefix | NoPrefix:
    """The frozen prefix of `model` as it stands (flags, modes and hooks as they will be while it trains).

    The model is left as it was: see `left_as_it_was`.
    """
    if all(parameter.requires_grad for parameter in model.parameters() if parameter.is_floating_point()):
        return NoPrefix("nothing is frozen")
    with left_as_it_was(model), torch.no_grad():
        model.train()
        try:
            return _Search(model, forward, sample).find()
        except Exception as error:  # whatever a model's own forward raises on a batch of a few examples
            return NoPrefix(
                f"the model could not be tried out on a few examples ({type(error).__name__}: "
                f"{_first_line(error)})"
            )


class _Search:
    def __init__(self, model: nn.Module, forward: Forward, sample: Sample) -> None:
        self._model, self._forward, self._sample = model, forward, sample
        self._modules = dict(model.named_modules())
        self._names = {module: name for name, module in reversed(self._modules.items())}
        self._opened: set[Site] = set()
        self._remembering: set[str] = set()  # modules that each forward pass changes
        self._moving: list[str] = []  # those of them with buffers

    def find(self) -> Prefix | NoPrefix:
        while True:
            first, outputs = self._look()
            inner = {site for site, call in first.calls.items() if outputs[site] is None and call.has_inner}
            if not inner:
                break
            self._opened |= inner
        found = {site: output for site, output in outputs.items() if output is not None}
        if not found:
            remembers = sorted(self._remembering - self._learning())
            if remembers:
                return NoPrefix(
                    f"a forward pass changes what `{remembers[0] or 'the model'}` keeps (a count, a list, a "
                    "buffer), so it may compute something else each time"
                )
            return NoPrefix("no frozen part comes before the first part that learns (or is random)")
        if not any(_multiplies(self._modules[site.module]) for site in found):
            return NoPrefix("the frozen part only looks things up, which is as fast as reading them back")
        return self._thin_out(first, found)

    def _look(self) -> tuple[Recording, dict[Site, Output | None]]:
        """Run the sample in both ways; which outputs can be kept."""
        sample, before = self._sample, (whole_state(self._model), tensors_kept(self._model))
        with left_as_it_was(self._model):
            first = self._record(sample.many, seed=1)
            later = None
            if (whole_state(self._model), tensors_kept(self._model)) != before:
                states = module_states(self._model)
                with _learned_something(self._model):
                    later = self._few(sample, seed=3)
                after = module_states(self._model)
                self._remembering = {name for name, state in after.items() if states.get(name) != state}
                self._moving = [
                    name
                    for name in self._remembering
                    if name in self._modules and _has_buffers(self._modules[name])
                ]
        with left_as_it_was(self._model), _learned_something(self._model, self._moving):
            second = self._few(sample, seed=2)
        return first, {
            site: self._constant(call, first, [second] if later is None else [second, later])
            for site, call in first.calls.items()
        }

    def _few(self, sample: Sample, seed: int) -> Recording:
        """Run the second batch, without unusual neighbours if the model refuses those."""
        try:
            return self._record(sample.few, seed)
        except Exception:
            self._sample = plain(sample)
            return self._record(self._sample.few, seed)

    def _record(self, inputs: Mapping[str, Tensor], seed: int) -> Recording:
        return record(self._names, self._opened, self._forward, inputs, seed)

    def _learning(self) -> set[str]:
        return {
            name
            for name, module in self._modules.items()
            if name and any(weight.requires_grad for weight in module.parameters())
        }

    def _constant(self, call: Call, first: Recording, others: Sequence[Recording]) -> Output | None:
        """The output's shape where all passes put out the same, and it can be kept; else None."""
        name = call.site.module
        if name in first.inside or any(_within(name, other) for other in self._remembering):
            return None
        if any(other.counts.get(name) != first.counts[name] for other in others):
            return None  # called a varying number of times
        outputs = [_compared(call, other.calls.get(call.site), self._sample) for other in others]
        return outputs[0] if all(output == outputs[0] for output in outputs) else None

    # -- which of them are needed ----------------------------------------------------------------------------

    def _thin_out(self, first: Recording, outputs: Mapping[Site, Output]) -> Prefix | NoPrefix:
        """Keep as few of the outputs as will do."""
        values = {
            site: [leaf for leaf in first.calls[site].leaves if isinstance(leaf, Tensor)] for site in outputs
        }

        def enough(kept: Sequence[Site]) -> bool:
            return self._gives(self._parted(first, outputs, kept), values, first.logits)

        sites = list(outputs)
        # Only floating-point numbers can be made NaN; the use of others would go unnoticed.
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
            kept = _fewest(kept, [site for site in sites if site not in fixed], enough)
        return self._parted(first, outputs, kept)

    def _gives(self, prefix: Prefix, values: Mapping[Site, Sequence[Tensor]], logits: Tensor) -> bool:
        """Whether the model gives these logits for the sample when the rest runs on these outputs.

        What was computed last was another batch, so whatever else the rest reads (what a hook or an attribute
        holds) is another batch's.
        """
        device, examples, length = logits.device, len(_any(self._sample.many)), self._sample.length_many
        torch.manual_seed(1)
        copies = {site: [value.clone() for value in values[site]] for site in prefix.kept}
        replay = prefix.replay(self._modules, copies, examples, length, device)
        try:
            with left_as_it_was(self._model), replay, as_in_training(), Traces(replay.left_out) as traces:
                again = self._forward(self._sample.many)
                used = traces.lead_to(again)
        except Exception:  # the model used what was left out
            return False
        return not used and replay.as_expected and alike(logits, again.detach())

    def _parted(self, first: Recording, outputs: Mapping[Site, Output], kept: Sequence[Site]) -> Prefix:
        return Prefix(
            {site: output for site, output in outputs.items() if site in kept},
            {site: output for site, output in outputs.items() if site not in kept},
            {site.module: first.counts[site.module] for site in outputs},
            tuple(self._moving),
        )


def _fewest(kept: list[Site], free: list[Site], enough: Callable[[Sequence[Site]], bool]) -> list[Site]:
    """`kept` without as many of the free ones as can go.

    Most can, so many are tried at once. Where they cannot all go, each half is tried, but for the second one
    where the first can go: then it cannot.
    """

    def drop(part: list[Site], needed: bool) -> bool:
        nonlocal kept
        fewer = [site for site in kept if site not in part]
        if not needed and fewer and enough(fewer):
            kept = fewer
            return True
        if len(part) > 1:
            middle = len(part) // 2
            drop(part[middle:], drop(part[:middle], False))
        return False

    if free:
        drop(free, needed=False)
    return kept


def _compared(one: Call, other: Call | None, sample: Sample) -> Output | None:
    """The output's shape where both calls put out the same."""
    if other is None or not (one.usable and other.usable) or one.spec is None or one.spec != other.spec:
        return None
    leaves: list[Leaf | object] = []
    for a, b in zip(one.leaves, other.leaves, strict=True):
        if not isinstance(a, Tensor):
            plain_value = isinstance(a, (int, float, str, bool, type(None)))
            if isinstance(b, Tensor) or (plain_value and a != b):
                return None
            # None for a cache of keys and values, say; checked by running without.
            leaves.append(a if plain_value else None)
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
    leaf = Leaf(tuple(a.shape), a.dtype, batch, tuple(lengths), a.requires_grad)
    a, b = a.detach(), b.detach()
    shared = min(sample.length_many, sample.length_few)
    for axis in lengths:
        a, b = a.narrow(axis, 0, shared), b.narrow(axis, 0, shared)
    if batch is not None:
        a = a.index_select(batch, torch.tensor(sample.rows, device=a.device))
        b = b.narrow(batch, 0, len(sample.rows))
    return leaf if alike(a, b) else None


@contextlib.contextmanager
def _learned_something(model: nn.Module, moving: Sequence[str] = ()) -> Iterator[None]:
    """Give the weights that learn, and the buffers of modules that move theirs, other values for a while."""
    modules = dict(model.named_modules())
    tensors: list[Tensor] = [weight for weight in model.parameters() if weight.requires_grad]
    tensors += [buffer for name in moving for buffer in modules[name]._buffers.values() if buffer is not None]
    numbers = [tensor for tensor in tensors if tensor.is_floating_point() or tensor.is_complex()]
    before = [(tensor, tensor.detach().clone()) for tensor in numbers if tensor.layout is torch.strided]
    try:
        for tensor, value in before:
            # Buffers may be variances: they stay positive.
            noise = torch.randn_like(value)
            tensor.add_(noise if tensor.requires_grad else noise.abs(), alpha=0.1)
        yield
    finally:
        for tensor, value in before:
            tensor.copy_(value)


def _within(name: str, other: str) -> bool:
    """Whether one of two modules is the other, or inside it."""
    return (
        name == other or not (name and other) or name.startswith(f"{other}.") or other.startswith(f"{name}.")
    )


def _has_buffers(module: nn.Module) -> bool:
    return any(buffer is not None for buffer in module._buffers.values())


def _multiplies(module: nn.Module) -> bool:
    return any(
        parameter.dim() > 1
        for part in module.modules()
        if not isinstance(part, (nn.Embedding, nn.EmbeddingBag))
        for parameter in part._parameters.values()
        if parameter is not None
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else "no message"


def _any(inputs: Mapping[str, Tensor]) -> Tensor:
    return next(iter(inputs.values()))
