"""What `fit` costs over a plain PyTorch loop: full fine-tuning of the real classifier of lesson 01."""

from __future__ import annotations

import copy
import statistics
import time

import torch
from torch import nn

from course.units.u01_transfer_learning import experiments as lesson01
from tlwidgets.core import FreezePlan
from tlwidgets.data import task_data
from tlwidgets.train import TaskData, fit
from tlwidgets.train.data import Split

BATCH, LR, SEED = 16, 2e-5, 0
ROUNDS = 5


def measure() -> dict[str, float]:
    """`full_vs_plain`: time of a pass through `fit` over that of a plain loop, median of the rounds' ratios.

    Both make the same steps on the same batches with the optimizer that `fit` takes; their losses are
    compared, so that the figure can't come from less work. Which one goes first alternates.
    """
    model, tokenizer = lesson01.classifier(from_scratch=False, seed=SEED)
    split = lesson01.film_split(SEED, train=320, test=2)
    data = TaskData(task_data(split, tokenizer, lesson01.MAX_LENGTH).train)
    plan = FreezePlan.preset(model, "full")
    ways = [("fit", lambda each: _through_fit(each, plan, data)), ("plain", lambda each: _plain(each, data))]
    ratios, seconds = [], {"fit": [], "plain": []}
    for number in range(ROUNDS + 1):
        took, losses = {}, {}
        for name, way in ways if number % 2 else reversed(ways):
            each = copy.deepcopy(model)
            start = time.perf_counter()
            losses[name] = way(each)
            took[name] = time.perf_counter() - start
        torch.testing.assert_close(losses["fit"], losses["plain"])
        if number:  # the first round warms up
            ratios.append(took["fit"] / took["plain"])
            for name, value in took.items():
                seconds[name].append(value)
    return {
        "full_vs_plain": statistics.median(ratios),
        "full_fit_s": statistics.median(seconds["fit"]),
        "full_plain_s": statistics.median(seconds["plain"]),
    }


def _through_fit(model: nn.Module, plan: FreezePlan, data: TaskData) -> list[float]:
    run = fit(
        model,
        plan,
        data,
        epochs=1,
        batch_size=BATCH,
        lr=LR,
        schedule="constant",
        warmup=0.0,
        seed=SEED,
        device="cpu",
    )
    return run.curves.loss


def _plain(model: nn.Module, data: TaskData) -> list[float]:
    train = Split(data.train, "training", torch.device("cpu"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.01, fused=True)
    order = torch.Generator().manual_seed(SEED)
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model.train()
        for index in train.shuffled(BATCH, order):
            batch = train.take(index)
            outputs = model(**batch.inputs)
            loss = nn.functional.cross_entropy(outputs, batch.labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    return losses
