"""A mixture of experts of 700 billion parameters without its weights: a module for each of its experts."""

from __future__ import annotations

import statistics
import time

LAYERS, EXPERTS, WIDTH, HIDDEN, TOKENS = 61, 256, 7168, 2048, 129_280
CLICKS = 6


def measure() -> dict[str, float]:
    """`moe700b_tree_s`, `moe700b_panel_s`: opening it; `moe700b_click_ms`: median of the clicks, applied and
    answered."""
    import torch

    from tlwidgets import FreezePanel, ModelTree

    with torch.device("meta"):
        model = _mixture()
    start = time.perf_counter()
    ModelTree.of(model)
    tree = time.perf_counter() - start
    panel = FreezePanel(model)
    opened = time.perf_counter() - start - tree
    clicks = []
    for number in range(CLICKS):
        start = time.perf_counter()
        panel.set_policy(f"model.layers.{number}", "trained" if number % 2 else "frozen")
        panel.changes(None)
        clicks.append(time.perf_counter() - start)
    panel.close()
    return {
        "moe700b_tree_s": tree,
        "moe700b_panel_s": opened,
        "moe700b_click_ms": 1000 * statistics.median(clicks),
    }


def _mixture():
    from torch import nn

    def linear(inputs, outputs):
        return nn.Linear(inputs, outputs, bias=False)

    class Named(nn.Module):
        def __init__(self, **parts):
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

    def expert():
        return Named(
            gate_proj=linear(WIDTH, HIDDEN), up_proj=linear(WIDTH, HIDDEN), down_proj=linear(HIDDEN, WIDTH)
        )

    class Layer(Named):
        """A layer of the model, apart from its other modules by its type."""

    def layer():
        attention = {f"{name}_proj": linear(WIDTH, WIDTH) for name in ("q_a", "q_b", "kv_a", "kv_b", "o")}
        experts = nn.ModuleList([expert() for _ in range(EXPERTS)])
        return Layer(
            self_attn=Named(**attention),
            mlp=Named(gate=linear(WIDTH, EXPERTS), experts=experts),
            input_layernorm=nn.RMSNorm(WIDTH),
            post_attention_layernorm=nn.RMSNorm(WIDTH),
        )

    layers = nn.ModuleList([layer() for _ in range(LAYERS)])
    inner = Named(embed_tokens=nn.Embedding(TOKENS, WIDTH), layers=layers, norm=nn.RMSNorm(WIDTH))
    return Named(model=inner, lm_head=linear(WIDTH, TOKENS))
