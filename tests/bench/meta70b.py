"""A Llama of 70 billion parameters without its weights: opening it, and answering a click in Python."""

from __future__ import annotations

import statistics
import time

CLICKS = 50


def measure() -> dict[str, float]:
    """`meta70b_tree_s`: model tree and panel; `meta70b_click_ms`: median of 50 clicks, applied and
    answered."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tlwidgets import FreezePanel, ModelTree

    config = LlamaConfig(
        hidden_size=8192,
        intermediate_size=28672,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        vocab_size=128256,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    start = time.perf_counter()
    ModelTree.of(model)
    panel = FreezePanel(model)
    opened = time.perf_counter() - start
    clicks = []
    for number in range(CLICKS):
        layer = f"model.layers.{number % 80}"
        start = time.perf_counter()
        panel.set_policy(layer, "frozen" if number % 2 else "trained")
        assert panel.state["rows"]
        clicks.append(time.perf_counter() - start)
    panel.close()
    return {"meta70b_tree_s": opened, "meta70b_click_ms": 1000 * statistics.median(clicks)}
