"""Four ways to join modalities in a classifier, over features that frozen backbones gave.

All are called alike, so that they can be compared on one task:

    logits = model({"image": image, "text": text})                        # (examples, classes)
    logits = model({"image": image, "text": text}, {"text": has_text})    # some examples lack their text

A modality's features are (examples, width), or (examples, tokens, width); what is not there has no influence
on the output, whatever the tensor holds in its place. `present` has one bool an example, or one a token
(padding is False). An example without any modality gets the model's `prior`: equal scores, until training has
met such examples.

`fit` calls the models by keywords, since its data are a flat mapping: {"image": ..., "text": ...,
"text_present": ..., "labels": ...}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .mlp import Mlp, NormLinear
from .modalities import any_of, by_name, check_as_is, check_dims, check_share, clean, drop, pooled


class Fusion(nn.Module):
    """What the four share: the call, the handling of missing modalities, and modality dropout. Each defines
    `fuse`.

    Args:
        dims: width of each modality's features, by name.
        classes: number of classes.
        dropout: of single features, in training.
        modality_dropout: probability with which a modality is left out of an example in training (ModDrop:
            Neverova et al. 2016), so that the model withstands it later.
        as_is: names of modalities that are not normalised example by example, such as laboratory values:
            LayerNorm over a few numbers would remove their size. Standardise those by the training examples.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        classes: int,
        dropout: float,
        modality_dropout: float,
        as_is: Sequence[str],
    ) -> None:
        super().__init__()
        self.dims = check_dims(dims)
        if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
            raise ValueError(f"classes is {classes!r}. Expected a whole number of at least 2.")
        self.classes = classes
        self.dropout = check_share("dropout", dropout)
        self.modality_dropout = check_share("modality_dropout", modality_dropout)
        self.as_is = check_as_is(as_is, self.dims)
        self.prior = nn.Parameter(torch.zeros(classes))

    def forward(
        self,
        features: Mapping[str, Tensor | None] | None = None,
        present: Mapping[str, Tensor] | None = None,
        **named: Tensor,
    ) -> Tensor:
        """Scores (examples, classes); see the module's text.

        Raises:
            ValueError: a modality that is unknown or not given, or shapes that don't fit.
        """
        tokens, seen = clean(self.dims, *by_name(self.dims, features, present, named))
        if self.training and self.modality_dropout:
            seen = drop(seen, self.modality_dropout)
            tokens = {name: torch.where(seen[name][..., None], tokens[name], 0.0) for name in tokens}
        return torch.where(any_of(seen.values()), self.fuse(tokens, seen), self.prior)

    def fuse(self, tokens: dict[str, Tensor], seen: dict[str, Tensor]) -> Tensor:
        """Scores from tokens (examples, tokens, width), zeros where `seen` (examples, tokens) is False."""
        raise NotImplementedError


