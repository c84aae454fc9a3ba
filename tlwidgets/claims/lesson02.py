"""Lesson 02: feature extraction, partial and full fine-tuning, or from scratch.

Two target tasks on the same film snippets. Near the source: liked or not, a matter of meaning, which the backbone was
trained for. Far from it: long or short, a matter of form, which its pooled vectors hardly keep (lesson 01). On each the
four places on the dial fight in an arena with 16, 128 and 1,024 examples. Then: what fine-tuning forgets, and BatchNorm.
"""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tlwidgets.data import encode, load_sentences, split_sentences
from tlwidgets.models import load_text_backbone

from .judge import Claim
from .lesson import Lesson
from .table import machine

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tlwidgets.data import Sentences
    from tlwidgets.train import Arena, ArenaResult, Run, TaskData

NEAR, FAR = "near: liked or not", "far: long or short"
SIZES = (16, 128, 1024)
STEPS, BATCH = 32, 16
VALID, TEST = 100, 400
MAX_LENGTH = 24
EXTRACTION, PARTIAL, FULL, SCRATCH = "feature extraction", "last two layers", "everything", "from scratch"
RATES = {
    EXTRACTION: (1e-2, 3e-2),
    PARTIAL: (1e-4, 3e-4),
    FULL: (5e-5, 2e-4),
    SCRATCH: (3e-4, 1e-3),
}
RECORDED = Path(__file__).parent / "recorded"

# Forgetting: the rate that fits a head, given to everything; or less and less of it towards the early layers.
NAIVE_RATE, GENTLE_RATE, DECAY = 1e-3, 1e-3, 0.5
FORGETTING_STEPS = 24


