"""Reads and writes `dates.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from jsonschema import Draft202012Validator

from graders.names import normal_name

from ..json_file import mistake_in, parse_checked, read_text
from ..records import GradingError
from .moments import Moment, read_duration, read_moment, write_duration
from .rule import PenaltyRule

NAME = "dates.json"

# `description` is what a sentence about bad input expects in that place.
_TIME = {"type": "string", "description": 'a time with its zone, such as "2026-12-24 18:00 Europe/Paris"'}
_DURATION = {"type": "string", "description": 'a duration, such as "2d", "1d12h" or "15m"'}
_PER_CENT = {"type": "number", "minimum": 0, "maximum": 100, "description": "a number from 0 to 100"}
_RULE = {
    "type": "object",
    "properties": {
        "per_day": _PER_CENT,
        "grace": _DURATION,
        "floor": _PER_CENT,
        "none_after": _DURATION,
    },
    "additionalProperties": False,
    "description": "a rule with per_day, grace, floor or none_after",
}
_EXTENSION = {
    "type": "object",
    "properties": {
        "by": _DURATION,
        "until": _TIME,
        "reason": {"type": "string", "maxLength": 1000, "description": "a text of at most 1,000 letters"},
    },
    "oneOf": [{"required": ["by"]}, {"required": ["until"]}],
    "additionalProperties": False,
    "description": 'an extension with either "by" (a duration) or "until" (a time), and perhaps a "reason"',
}
_UNIT = {
    "type": "object",
    "properties": {
        "due": _TIME,
        "rule": _RULE,
        "extensions": {
            "type": "object",
            "additionalProperties": _EXTENSION,
            "description": "an extension for each student's id",
        },
    },
    "additionalProperties": False,
    "description": "a unit with due, rule or extensions",
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Due dates, extensions and rules for late submissions of a course",
    "type": "object",
    "properties": {
        "format": {"const": 1, "description": "1"},
        "rule": _RULE,
        "units": {
            "type": "object",
            "additionalProperties": _UNIT,
            "description": "an entry for each unit's name",
        },
    },
    "required": ["format"],
    "additionalProperties": False,
    "description": 'an object with "format": 1, and perhaps "rule" and "units"',
}


@dataclass(frozen=True)
class Extension:
    """An extension of a student, or of a group (`ben+fay`). One of `by` and `until` is there."""

    by: timedelta | None = None
    until: Moment | None = None
    reason: str = ""

    def beyond(self, due: datetime) -> timedelta:
        """How much is added to a due date, in UTC; nothing if it is already later."""
        added = self.by if self.until is None else self.until.utc - due
        return max(added or timedelta(), timedelta())

    def __str__(self) -> str:
        return (
            f"{write_duration(self.by or timedelta())} more"
            if self.until is None
            else (f"until {self.until.text}")
        )


@dataclass(frozen=True)
class UnitDates:
    """What `dates.json` says of a unit.

    Attributes:
        due: None if the gradebook's due date counts.
        rule: None if the course's counts.
        extensions: by student or group; None if those in the gradebook count.
    """

    due: Moment | None = None
    rule: PenaltyRule | None = None
    extensions: dict[str, Extension] | None = None

    def extension(self, student: str, due: datetime | None) -> timedelta | None:
        """The student's extension, the longest one of their own and of their groups; None for none."""
        name = normal_name(student)
        mine = [
            one.beyond(due)
            for who, one in (self.extensions or {}).items()
            if due is not None and (who == name or name in members(who))
        ]
        return max(mine, default=timedelta()) or None


@dataclass(frozen=True)
class CourseDates:
    """The contents of `dates.json`. `rule` counts for units that have none of their own."""

    rule: PenaltyRule | None = None
    units: dict[str, UnitDates] = field(default_factory=dict)

    def own(self, unit: str) -> UnitDates:
        """The unit's own entry."""
        return self.units.get(unit, UnitDates())

    def of(self, unit: str) -> UnitDates:
        """What holds for a unit, the course's rule included."""
        own = self.own(unit)
        return own if own.rule is not None else replace(own, rule=self.rule)

    def with_unit(self, unit: str, dates: UnitDates | None) -> CourseDates:
        """The same, but for one unit; None takes its entry out."""
        units = {name: one for name, one in self.units.items() if name != unit}
        return replace(self, units=units if dates is None else {**units, unit: dates})


