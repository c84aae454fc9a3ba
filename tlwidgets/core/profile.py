"""What a model computes and keeps for its backward pass, measured once, without its weights.

One forward pass runs on tensors that have shapes and no values. Each call of a module is noted with its
floating-point operations, the tensors autograd saves in it, and which parameters its input and output depend
on. From these a plan's cost follows without running anything again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.flop_counter import flop_registry

from .collecting import collected_later
from .scan import Scan, scan, unwrap
from .untouched import left_as_it_was

DEFAULT_BATCH = 16
DEFAULT_TOKENS = 128
MOST_MODULES = 20_000

_Batch = tuple[
    tuple[tuple[Any, ...], dict[str, Any]], str
]  # arguments, keyword arguments; what it is, in words


@dataclass(frozen=True)
class Call:
    """One call of a module: its own work (that of the modules inside it is theirs).

    Attributes:
        flops: floating-point operations of its forward pass (a multiplication and an addition count 2).
        weights: bit set of the matrices and kernels it multiplies with.
        upstream: bit set of the parameters that its inputs depend on.
        downstream: bit set of the parameters that its outputs depend on, its own included.
    """

    flops: int
    weights: int
    upstream: int
    downstream: int


@dataclass(frozen=True)
class Saved:
    """A tensor kept for the backward pass: it is needed if any of its users needs it."""

    nbytes: int
    users: frozenset[tuple[int, bool]]  # (index of the call, only for the gradient of the call's own weights)


@dataclass(frozen=True)
class Profile:
    """Work and memory of one training step's forward pass.

    Attributes:
        calls, saved: see `Call` and `Saved`.
        sample: what the batch was, in words ("16 texts of 128 tokens").
    """

    calls: tuple[Call, ...]
    saved: tuple[Saved, ...]
    sample: str


@dataclass
class _Frame:
    module: nn.Module
    index: int


@dataclass
class _Recorder:
    parameters: dict[int, int]  # id of a meta leaf -> bit number
    flops: list[int] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    upstream: list[int] = field(default_factory=list)
    downstream: list[int] = field(default_factory=list)
    weight_only: list[bool] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    saved: dict[int, tuple[int, set[tuple[int, bool]]]] = field(default_factory=dict)
    kept: list[Tensor] = field(default_factory=list)  # keeps them alive, so that an id is not used twice
    masks: dict[Any, int] = field(default_factory=dict)

    def open(self, upstream: int, weights: int, own: int, weight_only: bool) -> int:
        self.flops.append(0)
        self.weights.append(weights)
        self.upstream.append(upstream)
        self.downstream.append(upstream | own)
        self.weight_only.append(weight_only)
        return len(self.flops) - 1


class _CountFlops(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's class has no types
    def __init__(self, recorder: _Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # likewise
        self.recorder = recorder

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        # Models ask whether an attention mask is all ones; the answer is yes: a batch without padding.
        if func is torch.ops.aten._local_scalar_dense.default and args[0].dtype == torch.bool:
            return True
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.recorder.flops[self.recorder.stack[-1].index] += count(*args, **(kwargs or {}), out_val=out)
        return out


def profile(model: nn.Module, sample: Any = None) -> Profile | None:
    """Measure `model` on `sample`, or on an example batch made from its configuration.

    Args:
        sample: a batch as the model takes it: a mapping of tensors, a tuple, or a tensor. Only shapes and
            types are used.

    Returns:
        The profile, or None where the model cannot run without values, no batch can be guessed, or one would
        have to be for a model of more than `MOST_MODULES`, for which that takes a minute.
    """
    model = unwrap(model)
    described = _described(sample) if sample is not None else _example(model)
    if described is None or type(model).forward is nn.Module.forward:
        return None
    inputs, words = described
    scanned = scan(model)
    if sample is None and len(scanned.modules) > MOST_MODULES:
        return None
    recorder = _Recorder({})
    try:
        replaced = _without_values(model, scanned, recorder)
        with contextlib.ExitStack() as stack:
            # First, so that it is the last to be undone; also dropout draws, even without values.
            stack.enter_context(collected_later())
            stack.enter_context(left_as_it_was(model, values=False))
            _instrument(scanned, recorder, stack)
            stack.enter_context(torch.enable_grad())
            stack.enter_context(
                torch.autograd.graph.saved_tensors_hooks(lambda t: _pack(recorder, t), lambda t: t)
            )
            stack.enter_context(_CountFlops(recorder))
            root = recorder.open(0, 0, 0, False)
            recorder.stack.append(_Frame(model, root))
            args, kwargs = inputs
            torch.func.functional_call(model, replaced, args, kwargs, strict=False)
    except Exception:  # whatever a model's own forward raises on tensors without values
        return None
    finally:
        # Autograd's nodes hold the recorder, and it holds them: a circle that Python cannot see.
        recorder.masks.clear()
        recorder.kept.clear()
        recorder.stack.clear()
    calls = tuple(
        Call(*numbers)
        for numbers in zip(
            recorder.flops, recorder.weights, recorder.upstream, recorder.downstream, strict=True
        )
    )
    saved = tuple(Saved(nbytes, frozenset(users)) for nbytes, users in recorder.saved.values())
    return Profile(calls, saved, words)


def _without_values(model: nn.Module, scanned: Scan, recorder: _Recorder) -> dict[str, Tensor]:
    """Weights and buffers of the same shapes, by name; the recorder knows the weights' numbers."""
    replaced: dict[str, Tensor] = {}
    for index, (name, parameter) in enumerate(zip(scanned.names, scanned.parameters, strict=True)):
        learns = parameter.is_floating_point() or parameter.is_complex()
        replaced[name] = nn.Parameter(_same_shape(parameter), requires_grad=learns)
        recorder.parameters[id(replaced[name])] = index
    for name, buffer in model.named_buffers():
        replaced[name] = _same_shape(buffer)
    return replaced


