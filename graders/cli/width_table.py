"""The width of checks, as `tlcourse lint-lesson` prints it: a table for each exercise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def print_widths(console, widths: Sequence) -> None:
    """Print what the lesson gives and what the checks draw, and the overfitting mutants that passed.

    Args:
        console: rich's.
        widths: of `graders.lint.width`. Of dimensions that say what something is, only those with a problem
            are shown.
    """
    from rich.markup import escape
    from rich.table import Table

    for width in widths:
        if not width.rows:
            continue
        narrow = sum(row.refused for row in width.rows)
        console.print(
            f"{width.exercise}: {width.caught} of {width.mutants} overfitting mutants caught, "
            f"{narrow} dimension{'s' * (narrow != 1)} too narrow ({width.runs} runs of the check)",
            markup=False,
        )
        table = Table("dimension", "in the lesson", "in the check", "verdict")
        several = len({row.function for row in width.rows}) > 1
        for row in _shown(width.rows):
            name = f"{row.function}: {row.dimension}" if several else row.dimension
            verdict = f"on purpose: {row.why}" if row.why else row.problem or "✓"
            style = "red" if row.refused else ""
            table.add_row(*map(escape, (name, row.lesson, row.check, verdict)), style=style)
        console.print(table)
        refused = {(row.function, row.dimension) for row in width.rows if row.refused}
        for one in width.survivors:
            if (one.function, one.dimension) not in refused:
                console.print(f"    {one} passes", markup=False)


def _shown(rows: Sequence) -> Iterator:
    """Rows that a person reads: all but those that only say what something is, and are in order."""
    return (row for row in rows if row.problem or row.varies)
