"""Whether two tensors are equal but for rounding."""

from __future__ import annotations

import torch
from torch import Tensor

# Another batch size or padding changes the order of summation, and with it the last bits; dropout changes far
# more.
TOLERANCE = 1e-4

# Relative to the largest number: bfloat16 keeps 8 bits of each, through several layers.
HALF_TOLERANCE = 0.05

_AT_ONCE = 2**18  # numbers that are compared at a time


def alike(a: Tensor, b: Tensor, tolerance: float = TOLERANCE) -> bool:
    """Whether two tensors are equal but for rounding; the default allows another order of summation."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.is_complex():
        a, b = torch.view_as_real(a.resolve_conj()), torch.view_as_real(b.resolve_conj())
    if not a.dtype.is_floating_point:
        return torch.equal(a, b)
    if not a.numel():
        return True
    # Some at a time: logits of a whole vocabulary are large, and comparing takes several times as much
    # memory.
    parts = list(zip(torch.split(a.reshape(-1), _AT_ONCE), torch.split(b.reshape(-1), _AT_ONCE), strict=True))
    # Masks hold infinities.
    largest = max(float(one.abs().nan_to_num(nan=0.0, posinf=0.0).max()) for one, _ in parts)
    return all(
        torch.allclose(one, other, rtol=tolerance, atol=tolerance * largest, equal_nan=False)
        for one, other in parts
    )
