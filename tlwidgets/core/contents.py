"""What a tensor holds, whatever its layout: its bytes, a copy, and whether two hold the same.

Sparse and nested tensors have no memory of their own to read: they are a few dense tensors, which are
compared in their place.
"""

from __future__ import annotations

import torch
from torch import Tensor


def dense_parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """The dense tensors that hold a tensor's content: itself, or e.g. indices and values of a sparse one."""
    tensor = tensor.detach()
    if tensor.is_nested:
        return tuple(tensor.unbind())
    if tensor.layout is torch.sparse_coo:
        return tensor._indices(), tensor._values()
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        return tensor.crow_indices(), tensor.col_indices(), tensor.values()
    if tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        return tensor.ccol_indices(), tensor.row_indices(), tensor.values()
    if tensor.layout is not torch.strided:
        return (tensor.to_dense(),)
    if tensor.is_quantized:
        return (tensor.int_repr(), tensor.dequantize())
    return (tensor.resolve_conj().resolve_neg(),)


def tensor_bytes(tensor: Tensor) -> memoryview:
    """Every byte of a dense tensor, in the order of its elements."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")


def copy_of(tensor: Tensor) -> Tensor:
    """A copy in main memory that later writes do not reach."""
    copied = tensor.detach().to("cpu", copy=True)
    return copied.contiguous() if _is_dense(copied) else copied


def same_bytes(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same bits, in the same type, shape and layout.

    So NaN equals itself, and -0.0 differs from 0.0.
    """
    if (one.shape, one.dtype, one.layout) != (other.shape, other.dtype, other.layout):
        return False
    parts = dense_parts(one), dense_parts(other)
    return len(parts[0]) == len(parts[1]) and all(
        a.shape == b.shape and torch.equal(_as_bytes(a), _as_bytes(b)) for a, b in zip(*parts, strict=True)
    )


def _as_bytes(tensor: Tensor) -> Tensor:
    return tensor.cpu().contiguous().reshape(-1).view(torch.uint8)


def _is_dense(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_nested