class EarlyFusion(Fusion):
    """Features side by side, then one network for all: it may use any interplay of any features.

    Each modality is normalised by itself first: otherwise the one with the larger numbers would drown out the
    other. In place of a missing one comes a learned vector.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        classes: int,
        *,
        width: int = 64,
        dropout: float = 0.2,
        modality_dropout: float = 0.0,
        as_is: Sequence[str] = (),
    ) -> None:
        super().__init__(dims, classes, dropout, modality_dropout, as_is)
        self.norms = nn.ModuleDict(
            {
                name: nn.Identity() if name in self.as_is else nn.LayerNorm(dim)
                for name, dim in self.dims.items()
            }
        )
        self.missing = nn.ParameterDict({name: torch.zeros(dim) for name, dim in self.dims.items()})
        self.hidden = nn.Linear(sum(self.dims.values()), width)
        self.head = nn.Linear(width, classes)
        self.drop = nn.Dropout(self.dropout)

    def fuse(self, tokens: dict[str, Tensor], seen: dict[str, Tensor]) -> Tensor:
        parts = []
        for name in self.dims:
            there = seen[name].any(1, keepdim=True)
            vector = self.norms[name](pooled(tokens[name], seen[name]))
            parts.append(torch.where(there, vector, self.missing[name]))
        hidden = F.gelu(self.hidden(self.drop(torch.cat(parts, 1))))
        return self.head(self.drop(hidden))


class LateFusion(Fusion):
    """One classifier for each modality; only their answers are combined. Evidence adds up, and no interplay
    of features can be learned.

    Args:
        combine: "logits" takes the weighted mean of scores (of log-probabilities, up to a constant: the
            geometric mean of probabilities, made to add up to 1 again), in which a classifier that is sure
            can overrule the others; "probabilities" takes the weighted mean of probabilities (a vote), and
            returns its logarithm, so that softmax and cross-entropy see those probabilities. Scores and
            probabilities are never averaged with each other.
        learn_weights: learn how much each modality counts; otherwise all that are present count the same. The
            weights of those that are present add up to 1.

    `heads[name]` is an ordinary classifier of (examples, width), and can be trained alone.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        classes: int,
        *,
        width: int = 64,
        combine: str = "logits",
        learn_weights: bool = False,
        dropout: float = 0.2,
        modality_dropout: float = 0.0,
        as_is: Sequence[str] = (),
    ) -> None:
        super().__init__(dims, classes, dropout, modality_dropout, as_is)
        if combine not in ("logits", "probabilities"):
            raise ValueError(f"combine is {combine!r}. Expected 'logits' or 'probabilities'.")
        self.combine = combine
        self.heads = nn.ModuleDict(
            {
                name: Mlp(dim, width, classes, self.dropout, name in self.as_is)
                for name, dim in self.dims.items()
            }
        )
        self.weights = nn.Parameter(torch.zeros(len(self.dims))) if learn_weights else None

    def fuse(self, tokens: dict[str, Tensor], seen: dict[str, Tensor]) -> Tensor:
        there = torch.stack([seen[name].any(1) for name in self.dims], 1)
        logits = torch.stack([self.heads[name](pooled(tokens[name], seen[name])) for name in self.dims], 1)
        weights = torch.zeros_like(logits[..., 0]) if self.weights is None else self.weights
        weights = torch.where(there, weights, torch.finfo(logits.dtype).min).log_softmax(1)[..., None]
        if self.combine == "logits":
            return (weights.exp() * logits).sum(1)
        return (weights + logits.log_softmax(-1)).logsumexp(1)