def classifier(*, from_scratch: bool, seed: int) -> nn.Module:
    """Backbone and a new head for two classes; `seed` draws what is random in it."""
    import torch

    from tlwidgets.models import TextClassifier

    backbone, _ = load_text_backbone("minilm", from_scratch=from_scratch, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TextClassifier(backbone, torch.nn.Linear(backbone.config.hidden_size, 2))


@lru_cache(maxsize=1)
def tokenizer():
    """The backbone's tokenizer."""
    return load_text_backbone("minilm")[1]


def task(name: str, examples: int, seed: int) -> TaskData:
    """One of the two tasks, with so many training examples: half of each class for the near one."""
    from tlwidgets.train import TaskData

    split = split_sentences(load_sentences("film"), train=examples, valid=VALID, test=TEST, seed=seed)
    return TaskData(*(_encoded(name, part) for part in (split.train, split.valid, split.test)))


def _encoded(name: str, part: Sentences) -> dict[str, Tensor]:
    import torch

    batch = encode(part, tokenizer(), MAX_LENGTH)
    if name == FAR:
        long = [len(text.split()) > _median_words() for text in part.texts]
        batch["labels"] = torch.tensor(long, dtype=torch.int64)
    return batch


@lru_cache(maxsize=1)
def _median_words() -> float:
    from statistics import median

    return median(len(text.split()) for text in load_sentences("film").texts)


def arena(name: str, *, sizes=SIZES, seeds=(0, 1, 2, 3, 4), steps: int = STEPS) -> Arena:
    """The arena of one task: four contenders, two rates each."""
    from tlwidgets.core import FreezePlan
    from tlwidgets.train import Arena, Contender

    def preset(which: str, **options):
        return lambda tree: FreezePlan.preset(which, tree, **options)

    def pretrained(seed: int):
        return classifier(from_scratch=False, seed=seed)

    def random(seed: int):
        return classifier(from_scratch=True, seed=seed)

    return Arena(
        name,
        [
            Contender(EXTRACTION, pretrained, preset("feature-extraction"), RATES[EXTRACTION]),
            Contender(PARTIAL, pretrained, preset("last", k=2), RATES[PARTIAL]),
            Contender(FULL, pretrained, preset("full"), RATES[FULL]),
            Contender(SCRATCH, random, preset("full"), RATES[SCRATCH]),
        ],
        lambda examples, seed: task(name, examples, seed),
        sizes,
        seeds,
        steps,
        BATCH,
    )


def recorded(name: str) -> ArenaResult:
    """The arena's results over 5 seeds, as `make claims` measured them."""
    from tlwidgets.train import ArenaResult

    return ArenaResult.load(_record_path(name))


def _record_path(name: str) -> Path:
    return RECORDED / f"lesson02-{name.partition(':')[0]}.json"


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Where this process keeps finished runs; one that the environment names outlives an interrupted measurement."""
    named = os.environ.get("TLWIDGETS_CLAIMS")
    return Path(named) if named else Path(tempfile.mkdtemp(prefix="claims-"))


def measure_arena(seed: int) -> dict[str, float]:
    """Test accuracy of each contender, on each task, with each number of examples."""
    numbers = {}
    for name in (NEAR, FAR):
        for bout in arena(name, seeds=(seed,)).fight(_folder()).bouts:
            numbers[f"{name.partition(':')[0]}, {bout.examples}, {bout.contender}"] = bout.test_accuracy
    return numbers


def keep_records(seeds: int) -> None:
    """Write the results of the measurement just made to the files that the lesson shows."""
    for name in (NEAR, FAR):
        result = arena(name, seeds=tuple(range(seeds))).fight(_folder(), machine=machine())
        result.save(_record_path(name))


# -- forgetting -------------------------------------------------------------------------------------------------------


def learned_source(seed: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """A model that has learned the near task (its head, on 512 sentences), and held-out examples of that task."""
    from tlwidgets.core import FreezePlan, ModelTree
    from tlwidgets.train import TaskData, fit

    model = classifier(from_scratch=False, seed=seed)
    data = task(NEAR, 512, seed)
    plan = FreezePlan.preset("feature-extraction", ModelTree.of(model))
    fit(model, plan, TaskData(data.train), epochs=8, lr=1e-2, seed=seed)
    return model, data.test


def fine_tune_far(model: nn.Module, source: dict[str, Tensor], seed: int, *, gentle: bool) -> Run:
    """Fine-tune everything on the far task, with a new head; after each pass the old head is asked the old question.

    Returns the run; `curves.source_accuracy` is what is left of the near task.
    """
    import torch

    from tlwidgets.core import FreezePlan, ModelTree
    from tlwidgets.train import TaskData, discriminative_rates, fit

    old_head, labels = model.head, source["labels"]
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
        FreezePlan.preset("full", tree),
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
    numbers = {}
    for name, gentle in (("one high rate", False), ("discriminative rates", True)):
        model, source = learned_source(seed)
        run = fine_tune_far(model, source, seed, gentle=gentle)
        before, after = run.curves.source_accuracy[0], run.curves.source_accuracy[-1]
        numbers |= {f"forgotten, {name}": before - after, f"learned, {name}": run.test_accuracy}
    return numbers


# -- the BatchNorm trap -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trap:
    """Accuracy on the source digits, and how many frozen tensors moved, after training a new head on others."""

    before: float
    after: float
    moved: tuple[str, ...]


def digit_network(seed: int) -> nn.Module:
    """A small network with BatchNorm that has learned to tell 0, 1, 2, 3 and 4 apart (scikit-learn's digits)."""
    import torch
    from torch import nn

    from tlwidgets.train import TaskData, fit

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, stride=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Flatten(),
        )
        model = nn.Sequential(OrderedDict(backbone=body, head=nn.Linear(256, 5)))
    images, labels = _digits(range(5), seed, held_out=False)
    fit(model, None, TaskData((images, labels)), epochs=6, lr=1e-2, seed=seed)
    return model


def fall_into_the_trap(model: nn.Module, seed: int, *, hold: bool) -> Trap:
    """Train a new head on 5 to 9, from a scanner that counts to 16 instead of 1, with every weight of the backbone frozen.

    With `hold` the backbone stays in `eval`, too. The old head is then asked about the old digits again.
    """
    import copy

    import torch
    from torch import nn

    model = copy.deepcopy(model)
    old_head, before = model.head, {n: t.clone() for n, t in model.backbone.state_dict().items()}
    source = _digits(range(5), seed, held_out=True)
    at_first = _right(model, source)
    model.backbone.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.head = nn.Linear(256, 5)
    images, labels = _digits(range(5, 10), seed, held_out=False)
    images, labels = 16 * images, labels - 5
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-2)
    for start in range(0, len(images), 32):
        model.train()
        if hold:
            model.backbone.eval()
        loss = nn.functional.cross_entropy(model(images[start : start + 32]), labels[start : start + 32])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.head = old_head
    now = model.backbone.state_dict()
    moved = tuple(name for name in now if not torch.equal(now[name], before[name]))
    return Trap(at_first, _right(model, source), moved)


