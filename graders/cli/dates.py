"""`tlcourse dates`: due dates, extensions, and rules for late submissions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from .extras import need, need_driver
from .places import course_folder


@click.group(invoke_without_command=True)
@click.pass_context
def dates(context: click.Context) -> None:
    """Set due dates, extensions and rules for late submissions, and renew late penalties by them.

    They are kept in dates.json in the course folder; nbgrader's gradebook, and so formgrader, gets a copy of
    due dates and extensions. Points are never changed, only what lateness takes off. Each command shows whose
    penalty changes; --dry-run shows it and changes nothing.

    Without a command it shows all dates.
    """
    if context.invoked_subcommand is None:
        context.invoke(show)


def _options(*names: str) -> Callable:
    every = {
        "course": click.option(
            "--course",
            "folder",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="The nbgrader course folder. [the one you are in, or the checkout's course]",
        ),
        "dry": click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing."),
        "json": click.option("--json", "as_json", is_flag=True, help="Print as JSON."),
        "zone": click.option("--zone", default="", help="The time zone of a TIME that does not name one."),
    }

    def add(command):
        return functools.reduce(lambda done, name: every[name](done), reversed(names), command)

    return add


@dates.command()
@click.argument("unit", required=False)
@_options("course", "json")
def show(unit: str | None = None, folder: Path | None = None, as_json: bool = False) -> None:
    """Show the dates and rules of all units, or of one."""
    from .dates_work import Work, told

    with told():
        Work(folder or course_folder()).show(unit, as_json)


@dates.command()
@click.argument("unit")
@click.argument("time")
@_options("course", "zone", "dry", "json")
def due(unit: str, time: str, zone: str, folder: Path | None, dry_run: bool, as_json: bool) -> None:
    """Set when UNIT is due. TIME names its zone, such as "2026-12-24 18:00 Europe/Paris"."""
    from graders.autograde.dates.moments import read_moment

    def edit(before, work):
        name = work.unit(unit)
        return before.with_unit(name, replace(before.own(name), due=read_moment(time, zone)))

    _change(edit, folder, dry_run, as_json)


@dates.command()
@click.argument("unit")
@click.argument("who", nargs=-1, required=True, metavar="STUDENT...")
@click.option("--by", metavar="DURATION", help="How much later, such as 2d, 1d12h or 30m.")
@click.option("--until", metavar="TIME", help="Until when; TIME names its zone, or see --zone.")
@click.option("--reason", default="", help="Kept in dates.json, for you.")
@_options("course", "zone", "dry", "json")
def extend(
    unit: str,
    who: tuple[str, ...],
    by: str | None,
    until: str | None,
    reason: str,
    zone: str,
    folder: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give students or groups (ben+fay) an extension for UNIT, in place of one they had."""
    from graders.autograde.dates.file import Extension
    from graders.autograde.dates.moments import read_duration, read_moment
    from graders.names import normal_name

    if (by is None) is (until is None):
        raise click.UsageError("Expected either --by, such as --by 2d, or --until with a time.")

    def edit(before, work):
        name = work.unit(unit)
        given = Extension(
            read_duration(by) if by is not None else None,
            read_moment(until, zone) if until is not None else None,
            reason,
        )
        work.check_extension(name, before, given, who)
        extensions = {**work.extensions(name, before), **{normal_name(one): given for one in who}}
        return before.with_unit(name, replace(before.own(name), extensions=extensions))

    _change(edit, folder, dry_run, as_json)


@dates.command()
@click.argument("unit", required=False)
@click.option(
    "--per-day", type=click.FloatRange(0, 100), metavar="PERCENT", help="Of the points, per day begun."
)
@click.option(
    "--floor", type=click.FloatRange(0, 100), metavar="PERCENT", help="Of the points, stays anyway."
)
@click.option("--grace", metavar="DURATION", help="So much lateness costs nothing, such as 15m.")
@click.option("--none-after", metavar="DURATION", help="No points after so much lateness, such as 7d.")
@_options("course", "dry", "json")
def rule(
    unit: str | None,
    per_day: float | None,
    floor: float | None,
    grace: str | None,
    none_after: str | None,
    folder: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set what lateness costs, in place of the rule before: for UNIT, or for all units without a rule of
    their own. `--per-day 0` alone means that it costs nothing."""
    from datetime import timedelta

    from graders.autograde.dates.moments import read_duration
    from graders.autograde.dates.rule import PenaltyRule

    if per_day is None and none_after is None:
        raise click.UsageError("Expected --per-day, such as --per-day 10, or --none-after, such as 7d.")

    def edit(before, work):
        new = PenaltyRule(
            per_day or 0.0,
            read_duration(grace) if grace else timedelta(),
            floor or 0.0,
            read_duration(none_after) if none_after else None,
        )
        if unit is None:
            return replace(before, rule=new)
        name = work.unit(unit)
        return before.with_unit(name, replace(before.own(name), rule=new))

    _change(edit, folder, dry_run, as_json)


@dates.command()
@click.argument("unit", required=False)
@click.option("--due", "no_due", is_flag=True, help="Only the due date.")
@click.option("--rule", "no_rule", is_flag=True, help="Only the rule; without UNIT, that of the course.")
@click.option("--extension", "who", multiple=True, metavar="STUDENT", help="Only this extension; repeatable.")
@_options("course", "dry", "json")
def remove(
    unit: str | None,
    no_due: bool,
    no_rule: bool,
    who: tuple[str, ...],
    folder: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove dates of UNIT: all of them, or only what the options name."""
    if unit is None and (no_due or who or not no_rule):
        raise click.UsageError("Expected a unit, or --rule alone to remove the rule of the course.")

    def edit(before, work):
        if unit is None:
            return replace(before, rule=None)
        name = work.unit(unit, before)
        if not (no_due or no_rule or who):
            return before.with_unit(name, None)
        own = before.own(name)
        if who:
            own = replace(own, extensions=work.without(name, before, who))
        own = replace(own, due=None if no_due else own.due, rule=None if no_rule else own.rule)
        return before.with_unit(name, own)

    _change(edit, folder, dry_run, as_json)


def _change(edit: Callable, folder: Path | None, dry_run: bool, as_json: bool) -> None:
    need("rich", "grading", "tlcourse dates")
    from .dates_work import Work, told

    with told():
        work = Work(folder or course_folder())
        need_driver(work.course.directory.db_url, "tlcourse dates")
        work.change(edit, dry_run, as_json)
