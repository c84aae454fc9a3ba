"""Computing a frozen prefix once for given data, and training on what it put out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ..data import Batch, Split
from ..digest import Opaque
from ..memory import gives_back_memory
from .checks import CALLS_VARY, OTHERS_MATTER, Again, UnfitError, in_mode
from .compare import HALF_TOLERANCE, TOLERANCE, alike
from .key import features_key, model_key
from .prefix import NoPrefix, Prefix, find_prefix
from .record import Forward
from .replay import Capture, Leaf, Replay, Site
from .sample import make_sample
from .store import FeatureCache, FeatureStoreError

# Examples on which the whole model is compared with and without features. A language model's logits for them
# are the largest tensors of a run.
_IN_TRAINING, _ELSEWHERE = 8, 4

Progress: TypeAlias = Callable[[str, int, int], bool]
"""Takes the name of a split, the examples done and those in all; returns whether to go on."""


@dataclass(frozen=True)
class CacheReport:
    """How a run used the frozen prefix.

    Attributes:
        used: whether training reads features back instead of computing them.
        why: the reason where it does not; a clause without a full stop.
        sites: names of the modules whose output is kept.
        nbytes: size of the features.
        warm: whether they were there already from an earlier run.
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


class PrefixFeatures:
    """The features of a model's frozen prefix for the splits of a task's data.

    Args:
        model: the model.
        forward: from a batch's inputs to the model's logits.
        cache: where features are kept.
    """

    def __init__(self, model: nn.Module, forward: Forward, cache: FeatureCache) -> None:
        self._model, self._forward, self._cache = model, forward, cache
        self._modules = dict(model.named_modules())
        self._prefix: Prefix | None = None
        self._features: dict[int, dict[Site, list[Tensor]]] = {}  # by the id of the split

    @gives_back_memory
    def prepare(self, splits: Sequence[Split], progress: Progress) -> CacheReport:
        """Find the prefix and compute its features for these splits, the first of which is the training data.

        `progress` is called with (name of the split, examples done, examples in all) and returns whether to
        go on.

        Raises:
            Interrupted: `progress` returned False.
        """
        try:
            return self._prepare(splits, progress)
        except (FeatureStoreError, Opaque, UnfitError) as error:
            self._features.clear()
            self._prefix = None
            return CacheReport(False, str(error))

    def _prepare(self, splits: Sequence[Split], progress: Progress) -> CacheReport:
        self._features.clear()
        self._prefix = None
        if splits[0].why_not_again:
            return CacheReport(False, splits[0].why_not_again)
        sample = make_sample(splits[0])
        if sample is None:
            return CacheReport(False, "there are too few training examples to tell what stays the same")
        found = find_prefix(self._model, self._forward, sample)
        if isinstance(found, NoPrefix):
            return CacheReport(False, found.why)
        self._prefix = found
        with in_mode(self._model, training=True):
            digest = model_key(self._model)
        warm, in_memory = True, 0
        for split in splits:
            if split.why_not_again or not _same_shape(split, splits[0]):
                continue  # computed as usual, without features
            training = split is splits[0]
            how = [str(split.lengths is not None), "half" if self._cache.half else "whole", str(training)]
            inputs = split.identity()
            if inputs is None and training:
                raise UnfitError(split.why_not_again)
            if inputs is None:
                continue
            key = features_key(digest, found, inputs, how)
            features = self._cache.find(key)
            if features is None:
                warm = False
                features = self._compute(found, split, training, key, in_memory, progress)
            in_memory += 0 if self._cache.is_on_disk(key) else sum(map(_nbytes, features))
            self._features[id(split)] = _by_site(found, features)
            if not self._gives_the_same(split, training):
                if training:
                    raise UnfitError("a batch through the whole model gave other logits than the features do")
                del self._features[id(split)]  # computed as usual
        nbytes = sum(_nbytes(t) for kept in self._features.values() for each in kept.values() for t in each)
        sites = tuple(dict.fromkeys(site.module or "the model" for site in found.kept))
        return CacheReport(True, "", sites, nbytes, warm, in_memory == 0, self._cache.half)

    def replay(self, split: Split, index: Tensor, length: int) -> Replay | None:
        """A context in which the model's forward takes these examples' features instead of computing them.

        None where there are none for this split.
        """
        features, prefix = self._features.get(id(split)), self._prefix
        if features is None or prefix is None:
            return None
        given = self._read(prefix, features, split, index, length)
        return prefix.replay(self._modules, given, len(index), length, split.device)

    def hold(self, split: Split, index: Tensor, training: bool) -> bool:
        """Whether these examples, in this batch, give the features that are kept."""
        features, prefix = self._features.get(id(split)), self._prefix
        if features is None or prefix is None:
            return True
        with in_mode(self._model, training):
            try:
                again, length = self._outputs(prefix, split, index)
            except UnfitError:
                return False
        kept = self._read(prefix, features, split, index, length)
        pairs = zip(self._leaves(prefix), again, (t for each in kept.values() for t in each), strict=True)
        return all(self._same(split, index, *pair) for pair in pairs)

    @property
    def moving(self) -> list[Tensor]:
        """Buffers that change with each forward pass."""
        return [
            buffer
            for name in (self._prefix.moving if self._prefix is not None else ())
            for buffer in self._modules[name]._buffers.values()
            if buffer is not None
        ]

    @property
    def skips(self) -> bool:
        """Whether outputs are left out that the rest of the model was not seen to use."""
        return self._prefix is not None and bool(self._prefix.skipped)

    # -- computing -------------------------------------------------------------------------------------------

    def _compute(
        self, prefix: Prefix, split: Split, training: bool, key: str, beside: int, progress: Progress
    ) -> list[Tensor]:
        leaves, shapes = self._leaves(prefix), []
        for leaf in leaves:
            sizes = list(leaf.sizes(split.size, split.width))
            # What is the same for every example is kept as the one row of a tensor.
            sizes.insert(0, 1 if leaf.batch is None else sizes.pop(leaf.batch))
            shapes.append((tuple(sizes), self._kept(leaf)))
        rows = self._cache.allocate(key, shapes, beside)
        again = Again(math.ceil(split.size / split.pass_size)) if training else None
        try:
            with in_mode(self._model, training):
                done = 0
                for number, index in enumerate(split.by_length(split.pass_size)):
                    values, _ = self._outputs(prefix, split, index)
                    values = [value.to(self._kept(leaf)) for value, leaf in zip(values, leaves, strict=True)]
                    rows.put([_rows(v, leaf, index.cpu()) for v, leaf in zip(values, leaves, strict=True)])
                    if again is not None:
                        again.note(number, index, leaves, values)
                    done += len(index)
                    if not progress(split.name, done, split.size):
                        raise Interrupted
                for index, before in () if again is None else again.batches():
                    self._compare(prefix, split, index, before)
            return rows.finish()
        except BaseException:
            rows.discard()
            raise

    def _compare(
        self, prefix: Prefix, split: Split, index: Tensor, before: Sequence[Sequence[Tensor]]
    ) -> None:
        """Compute some examples once more, in other company, and see that it makes no difference.

        Raises:
            UnfitError: it does.
        """
        values, _ = self._outputs(prefix, split, index)
        for place, one in enumerate(before):
            for leaf, value, kept in zip(self._leaves(prefix), values, one, strict=True):
                row = value if leaf.batch is None else value.narrow(leaf.batch, place, 1)
                if not self._same(split, index[place : place + 1], leaf, row, kept):
                    raise UnfitError(OTHERS_MATTER)

    def _outputs(self, prefix: Prefix, split: Split, index: Tensor) -> tuple[list[Tensor], int]:
        """What the sites put out for these examples, and how far the batch was padded.

        Raises:
            UnfitError: not what they put out on other examples, in kind.
        """
        batch = split.take(index)
        with self._halved(split), Capture(self._modules, list(prefix.kept)) as capture:
            self._forward(batch.inputs)
        found: list[Tensor] = []
        for site, output in prefix.kept.items():
            tensors = output.tensors_of(capture.outputs[site]) if site in capture.outputs else None
            sizes = [leaf.sizes(len(index), batch.length) for leaf in output.tensors()]
            if tensors is None or [tuple(tensor.shape) for tensor in tensors] != sizes:
                raise UnfitError(CALLS_VARY)
            found += [tensor.detach() for tensor in tensors]
        return found, batch.length

    def _read(
        self,
        prefix: Prefix,
        features: Mapping[Site, Sequence[Tensor]],
        split: Split,
        index: Tensor,
        length: int,
    ) -> dict[Site, list[Tensor]]:
        """These examples' features, as copies in the shapes that the model put out."""
        rows = index.cpu()
        return {
            site: [
                _read(tensor, leaf, rows, length).to(split.device)
                for tensor, leaf in zip(features[site], output.tensors(), strict=True)
            ]
            for site, output in prefix.kept.items()
        }

    def _leaves(self, prefix: Prefix) -> list[Leaf]:
        return [leaf for output in prefix.kept.values() for leaf in output.tensors()]

    def _same(self, split: Split, index: Tensor, leaf: Leaf, one: Tensor, other: Tensor) -> bool:
        """Whether two outputs for the same examples are alike, but at padding."""
        tolerance = HALF_TOLERANCE if self._cache.half else TOLERANCE
        one, other = one.to(leaf.dtype), other.to(leaf.dtype)
        if not leaf.lengths or split.lengths is None:
            return alike(one, other, tolerance)
        for place, length in enumerate(split.lengths[index].tolist()):
            parts = []
            for tensor in (one, other):
                part = tensor if leaf.batch is None else tensor.narrow(leaf.batch, place, 1)
                for axis in leaf.lengths:
                    part = part.narrow(axis, 0, min(length, part.shape[axis]))
                parts.append(part)
            if not alike(parts[0], parts[1], tolerance):
                return False
        return True

    def _kept(self, leaf: Leaf) -> torch.dtype:
        """The type in which a tensor is kept; what all examples share (positions, say) stays exact."""
        halved = self._cache.half and leaf.dtype == torch.float32 and leaf.batch is not None
        return torch.bfloat16 if halved else leaf.dtype

    def _halved(self, split: Split) -> AbstractContextManager[object]:
        """A context in which features are computed in half precision, where that is asked for."""
        if not self._cache.half:
            return nullcontext()
        return torch.autocast(split.device.type, torch.bfloat16)

    # -- checking --------------------------------------------------------------------------------------------

    def _gives_the_same(self, split: Split, training: bool) -> bool:
        """Whether examples from all over give the same logits through the whole model as from features.

        Features come first: what is left over from another batch is then not taken for this one's.
        """
        order = torch.randperm(split.size, generator=torch.Generator().manual_seed(0))
        count = _IN_TRAINING if training else _ELSEWHERE
        index = order[: min(count, split.pass_size)].to(split.device)
        batch, logits = split.take(index), []
        for replay in (self.replay(split, index, batch.length), None):
            with in_mode(self._model, training):
                torch.manual_seed(0)
                try:
                    with replay or nullcontext():
                        logits.append(_seen_by_a_loss(self._forward(batch.inputs).detach(), batch))
                except Exception:  # the model asked for what was left out; or else training will say
                    return False
            if replay is not None and not replay.as_expected:
                return False
        return alike(logits[1], logits[0], HALF_TOLERANCE if self._cache.half else TOLERANCE)