class InteractionFusion(Fusion):
    """Projections of all modalities, multiplied element by element, then one linear layer.

    A product lets one modality turn the meaning of another (sincere words, sarcastic voice), which no sum of
    evidence can. It is a bilinear form of low rank, with lower orders in it since each factor has a constant
    (Liu et al. 2018, Low-rank Multimodal Fusion, after Zadeh et al. 2017, Tensor Fusion Network). A missing
    modality's factor is 1, which changes no product; constants begin at 1, so that at first all parts have
    about the same weight.

    Args:
        rank: number of products.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        classes: int,
        *,
        rank: int = 64,
        dropout: float = 0.2,
        modality_dropout: float = 0.0,
        as_is: Sequence[str] = (),
    ) -> None:
        super().__init__(dims, classes, dropout, modality_dropout, as_is)
        factors = {
            name: NormLinear(dim, rank, self.dropout, name in self.as_is) for name, dim in self.dims.items()
        }
        for factor in factors.values():
            nn.init.ones_(factor.linear.bias)
        self.factors = nn.ModuleDict(factors)
        self.head = NormLinear(rank, classes, self.dropout)

    def fuse(self, tokens: dict[str, Tensor], seen: dict[str, Tensor]) -> Tensor:
        product = None
        for name in self.dims:
            factor = self.factors[name](pooled(tokens[name], seen[name]))
            factor = torch.where(seen[name].any(1, keepdim=True), factor, 1.0)
            product = factor if product is None else product * factor
        return self.head(product)


class CrossAttentionFusion(Fusion):
    """Tokens of each modality attend to those of the others (Tsai et al. 2019).

    Queries are a modality's own tokens; keys and values are all tokens of the others that are there, and one
    learned token, so that there is always something to attend to: for a modality on its own, only that token.
    Each modality's tokens, with what they took, are averaged; in place of a missing modality comes a learned
    vector.

    With one token for each modality there is nothing to choose from: pass word pieces, patches or windows to
    see it work.

    Args:
        width: of the attention; a multiple of `attention_heads`.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        classes: int,
        *,
        width: int = 32,
        attention_heads: int = 2,
        dropout: float = 0.2,
        modality_dropout: float = 0.0,
        as_is: Sequence[str] = (),
    ) -> None:
        super().__init__(dims, classes, dropout, modality_dropout, as_is)
        if width % attention_heads:
            raise ValueError(
                f"width is {width}, and attention_heads {attention_heads}. Expected a width that the heads "
                "can share equally."
            )
        names = list(self.dims)
        self.projections = nn.ModuleDict(
            {
                name: NormLinear(dim, width, self.dropout, name in self.as_is)
                for name, dim in self.dims.items()
            }
        )
        self.attention = nn.ModuleDict(
            {name: nn.MultiheadAttention(width, attention_heads, batch_first=True) for name in names}
        )
        self.norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in names})
        self.nothing = nn.Parameter(torch.zeros(width))
        self.missing = nn.ParameterDict({name: torch.zeros(width) for name in names})
        self.head = Mlp(width * len(names), width, classes, self.dropout)

    def fuse(self, tokens: dict[str, Tensor], seen: dict[str, Tensor]) -> Tensor:
        tokens = {name: self.projections[name](tokens[name]) for name in self.dims}
        parts = []
        for name in self.dims:
            taken, _ = self._look(name, tokens, seen)
            joined = self.norms[name](tokens[name] + taken)
            # Padding and missing tokens took something, too: it is left out of the mean.
            vector = pooled(torch.where(seen[name][..., None], joined, 0.0), seen[name])
            parts.append(torch.where(seen[name].any(1, keepdim=True), vector, self.missing[name]))
        return self.head(torch.cat(parts, 1))

    def weights_of(
        self,
        name: str,
        features: Mapping[str, Tensor | None],
        present: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """How much each token of modality `name` attends to each token of the others: (examples, tokens, 1 +
        tokens of the others).

        The learned token comes first, then the others' tokens in the order of `dims`. Each row adds up to 1
        (in training mode but for what dropout leaves out). Where a modality is missing its own rows mean
        nothing.

        Raises:
            ValueError: as `forward`; or the model has no modality `name`.
        """
        if name not in self.dims:
            raise ValueError(f"name is {name!r}. Expected one of {', '.join(map(repr, self.dims))}.")
        tokens, seen = clean(self.dims, *by_name(self.dims, features, present, {}))
        return self._look(name, {name: self.projections[name](tokens[name]) for name in self.dims}, seen)[1]

    def _look(self, name: str, tokens: dict[str, Tensor], seen: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What a modality's projected tokens take from those of the others (examples, tokens, width), and the
        weights.
        """
        examples = len(tokens[name])
        others = [other for other in self.dims if other != name]
        keys = torch.cat([self.nothing.expand(examples, 1, -1), *(tokens[other] for other in others)], 1)
        there = torch.cat([seen[name].new_ones(examples, 1), *(seen[other] for other in others)], 1)
        return self.attention[name](tokens[name], keys, keys, key_padding_mask=~there)


FUSIONS: dict[str, type[Fusion]] = {
    "early": EarlyFusion,
    "late": LateFusion,
    "interaction": InteractionFusion,
    "cross-attention": CrossAttentionFusion,
}
_SIZE = {"early": "width", "late": "width", "interaction": "rank", "cross-attention": "width"}
_STEP = {"cross-attention": 2}  # its two attention heads share the width


def fusion_models(
    dims: Mapping[str, int],
    classes: int,
    *,
    budget: int = 60_000,
    dropout: float = 0.2,
    modality_dropout: float = 0.0,
    as_is: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, Fusion]:
    """The four kinds of fusion, each as wide as `budget` parameters allow, and never above it.

    A step of width costs as many parameters as all features are wide, so that a budget of thirty times that
    number is met to within about a tenth. Weights are drawn from `seed`; the caller's random state is left as
    it was.

    Raises:
        ValueError: the budget is too small for one of them.
    """
    models = {}
    for name, kind in FUSIONS.items():
        options: dict[str, Any] = {"dropout": dropout, "modality_dropout": modality_dropout, "as_is": as_is}
        step = _STEP.get(name, 1)
        if (least := _count(kind, dims, classes, {_SIZE[name]: step, **options})) > budget:
            raise ValueError(
                f"budget is {budget:,} parameters, and the smallest {name} fusion of these features has "
                f"{least:,}. Expected at least that; {30 * sum(dims.values()):,} gives all four about the "
                "same size."
            )
        steps = 1
        while _count(kind, dims, classes, {_SIZE[name]: 2 * steps * step, **options}) <= budget:
            steps *= 2
        for part in (steps >> shift for shift in range(1, steps.bit_length())):
            if _count(kind, dims, classes, {_SIZE[name]: (steps + part) * step, **options}) <= budget:
                steps += part
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            models[name] = kind(dims, classes, **{_SIZE[name]: steps * step, **options})
    return models


def _count(kind: type[Fusion], dims: Mapping[str, int], classes: int, options: dict[str, Any]) -> int:
    with torch.device("meta"):
        return sum(weight.numel() for weight in kind(dims, classes, **options).parameters())
