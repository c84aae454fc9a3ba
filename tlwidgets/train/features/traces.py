"""Following some tensors through a forward pass: does what comes out depend on them?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Used(Exception):
    """The forward pass decided something by the value of a followed tensor."""


class Traces:
    """Follows tensors, and all that is computed from them, as long as this context lasts.

    Values alone would not tell: no comparison with NaN holds, so a branch on one is taken as if nothing were
    wrong.

    Raises:
        Used: a followed tensor's value is read (by an `if`, say).
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self._memory: dict[int, Tensor] = {}  # by the identity of their storage, which lives as long
        for tensor in tensors:
            self._follow(tensor)
        self._modes = _Reads(self), _Operations(self)

    def __enter__(self) -> Traces:
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(kind, error, traceback)

    def lead_to(self, value: object) -> bool:
        """Whether something depends on the tensors."""
        return any(
            isinstance(leaf, Tensor) and _storage(leaf) in self._memory for leaf in tree_flatten(value)[0]
        )

    def _follow(self, value: object) -> None:
        for leaf in tree_flatten(value)[0]:
            if isinstance(leaf, Tensor):
                self._memory.setdefault(_storage(leaf), leaf)


def _storage(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):  # sparse ones have none
        return id(tensor)


class _Operations(TorchDispatchMode):
    def __init__(self, traces: Traces) -> None:
        super().__init__()
        self._traces = traces

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = (args, kwargs or {})
        followed = self._traces.lead_to(given)
        if followed and func in _READS:
            raise Used
        out = func(*args, **(kwargs or {}))
        if followed:
            self._traces._follow(out)
            if func._schema.is_mutable:
                self._traces._follow(args[:1])
        return out


class _Reads(TorchFunctionMode):
    def __init__(self, traces: Traces) -> None:
        super().__init__()
        self._traces = traces

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in _TO_PYTHON and self._traces.lead_to(args):
            raise Used
        return func(*args, **(kwargs or {}))


_READS = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.masked_select.default,
}
_TO_PYTHON = {Tensor.tolist, Tensor.numpy, Tensor.__array__}
