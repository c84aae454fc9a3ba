"""Computing a frozen prefix once, and training on what it put out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Batch, Batches
from ..memory import gives_back_memory
from .key import features_key, model_key
from .prefix import TOLERANCE, Forward, NoPrefix, Prefix, Sample, alike, find_prefix
from .replay import Capture, Leaf, Site
from .store import FeatureCache, FeatureStoreError

_SAMPLE = 4
_HALF_TOLERANCE = 0.05  # a part of the largest score: bfloat16 has 8 bits of a number, over several layers


@dataclass(frozen=True)
class CacheReport:
    """What became of the frozen prefix in a run.

    Attributes:
        used: whether training reads features back instead of computing them.
        why: where not, the reason; a clause without a full stop.
        sites: names of the modules whose output is kept.
        nbytes: size of the features.
        warm: whether they were there already, from an earlier run.
        on_disk: whether they are read from files.
        half: whether they were computed and are kept in half precision.
    """

    used: bool
    why: str = ""
    sites: tuple[str, ...] = ()
    nbytes: int = 0
    warm: bool = False
    on_disk: bool = False
    half: bool = False


class Interrupted(Exception):
    """The computation of features was stopped from outside."""


class FrozenFeatures:
    """The features of a model's frozen prefix for the parts of a task's data."""

    def __init__(self, model: nn.Module, forward: Forward, cache: FeatureCache) -> None:
        self._model, self._forward, self._cache = model, forward, cache
        self._modules = dict(model.named_modules())
        self._prefix: Prefix | None = None
        self._parts: dict[int, dict[Site, list[Tensor]]] = {}

    @gives_back_memory
    def prepare(self, parts: Sequence[Batches], progress: Callable[[str, int, int], bool]) -> CacheReport:
        """Find the prefix and have its features for these parts; the first is the training data.

        `progress` is told (part, examples done, examples in all) and returns whether to go on.

        Raises:
            Interrupted: `progress` said no.
        """
        self._parts.clear()
        self._prefix = None
        sample = _sample(parts[0])
        if sample is None:
            return CacheReport(False, "there are too few training examples to tell what stays the same")
        found = find_prefix(self._model, self._forward, sample)
        if isinstance(found, NoPrefix):
            return CacheReport(False, found.why)
        self._prefix = found
        digest = model_key(self._model)
        warm, in_memory = True, 0
        try:
            for part in parts:
                if not _same_shape(part, parts[0]):
                    continue  # looked at as ever, without features
                how = [str(part.lengths is not None), "half" if self._cache.half else "whole"]
                key = features_key(digest, found, part.inputs, how)
                features = self._cache.find(key)
                if features is None:
                    warm = False
                    features = self._compute(part, key, in_memory, progress)
                in_memory += 0 if self._cache.is_on_disk(key) else sum(map(_nbytes, features))
                self._parts[id(part)] = self._by_site(features)
        except FeatureStoreError as error:
            self._parts.clear()
            self._prefix = None
            return CacheReport(False, str(error))
        if not self._agrees(parts[0]):
            self._parts.clear()
            self._prefix = None
            return CacheReport(
                False, "a batch through the whole model gave other scores than the features do"
            )
        nbytes = sum(_nbytes(t) for part in self._parts.values() for each in part.values() for t in each)
        sites = tuple(dict.fromkeys(site.module or "the model" for site in found.kept))
        return CacheReport(True, "", sites, nbytes, warm, in_memory == 0, self._cache.half)

    def feed(self, part: Batches, index: Tensor | slice, length: int):
        """A context in which the model's forward takes these examples' features instead of computing them."""
        features = self._parts.get(id(part))
        if features is None:
            return contextlib.nullcontext()
        device = part.labels.device
        examples = len(part.labels[index])
        rows = index.cpu() if isinstance(index, Tensor) else index
        given = {
            site: [
                _read(tensor, leaf, rows, length).to(device)
                for tensor, leaf in zip(features[site], output.tensors(), strict=True)
            ]
            for site, output in self._prefix.kept.items()
        }
        return self._prefix.replay(self._modules, given, examples, length, device)

    def _by_site(self, tensors: Sequence[Tensor]) -> dict[Site, list[Tensor]]:
        rest = iter(tensors)
        return {site: [next(rest) for _ in output.tensors()] for site, output in self._prefix.kept.items()}

    def _compute(self, part: Batches, key: str, beside: int, progress) -> list[Tensor]:
        leaves = [leaf for output in self._prefix.kept.values() for leaf in output.tensors()]
        shapes = []
        for leaf in leaves:
            sizes = list(leaf.sizes(part.size, part.width))
            # What is the same for every example is kept as the one row of a tensor.
            sizes.insert(0, 1 if leaf.batch is None else sizes.pop(leaf.batch))
            shapes.append((tuple(sizes), self._kept(leaf)))
        rows = self._cache.allocate(key, shapes, beside)
        try:
            with _resting(self._model):
                done = 0
                for index in part.by_length(part.pass_size):
                    batch = part.take(index)
                    with self._quick(part), Capture(self._modules, list(self._prefix.kept)) as capture:
                        self._forward(batch.inputs)
                    values = [tensor for site in self._prefix.kept for tensor in capture.outputs[site]]
                    rows.put(
                        [
                            _rows(value.to(self._kept(leaf)), leaf, index.cpu())
                            for value, leaf in zip(values, leaves, strict=True)
                        ]
                    )
                    done += len(index)
                    if not progress(part.name, done, part.size):
                        raise Interrupted
            return rows.finish()
        except BaseException:
            rows.discard()
            raise

    def _kept(self, leaf: Leaf) -> torch.dtype:
        """The type in which a tensor is kept. What all examples share (positions, say) is small and stays exact."""
        halved = self._cache.half and leaf.dtype == torch.float32 and leaf.batch is not None
        return torch.bfloat16 if halved else leaf.dtype

    def _quick(self, part: Batches):
        if not self._cache.half:
            return contextlib.nullcontext()
        return torch.autocast(part.labels.device.type, torch.bfloat16)

    def _agrees(self, train: Batches) -> bool:
        """Whether a batch gives the same scores from features as through the whole model."""
        index = torch.arange(min(_SAMPLE, train.size), device=train.labels.device)
        batch = train.take(index)
        with _resting(self._model):
            whole = _counting(self._forward(batch.inputs), batch)
            with self.feed(train, index, batch.length):
                again = _counting(self._forward(batch.inputs), batch)
        return alike(whole, again, _HALF_TOLERANCE if self._cache.half else TOLERANCE)


@contextlib.contextmanager
def _resting(model: nn.Module):
    """No gradients, nothing random, no statistics that move; afterwards as before."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def _sample(train: Batches) -> Sample | None:
    """A few examples twice, the second time fewer, in another order, and padded by one more where there is padding."""
    if train.size < _SAMPLE:
        return None
    rows = (2, 0, 1)
    if train.lengths is None:
        index = torch.arange(_SAMPLE, device=train.labels.device)
        many, few = train.take(index), train.take(index[list(rows)])
        return Sample(many.inputs, few.inputs, rows, many.length, few.length)
    # The shortest ones, so that there is room for more padding.
    index = train.lengths.argsort(stable=True)[:_SAMPLE]
    many = train.take(index)
    longer = min(many.length + 1, train.width)
    few = train.take(index[list(rows)], length=longer)
    return Sample(many.inputs, few.inputs, rows, many.length, few.length)


