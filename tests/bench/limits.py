"""How far the engine is from the least that its work can take.

Feature extraction needs one forward pass through the frozen part; a head on ready features costs next to
nothing. Training the last two layers needs one forward pass through what lies below, and a forward and a
backward pass through the two layers alone for each batch. Both limits are measured beside the engine, on the
same batches as it takes, without an optimizer and without any record keeping.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch
from torch import Tensor, nn
from transformers.masking_utils import create_bidirectional_mask

from course.units.u01_transfer_learning import experiments as lesson01
from tests.bench.regimes import BATCH, HEAD, LAST2, film_data, train_with_engine
from tlwidgets.core import FreezePlan, apply_plan
from tlwidgets.models import mean_pool
from tlwidgets.train.data import Split

ROUNDS, SEED = 5, 0


def measure() -> dict[str, float]:
    """`fx_over_limit`, `last2_over_limit`: the engine over the limit, medians of paired rounds."""
    data, _ = film_data(SEED)
    train = Split(data.train, "training", torch.device("cpu"))
    figures = {}
    for name, preset, options, recipe, limit in (
        ("fx", "feature-extraction", {}, HEAD, _one_pass),
        ("last2", "last", {"k": 2}, LAST2, _two_layers),
    ):
        ratios, limits = [], []
        for number in range(ROUNDS + 1):
            took = {}
            for way in ("engine", "limit") if number % 2 else ("limit", "engine"):
                model, _ = lesson01.classifier(from_scratch=False, seed=SEED)
                plan = FreezePlan.preset(model, preset, **options)
                apply_plan(model, plan)
                start = time.perf_counter()
                if way == "engine":
                    train_with_engine(model, plan, data, SEED, **recipe)
                else:
                    limit(model.eval(), train, recipe["epochs"])
                took[way] = time.perf_counter() - start
            print(f"  {name}: engine {took['engine']:.1f} s, limit {took['limit']:.1f} s", file=sys.stderr)
            if number:  # the first round warms up
                ratios.append(took["engine"] / took["limit"])
                limits.append(took["limit"])
        figures[f"{name}_over_limit"] = statistics.median(ratios)
        figures[f"{name}_limit_s"] = statistics.median(limits)
    return figures


def _one_pass(model: nn.Module, train: Split, epochs: int) -> None:
    with torch.no_grad():
        for index in train.by_length(train.pass_size):
            inputs = train.take(index).inputs
            mean_pool(model.backbone(**inputs).last_hidden_state, inputs["attention_mask"])


def _two_layers(model: nn.Module, train: Split, epochs: int) -> None:
    layers = list(model.backbone.encoder.layer)
    below, above = layers[:-2], layers[-2:]
    ready = torch.zeros(train.size, train.width, model.backbone.config.hidden_size)
    with torch.no_grad():
        for index in train.by_length(train.pass_size):
            inputs = train.take(index).inputs
            hidden = model.backbone.embeddings(inputs["input_ids"])
            hidden = _through(below, hidden, inputs["attention_mask"], model)
            ready[index, : hidden.shape[1]] = hidden
    order = torch.Generator().manual_seed(SEED)
    for _ in range(epochs):
        for index in train.shuffled(BATCH, order, by_length=True):
            batch = train.take(index)
            mask = batch.inputs["attention_mask"]
            hidden = _through(above, ready[index, : mask.shape[1]], mask, model)
            nn.functional.cross_entropy(model.head(mean_pool(hidden, mask)), batch.labels).backward()
            model.zero_grad(set_to_none=True)


def _through(layers: list[nn.Module], hidden: Tensor, mask: Tensor, model: nn.Module) -> Tensor:
    seen = create_bidirectional_mask(config=model.backbone.config, inputs_embeds=hidden, attention_mask=mask)
    for layer in layers:
        hidden = layer(hidden, seen)
    return hidden
