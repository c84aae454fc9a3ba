"""The feature cache during a run: whether it is used is decided whenever the frozen part may have changed.

It may also turn out while the run goes on that features are not what the model computes. Some batches are
computed in both ways, as they come; and a batch for which the model does something else than was seen of it
is computed again without features, from the state before it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from ...core.scan import scan
from ..data import Split, Splits
from ..failures import is_out_of_memory
from ..records import Run
from .checks import CALLS_VARY, OTHERS_MATTER, USES_VARY
from .prefix_features import CacheReport, Interrupted, PrefixFeatures
from .record import Forward
from .store import FeatureCache

_Signature = tuple[tuple[bool, int], ...]

_LEAST = 16  # examples that are computed in both ways, and of how many one is at least
_ONE_OF = 100


class RunFeatures:
    """The features of the frozen prefix of a model, as far as a run uses them.

    Args:
        model: the model that is trained.
        forward: from a batch's inputs to the model's logits.
        splits: the data of the run.
        cache: where features are kept; None never uses any.
        augmented: whether inputs change in each pass.
        autocast: a context for the run's precision.
        record: the run's record, whose `cache` has what was decided. Features that turn out to be unfit while
            they are used are noted there, and no others are used then, also when the run is stopped and goes
            on.
    """

    def __init__(
        self,
        model: nn.Module,
        forward: Forward,
        splits: Splits,
        cache: FeatureCache | None,
        augmented: bool,
        autocast: Callable[[], AbstractContextManager[object]],
        record: Run,
    ) -> None:
        self._model, self._forward, self._splits = model, forward, splits
        self._cache, self._augmented, self._autocast = cache, augmented, autocast
        self._record = record
        self._used: PrefixFeatures | None = None
        self._signature: _Signature | None = None
        self._checks = _Checks(splits.train.size)
        self._epoch = 0

    @property
    def used(self) -> bool:
        """Whether features are read back now."""
        return self._used is not None

    def run(
        self, compute: Callable[[], tuple[Tensor, Tensor]], split: Split, index: Tensor, length: int
    ) -> tuple[Tensor, Tensor]:
        """A model's outputs for a batch and their loss, as `compute()` gives them; from features where used.

        Args:
            compute: runs the model on the batch.
            split: where the examples are from.
            index: which they are.
            length: how far the batch is padded.
        """
        used = self._used
        if used is None:
            return compute()
        if split is self._splits.train and self._checks.due(len(index)):
            with self._autocast():
                fit = used.hold(split, index, training=True)
            if not fit:
                self._switch_off(f"{OTHERS_MATTER}{self._checks.before()}")
                return compute()
        replay = used.replay(split, index, length)
        if replay is None:
            return compute()
        before = _Before(index.device, used.moving)
        try:
            with replay:
                result = compute()
            # What was left out is NaN.
            right = replay.as_expected and not (used.skips and not bool(result[1].detach().isfinite().all()))
        except Exception as error:  # whatever the rest of a model raises that was given something else
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise
            right = False
        if right:
            return result
        before.put_back()
        whole = compute()
        if not replay.as_expected:
            self._switch_off(CALLS_VARY)
        elif bool(whole[1].detach().isfinite().all()):  # else it is not for want of what was left out
            self._switch_off(USES_VARY)
        return whole

    def prepare(
        self, epoch: int, last_pass: bool, progress: Callable[[str, int, int], bool]
    ) -> tuple[CacheReport, bool] | None:
        """Prepare features for the coming passes, if the frozen part may have changed and they would save
        time.

        Args:
            epoch: the one that comes, or that is under way.
            last_pass: whether only one pass over the data is left.
            progress: called with (part, examples done, examples in all); returns whether to continue.

        Returns:
            What was decided, and whether features were computed or found for it. None: nothing has changed,
                or `progress` returned False.
        """
        self._epoch = epoch
        signature = self._current_signature()
        if signature == self._signature:
            return None
        self._signature, self._used = signature, None
        why = self._why_not(last_pass)
        if why or self._cache is None:
            return CacheReport(False, why), False
        features = PrefixFeatures(self._model, self._forward, self._cache)
        with self._autocast():
            try:
                report = features.prepare(self._splits.all(), progress)
            except Interrupted:
                return None
        if report.used:
            self._used = features
        return report, True

    def _switch_off(self, why: str) -> None:
        self._used = None
        self._record.cache.append({"epoch": self._epoch, "used": False, "why": why, "unfit": True})

    def _why_not(self, last_pass: bool) -> str:
        """Why features cannot be used, or would save nothing; "" if they may be used."""
        if self._cache is None:
            return "it was switched off"
        for unfit in self._record.cache:
            if unfit.get("unfit"):
                return str(unfit["why"])
        if self._augmented:
            return "augmentation changes the inputs at each pass"
        if last_pass:
            return "only one pass over the data is left, so nothing would be used twice"
        return _in_one_piece(self._model)

    def _current_signature(self) -> _Signature:
        """Changes when the frozen prefix may have: what learns, or a frozen weight that was written to."""
        return tuple(
            (parameter.requires_grad, 0 if parameter.requires_grad else parameter._version)
            for parameter in scan(self._model).parameters
        )


class _Checks:
    """Which batches are computed in both ways: the first, one of another size, and some at random."""

    def __init__(self, examples: int) -> None:
        self._draw, self._left = random.Random(0), max(_LEAST, examples // _ONE_OF)
        self._met, self._next = 0, 1
        self._sizes: set[int] = set()

    def due(self, size: int) -> bool:
        """Whether the batch that comes now is one of them."""
        self._met += 1
        if self._left <= 0 or (self._met < self._next and size in self._sizes):
            return False
        self._left -= size
        self._sizes.add(size)
        if self._met >= self._next:
            self._next = self._met + self._draw.randint(1, 4 * self._met)
        return True

    def before(self) -> str:
        """How many batches came before this one, as the end of a sentence."""
        count = self._met - 1
        return f"; {count} batches had been trained on features when it showed" if count else ""


class _Before:
    """What a forward pass draws and moves, as it was before."""

    def __init__(self, device: torch.device, moving: list[Tensor]) -> None:
        self._buffers = [(buffer, buffer.clone()) for buffer in moving]
        self._random = torch.get_rng_state()
        self._device = device if device.type == "cuda" else None
        self._random_cuda = None if self._device is None else torch.cuda.get_rng_state(self._device)

    def put_back(self) -> None:
        """Have it again."""
        torch.set_rng_state(self._random)
        if self._random_cuda is not None and self._device is not None:
            torch.cuda.set_rng_state(self._random_cuda, self._device)
        with torch.no_grad():
            for buffer, value in self._buffers:
                buffer.copy_(value)


def _in_one_piece(model: nn.Module) -> str:
    """Why one cannot look inside a model; "" where one can."""
    for name, module in model.named_modules():
        part = f"its part `{name}`" if name else "the model"
        if hasattr(module, "dynamo_ctx") or getattr(module, "_compiled_call_impl", None) is not None:
            return f"{part} is compiled"
        if isinstance(module, torch.jit.ScriptModule):
            return f"{part} is a TorchScript program"
    return ""
