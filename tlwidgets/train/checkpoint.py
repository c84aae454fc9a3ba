"""Stopping a run and going on later, to the same bits."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

SCHEMA = 1


class CheckpointError(ValueError):
    """A checkpoint that is damaged, of another model, or of a run with other options."""


def save_checkpoint(path: Path, model: nn.Module, learned: Iterable[str], state: dict) -> None:
    """Write what a run needs to go on; an interrupted write leaves the older file whole.

    Of the model only the weights that `learned` names and the buffers are written, and a digest of the others.
    """
    learned = sorted(learned)
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    changing = [*learned, *(name for name, _ in model.named_buffers())]
    record = {
        "schema": SCHEMA,
        "learned": learned,
        "frozen": _digest(model, learned),
        "weights": {name: tensors[name].detach().clone() for name in changing},
        "names": _names(model),
        **state,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    torch.save(record, half)
    os.replace(half, path)


def load_checkpoint(path: Path, model: nn.Module, config: dict) -> dict:
    """Put the weights back into `model` and return the rest of the state.

    Raises:
        CheckpointError: nothing was changed.
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
    if record["names"] != _names(model):
        raise CheckpointError(
            f"{path} is a checkpoint of another model: {_difference(record['names'], _names(model))}. Give this run a path "
            "of its own, or make the model that the checkpoint was made of."
        )
    if record["config"] != config:
        raise CheckpointError(
            f"{path} is a checkpoint of a run with other options: {_difference(record['config'], config)}. Use the same "
            "options to go on with it, or another path."
        )
    if record["frozen"] != _digest(model, record["learned"]):
        raise CheckpointError(
            f"The frozen weights of this model are not those that {path} was trained with. Load the same pretrained "
            "weights again, or use another path."
        )
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    with torch.no_grad():
        for name, value in record["weights"].items():
            tensors[name].copy_(value)
    return record


def _digest(model: nn.Module, learned: Iterable[str]) -> str:
    """Of the weights that never learned: what was learned is only right on top of the same ones."""
    digest, learned = hashlib.sha256(), set(learned)
    for name, parameter in model.named_parameters():
        if name not in learned and parameter.device.type != "meta" and parameter.numel():
            flat = parameter.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(name.encode())
            digest.update(memoryview(flat.numpy()))
    return digest.hexdigest()


def _names(model: nn.Module) -> dict[str, list]:
    return {name: [*parameter.shape] for name, parameter in model.named_parameters()}


def _difference(one: dict, other: dict) -> str:
    for key in [*one, *other]:
        if one.get(key) != other.get(key):
            return f"{key} was {one.get(key, 'absent')!r} and is {other.get(key, 'absent')!r}"[:300]
    return "the order differs"
