"""Keeping frozen modules as they are, whatever the training loop does.

`requires_grad=False` is not enough: `model.train()` switches dropout and running statistics back on, and
`nn.Embedding(max_norm=)` rescales its rows at each look-up. A hook before a module's own forward puts it back
in `eval` each time. `nn.TransformerEncoder` takes its first layer's mode for that of all, and packs texts
into nested tensors, which layers that train cannot read: as long as gradients are wanted, hooks keep it from
that, as if nothing were frozen. Hooks are functions of this module, so a held model can be pickled and
copied, and they are told apart from the model's own by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TypeGuard

import torch
from torch import nn

# What `renormalises` or `nests` may be true of.
SPECIAL = (nn.Embedding, nn.EmbeddingBag, nn.TransformerEncoder)


def _stay_in_eval(module: nn.Module, args: Any) -> None:
    if module.training:
        module.training = False


def _work_on_a_copy(module: nn.Module, args: Any) -> None:
    weight = module._parameters["weight"]
    if weight is None:
        return
    module.__dict__["_frozen_weight"] = weight
    module._parameters["weight"] = nn.Parameter(weight.detach().clone(), requires_grad=False)


def _put_weight_back(module: nn.Module, args: Any, output: Any) -> None:
    weight = module.__dict__.pop("_frozen_weight", None)
    if weight is not None:
        module._parameters["weight"] = weight


def is_held(module: nn.Module) -> bool:
    """Whether the module is kept in `eval`."""
    return is_held_by(module._forward_pre_hooks)


def is_held_by(hooks: Mapping[int, Any]) -> bool:
    """Whether one of a module's hooks before its forward keeps it in `eval`."""
    return _stay_in_eval in hooks.values()


def hold(module: nn.Module) -> bool:
    """Keep a module in `eval`; returns whether that is a change."""
    module.training = False
    if is_held(module):
        return False
    # First in line, so that hooks that look at `training` (spectral norm's) already see `eval`.
    module.register_forward_pre_hook(_stay_in_eval, prepend=True)
    return True


def release(module: nn.Module, training: bool) -> bool:
    """Let a module follow `model.train()` again; returns whether that is a change."""
    changed = _remove(module._forward_pre_hooks, _stay_in_eval) or module.training < training
    if changed:
        module.training = training
    return changed


def renormalises(module: nn.Module) -> TypeGuard[nn.Embedding | nn.EmbeddingBag]:
    """Whether a look-up writes to the weight (`max_norm`)."""
    return isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.max_norm is not None


def protect_weight(module: nn.Module, frozen: bool) -> None:
    """Let a frozen embedding with `max_norm` rescale a copy of its rows: same output, nothing written."""
    _remove(module._forward_pre_hooks, _work_on_a_copy)
    _remove(module._forward_hooks, _put_weight_back)
    if frozen:
        module.register_forward_pre_hook(_work_on_a_copy)
        module.register_forward_hook(_put_weight_back, always_call=True)


def _stay_dense(module: nn.Module, args: Any) -> None:
    if not isinstance(module, nn.TransformerEncoder):
        return
    if torch.is_grad_enabled() or any(layer.training for layer in module.layers):
        module.__dict__["_nests_otherwise"] = module.use_nested_tensor
        module.use_nested_tensor = False


def _nest_again(module: nn.Module, args: Any, output: Any) -> None:
    if isinstance(module, nn.TransformerEncoder) and "_nests_otherwise" in module.__dict__:
        module.use_nested_tensor = module.__dict__.pop("_nests_otherwise")


def nests(module: nn.Module) -> TypeGuard[nn.TransformerEncoder]:
    """Whether a module may pack padded texts into nested tensors."""
    return isinstance(module, nn.TransformerEncoder) and hasattr(module, "use_nested_tensor")


def keep_dense(module: nn.Module, frozen: bool) -> None:
    """Keep an encoder that is partly frozen from nested tensors where unfrozen it would use none."""
    _remove(module._forward_pre_hooks, _stay_dense)
    _remove(module._forward_hooks, _nest_again)
    if frozen:
        module.register_forward_pre_hook(_stay_dense)
        module.register_forward_hook(_nest_again, always_call=True)


def _remove(hooks: MutableMapping[int, Any], function: Callable[..., None]) -> bool:
    keys = [key for key, hook in hooks.items() if hook is function]
    for key in keys:
        del hooks[key]
    return bool(keys)