def members(group: str) -> tuple[str, ...]:
    """The ids in a group's name, `ben+fay`."""
    return tuple(part for part in map(str.strip, group.split("+")) if part)


def read_dates(root: Path) -> CourseDates:
    """Read the dates of the course in this folder; without a file there are none.

    Raises:
        GradingError: the file cannot be read, or is not as the schema says.
    """
    path = root / NAME
    text = read_text(path)
    return CourseDates() if text is None else parse_dates(text, str(path))


def parse_dates(text: str, path: str = NAME) -> CourseDates:
    """Read the contents of the file; `path` is named in sentences.

    Raises:
        GradingError: it is not as the schema says.
    """
    content = parse_checked(text, path, _VALIDATOR, "the file that `tlcourse dates` writes")
    try:
        rule = _rule(content.get("rule"), "rule")
        units = {normal_name(name): _unit(one, name) for name, one in content.get("units", {}).items()}
    except _InPlace as error:
        raise mistake_in(path, error.place, str(error.reason)) from error
    return CourseDates(rule, units)


def write_dates(dates: CourseDates) -> str:
    """The contents of the file."""
    content: dict = {"format": 1}
    if dates.rule is not None:
        content["rule"] = _plain_rule(dates.rule)
    content["units"] = {name: _plain_unit(one) for name, one in sorted(dates.units.items())}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


class _InPlace(Exception):
    """A value that the schema lets pass and that is wrong."""

    def __init__(self, place: str, reason: object) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason


_VALIDATOR = Draft202012Validator(SCHEMA)


def _unit(content: dict, name: str) -> UnitDates:
    place, extensions = f"units.{name}", None
    if "extensions" in content:
        extensions = {
            normal_name(who): _extension(one, f"{place}.extensions.{who}")
            for who, one in content["extensions"].items()
        }
    due = _in_place(read_moment, content.get("due"), f"{place}.due")
    return UnitDates(due, _rule(content.get("rule"), f"{place}.rule"), extensions)


def _extension(content: dict, place: str) -> Extension:
    by = _in_place(read_duration, content.get("by"), f"{place}.by")
    until = _in_place(read_moment, content.get("until"), f"{place}.until")
    return Extension(by, until, content.get("reason", ""))


def _rule(content: dict | None, place: str) -> PenaltyRule | None:
    if content is None:
        return None
    grace = _in_place(read_duration, content.get("grace"), f"{place}.grace") or timedelta()
    end = _in_place(read_duration, content.get("none_after"), f"{place}.none_after")
    if end is not None and end < grace:
        raise _InPlace(place, "none_after must not be shorter than grace")
    return PenaltyRule(float(content.get("per_day", 0)), grace, float(content.get("floor", 0)), end)


def _in_place(read, text: str | None, place: str):
    try:
        return None if text is None else read(text)
    except GradingError as error:
        raise _InPlace(place, error) from error


def _plain_unit(dates: UnitDates) -> dict:
    content: dict = {}
    if dates.due is not None:
        content["due"] = dates.due.text
    if dates.rule is not None:
        content["rule"] = _plain_rule(dates.rule)
    if dates.extensions is not None:
        content["extensions"] = {
            who: dict(_plain_extension(one)) for who, one in sorted(dates.extensions.items())
        }
    return content


def _plain_extension(extension: Extension) -> Iterator[tuple[str, str]]:
    if extension.until is not None:
        yield "until", extension.until.text
    else:
        yield "by", write_duration(extension.by or timedelta())
    if extension.reason:
        yield "reason", extension.reason


def _plain_rule(rule: PenaltyRule) -> dict:
    content: dict = {"per_day": rule.per_day} if rule.per_day else {}
    content |= {"floor": rule.floor} if rule.floor else {}
    content |= {"grace": write_duration(rule.grace)} if rule.grace else {}
    return content | ({} if rule.none_after is None else {"none_after": write_duration(rule.none_after)})
