"""A strict comparison that says what differs: type, then dtype, shape, finiteness, and only then values."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .evidence import held
from .mistakes import CheckFailed


def same(found, expected, what: str, *, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Compare a result with what was expected; numbers and tensors within tolerance, everything else exactly.

    Types are compared exactly, so an object whose `==` is always true is not taken for the answer.

    Raises:
        CheckFailed: with the first difference, in words.
    """
    _compare(found, expected, what, rtol, atol)
    held()


def _compare(found, expected, what: str, rtol: float, atol: float) -> None:
    if type(found) is not type(expected):
        raise CheckFailed(
            f"{what} is a {type(found).__name__}, and a {type(expected).__name__} was expected."
        )
    if isinstance(expected, Tensor):
        _same_tensor(found, expected, what, rtol, atol)
    elif isinstance(expected, float):
        if not math.isfinite(found):
            raise CheckFailed(f"{what} is {found}, and a finite number was expected.")
        if not math.isclose(found, expected, rel_tol=rtol, abs_tol=atol):
            raise CheckFailed(f"{what} is {found:.6g}, and {expected:.6g} was expected.")
    elif isinstance(expected, (list, tuple)):
        if len(found) != len(expected):
            raise CheckFailed(f"{what} has {len(found)} items, and {len(expected)} were expected.")
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            _compare(one, other, f"{what}, item {place}", rtol, atol)
    elif isinstance(expected, dict):
        if set(found) != set(expected):
            raise CheckFailed(f"{what} has the keys {sorted(found)}, and {sorted(expected)} were expected.")
        for key in expected:
            _compare(found[key], expected[key], f"{what}[{key!r}]", rtol, atol)
    elif found != expected:
        raise CheckFailed(f"{what} is {found!r}, and {expected!r} was expected.")


def _same_tensor(found: Tensor, expected: Tensor, what: str, rtol: float, atol: float) -> None:
    if found.dtype != expected.dtype:
        raise CheckFailed(f"{what} has dtype {found.dtype}, and {expected.dtype} was expected.")
    if found.shape != expected.shape:
        raise CheckFailed(f"{what} has shape {tuple(found.shape)}, and {tuple(expected.shape)} was expected.")
    if not torch.isfinite(found).all():
        raise CheckFailed(f"{what} has NaN or infinite values, and finite ones were expected.")
    close = torch.isclose(found, expected, rtol=rtol, atol=atol)
    if not close.all():
        worst = float((found - expected).abs().max())
        raise CheckFailed(
            f"{what} differs in {int((~close).sum())} of {close.numel()} values, by up to {worst:.3g}."
        )