def _by_site(prefix: Prefix, tensors: Sequence[Tensor]) -> dict[Site, list[Tensor]]:
    rest = iter(tensors)
    return {site: [next(rest) for _ in output.tensors()] for site, output in prefix.kept.items()}


def _seen_by_a_loss(logits: Tensor, batch: Batch) -> Tensor:
    """The logits that a loss can see: not those at padding that the labels of a language model leave out.

    What a causal model puts out at a padded position depends on how far the batch was padded, and features
    lack it.
    """
    mask = batch.inputs.get("attention_mask")
    if mask is None or not mask.shape == batch.labels.shape == logits.shape[:2]:
        return logits
    seen = mask != 0
    return logits[seen] if bool((batch.labels[~seen] == -100).all()) else logits


def _same_shape(split: Split, train: Split) -> bool:
    """Whether what was learned about the shapes of the training data's features holds for this split."""
    if split.lengths is not None or train.lengths is not None:
        return train.lengths is not None and split.width > 0
    pairs = ((split.inputs.get(name), tensor) for name, tensor in train.inputs.items())
    return all(one is not None and one.shape[1:] == other.shape[1:] for one, other in pairs)


def _rows(tensor: Tensor, leaf: Leaf, index: Tensor) -> tuple[Tensor, Tensor]:
    """Where a value goes in storage, and the value with its examples first."""
    if leaf.batch is None:
        return torch.zeros(1, dtype=torch.int64), tensor.unsqueeze(0)
    return index, tensor.movedim(leaf.batch, 0)


def _read(tensor: Tensor, leaf: Leaf, index: Tensor, length: int) -> Tensor:
    """Back from storage to the shape that the model put out."""
    # Cut first: a row's padding is then not copied.
    for axis in leaf.lengths:
        stored = axis + 1 if leaf.batch is None or axis < leaf.batch else axis
        tensor = tensor.narrow(stored, 0, length)
    # A copy in each case: the rest of the model may write to it.
    if leaf.batch is None:
        return tensor[0].clone()
    return tensor[index].movedim(0, leaf.batch).to(leaf.dtype)


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
