"""What can go wrong in the middle of a training, in sentences."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from .records import Run

UNMEASURED_TEST = "The test accuracy could not be measured"


class TrainingError(RuntimeError):
    """Training cannot continue. `run` has what was measured until then."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether the device or the system had no memory left; torch has no error of its own for the latter."""
    words = ("can't allocate memory", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError) or any(each in str(error) for each in words)


def out_of_memory_message(step: int, batch_size: int) -> str:
    """What to do about it; `step` is the one that could not be made."""
    return (
        f"The device ran out of memory at step {step}. Freeze more layers, or take a smaller batch than "
        f"{batch_size} (accumulate=2 with half the batch gives the same steps)."
    )


def not_finite_message(
    loss: float, step: int, rate: float, where: str, example: int | None, precision: str
) -> str:
    """What to do about a loss that is infinite or NaN.

    Args:
        loss, step: what it was at which step.
        rate: the learning rate.
        where: what `find_not_finite` found.
        example: what `find_example` found.
        precision: as in `TrainConfig`.
    """
    words = [f"The loss became {loss} at step {step}."]
    if where:
        words.append(f"It began in {where}.")
    if example is not None:
        words.append(f"Training example {example} (counted from 0) has such a loss: look at it first.")
    if where == "the inputs":
        words.append("Expected finite numbers: find what is NaN or infinite, and replace it or leave it out.")
    elif precision == "fp16" and not where.startswith("the weights"):
        words.append(_HALF_REMEDY)
    elif step == 1:
        words.append("No step had been made: look at the loaded weights, the inputs' size, and the loss.")
    elif example is not None:
        words.append(f"If nothing is wrong with it, try a tenth of {rate:g} as learning rate.")
    else:
        words.append(
            "A learning rate that is too high is the usual cause: "
            f"try a tenth of {rate:g}; then look for NaN or huge numbers in the inputs."
        )
    return " ".join(words)


def bad_gradient_message(weight: str, others: int, step: int, example: int | None, precision: str) -> str:
    """What to do about a gradient that is not finite, although the loss is.

    Args:
        weight, others: what `find_gradient` found; how many there are besides.
        step: the one that was not made.
        example: what `find_example` found.
        precision: as in `TrainConfig`.
    """
    also = f" (and of {others} weights before it)" if others else ""
    words = [
        f"The loss of step {step} is finite, but the gradient of `{weight}`{also} is not, so the step was "
        "not made: the weights are as they were."
    ]
    if example is not None:
        words.append(f"Training example {example} (counted from 0) has such a gradient: look at it first.")
    if precision == "fp16":
        words.append(_HALF_REMEDY)
    else:
        words.append(
            "It began in that layer or after it. Usual causes: the root or the logarithm of 0, a division by "
            "0, a row of attention in which everything is masked."
        )
    return " ".join(words)


def endless_skipping_message(weight: str, skipped: int, step: int) -> str:
    """What to do about steps that the scaler of "fp16" leaves out one after the other."""
    return (
        f"The last {skipped} steps up to step {step} were left out, as the gradient of `{weight}` was not "
        f"finite, however small the loss was scaled. {_HALF_REMEDY} Otherwise look for the root or the "
        "logarithm of 0."
    )


_HALF_REMEDY = "Numbers over 65,504 overflow in float16: precision='bf16' or 'fp32' has room for them."


def half_message(weight: str) -> str:
    """What to do about weights in float16 that are to be trained."""
    return (
        f"`{weight}` is float16, in which weights cannot be trained: small steps and AdamW's epsilon "
        "round to 0, and what is divided by them overflows. Expected float32: call model.float(), and pass "
        "precision='fp16' (on a GPU) or 'bf16' to compute in half precision."
    )


def half_weight(model: nn.Module, names: Collection[str] | None = None) -> str:
    """The first weight in float16 that is to be trained (None: that learns now); "" where there is none."""
    for name, weight in model.named_parameters():
        if weight.dtype == torch.float16 and (weight.requires_grad if names is None else name in names):
            return name
    return ""