def _same_shape(tensor: Tensor) -> Tensor:
    """A tensor without values. `empty_like` does the same, and takes 20 times as long on this device."""
    if tensor.layout is not torch.strided:
        return torch.empty_like(tensor, device="meta")
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def _instrument(scanned: Scan, recorder: _Recorder, stack: contextlib.ExitStack) -> None:
    before, after = _before(recorder), _after(recorder)
    for module in {id(entry.module): entry.module for entry in scanned.modules}.values():
        handle = module.register_forward_pre_hook(before, with_kwargs=True, prepend=True)
        stack.callback(handle.remove)
        stack.callback(module.register_forward_hook(after, with_kwargs=True).remove)


def _before(recorder: _Recorder) -> Callable[..., None]:
    def hook(module: nn.Module, args: Any, kwargs: Any) -> None:
        upstream = 0
        for tensor in tree_flatten((args, kwargs))[0]:
            if isinstance(tensor, Tensor):
                upstream |= _mask(recorder, tensor)
        weights = own = 0
        for parameter in module._parameters.values():
            if parameter is not None and id(parameter) in recorder.parameters:
                own |= 1 << recorder.parameters[id(parameter)]
                weights |= own if parameter.dim() > 1 else 0
        # A linear layer keeps its input only for the gradient of its weight.
        names = type(module).__name__
        only = isinstance(module, (nn.Linear, nn.modules.conv._ConvNd, nn.Embedding)) or names == "Conv1D"
        recorder.stack.append(_Frame(module, recorder.open(upstream, weights, own, only)))

    return hook


