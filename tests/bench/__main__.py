"""`python -m tests.bench [NAME...] [--out bench.json]`: run the measurements and write one JSON object."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

import tests.bench

PACKAGES = ("torch", "transformers", "jupyterlab", "ipywidgets", "anywidget", "nbgrader", "papermill")


def machine() -> dict[str, str | int | float]:
    """What the figures were measured on."""
    import torch

    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def versions() -> dict[str, str]:
    """Versions of what the figures depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def names() -> list[str]:
    """The measurements there are."""
    found = [module.name for module in pkgutil.iter_modules(tests.bench.__path__)]
    return sorted(name for name in found if not name.startswith("_"))


@click.command(help=__doc__)
@click.argument("chosen", nargs=-1, type=click.Choice(names()))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default="bench.json", show_default=True
)
@click.option(
    "--whole", is_flag=True, help="Have peers train all their epochs (over an hour), and compare accuracies."
)
def main(chosen: tuple[str, ...], out: Path, whole: bool) -> None:
    console = Console(stderr=True)
    table = Table("figure", "value")
    figures: dict[str, float] = {}
    for number, name in enumerate(chosen := chosen or tuple(names()), 1):
        measure = importlib.import_module(f"tests.bench.{name}").measure
        options = {"whole": True} if whole and "whole" in inspect.signature(measure).parameters else {}
        start = time.monotonic()
        console.print(f"{number} of {len(chosen)}: {name} ...")
        figures |= measure(**options)
        console.print(f"{number} of {len(chosen)}: {name}, {time.monotonic() - start:.0f} s")
    for figure, value in figures.items():
        table.add_row(figure, f"{value:.4g}")
    console.print(table)
    # Written beside and moved into place: an interrupted run leaves the last figures whole.
    half = out.with_name(out.name + ".part")
    half.write_text(json.dumps({**figures, "machine": machine(), "versions": versions()}, indent=2) + "\n")
    os.replace(half, out)
    console.print(f"written to {out}")


if __name__ == "__main__":
    sys.exit(main())
