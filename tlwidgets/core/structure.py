"""A model's modules and parameters, held while somebody follows the model, so that they are found once.

Each click of a panel asks what the model is now. To walk a model of sixty thousand modules takes a second; to
see that it still is what was walked, and to read its flags, takes hundredths.
"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter, is_, truth
from typing import Any, NamedTuple

import torch
from torch import nn

from .hold import SPECIAL, is_held_by
from .scan import Scan, scan

_LEARNS, _TRAINS = attrgetter("requires_grad"), attrgetter("training")


class Flags(NamedTuple):
    """What may change while the structure stays: one byte, 0 or 1, for each parameter or module."""

    learns: bytes
    training: bytes
    held: bytes


class Structure:
    """A scanned model. It keeps the model alive.

    Attributes:
        scan: of the model.
        modules: each module once, in the order in which they are met first, which is that of their numbers.
        names: of each module, by its first name.
        parameter_names: canonical names.
        model: the model.
        special: the modules that do more at each forward pass than others when they are frozen.

    Raises:
        TypeError: `model` is not an `nn.Module`.
        NoParametersError: it has no parameter, or lazy ones that have no shape yet.
    """

    def __init__(self, model: nn.Module) -> None:
        self.scan: Scan = scan(model)
        first = {id(entry.module): entry for entry in reversed(self.scan.modules)}
        met = dict.fromkeys(id(entry.module) for entry in self.scan.modules)
        self.modules = [first[key].module for key in met]
        self.names = tuple(first[key].name for key in met)
        self.parameter_names = tuple(self.scan.names)
        self.model = model
        self.special = [module for module in self.modules if isinstance(module, SPECIAL)]
        self._hooks = [module._forward_pre_hooks for module in self.modules]
        # Views, which show what is in a table whenever they are read. A scripted module has no such tables.
        tables: list[dict[str, Any]] = list(
            chain.from_iterable((module._parameters, module._modules) for module in self.modules)
        )
        self._plain = all(isinstance(table, dict) for table in tables)
        self._tables = tables if self._plain else []
        self._held = [table.values() for table in self._tables]
        self._keys = list(chain.from_iterable(self._tables))
        self._content = list(chain.from_iterable(self._held))

    def holds(self) -> bool:
        """Whether the model still has the same modules and parameters under the same names."""
        content = list(chain.from_iterable(self._held))
        return (
            self._plain
            and len(content) == len(self._content)
            and all(map(is_, content, self._content))
            and list(chain.from_iterable(self._tables)) == self._keys
        )

    def flags(self) -> Flags:
        """What learns, which modules are in training mode, and which are kept in `eval`."""
        return Flags(
            bytes(map(_LEARNS, self.scan.parameters)),
            bytes(map(truth, map(_TRAINS, self.modules))),
            bytes([is_held_by(hooks) if hooks else False for hooks in self._hooks]),
        )

    def devices(self) -> frozenset[torch.device]:
        """Where the parameters are."""
        return frozenset(parameter.device for parameter in self.scan.parameters)