def _after(recorder: _Recorder) -> Callable[..., None]:
    def hook(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        frame = recorder.stack.pop()
        mask = 0
        for tensor in tree_flatten(output)[0] if not hasattr(output, "to_tuple") else _tensors(output):
            if isinstance(tensor, Tensor):
                mask |= _mask(recorder, tensor)
        recorder.downstream[frame.index] |= mask

    return hook


def _tensors(output: Any) -> list[Any]:
    return tree_flatten(tuple(output.values()))[0]


def _mask(recorder: _Recorder, tensor: Tensor) -> int:
    """Which parameters a tensor depends on, read from its autograd graph."""
    if id(tensor) in recorder.parameters:
        return 1 << recorder.parameters[id(tensor)]
    if tensor.grad_fn is None:
        return 0
    masks = recorder.masks
    pending = [tensor.grad_fn]
    while pending:
        node = pending[-1]
        if node in masks:
            pending.pop()
            continue
        below = [following for following, _ in node.next_functions if following is not None]
        missing = [following for following in below if following not in masks]
        if missing:
            pending.extend(missing)
            continue
        variable = getattr(node, "variable", None)
        mask = 1 << recorder.parameters[id(variable)] if id(variable) in recorder.parameters else 0
        for following in below:
            mask |= masks[following]
        masks[node] = mask
        pending.pop()
    return masks[tensor.grad_fn]


def _pack(recorder: _Recorder, tensor: Tensor) -> Tensor:
    base = tensor if tensor._base is None else tensor._base
    if isinstance(base, nn.Parameter) or id(base) in recorder.parameters:
        return tensor  # weights are there anyway
    key = tensor.untyped_storage()._cdata
    frame = recorder.stack[-1]
    user = (frame.index, recorder.weight_only[frame.index])
    if key not in recorder.saved:
        recorder.saved[key] = (tensor.numel() * tensor.element_size(), set())
        recorder.kept.append(tensor)
    recorder.saved[key][1].add(user)
    return tensor


# -- batches -------------------------------------------------------------------------------------------------


def _described(sample: Any) -> _Batch:
    def meta(value: Any) -> Any:
        return torch.empty_like(value, device="meta") if isinstance(value, Tensor) else value

    if isinstance(sample, Mapping):
        kwargs = {key: meta(value) for key, value in sample.items() if key != "labels"}
        first = next((value for value in kwargs.values() if isinstance(value, Tensor)), None)
        return ((), kwargs), _in_words(first)
    args = tuple(tree_map(meta, sample)) if isinstance(sample, (tuple, list)) else (meta(sample),)
    return (args, {}), _in_words(args[0] if args else None)


def _in_words(tensor: Any) -> str:
    if not isinstance(tensor, Tensor):
        return "the given batch"
    if tensor.dim() == 2 and not tensor.is_floating_point():
        return f"{tensor.shape[0]} texts of {tensor.shape[1]} tokens"
    return "a batch of shape " + " x ".join(str(size) for size in tensor.shape)


def _example(model: nn.Module) -> _Batch | None:
    """A batch that fits a `transformers` model's configuration, or the first layer of a chain."""
    config = getattr(model, "config", None)
    main = getattr(model, "main_input_name", None)
    if config is None or not isinstance(main, str):
        return _example_of_chain(model)
    made = {main: _main_input(main, config)}
    if made[main] is None:
        return None
    if hasattr(config, "vision_config") and hasattr(config, "text_config"):
        made = {"input_ids": _tokens(config.text_config), "pixel_values": _image(config.vision_config)}
    elif getattr(config, "is_encoder_decoder", False):
        made["decoder_input_ids"] = _tokens(config)
    return ((), made), _in_words(made[main])


def _main_input(main: str, config: Any) -> Tensor | None:
    if main == "input_ids":
        return _tokens(getattr(config, "text_config", config))
    if main == "pixel_values":
        return _image(getattr(config, "vision_config", config))
    if main == "input_features":
        bins = getattr(config, "num_mel_bins", None)
        length = 2 * getattr(config, "max_source_positions", 0)
        return torch.empty(DEFAULT_BATCH, bins, length, device="meta") if bins and length else None
    if main == "input_values":
        return torch.empty(DEFAULT_BATCH, 16000, device="meta")
    return None


def _tokens(config: Any) -> Tensor:
    limits = [
        getattr(config, name, None)
        for name in ("max_position_embeddings", "n_positions", "max_target_positions")
    ]
    length = min([DEFAULT_TOKENS, *(limit for limit in limits if isinstance(limit, int) and limit > 4)])
    return torch.zeros(DEFAULT_BATCH, length, dtype=torch.long, device="meta")


def _image(config: Any) -> Tensor:
    size = getattr(config, "image_size", 224) or 224
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    return torch.empty(DEFAULT_BATCH, getattr(config, "num_channels", 3), height, width, device="meta")


def _example_of_chain(model: nn.Module) -> _Batch | None:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            sample = torch.empty(DEFAULT_BATCH, module.in_features, device="meta")
        elif isinstance(module, nn.Embedding):
            sample = torch.zeros(DEFAULT_BATCH, DEFAULT_TOKENS, dtype=torch.long, device="meta")
        elif isinstance(module, nn.Conv2d):
            sample = torch.empty(DEFAULT_BATCH, module.in_channels, 224, 224, device="meta")
        elif isinstance(module, nn.Conv1d):
            sample = torch.empty(DEFAULT_BATCH, module.in_channels, 1024, device="meta")
        else:
            continue
        return ((sample,), {}), _in_words(sample)
    return None
