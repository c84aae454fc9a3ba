"""Choose the learning rates of lesson 01's two recipes, on splits of their own.

    python scripts/choose_rates_01.py

Both ways get the same small grid, the same passes and the same batches. Each seed from 100 on draws a split;
a rate's figure is its mean accuracy on held-out sentences. The winners are `HEAD_RECIPE` and
`SCRATCH_RECIPE`.
"""

from statistics import fmean

from rich.console import Console
from rich.table import Table

from course.units.u01_transfer_learning import experiments as lesson01
from tlwidgets.core import FreezePlan
from tlwidgets.data import task_data
from tlwidgets.train import fit

SEEDS = (100, 101, 102)
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
WAYS = {"feature-extraction": lesson01.HEAD_RECIPE, "full": lesson01.SCRATCH_RECIPE}


def accuracy(preset: str, rate: float, seed: int) -> float:
    """Accuracy after one training: pretrained and frozen, or everything from random weights."""
    model, tokenizer = lesson01.classifier(from_scratch=preset == "full", seed=seed)
    split = lesson01.film_split(seed)
    plan = FreezePlan.preset(model, preset)
    data = task_data(split, tokenizer, lesson01.MAX_LENGTH)
    return fit(model, plan, data, seed=seed, **{**WAYS[preset], "lr": rate}).test_accuracy


def main() -> None:
    table = Table("way", *(f"{rate:g}" for rate in RATES), "best")
    for preset in WAYS:
        means = {rate: fmean(accuracy(preset, rate, seed) for seed in SEEDS) for rate in RATES}
        best = max(means, key=means.get)
        table.add_row(preset, *(f"{mean:.3f}" for mean in means.values()), f"{best:g}")
    Console().print(table)


if __name__ == "__main__":
    main()
