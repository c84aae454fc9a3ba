"""Calls in the old order, with the plan, tree or name before the model: understood for one more release."""

from __future__ import annotations

import warnings
from typing import Any


def model_first(
    first: object, second: object, model: type | tuple[type, ...], call: str, stacklevel: int = 3
) -> tuple[Any, Any]:
    """The two arguments, the model first; where they were swapped, a warning gives `call`, the new order.

    Args:
        model: the types by which the argument that comes first is known.
    """
    if isinstance(first, model) or not isinstance(second, model):
        return first, second
    warnings.warn(
        f"The model comes first now: write {call}. The old order still works, until the next release.",
        FutureWarning,
        stacklevel=stacklevel,
    )
    return second, first
