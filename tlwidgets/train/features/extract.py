"""Features of a whole frozen model, computed once, for modules that are trained on features alone."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..digest import Opaque
from ..digest import digest as content_digest
from ..memory import gives_back_memory, reuses_memory
from ..progress import report_progress
from .key import model_key
from .store import FeatureCache, FeatureStoreError

Raw: TypeAlias = "np.ndarray[Any, np.dtype[Any]] | Tensor"

SOME = 4  # examples whose activations fit a processor's caches: with 32, pictures took twice as long


@gives_back_memory
def frozen_features(
    model: nn.Module,
    examples: Raw,
    prepare: Callable[[Any], Tensor] | None = None,
    *,
    after: Callable[[Tensor], Tensor] | None = None,
    batch_size: int = SOME,
    cache: FeatureCache | None = None,
) -> Tensor:
    """`after(model(prepare(examples)))` without gradients, in evaluation mode, some examples at a time.

    The model is left in the mode it was in. A `progress_listener` learns how many examples are done.

    Args:
        model: a frozen model; gives a tensor (batch, ...).
        examples: raw, (examples, ...): whole pictures or sounds, say.
        prepare: makes what the model takes from some of the examples; None takes them as they are.
        after: from the model's output to the features, (batch, ...); None takes the output.
        batch_size: examples at a time.
        cache: from which features of the same weights, code and examples are read if they were computed
            before. `FeatureCache(keep=True)` finds them in later sessions, too. If it cannot be written to,
            or the code uses something that cannot be compared, features are computed all the same.

    Returns:
        Features (examples, ...), on the CPU.

    Raises:
        ValueError: there are no examples.
    """
    if not len(examples):
        raise ValueError("There are no examples to compute features of. Expected at least one.")
    with _as_frozen(model):
        key = ""
        if cache is not None:
            try:
                key = _key(model, examples, prepare, after)
            except Opaque:  # nobody could tell whether what was kept is of the same model
                cache = None
        found = cache.find(key) if cache is not None else None
        if found is not None:
            report_progress(len(examples), len(examples), "examples, kept from before")
            return found[0]
        device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
        parts = []
        with torch.no_grad(), reuses_memory():
            for start in range(0, len(examples), batch_size):
                batch = examples[start : start + batch_size]
                batch = torch.as_tensor(batch) if prepare is None else prepare(batch)
                batch = batch.to(device)
                if batch.dim() == 4:  # pictures: convolutions take half the time in this order
                    batch = batch.contiguous(memory_format=torch.channels_last)
                out = model(batch)
                parts.append((out if after is None else after(out)).cpu())
                report_progress(min(start + batch_size, len(examples)), len(examples), "examples")
    features = torch.cat(parts)
    return features if cache is None else _kept(cache, key, features)


@contextlib.contextmanager
def _as_frozen(model: nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradients for a while; then each module and each weight is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    flags = [(weight, weight.requires_grad) for weight in model.parameters()]
    model.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for weight, flag in flags:
            weight.requires_grad_(flag)


def _kept(cache: FeatureCache, key: str, features: Tensor) -> Tensor:
    """What will be found from now on: another process's, where that was faster; its last bits may differ."""
    try:
        rows = cache.allocate(key, [(tuple(features.shape), features.dtype)])
        rows.put([(torch.arange(len(features)), features)])
        return rows.finish()[0]
    except FeatureStoreError:  # they are computed again next time
        return features


def _key(model: nn.Module, examples: Raw, *functions: object) -> str:
    digest = hashlib.sha256(model_key(model).encode())
    for function in functions:
        digest.update(content_digest(function, strict=True).encode())
    raw = np.ascontiguousarray(examples.cpu().numpy() if isinstance(examples, Tensor) else examples)
    digest.update(f"{raw.shape} {raw.dtype}".encode())
    digest.update(raw.data.cast("B"))
    return digest.hexdigest()[:40]
