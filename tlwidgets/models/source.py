"""Models rebuilt in torch from a weight file: the backbone, and the layer that did its source task."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from .records import Backbone, UnknownBackboneError
from .registry import find_backbone
from .weights import checked_folder

if TYPE_CHECKING:
    from torch import Tensor, nn

# Of BatchNorm: with few steps, 0.01 would leave the statistics near where they began.
_FROM_SCRATCH_MOMENTUM = 0.2

State = dict[str, "Tensor"]


class Network(Protocol):
    """What the module named by `Backbone.network` defines."""

    def create(self, momentum: float = 0.01) -> nn.Module:
        """The backbone with new weights; `momentum` is BatchNorm's."""

    def split_state(self, state: State) -> tuple[State, State]:
        """The published weights as those of the backbone, and of the linear layer that did the source
        task.
        """


def load_source_head(name: str) -> nn.Linear:
    """The layer with which a backbone's makers trained it: features in, scores of the source task out.

    `"efficientnet-lite0"`: (pictures, 1280) to (pictures, 1000), ImageNet's classes in the order of their
    WordNet ids, as in ILSVRC 2012. `"crepe-tiny"`: (..., 256) to (..., 360), steps of pitch from low to high,
    each with a sigmoid of its own.

    Raises:
        UnknownBackboneError: there is no such backbone, or it comes without such a layer.
        MissingWeightsError, DamagedWeightsError: its package is not installed, or not intact.
    """
    record = find_backbone(name)
    if not record.network:
        raise UnknownBackboneError(
            f"{name!r} comes without the layer of its source task. Image and audio backbones have one."
        )
    from torch import nn

    _, state = _states(record)
    head = nn.Linear(state["weight"].shape[1], state["weight"].shape[0])
    head.load_state_dict(state)
    return head.eval()


def build(record: Backbone, from_scratch: bool, seed: int) -> nn.Module:
    """The backbone of a record that names its network, in evaluation mode. The random state stays as it
    was.
    """
    checked_folder(record)
    import torch

    create = _network(record).create
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = create(momentum=_FROM_SCRATCH_MOMENTUM) if from_scratch else create()
    if not from_scratch:
        model.load_state_dict(_states(record)[0])
    return model.eval()


def _network(record: Backbone) -> Network:
    return cast(Network, import_module(record.network))


def _states(record: Backbone) -> tuple[State, State]:
    """Weights of the backbone and of the layer after it, from the installed package."""
    import torch

    path = checked_folder(record) / record.files[0].path
    return _network(record).split_state(torch.load(path, map_location="cpu", weights_only=True))
