"""LoRA: small additions that learn beside weights that stay (Hu et al. 2022), through the `peft` package."""

from __future__ import annotations

import math
from types import ModuleType

from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..core import FreezeError, ModelTree
from .whole_numbers import check_whole_number, is_whole_number


def add_lora(
    model: nn.Module,
    *,
    rank: int = 8,
    alpha: float | None = None,
    layers: int | None = None,
    dropout: float = 0.0,
) -> nn.Module:
    """Put a low-rank addition beside each matrix of the model's layers, in place; returns the model.

    The additions start at zero, so the model still computes the same. Train them, and the head, with
    `FreezePlan.preset(model, "lora")`.

    Args:
        rank: width of the bottleneck; `rank * (inputs + outputs)` weights learn beside a matrix.
        alpha: the addition is scaled by `alpha / rank`; None takes twice the rank.
        layers: how many layers, counted from the last of each tower; None takes all.
        dropout: of what goes into the addition, while it trains; not in PyTorch's own attention layers.

    Raises:
        ModuleNotFoundError: `peft` is not installed.
        FreezeError: the model has no layers with matrices, or has additions already, or PyTorch's own
            attention, and there was to be dropout.
        ValueError: `rank` or `layers` is not a whole number in range.
    """
    peft = _peft()
    tree = ModelTree.of(model)
    _check(tree, rank, layers)
    chosen = tuple(layer for tower in tree.towers for layer in (tower if layers is None else tower[-layers:]))
    modules = {name: module for name, module in model.named_modules() if _inside(name, chosen)}
    bare = [weight for name in modules for weight in _weights_read_directly(model, name)]
    taken = {name for name, _ in bare}
    targets = [name for name, module in modules.items() if _is_matrix(module) and name not in taken]
    if not targets and not bare:
        raise FreezeError(
            f"The layers of this {tree.model_type} have no linear matrices to put LoRA beside. Freeze and "
            "thaw whole layers instead."
        )
    if bare and dropout:
        raise FreezeError(
            f"PyTorch's own attention layers ({bare[0][0]!r}) read their matrices, so LoRA is added to these "
            f"and there is no input to drop. Expected dropout=0.0; got {dropout!r}."
        )
    scale = (2 * rank if alpha is None else alpha) / rank
    if targets:
        config = peft.LoraConfig(
            r=rank,
            lora_alpha=scale * rank,
            lora_dropout=dropout,
            target_modules=targets,
            fan_in_fan_out=any(type(model.get_submodule(name)).__name__ == "Conv1D" for name in targets),
        )
        peft.inject_adapter_in_model(config, model)
    for name, weight in bare:
        module = model.get_submodule(name)
        parametrize.register_parametrization(module, weight, LowRank(getattr(module, weight), rank, scale))
    return model


class LowRank(nn.Module):
    """A low-rank addition to a matrix that is read, and not called (`nn.MultiheadAttention`'s)."""

    def __init__(self, matrix: Tensor, rank: int, scale: float) -> None:
        super().__init__()
        outputs, inputs = matrix.shape
        self.scale = scale
        self.lora_A = nn.Parameter(matrix.new_empty(rank, inputs))
        self.lora_B = nn.Parameter(matrix.new_zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, matrix: Tensor) -> Tensor:
        """The matrix with the addition, in its shape."""
        return matrix + self.scale * (self.lora_B @ self.lora_A)


def _weights_read_directly(model: nn.Module, name: str) -> list[tuple[str, str]]:
    """The matrices of a module that PyTorch's own code reads, so that a layer put around them is passed over.

    `nn.MultiheadAttention` never calls its output projection, and `nn.TransformerEncoderLayer` in evaluation
    calls none of its layers. Each as (name of the module, name of the weight).
    """
    module = model.get_submodule(name)
    if isinstance(module, nn.MultiheadAttention):
        own = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
        found = [(name, weight) for weight in own if getattr(module, weight, None) is not None]
        return [*found, (f"{name}.out_proj", "weight")]
    if isinstance(module, nn.TransformerEncoderLayer):
        return [(f"{name}.{child}", "weight") for child in ("linear1", "linear2")]
    return []


def merge_lora(model: nn.Module) -> nn.Module:
    """Add what was learned to the weights beside it, and remove the additions, in place; returns the model.

    The merged model computes the same, except for the last bits, and costs what it did before LoRA.

    Raises:
        ModuleNotFoundError: `peft` is not installed.
        FreezeError: the model has no additions.
    """
    _peft()
    from peft.tuners.lora import LoraLayer

    found = [(name, module) for name, module in model.named_modules() if isinstance(module, LoraLayer)]
    bare = [
        (module, weight)
        for module in model.modules()
        if parametrize.is_parametrized(module)
        for weight, additions in module.get_submodule("parametrizations").named_children()
        if isinstance(additions, parametrize.ParametrizationList) and isinstance(additions[-1], LowRank)
    ]
    if not found and not bare:
        raise FreezeError("This model has no LoRA to merge. add_lora(model) puts it in.")
    for module, weight in bare:
        parametrize.remove_parametrizations(module, weight, leave_parametrized=True)
    for name, module in found:
        module.merge()
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, module.get_base_layer())
    return model


def _peft() -> ModuleType:
    try:
        import peft
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "LoRA needs the package peft, which is not installed. Run `tlcourse setup`, then restart the "
            "kernel."
        ) from error
    found: ModuleType = peft
    return found


def _check(tree: ModelTree, rank: int, layers: int | None) -> None:
    check_whole_number("rank", rank, more=", such as 8")
    if any(".lora_" in name for name in tree.parameter_names):
        raise FreezeError("This model has LoRA already. merge_lora(model) takes it out.")
    if not tree.layers:
        raise FreezeError(f"This {tree.model_type} has no list of layers to put LoRA into.")
    most = max(map(len, tree.towers))
    if layers is not None and (not is_whole_number(layers) or layers > most):
        raise ValueError(f"layers is {layers!r}. Expected None (all), or a whole number from 1 to {most}.")


def _is_matrix(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def _inside(name: str, groups: tuple[str, ...]) -> bool:
    return any(name == group or name.startswith(group + ".") for group in groups)
