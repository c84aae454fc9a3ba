"""LoRA: small additions that learn beside weights that stay (Hu et al. 2022), through the `peft` package."""

from __future__ import annotations

from torch import nn

from ..core import FreezeError, ModelTree


def add_lora(
    model: nn.Module,
    *,
    rank: int = 8,
    alpha: float | None = None,
    layers: int | None = None,
    dropout: float = 0.0,
) -> nn.Module:
    """Put a low-rank addition beside each matrix of the model's layers, in place; returns the model.

    The additions begin at zero, so the model computes what it did. Train them, and the head, with
    `FreezePlan.preset("lora", ModelTree.of(model))`.

    Args:
        rank: width of the bottleneck; `rank * (inputs + outputs)` weights learn beside a matrix.
        alpha: the addition is scaled by `alpha / rank`; None takes twice the rank.
        layers: only the last so many layers; None takes all.
        dropout: of what goes into the addition, while it trains.

    Raises:
        ModuleNotFoundError: `peft` is not installed.
        FreezeError: the model has no layers with matrices, or has additions already.
        ValueError: `rank` or `layers` is no whole number in range.
    """
    peft = _peft()
    tree = ModelTree.of(model)
    _check(tree, rank, layers)
    chosen = tree.layers if layers is None else tree.layers[-layers:]
    targets = [name for name, module in model.named_modules() if _is_matrix(module) and _inside(name, chosen)]
    if not targets:
        raise FreezeError(
            f"The layers of this {tree.model_type} hold no linear matrices to put LoRA beside. Freeze and thaw whole layers "
            "instead."
        )
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=2 * rank if alpha is None else alpha,
        lora_dropout=dropout,
        target_modules=targets,
        fan_in_fan_out=any(type(model.get_submodule(name)).__name__ == "Conv1D" for name in targets),
    )
    peft.inject_adapter_in_model(config, model)
    return model


def merge_lora(model: nn.Module) -> nn.Module:
    """Add what the additions learned to the weights beside them, and remove them, in place; returns the model.

    The merged model computes the same, up to the last bits, and costs what it did before LoRA.

    Raises:
        ModuleNotFoundError: `peft` is not installed.
        FreezeError: the model has no additions.
    """
    _peft()
    from peft.tuners.lora import LoraLayer

    found = [(name, module) for name, module in model.named_modules() if isinstance(module, LoraLayer)]
    if not found:
        raise FreezeError("This model has no LoRA to merge. add_lora(model) puts it in.")
    for name, module in found:
        module.merge()
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, module.get_base_layer())
    return model


def _peft():
    try:
        import peft
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "LoRA needs the package peft, which is not installed. Run `tlcourse setup`, then restart the kernel."
        ) from error
    return peft


def _check(tree: ModelTree, rank: int, layers: int | None) -> None:
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ValueError(f"rank is {rank!r}. Expected a whole number of at least 1, such as 8.")
    if any(".lora_" in name for name in tree.parameter_names):
        raise FreezeError("This model has LoRA already. merge_lora(model) takes it out.")
    if not tree.layers:
        raise FreezeError(f"This {tree.model_type} has no list of layers to put LoRA into.")
    most = len(tree.layers)
    if layers is not None and (
        isinstance(layers, bool) or not isinstance(layers, int) or not 1 <= layers <= most
    ):
        raise ValueError(f"layers is {layers!r}. Expected None (all), or a whole number from 1 to {most}.")


def _is_matrix(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def _inside(name: str, groups: tuple[str, ...]) -> bool:
    return any(name == group or name.startswith(group + ".") for group in groups)
