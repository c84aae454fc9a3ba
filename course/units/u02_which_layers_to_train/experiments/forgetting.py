"""What fine-tuning on the far task forgets of the near one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course.claims import share_right

from .arena import BATCH, FAR, NEAR, classifier, task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tlwidgets.train import Run

# Forgetting: the rate that fits a head, given to everything; or less and less of it towards the early layers.
NAIVE_RATE, GENTLE_RATE, DECAY = 1e-3, 1e-3, 0.5
FORGETTING_STEPS = 16


def learned_source(seed: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """A model whose head has learned the near task on 512 sentences, and held-out examples of that task."""
    from tlwidgets.core import FreezePlan
    from tlwidgets.train import TaskData, fit

    model = classifier(from_scratch=False, seed=seed)
    data = task(NEAR, 512, seed)
    plan = FreezePlan.preset(model, "feature-extraction")
    fit(model, plan, TaskData(data.train), epochs=8, lr=1e-2, seed=seed)
    assert isinstance(data.test, dict)  # as `task` makes them
    return model, data.test


def fine_tune_far(model: nn.Module, source: dict[str, Tensor], seed: int, *, gentle: bool) -> Run:
    """Fine-tune everything on the far task, with a new head; ask the old head its question after each pass.

    Returns the run; `curves.source_accuracy` is what is left of the near task.
    """
    import torch

    from tlwidgets.core import FreezePlan, ModelTree
    from tlwidgets.train import TaskData, discriminative_rates, fit

    old_head, labels = model.head, source["labels"]
    assert isinstance(old_head, torch.nn.Linear)  # as `classifier` makes it
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.head = torch.nn.Linear(old_head.in_features, 2)

    def old_question(changed: nn.Module) -> float:
        new_head, changed.head = changed.head, old_head
        some = zip(source["input_ids"].split(BATCH), source["attention_mask"].split(BATCH), strict=True)
        scores = torch.cat([changed(*part) for part in some])
        changed.head = new_head
        return float((scores.argmax(1) == labels).float().mean())

    tree = ModelTree.of(model)
    rates = discriminative_rates(tree, GENTLE_RATE, DECAY) if gentle else NAIVE_RATE
    data = task(FAR, FORGETTING_STEPS * BATCH, seed)
    return fit(
        model,
        FreezePlan.preset(tree, "full"),
        TaskData(data.train, None, data.test),
        epochs=1,
        batch_size=BATCH,
        lr=rates,
        seed=seed,
        source=old_question,
        trace_every=3,
    )


def measure_forgetting(seed: int) -> dict[str, float]:
    """How much of the near task is lost by fine-tuning on the far one, and how well that one is learned."""
    numbers: dict[str, float] = {}
    for name, gentle in (("one high rate", False), ("discriminative rates", True)):
        model, source = learned_source(seed)
        run = fine_tune_far(model, source, seed, gentle=gentle)
        before, after = run.curves.source_accuracy[0], run.curves.source_accuracy[-1]
        numbers |= {f"forgotten, {name}": before - after, f"learned, {name}": share_right(run)}
    return numbers
