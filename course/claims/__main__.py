"""`python -m course.claims`: measure every claim over several seeds and write docs/claims.md."""

import argparse
import json
import sys
from collections.abc import Container, Iterable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .judge import Verdict, judge
from .lesson import Lesson
from .table import claims_table, read_machines, read_table, write_whole

try:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
except ModuleNotFoundError as error:
    raise SystemExit(
        "Measuring claims needs the package rich, which is not installed here. "
        "Install it with: pip install 'transfer-learning-course[grading]'"
    ) from error

LEAST_SEEDS = 5
TARGET = Path("docs/claims.md")
UNITS = "course.units"


def lessons() -> dict[str, Lesson]:
    """The claims of every unit: `LESSON` of its experiments, found by name."""
    units = [
        f"{UNITS}.{module.name}" for module in iter_modules(import_module(UNITS).__path__) if module.ispkg
    ]
    found = [import_module(f"{unit}.experiments") for unit in sorted(units)]
    return {module.LESSON.id: module.LESSON for module in found if hasattr(module, "LESSON")}


def measure(
    chosen: Iterable[Lesson], seeds: int, progress: Progress, only: Container[str] | None = None
) -> list[Verdict]:
    """A verdict on every claim of these lessons, or of the experiments named in `only`; each experiment runs
    once for each seed."""
    verdicts = []
    runs = [
        (lesson, name) for lesson in chosen for name in lesson.experiments if only is None or name in only
    ]
    task = progress.add_task("", total=len(runs) * seeds)
    for lesson, name in runs:
        measured = []
        for seed in range(seeds):
            progress.update(task, description=f"lesson {lesson.id}, {name}, seed {seed}")
            measured.append(lesson.experiments[name](seed))
            progress.advance(task)
        verdicts += [judge(claim, measured) for claim in lesson.claims if claim.experiment == name]
    return verdicts


def main(arguments: list[str] | None = None) -> int:
    every = lessons()
    parser = argparse.ArgumentParser(prog="python -m course.claims", description=__doc__)
    parser.add_argument("--seeds", type=int, default=LEAST_SEEDS, help="how many seeds, from 0 (default 5)")
    parser.add_argument(
        "--lesson", choices=sorted(every), action="append", help="only this one; may be repeated"
    )
    parser.add_argument(
        "--experiment",
        choices=sorted({name for lesson in every.values() for name in lesson.experiments}),
        action="append",
        help="only this one, the table's other rows are kept; may be repeated",
    )
    parser.add_argument("--out", type=Path, default=TARGET, help=f"where the table goes (default {TARGET})")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    options = parser.parse_args(arguments)
    if options.seeds < 2:
        parser.error("--seeds must be at least 2: an interval needs a spread.")

    err = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    chosen = [every[id] for id in options.lesson or sorted(every)]
    with Progress(*columns, console=err) as progress:
        verdicts = measure(chosen, options.seeds, progress, options.experiment)
    if not verdicts:
        parser.error("No claim of the chosen lessons rests on the chosen experiments.")

    if options.json:
        print(json.dumps([{**asdict(verdict), "holds": verdict.holds} for verdict in verdicts], indent=1))
    else:
        print("\n".join(map(str, verdicts)))
    if not all(verdict.holds for verdict in verdicts):
        err.print(
            f"Not every claim holds, so {options.out} was left as it is: change the lesson or the claim."
        )
        return 1
    if options.seeds < LEAST_SEEDS:
        err.print(f"{options.out} was left as it is: it is written from {LEAST_SEEDS} seeds or more.")
        return 0
    for lesson in chosen:
        for name, record in lesson.records.items():
            if options.experiment is None or name in options.experiment:
                record(options.seeds)
    measured = {verdict.claim.id for verdict in verdicts}
    known = {claim.id for lesson in every.values() for claim in lesson.claims}
    earlier = read_table(options.out).values() if options.out.exists() else ()
    machines = read_machines(options.out) if options.out.exists() else {}
    kept = [row for row in earlier if row["claim"] in known - measured]
    write_whole(options.out, claims_table(verdicts, kept, machines))
    err.print(f"Wrote {options.out}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