def _counting(scores: Tensor, batch: Batch) -> Tensor:
    """The scores that a loss can look at: of a language model, those outside padding that its labels leave out (-100).

    What a causal model puts out at a padded place depends on how far the batch was padded, and features don't have it.
    """
    mask = batch.inputs.get("attention_mask")
    if mask is None or not mask.shape == batch.labels.shape == scores.shape[:2]:
        return scores
    seen = mask != 0
    return scores[seen] if bool((batch.labels[~seen] == -100).all()) else scores


def _same_shape(part: Batches, train: Batches) -> bool:
    """Whether what was learned about the shapes of the training data's features holds for this part."""
    if part.lengths is not None or train.lengths is not None:
        return train.lengths is not None
    pairs = ((part.inputs.get(name), tensor) for name, tensor in train.inputs.items())
    return all(one is not None and one.shape[1:] == other.shape[1:] for one, other in pairs)


def _rows(tensor: Tensor, leaf: Leaf, index: Tensor) -> tuple[Tensor, Tensor]:
    """Where a value goes in storage, and the value with its examples first."""
    if leaf.batch is None:
        return torch.zeros(1, dtype=torch.int64), tensor.unsqueeze(0)
    return index, tensor.movedim(leaf.batch, 0)


def _read(tensor: Tensor, leaf: Leaf, index: Tensor | slice, length: int) -> Tensor:
    """Back from storage to the shape that the model put out."""
    # Cut first: a row's padding is then not copied.
    for axis in leaf.lengths:
        stored = axis + 1 if leaf.batch is None or axis < leaf.batch else axis
        tensor = tensor.narrow(stored, 0, length)
    if leaf.batch is None:
        return tensor[0]
    return tensor[index].movedim(0, leaf.batch).to(leaf.dtype)


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
