"""Keeping frozen modules as they are, whatever the training loop does.

`requires_grad=False` is not enough: `model.train()` switches dropout and running statistics back on, and
`nn.Embedding(max_norm=)` rescales its rows at each look-up. A hook before a module's own forward puts it back in `eval`
each time. Hooks are functions of this module, so a held model can be pickled and copied, and they are told from the
model's own by identity.
"""

from __future__ import annotations

from torch import nn


def _stay_in_eval(module, args):
    if module.training:
        module.training = False


def _work_on_a_copy(module, args):
    weight = module._parameters["weight"]
    module.__dict__["_frozen_weight"] = weight
    module._parameters["weight"] = nn.Parameter(weight.detach().clone(), requires_grad=False)


def _put_weight_back(module, args, output):
    weight = module.__dict__.pop("_frozen_weight", None)
    if weight is not None:
        module._parameters["weight"] = weight


def is_held(module: nn.Module) -> bool:
    """Whether the module is kept in `eval`."""
    return any(hook is _stay_in_eval for hook in module._forward_pre_hooks.values())


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


def renormalises(module: nn.Module) -> bool:
    """Whether a look-up writes to the weight (`max_norm`)."""
    return isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.max_norm is not None


def protect_weight(module: nn.Module, frozen: bool) -> None:
    """Let a frozen embedding with `max_norm` rescale a copy of its rows: the same output, and nothing is written."""
    _remove(module._forward_pre_hooks, _work_on_a_copy)
    _remove(module._forward_hooks, _put_weight_back)
    if frozen:
        module.register_forward_pre_hook(_work_on_a_copy)
        module.register_forward_hook(_put_weight_back, always_call=True)


def _remove(hooks, function) -> bool:
    keys = [key for key, hook in hooks.items() if hook is function]
    for key in keys:
        del hooks[key]
    return bool(keys)
