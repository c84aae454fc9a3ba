"""What `tlcourse dates` does: changes dates.json and the gradebook together, and shows the effect."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import find_assignment
from graders.autograde.dates.file import (
    NAME,
    CourseDates,
    Extension,
    members,
    parse_dates,
    read_dates,
    write_dates,
)
from graders.autograde.records import GradingError
from graders.autograde.results.connection import OpenGradebook
from graders.autograde.results.dates import (
    PenaltyChange,
    change_dates,
    due_in_gradebook,
    extensions_in_gradebook,
    students_in_gradebook,
    units_in_gradebook,
)
from graders.autograde.results.files import write_whole
from graders.names import normal_name, shown

from .alone import alone


@contextlib.contextmanager
def told():
    """Have errors of grading end the command with their sentence."""
    try:
        yield
    except GradingError as error:
        raise click.ClickException(str(error)) from error


class Work:
    """The dates of a course, and its gradebook if there is one."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.course = open_course(self.root)
        try:
            self._gradebook: OpenGradebook | None = OpenGradebook(self.course, _say)
        except GradingError:  # there is none yet: `nbgrader generate_assignment` makes it
            self._gradebook = None

    def unit(self, given: str, dates: CourseDates | None = None) -> str:
        """The unit's name; one that is in `dates` needs not be in source/ any more."""
        if dates is not None and normal_name(given) in dates.units:
            return normal_name(given)
        return find_assignment(self.course, given)

    def extensions(self, unit: str, dates: CourseDates) -> dict[str, Extension]:
        """A unit's extensions. The first time, those that were granted by nbgrader's own means are taken
        over, since from then on the file is what counts."""
        known = dates.own(unit).extensions
        if known is not None or self._gradebook is None:
            return known or {}
        session = self._gradebook.session
        return {normal_name(who): one for who, one in extensions_in_gradebook(session, unit).items()}

    def without(self, unit: str, dates: CourseDates, who: Iterable[str]) -> dict[str, Extension]:
        """A unit's extensions without those of `who`.

        Raises:
            GradingError: one has none.
        """
        left = dict(self.extensions(unit, dates))
        for one in map(normal_name, who):
            if left.pop(one, None) is None:
                names = ", ".join(map(shown, sorted(left))) or "nobody"
                raise GradingError(f"{shown(one)} has no extension of {unit}. Extensions have: {names}.")
        return left

    def check_extension(self, unit: str, dates: CourseDates, given: Extension, who: Iterable[str]) -> None:
        """Refuse one that ends before the due date, and say who is not in the gradebook."""
        session = None if self._gradebook is None else self._gradebook.session
        own = dates.own(unit).due
        due = None if session is None else due_in_gradebook(session, unit)
        due = due if own is None else own.utc
        if due is None and given.until is not None:
            raise GradingError(
                f"{unit} has no due date, so nothing can be extended until a time. Set one first: `tlcourse "
                f"dates due {unit} TIME`."
            )
        if due is not None and not given.beyond(due):
            raise GradingError(
                f"An extension until {given.until.text if given.until else ''} would end before {unit} is "
                f"due ({due:%Y-%m-%d %H:%M} UTC). Expected a later time."
            )
        known = {normal_name(id) for id in students_in_gradebook(session)} if session else set()
        for one in map(normal_name, who):
            for student in () if one in known else members(one):
                if known and student not in known:
                    _say(
                        f"The gradebook has no student {shown(student)!r}. The extension counts once they "
                        "hand in; if the name is wrong, remove it: `tlcourse dates remove "
                        f"{unit} --extension {shown(one)}`."
                    )

    def change(self, edit: Callable[[CourseDates, Work], CourseDates], dry: bool, as_json: bool) -> None:
        """Change the dates and renew penalties, in the file and in the gradebook or in neither."""
        with contextlib.nullcontext() if dry else alone(self.root):
            before = read_dates(self.root)
            after, changes = self._patiently(lambda: self._change(before, edit, dry))
            changed = [one for one in changes if one.changed]
            if not dry:
                self._feedback_is_old(changed)
        if as_json:
            click.echo(
                json.dumps({"dates": json.loads(write_dates(after)), **_plain(changes, dry)}, indent=2)
            )
        else:
            _print_changes(changes, changed, dry, before == after, self._gradebook is not None)

    def _patiently(self, action: Callable):
        if self._gradebook is None:
            return action()
        try:
            return self._gradebook.patiently(action)
        finally:
            self._gradebook.close()

    def _change(self, before: CourseDates, edit: Callable, dry: bool):
        after = parse_dates(write_dates(edit(before, self)))
        changes: list[PenaltyChange] = []
        session = None if self._gradebook is None else self._gradebook.session
        if session is not None:
            for unit in units_in_gradebook(session):
                old, new = before.of(unit), after.of(unit)
                if old != new or before.own(unit) != after.own(unit):
                    changes += change_dates(session, self.course, unit, old, new)
        if dry:
            if session is not None:
                session.rollback()
            return after, changes
        try:
            write_whole(self.root / NAME, write_dates(after).encode())
        except OSError as error:
            if session is not None:
                session.rollback()
            raise GradingError(
                f"{self.root / NAME} cannot be written ({error.strerror}). Nothing was changed. Make the "
                "folder writable or free some space, then try again."
            ) from error
        if session is not None:
            session.commit()  # if this fails, the next `tlcourse grade` does what the file says
        return after, changes

    def _feedback_is_old(self, changed: list[PenaltyChange]) -> None:
        """Feedback shows the penalty: from now on it is older than the graded notebook."""
        for one in changed:
            for path in self.course.folder("autograded", one.student, one.unit).glob("*.ipynb"):
                with contextlib.suppress(OSError):
                    path.touch()

    def show(self, given: str | None, as_json: bool) -> None:
        """Print the dates of all units, or of one."""
        dates = read_dates(self.root)
        if as_json:
            click.echo(write_dates(dates), nl=False)
            return
        in_book = self._patiently(self._in_gradebook)
        units = sorted({*in_book, *dates.units}) if given is None else [self.unit(given, dates)]
        if given is None:
            rule = dates.rule if dates.rule is not None else "none (nbgrader's configuration counts)"
            click.echo(f"Rule for late submissions: {rule}")
        for unit in units:
            _print_unit(unit, dates, *in_book.get(unit, (None, {})))
        if not units:
            click.echo("No unit has a date. Set one: `tlcourse dates due UNIT TIME`.")

    def _in_gradebook(self) -> dict:
        if self._gradebook is None:
            return {}
        session = self._gradebook.session
        return {
            unit: (due_in_gradebook(session, unit), extensions_in_gradebook(session, unit))
            for unit in units_in_gradebook(session)
        }


