"""What a forward pass may change in a model, as digests that are equal where nothing changed."""

from __future__ import annotations

import hashlib

from torch import Tensor, nn

from ...core.contents import dense_parts, tensor_bytes
from ..digest import Digest


def whole_state(model: nn.Module) -> str:
    """Digest of what a forward pass may change and later ones depend on: all but weights and large tensors.

    Modules often keep what they put out last, and replace it each time: tensors count where they are buffers,
    or single numbers.
    """
    found = Digest(strict=False, known=names_of(model), tensors=False)
    for module in model.modules():
        _add_state(found, module)
    return found.hexdigest()


def module_states(model: nn.Module) -> dict[str, str]:
    """The same as `whole_state`, for each module by itself."""
    states, known = {}, names_of(model)
    for name, module in model.named_modules():
        found = Digest(strict=False, known=known, tensors=False)
        _add_state(found, module)
        states[name] = found.hexdigest()
    return states


def tensors_kept(model: nn.Module) -> dict[tuple[str, str], tuple[int, int]]:
    """Which tensors modules keep in their attributes, and how often each was written to."""
    return {
        (name, key): (id(value), 0 if value.is_inference() else value._version)
        for name, module in model.named_modules()
        for key, value in vars(module).items()
        if isinstance(value, Tensor)
    }


def names_of(model: nn.Module) -> dict[int, str]:
    """Names of what is compared by itself: modules, weights and buffers."""
    modules = {id(module): f"module {name}" for name, module in model.named_modules(remove_duplicate=False)}
    weights = {id(weight): f"weight {name}" for name, weight in model.named_parameters()}
    return modules | weights | {id(buffer): f"buffer {name}" for name, buffer in model.named_buffers()}


def _add_state(found: Digest, module: nn.Module) -> None:
    found.state_of(module)
    for key, buffer in module._buffers.items():
        if buffer is not None:
            add_tensor(found.hash, key, buffer)


def add_tensor(digest: hashlib._Hash, name: str, tensor: Tensor) -> None:
    """Take in a tensor under a name: type, shape and every byte."""
    digest.update(f" {name} {tuple(tensor.shape)} {tensor.dtype} {tensor.layout}".encode())
    if tensor.device.type != "meta":
        for part in dense_parts(tensor):
            digest.update(tensor_bytes(part))