def _digits(kinds, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor]:
    import torch
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    labels = torch.tensor(labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    chosen = [i for i in order.tolist() if int(labels[i]) in kinds]
    third = len(chosen) // 3
    part = chosen[:third] if held_out else chosen[third:]
    return images[part], labels[part]


def _right(model: nn.Module, examples: tuple[Tensor, Tensor]) -> float:
    import torch

    model.eval()
    with torch.no_grad():
        return float((model(examples[0]).argmax(1) == examples[1]).float().mean())


def measure_trap(seed: int) -> dict[str, float]:
    """Old digits right before, and after training a new head with the backbone frozen by its flags alone or held."""
    model = digit_network(seed)
    flags, held = (fall_into_the_trap(model, seed, hold=hold) for hold in (False, True))
    return {
        "before": flags.before,
        "after, flags alone": flags.after,
        "held tensors changed": float(len(held.moved)),
    }


def _cell(task_name: str, examples: int, contender: str) -> str:
    return f"{task_name}, {examples}, {contender}"


_FAIR = "(same sentences, steps and batches; each with the better of two rates, chosen on validation data)"

LESSON = Lesson(
    id="02",
    experiments={"arena": measure_arena, "forgetting": measure_forgetting, "trap": measure_trap},
    claims=(
        Claim(
            "near-few-frozen-beats-scratch",
            "02",
            f"Near task, 16 examples: a frozen backbone with a trained head beats training from scratch {_FAIR}.",
            "arena",
            _cell("near", 16, EXTRACTION),
            _cell("near", 16, SCRATCH),
        ),
        Claim(
            "near-many-pretrained-beats-scratch",
            "02",
            f"Near task, 1,024 examples: full fine-tuning beats training from scratch {_FAIR}.",
            "arena",
            _cell("near", 1024, FULL),
            _cell("near", 1024, SCRATCH),
        ),
        Claim(
            "far-many-tuned-beats-frozen",
            "02",
            f"Far task, 1,024 examples: full fine-tuning beats a frozen backbone {_FAIR}.",
            "arena",
            _cell("far", 1024, FULL),
            _cell("far", 1024, EXTRACTION),
        ),
        Claim(
            "far-few-scratch-beats-frozen",
            "02",
            f"Far task, 128 examples: training from scratch beats a frozen backbone: negative transfer {_FAIR}.",
            "arena",
            _cell("far", 128, SCRATCH),
            _cell("far", 128, EXTRACTION),
        ),
        Claim(
            "naive-forgets-more",
            "02",
            "Fine-tuning everything on the far task at one high rate loses more of the near task than rates that fall "
            "towards the early layers.",
            "forgetting",
            "forgotten, one high rate",
            "forgotten, discriminative rates",
        ),
        Claim(
            "batch-norm-trap",
            "02",
            "A network with BatchNorm whose weights are frozen by `requires_grad` alone knows less of its source digits after "
            "a new head was trained on other digits in training mode.",
            "trap",
            "before",
            "after, flags alone",
        ),
        Claim(
            "batch-norm-held",
            "02",
            "With the backbone in `eval` while the head trains, none of its weights and buffers changes.",
            "trap",
            "held tensors changed",
            unit="tensors",
        ),
    ),
    record=keep_records,
)
