"""Models rebuilt in torch from a weight file: the backbone, and the layer that did its source task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import Backbone, UnknownBackboneError, find_backbone
from .weights import checked_folder

if TYPE_CHECKING:
    from torch import Tensor, nn

_FROM_SCRATCH_MOMENTUM = (
    0.2  # of BatchNorm: with few steps, 0.01 would leave the statistics near where they began
)


def load_source_head(name: str) -> nn.Linear:
    """The layer with which a backbone's makers trained it: features in, scores of the source task out.

    `"efficientnet-lite0"`: (pictures, 1280) to (pictures, 1000), ImageNet's classes in the order of their WordNet ids, as in
    ILSVRC 2012. `"crepe-tiny"`: (..., 256) to (..., 360), steps of pitch from low to high, each with a sigmoid of its own.

    Raises `UnknownBackboneError` (also for a backbone that came without such a layer), `MissingWeightsError`,
    `DamagedWeightsError`.
    """
    record = find_backbone(name)
    if record.modality == "text":
        raise UnknownBackboneError(
            f"{name!r} has no layer of its source task apart. Image and audio backbones have one."
        )
    from torch import nn

    _, state = _states(record)
    head = nn.Linear(state["weight"].shape[1], state["weight"].shape[0])
    head.load_state_dict(state)
    return head.eval()


def build(record: Backbone, from_scratch: bool, seed: int) -> nn.Module:
    """The backbone of an image or audio record, in evaluation mode. Drawing weights leaves the random state alone."""
    checked_folder(record)
    import torch

    network = _network(record)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = network(momentum=_FROM_SCRATCH_MOMENTUM) if from_scratch else network()
    if not from_scratch:
        model.load_state_dict(_states(record)[0])
    return model.eval()


def _network(record: Backbone) -> type[nn.Module]:
    from . import crepe, efficientnet_lite

    return efficientnet_lite.EfficientNetLite if record.modality == "image" else crepe.Crepe


def _states(record: Backbone) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weights of the backbone and of the layer after it, from the installed package."""
    import torch

    from . import crepe, efficientnet_lite

    path = checked_folder(record) / record.files[0].path
    split = (efficientnet_lite if record.modality == "image" else crepe).split_state
    return split(torch.load(path, map_location="cpu", weights_only=True))
