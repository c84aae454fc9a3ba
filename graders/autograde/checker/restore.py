"""Applies to the checker's arguments what a student's function changed in its copies of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def restore(old: object, new: object) -> object:
    """Change an argument into what a function made of it; keeps the same object if that is possible."""
    return _changed_into(old, new) if type(old) is type(new) else new


def _changed_into(old: object, new: Any) -> object:
    """The same for two objects of one type."""
    if type(old) is list:
        old[:] = [*map(restore, old, new), *new[len(old) :]]
    elif type(old) is dict:
        merged = {key: restore(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is set:
        old.clear()
        old.update(new)
    elif type(old) is tuple:
        parts = [*map(restore, old, new), *new[len(old) :]]
        same = len(old) == len(parts) and all(one is other for one, other in zip(old, parts, strict=True))
        return old if same else tuple(parts)
    elif isinstance(old, Tensor):
        with torch.no_grad():
            if old.shape != new.shape or old.dtype != new.dtype:
                old.data = new.detach()
            elif not torch.equal(old, new):
                old.copy_(new)
    elif (
        type(old) is np.ndarray and old.shape == new.shape and old.dtype == new.dtype and old.flags.writeable
    ):
        old[...] = new
    else:
        return new
    return old
