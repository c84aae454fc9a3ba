"""Choose the learning rates of lesson 03's comparison of a frozen voice network with a tuned one, on splits
of their own.

    python scripts/choose_rates_03.py

Each way gets the same grid. Each seed from 100 on draws a split; a rate's figure is its mean accuracy on
held-out clips. The winners are `HEAD_LR`, `SHORT_LR` and `LONG_LR` of
`course.units.u03_multimodal_models.experiments.fusion`.
"""

from statistics import fmean

from rich.console import Console
from rich.table import Table

from course.units.u03_multimodal_models.experiments.fusion import tones_of_voice, train_voice

SEEDS = (100, 101, 102, 103, 104)
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
WAYS = {
    "frozen": {"frozen": True, "passes": 0},
    "tuned, same budget": {"frozen": False, "passes": 1 / 3},
    "tuned, 15 times": {"frozen": False, "passes": 5},
}


def main() -> None:
    splits = {seed: tones_of_voice(seed) for seed in SEEDS}
    table = Table("way", *(f"{rate:g}" for rate in RATES), "best")
    for way, options in WAYS.items():
        means = {
            rate: fmean(
                train_voice(data, seed, lr=rate, **options).test_accuracy for seed, data in splits.items()
            )
            for rate in RATES
        }
        table.add_row(way, *(f"{mean:.3f}" for mean in means.values()), f"{max(means, key=means.get):g}")
    Console().print(table)


if __name__ == "__main__":
    main()
