"""Stopping a run and going on later, to the same bits: what has to be written, and what has to fit."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

SCHEMA = 2


class CheckpointError(ValueError):
    """A checkpoint that is damaged, of another model, or of a run with other options."""


def record_of(model: nn.Module, learned: Iterable[str], frozen: str, state: dict) -> dict:
    """What a run needs to go on: `state`, and of the model only the weights that `learned` names and the buffers.

    `frozen` is `frozen_digest(model, learned)`. Weights are not copied: write the record before the next step.
    """
    learned = sorted(learned)
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    changing = [*learned, *(name for name, _ in model.named_buffers())]
    return {
        "schema": SCHEMA,
        "learned": learned,
        "frozen": frozen,
        "weights": {name: tensors[name].detach().clone() for name in changing},
        "names": _names(model),
        **state,
    }


def write_record(path: Path, record: dict) -> None:
    """Write to a file; an interrupted write leaves the older file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    torch.save(record, half)
    os.replace(half, path)


def read_record(path: Path) -> dict:
    """Read what `write_record` wrote.

    Raises:
        CheckpointError: it is damaged, or of another version.
    """
    try:
        record = torch.load(path, map_location="cpu", weights_only=True)
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
        raise CheckpointError(
            f"{path} holds no whole checkpoint ({str(error).splitlines()[0] if str(error) else type(error).__name__}). "
            "Expected a file that fit(checkpoint=...) wrote; remove it to start anew."
        ) from error
    if schema != SCHEMA:
        raise CheckpointError(
            f"{path} has version {schema!r}, and version {SCHEMA} was expected. Update the course's package, or remove the "
            "file to start anew."
        )
    return record


def load_checkpoint(path: Path, model: nn.Module, config: dict) -> dict:
    """Read a checkpoint that goes with this model and these options.

    Raises:
        CheckpointError: it does not, or is damaged. Nothing was changed.
    """
    record = read_record(path)
    difference = shape_difference(record, model)
    if difference:
        raise CheckpointError(
            f"{path} is a checkpoint of another model: {difference}. Give this run a path of its own, or make the model "
            "that the checkpoint was made of."
        )
    if record["config"] != config:
        raise CheckpointError(
            f"{path} is a checkpoint of a run with other options: {_difference(record['config'], config)}. Use the same "
            "options to go on with it, or another path."
        )
    if record["frozen"] != frozen_digest(model, record["learned"]):
        raise CheckpointError(
            f"The frozen weights of this model are not those that {path} was trained with. Load the same pretrained "
            "weights again, or use another path."
        )
    return record


@torch.no_grad()
def put_weights(weights: dict[str, torch.Tensor], model: nn.Module) -> None:
    """Copy weights and buffers, by name, into `model`."""
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, value in weights.items():
        tensors[name].copy_(value)


def frozen_digest(model: nn.Module, learned: Iterable[str]) -> str:
    """Of the weights that never learned: what was learned is only right on top of the same ones."""
    digest, learned = hashlib.sha256(), set(learned)
    for name, parameter in model.named_parameters():
        if name not in learned and parameter.device.type != "meta" and parameter.numel():
            flat = parameter.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(name.encode())
            digest.update(memoryview(flat.numpy()))
    return digest.hexdigest()


def shape_difference(record: dict, model: nn.Module) -> str:
    """Empty, or in words how this model differs from the one that the record was made of."""
    return "" if record["names"] == _names(model) else _difference(record["names"], _names(model))


def _names(model: nn.Module) -> dict[str, list]:
    return {name: [*parameter.shape] for name, parameter in model.named_parameters()}


def _difference(one: dict, other: dict) -> str:
    for key in [*one, *other]:
        if one.get(key) != other.get(key):
            return f"{key} was {one.get(key, 'absent')!r} and is {other.get(key, 'absent')!r}"[:300]
    return "the order differs"
