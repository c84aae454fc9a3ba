"""What `tlcourse grade --dry-run` says: whose points would change."""

from __future__ import annotations

import json

import click

from graders.names import shown


def say_remarks(tally) -> None:
    """Say what the instructor should know of single submissions."""
    for name, sentence in sorted(tally.attention, key=lambda one: one[0]):
        click.echo(f"{shown(name)}: {shown(sentence, 2000)}", err=True)


def tell_plan(planned: list, tally, interrupted: bool, as_json: bool) -> None:
    """Print what would change for each student.

    Args:
        planned: `GradeWriter.planned`.
    """
    say_remarks(tally)
    changed = [one for one in planned if one.changed]
    if as_json:
        click.echo(json.dumps({"dry_run": True, "students": [_plain(one) for one in planned]}, indent=2))
    elif changed:
        _print_table(changed)
    failed = f", {tally.failed} could not be" if tally.failed else ""
    end = "Stopped, dry run" if interrupted else "Dry run"
    click.echo(
        f"{end}: nothing was written. {tally.graded} would be graded{failed}, {tally.kept} were graded "
        f"before; {len(changed)} of {len(planned)} would have other points or penalties.",
        err=True,
    )


def _print_table(changed: list) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    wide = Column("what would change", overflow="fold")
    table = Table(Column("student", overflow="fold"), "score", "late penalty", wide)
    for one in changed:
        before = one.before
        cells = (f"{shown(name)} {_number(old)} → {_number(new)}" for name, (old, new) in one.cells().items())
        table.add_row(
            Text(shown(one.student)),
            f"{_number(before.score if before else None)} → {_number(one.after.score)}",
            f"{_number(before.late_penalty if before else 0.0)} → {_number(one.after.late_penalty)}",
            Text(", ".join(cells)),
        )
    Console().print(table)


def _number(points: float | None) -> str:
    return "none" if points is None else format(points, ".4g")


def _plain(one) -> dict:
    before = one.before
    return {
        "id": one.student,
        "score": {"before": before.score if before else None, "after": one.after.score},
        "late_penalty": {
            "before": before.late_penalty if before else None,
            "after": one.after.late_penalty,
        },
        "cells": {name: {"before": old, "after": new} for name, (old, new) in one.cells().items()},
    }
