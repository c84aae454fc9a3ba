"""Stopping a run and continuing it later, to the same bits: what has to be written, and what has to match."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..core.contents import tensor_bytes

SCHEMA = 2


class LoopPosition(NamedTuple):
    """Before which batch of which pass a run is.

    Attributes:
        epoch: the pass, from 1.
        batch: the batch within it, from 0.
        order: state of the random numbers of the examples' order, at the start of the pass.
        entered: whether the pass has begun, so that what its beginning does to the plan is done.
    """

    epoch: int
    batch: int
    order: Tensor
    entered: bool


class CheckpointError(ValueError):
    """A checkpoint that is damaged, of another model, or of a run with other options."""


def make_record(
    model: nn.Module, learned: Iterable[str], frozen: str, state: Mapping[str, Any]
) -> dict[str, Any]:
    """What a run needs to go on: `state`, the weights that `learned` names, and the buffers.

    `frozen` is `frozen_digest(model, learned)`. The optimizer's state is not copied: write the record before
    the next step.
    """
    names = sorted(learned)
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    changing = [*names, *(name for name, _ in model.named_buffers())]
    return {
        "schema": SCHEMA,
        "learned": names,
        "frozen": frozen,
        "weights": {name: tensors[name].detach().clone() for name in changing},
        "names": _shapes(model),
        **state,
    }


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write to a file; an interrupted write leaves the older file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    torch.save(record, half)
    os.replace(half, path)


def read_record(path: Path) -> dict[str, Any]:
    """Read what `write_record` wrote.

    Raises:
        CheckpointError: it is damaged, or of another version.
    """
    try:
        record: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        schema = record["schema"]
    except (
        OSError,
        RuntimeError,
        KeyError,
        TypeError,
        EOFError,
        ValueError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path} holds no whole checkpoint ({cause}). Expected a file that fit(checkpoint=...) wrote; "
            "remove it to start anew."
        ) from error
    if schema != SCHEMA:
        raise CheckpointError(
            f"{path} has version {schema!r}, and version {SCHEMA} was expected. Update the course's package, "
            "or remove the file to start anew."
        )
    return record


def load_checkpoint(
    model: nn.Module, path: Path, config: Mapping[str, Any], different: Callable[[Mapping[str, Any]], str]
) -> dict[str, Any]:
    """Read a checkpoint that goes with this model and these options (`Run.config`).

    `different` is told what else it rests on, and returns what is not the same now.

    Raises:
        CheckpointError: it does not go with them, or is damaged. Nothing was changed.
    """
    record = read_record(path)
    difference = shape_difference(model, record)
    if difference:
        raise CheckpointError(
            f"{path} is a checkpoint of another model: {difference}. Give this run a path of its own, or "
            "make the model that the checkpoint was made of."
        )
    if record["config"] != config:
        raise CheckpointError(
            f"{path} is a checkpoint of a run with other options: {_difference(record['config'], config)}. "
            "Use the same options to continue it, or another path."
        )
    difference = different(record["made_of"]) if "made_of" in record else ""  # older ones lack it
    if difference:
        raise CheckpointError(
            f"{path} is a checkpoint of another training: {difference}. Use the same data and functions to "
            "continue it, or another path."
        )
    if record["frozen"] != frozen_digest(model, record["learned"]):
        raise CheckpointError(
            f"The frozen weights of this model are not those that {path} was trained with. Load the same "
            "pretrained weights again, or use another path."
        )
    return record


@torch.no_grad()
def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy weights and buffers, by name, into `model`."""
    buffers = dict(model.named_buffers())
    tensors = dict(model.named_parameters()) | buffers
    for name, value in weights.items():
        tensor = tensors[name]
        if name in buffers and tensor.shape != value.shape:  # one that grows, such as a queue of examples
            owner, _, key = name.rpartition(".")
            model.get_submodule(owner)._buffers[key] = value.to(tensor.device, copy=True)
        elif name not in buffers or not torch.equal(tensor, value.to(tensor.device)):
            tensor.copy_(value)  # expanded buffers cannot be written to, nor do they change


def frozen_digest(model: nn.Module, learned: Iterable[str]) -> str:
    """SHA-256 of the weights that never learned: what was learned is right only on top of the same ones."""
    digest, ever_learned = hashlib.sha256(), set(learned)
    for name, parameter in model.named_parameters():
        if name not in ever_learned and parameter.device.type != "meta" and parameter.numel():
            digest.update(name.encode())
            digest.update(tensor_bytes(parameter))
    return digest.hexdigest()


def shape_difference(model: nn.Module, record: Mapping[str, Any]) -> str:
    """How this model differs in shape from the one that the record was made of; "" if it does not."""
    names = _shapes(model)
    return "" if record["names"] == names else _difference(record["names"], names)


def _shapes(model: nn.Module) -> dict[str, list[int]]:
    return {name: [*parameter.shape] for name, parameter in model.named_parameters()}


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    for key in [*one, *other]:
        if one.get(key) != other.get(key):
            return f"{key} was {one.get(key, 'absent')!r} and is {other.get(key, 'absent')!r}"[:300]
    return "the order differs"
