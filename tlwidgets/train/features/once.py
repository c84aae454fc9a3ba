"""Features of a whole frozen model, computed once and kept: for modules that are trained on features alone."""

from __future__ import annotations

import contextlib
import hashlib
import types
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ..memory import gives_back_memory, reuses_memory
from ..telling import tell
from .key import model_key
from .store import FeatureCache, FeatureStoreError

SOME = 4  # their activations fit a processor's caches: with 32, pictures took twice as long


@gives_back_memory
def frozen_features(
    model: nn.Module,
    examples: np.ndarray | Tensor,
    prepare: Callable[[np.ndarray | Tensor], Tensor] | None = None,
    *,
    after: Callable[[Tensor], Tensor] | None = None,
    batch_size: int = SOME,
    cache: FeatureCache | None = None,
) -> Tensor:
    """`after(model(prepare(examples)))` without gradients, in evaluation mode, some examples at a time.

    `examples` (examples, ...) are raw: whole pictures or sounds, of which `prepare` makes what the model takes. The result
    (examples, ...) has as its first axis the examples. What was computed before for the same weights, code and examples is read
    from `cache`, where there is one; `FeatureCache(keep=True)` finds it in later sessions, too. Where a cache can't be written,
    features are computed all the same. The model is left in the mode it was in. Who listens by `telling` is told
    how many examples are done.

    Raises:
        ValueError: there are no examples.
    """
    if not len(examples):
        raise ValueError("There are no examples to compute features of. Expected one at least.")
    with _as_frozen(model):
        key = _key(model, examples, prepare, after) if cache is not None else ""
        found = cache.find(key) if cache is not None else None
        if found is not None:
            tell(len(examples), len(examples), "examples, kept from before")
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
                tell(min(start + batch_size, len(examples)), len(examples), "examples")
    features = torch.cat(parts)
    return features if cache is None else _kept(cache, key, features)


@contextlib.contextmanager
def _as_frozen(model: nn.Module):
    """Evaluation mode and no gradients for a while; each module's mode and each weight's flag come back."""
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
    """What is found from now on: another process's, where that was quicker; its last bits may differ."""
    try:
        rows = cache.allocate(key, [(tuple(features.shape), features.dtype)])
        rows.put([(torch.arange(len(features)), features)])
        return rows.finish()[0]
    except FeatureStoreError:  # they are computed again next time
        return features


def _key(model: nn.Module, examples: np.ndarray | Tensor, *functions) -> str:
    digest = hashlib.sha256(model_key(model).encode())
    for function in functions:
        digest.update(_described(function).encode())
    raw = np.ascontiguousarray(examples.cpu().numpy() if isinstance(examples, Tensor) else examples)
    digest.update(f"{raw.shape} {raw.dtype}".encode())
    digest.update(memoryview(raw).cast("B"))
    return digest.hexdigest()[:40]


def _described(thing) -> str:
    """A function by its name, its code and what it closes over or was given; no addresses, which change by the session."""
    if not callable(thing):
        return repr(thing)
    inner = getattr(thing, "func", thing)
    given = [*getattr(thing, "args", ()), *sorted(getattr(thing, "keywords", {}).items())]
    closed = [cell.cell_contents for cell in getattr(inner, "__closure__", None) or ()]
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    parts = [_of_code(getattr(inner, "__code__", None)), *map(_described, [*given, *closed])]
    return f"{name} {parts}"


def _of_code(code) -> str:
    """Instructions, constants and names, those of functions within too."""
    if not isinstance(code, types.CodeType):
        return repr(code)
    return f"{code.co_code.hex()} {code.co_names} {[*map(_of_code, code.co_consts)]}"
