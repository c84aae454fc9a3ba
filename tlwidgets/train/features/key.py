"""What features depend on, as one short text: weights, code, settings, data, and the sites."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from ...core.hold import is_held
from ..digest import Digest
from .prefix import Prefix
from .states import add_tensor, names_of


def model_key(model: nn.Module) -> str:
    """Digest of everything in the model that training under its present flags leaves alone, and of its code.

    The code is followed wherever it leads: helpers in other modules, globals, attributes, what functions
    close over. Weights are read anew at each call (2 GB/s): a tensor's version, by which one might remember,
    does not move with `weight.data.add_`, a write through `numpy()` or a fused optimizer's step.

    Raises:
        Opaque: something that the code may use cannot be compared.
    """
    found = Digest(strict=True, known=names_of(model))
    found.add((sys.version, torch.__version__, *_settings(model)))
    for name, module in model.named_modules():
        found.take_in_all(where=name)
        found.add(name)
        found.state_of(module)
        for key, parameter in module._parameters.items():
            if parameter is not None and not parameter.requires_grad:
                add_tensor(found.hash, key, parameter)
        # Running statistics of a layer that learns move; where they matter, its output is not constant.
        if not isinstance(module, nn.modules.batchnorm._NormBase) or not module.training or is_held(module):
            for key, buffer in module._buffers.items():
                if buffer is not None:
                    add_tensor(found.hash, key, buffer)
    return found.hexdigest()


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
        add_tensor(digest, name, tensor)
    return digest.hexdigest()[:40]


def _settings(model: nn.Module) -> tuple[object, ...]:
    """What outside the model changes the numbers it computes."""
    kind = next((weight.device.type for weight in model.parameters()), "cpu")
    halved = str(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else ""
    return kind, halved, str(torch.get_default_dtype()), torch.get_float32_matmul_precision()