def _print_unit(unit: str, dates: CourseDates, due, granted: dict[str, Extension]) -> None:
    own = dates.own(unit)
    if own.due is not None:
        when = f"due {own.due.text} ({own.due.utc:%Y-%m-%d %H:%M} UTC)"
    else:
        when = "no due date" if due is None else f"due {due:%Y-%m-%d %H:%M} UTC (in the gradebook alone)"
    click.echo(f"{unit}: {when}")
    if own.rule is not None:
        click.echo(f"  rule: {own.rule}")
    extensions, where = (
        (granted, " (in the gradebook alone)") if own.extensions is None else (own.extensions, "")
    )
    for who, one in sorted(extensions.items()):
        click.echo(f"  {shown(who)}: {one}{where}{f' ({shown(one.reason)})' if one.reason else ''}")


def _plain(changes: list[PenaltyChange], dry: bool) -> dict:
    return {
        "dry_run": dry,
        "students": [
            {
                "unit": one.unit,
                "id": one.student,
                "points": one.points,
                "late_penalty": {"before": one.before, "after": one.after},
                "score": {"before": _score(one, one.before), "after": _score(one, one.after)},
            }
            for one in changes
        ],
    }


def _score(one: PenaltyChange, penalty: float) -> float:
    return max(0.0, one.points - penalty)


def _print_changes(changes, changed, dry: bool, same: bool, has_gradebook: bool) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    if changed:
        table = Table(Column("student", overflow="fold"), "unit", "points", "late penalty", "score")
        for one in changed:
            table.add_row(
                Text(shown(one.student)),
                Text(one.unit),
                f"{one.points:.4g}",
                f"{one.before:.4g} → {one.after:.4g}",
                f"{_score(one, one.before):.4g} → {_score(one, one.after):.4g}",
            )
        Console().print(table)
    would = "would change" if dry else "changed"
    count = f"{len(changed)} of {len(changes)} late penalties {would}" if changes else f"No grade {would}"
    kept = "Dry run: nothing was written" if dry else f"{NAME} is as it was" if same else f"{NAME} is written"
    none = "" if has_gradebook else " There is no gradebook yet; it gets the dates when grading begins."
    click.echo(f"{kept}. {count}.{none}")
    if changed and not dry:
        units = sorted({one.unit for one in changed})
        click.echo(
            "Feedback that was generated before shows the old penalties: "
            + ", ".join(f"`nbgrader generate_feedback {unit} --force`" for unit in units)
            + " renews it."
        )


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
