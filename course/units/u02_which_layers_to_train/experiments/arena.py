"""Four settings of the dial, on a task near the source and one far from it, with 16 to 1,024 examples."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from course.claims.table import machine
from tlwidgets.data import encode, load_sentences, split_sentences
from tlwidgets.models import load_text_backbone

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tlwidgets.data import Sentences
    from tlwidgets.train import Arena, ArenaResult, TaskData

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
        return lambda tree: FreezePlan.preset(tree, which, **options)

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
    return RECORDED / f"{name.partition(':')[0]}.json"


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Where this process keeps finished runs; a folder named by TLWIDGETS_CLAIMS survives an interruption."""
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
