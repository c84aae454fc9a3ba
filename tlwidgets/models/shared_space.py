"""Projections of several modalities into one space, where what belongs together lies together."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .mlp import Mlp
from .modalities import by_name, check_dims, check_share, clean, pooled

TEMPERATURE = 0.07  # to begin with
MAX_SCALE = 100.0  # of 1 / temperature


class SharedSpace(nn.Module):
    """A projection for each modality, from features of a frozen backbone to points on the unit sphere, and a
    temperature.

    CLIP's two heads and learned temperature (Radford et al. 2021), for two modalities or more: 1 /
    temperature begins at 1 / 0.07 and is kept at 100 at most, as published. CLIP's projections are linear and
    its backbones learn; here those are frozen, so that each projection has a hidden layer.

    Args:
        dims: width of each modality's features, by name.
        width: of the space.
        hidden: width of each projection's hidden layer.
        dropout: of single features, in training; much of it, since pairs are few where features are wide.
        seed: draws the weights; the caller's random state is left as it was.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        width: int = 128,
        hidden: int = 512,
        dropout: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.dims, self.width = check_dims(dims), width
        share = check_share("dropout", dropout)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.projections = nn.ModuleDict(
                {name: Mlp(dim, hidden, width, share) for name, dim in self.dims.items()}
            )
        self.log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    @property
    def scale(self) -> Tensor:
        """1 / temperature: above 0, at most 100."""
        return self.log_scale.clamp(max=math.log(MAX_SCALE)).exp()

    def points(self, name: str, features: Tensor) -> Tensor:
        """One modality's points on the unit sphere: (examples, dim), or (examples, tokens, dim), to
        (examples, width).

        Of tokens the mean is taken. Ask for points in evaluation mode, in which `fit` leaves a model: dropout
        moves them.

        Raises:
            ValueError: an unknown modality, or another shape.
        """
        if name not in self.dims:
            raise ValueError(
                f"There is no modality {name!r} here. Expected one of {', '.join(map(repr, self.dims))}."
            )
        tokens, seen = clean({name: self.dims[name]}, {name: features}, {})
        return F.normalize(self.projections[name](pooled(tokens[name], seen[name])), dim=-1)

    @torch.no_grad()
    def embed(self, name: str, features: Tensor) -> Tensor:
        """`points` without gradients, to search and to measure with.

        Raises:
            ValueError: also in training mode, where dropout would make the points random.
        """
        if self.training:
            raise ValueError(
                "The space is in training mode, where dropout moves points at random. Call space.eval() "
                "first."
            )
        return self.points(name, features)

    def forward(
        self,
        features: Mapping[str, Tensor | None] | None = None,
        present: Mapping[str, Tensor] | None = None,
        **named: Tensor,
    ) -> Tensor:
        """Points of all modalities, (examples, modalities, width), each times the root of `scale`, zeros
        where missing.

        The product of two such points is their cosine over the temperature: the score that `contrastive_loss`
        takes.
        """
        if self.training and self.log_scale.requires_grad:
            with (
                torch.no_grad()
            ):  # in place, so that the weight itself never stays above, where it has no gradient
                self.log_scale.clamp_(max=math.log(MAX_SCALE))
        tokens, seen = clean(self.dims, *by_name(self.dims, features, present, named))
        places = []
        for name in self.dims:
            point = F.normalize(self.projections[name](pooled(tokens[name], seen[name])), dim=-1)
            places.append(torch.where(seen[name].any(1, keepdim=True), point, 0.0))
        return torch.stack(places, 1) * self.scale.sqrt()
