"""Small models that are described by what is in them, for tests that compare two ways of doing the same.

A `Spec` prints as the call that makes it, so a failing one can be read, and kept with `@example`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint

from tlwidgets.core import FreezePlan, ModelTree

WIDTH = 6


class Part(nn.Module):
    """A layer and what its kind does besides."""

    def __init__(self, kind: str, layer: nn.Module) -> None:
        super().__init__()
        self.kind, self.layer = kind, layer
        self.scales, self.calls, self.put_out = [1.25], 0, None
        if kind == "dropout":
            self.extra: nn.Module = nn.Dropout(0.3)
        elif kind == "batch norm":
            self.extra = nn.BatchNorm1d(WIDTH)
        elif kind == "attention":
            self.extra = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        elif kind == "encoder":
            one = nn.TransformerEncoderLayer(WIDTH, 2, 8, 0.1, batch_first=True)
            self.extra = nn.TransformerEncoder(one, 2)
        elif kind == "counting buffer":
            self.register_buffer("met", torch.zeros(()))
        elif kind == "sparse buffer":
            self.register_buffer("mask", torch.eye(WIDTH).to_sparse())
        elif kind == "replaced buffer":
            self.register_buffer("last", torch.zeros(1))
        elif kind == "hook":
            self.layer.register_forward_hook(lambda module, args, output: output * 1.5)

    def forward(self, h: torch.Tensor) -> Any:
        kind = self.kind
        if kind in ("dropout", "batch norm"):
            return self.extra(self.layer(h))
        if kind == "own dropout":
            return nn.functional.dropout(self.layer(h), 0.3, self.training)
        if kind == "noise":
            return self.layer(h) + (0.1 * torch.randn_like(h) if self.training else 0)
        if kind == "useless draw":
            return self.layer(h) + 0 * torch.rand(())
        if kind == "attention":
            three = torch.stack([h, self.layer(h), h.flip(1)], 1)
            return self.extra(three, three, three, key_padding_mask=three.sum(2) > 3)[0].mean(1)
        if kind == "encoder":
            three = torch.stack([self.layer(h), h, h.flip(1)], 1)
            hidden = torch.arange(3) > (1 + (h[:, :1] > 0).long())
            return self.extra(three, src_key_padding_mask=hidden)[:, 0]
        if kind == "attribute":
            return self.layer(h) * self.scales[0]
        if kind == "counting":
            self.calls += 1
            return self.layer(h) * (1 + self.calls / 50)
        if kind == "counting buffer":
            self.met += 1
            return self.layer(h) * (1 + self.met / 50)
        if kind == "replaced buffer":
            self.last = self.last * 0.5 + h.detach().mean()
            return self.layer(h) + self.last
        if kind == "keeps output":
            self.put_out = self.layer(h)
            return self.put_out.tanh()
        if kind == "dictionary":
            return {"h": self.layer(h), "examples": None}
        if kind == "tuple":
            return self.layer(h), h
        if kind == "whole numbers":
            return self.layer(h), (h > 0).long()
        if kind == "complex":
            return torch.fft.fft(self.layer(h))
        if kind == "sparse buffer":
            return self.layer(h) @ self.mask.to_dense()
        if kind == "largest":
            return self.layer(h) / (1 + h.abs().max())
        if kind == "branch":
            return self.layer(h) * (2 if bool((h > 2).any()) else 1)
        if kind == "ranks":
            return self.layer(h) + h.argsort(0).argsort(0) / 8
        if kind == "place":
            return self.layer(h) + torch.arange(len(h))[:, None] / 8
        if kind == "steps":
            for _ in range(1 + int(h.abs().max() > 2.5)):
                h = self.layer(h).tanh()
            return h
        return self.layer(h)


KINDS = (
    *("plain", "dropout", "own dropout", "noise", "useless draw", "batch norm", "attention", "encoder"),
    *("attribute", "counting", "counting buffer", "replaced buffer", "sparse buffer", "keeps output", "hook"),
    *(
        "dictionary",
        "tuple",
        "whole numbers",
        "complex",
        "largest",
        "branch",
        "ranks",
        "place",
        "steps",
        "tied",
    ),
)
RANDOM = {"dropout", "own dropout", "noise", "useless draw", "encoder"}
TOGETHER = {
    "largest",
    "branch",
    "ranks",
    "place",
    "steps",
    "batch norm",
}  # examples of a batch change each other
REMEMBERS = {"counting", "counting buffer", "replaced buffer", "batch norm"}


@dataclass(frozen=True)
class Spec:
    """A model, what is frozen of it, and its data.

    Attributes:
        parts: kinds of its parts, from the input on.
        frozen: which of them are frozen.
        inside: what is around them: "", "wrapper" or "list".
        checkpoint: "" or how each part is checkpointed: "reentrant" or "not reentrant".
        reads: whether the head reads what the parts kept in their attributes.
        writes: whether what each part puts out is written to by what comes next.
        examples, batch: sizes; `large` is the number of examples with large inputs.
    """

    parts: tuple[str, ...]
    frozen: tuple[bool, ...]
    inside: str = ""
    checkpoint: str = ""
    reads: bool = False
    writes: bool = False
    examples: int = 24
    batch: int = 8
    large: int = 0

    def model(self) -> nn.Module:
        torch.manual_seed(0)
        model: nn.Module = Net(self)
        return Wrapper(model) if self.inside == "wrapper" else model

    def plan(self, model: nn.Module) -> FreezePlan:
        tree = ModelTree.of(model)
        plan = FreezePlan.preset(tree, "full")
        prefix = "inner." if self.inside == "wrapper" else ""
        for number, frozen in enumerate(self.frozen):
            if frozen and not (self.parts[number] == "tied" and not all(self._tied())):
                plan = plan.with_policy(f"{prefix}parts.{number}", "frozen")
        return plan

    def _tied(self) -> list[bool]:
        return [f for kind, f in zip(self.parts, self.frozen, strict=True) if kind == "tied"]

    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        draw = torch.Generator().manual_seed(1)
        x = torch.randn(self.examples, WIDTH, generator=draw).clamp(-1.9, 1.9)
        if self.large:
            x[torch.randperm(self.examples, generator=draw)[: self.large], 0] = 3.0
        return x, torch.arange(self.examples) % 2

    def has(self, kinds: set[str]) -> bool:
        return bool(kinds & set(self.parts))


class Net(nn.Module):
    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        tied = nn.Linear(WIDTH, WIDTH)
        parts = [Part(kind, tied if kind == "tied" else nn.Linear(WIDTH, WIDTH)) for kind in spec.parts]
        self.parts = nn.ModuleList(parts)
        self.head = nn.Linear(WIDTH, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, spec = x, self.spec
        for part in self.parts:
            if spec.checkpoint and self.training:
                h = checkpoint(part, h, use_reentrant=spec.checkpoint == "reentrant")
            else:
                h = part(h)
            h = h["h"] if isinstance(h, dict) else h
            if isinstance(h, tuple):
                h = h[0] + 0.1 * h[1]
            h = h.real if h.is_complex() else h
            if spec.writes and not h.requires_grad:
                h.mul_(1.5)
        if spec.reads:
            h = h + sum(part.put_out for part in self.parts if part.put_out is not None)
        return self.head(h.tanh())


class Wrapper(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x) * 1.0


@st.composite
def specs(draw: Any) -> Spec:
    parts = tuple(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3)))
    # Mostly frozen from the input on, as people do.
    below = draw(st.integers(1, len(parts)))
    frozen = tuple(number < below for number in range(len(parts)))
    if draw(st.integers(0, 4)) == 4:
        frozen = tuple(draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts))))
    return Spec(
        parts,
        frozen,
        inside=draw(st.sampled_from(["", "wrapper"])),
        checkpoint=draw(st.sampled_from(["", "", "", "reentrant", "not reentrant"])),
        reads=draw(st.booleans()),
        writes=draw(st.booleans()),
        examples=draw(st.sampled_from([24, 17, 33, 64])),
        batch=draw(st.sampled_from([8, 4, 16])),
        large=draw(st.sampled_from([0, 1, 4])),
    )
