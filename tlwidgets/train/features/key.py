"""What features depend on, as one short text: frozen weights, the model's code and settings, the data, the sites."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from .prefix import Prefix

_PLAIN = (int, float, str, bool, type(None), tuple)


def model_key(model: nn.Module) -> str:
    """Digest of all in the model that training under its present flags leaves alone, and of its code.

    Read anew at each call (2 GB/s): a tensor's version, by which one might remember, does not move with `weight.data.add_`,
    a write through `numpy()` or a fused optimizer's step.
    """
    digest = hashlib.sha256(torch.__version__.encode())
    for name, module in model.named_modules():
        digest.update(f"\n{name} {type(module).__module__}.{type(module).__qualname__}".encode())
        digest.update(_code(module))
        for key, value in sorted(vars(module).items()):
            if isinstance(value, _PLAIN) and key != "training":
                digest.update(f" {key}={value!r}".encode())
        for key, parameter in module._parameters.items():
            if parameter is not None and not parameter.requires_grad:
                _add(digest, key, parameter)
        # Running statistics of a layer that learns move; where they matter, its output is no constant.
        if not isinstance(module, nn.modules.batchnorm._NormBase) or not module.training:
            for key, buffer in module._buffers.items():
                if buffer is not None:
                    _add(digest, key, buffer)
    config = getattr(model, "config", None)
    if hasattr(config, "to_json_string"):
        digest.update(config.to_json_string().encode())
    return digest.hexdigest()


def features_key(
    model_digest: str, prefix: Prefix, inputs: Mapping[str, Tensor], order: Iterable[str] = ()
) -> str:
    """Digest of a model's (see `model_key`), the sites that are kept, and the data they are computed from."""
    digest = hashlib.sha256(model_digest.encode())
    digest.update(repr([tuple(site) for site in prefix.kept]).encode())
    digest.update(repr([output.tensors() for output in prefix.kept.values()]).encode())
    for word in order:
        digest.update(f" {word}".encode())
    for name, tensor in sorted(inputs.items()):
        _add(digest, name, tensor)
    return digest.hexdigest()[:40]


def _code(module: nn.Module) -> bytes:
    forward = inspect.unwrap(type(module).forward)
    code = getattr(forward, "__code__", None)
    return code.co_code + repr(code.co_names).encode() if code is not None else b""


def _add(digest, name: str, tensor: Tensor) -> None:
    tensor = tensor.detach()
    digest.update(f" {name} {tuple(tensor.shape)} {tensor.dtype}".encode())
    if tensor.device.type == "meta" or not tensor.numel():
        return
    flat = tensor.cpu().contiguous().reshape(-1).view(torch.uint8)
    digest.update(memoryview(flat.numpy()))
