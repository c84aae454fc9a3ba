"""Times that name their zone, and durations, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from ..records import GradingError

_EXAMPLES = "2026-12-24 18:00 Europe/Paris, 2026-12-24 18:00 +01:00 or 2026-12-24T17:00Z"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?\s*(\S+)?")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60))
_DURATION = re.compile("".join(rf"(?:(\d{{1,4}}){name})?" for name, _ in _UNITS))


@dataclass(frozen=True)
class Moment:
    """A time with its zone. `text`: as it is written down and shown. `utc`: the same, in UTC and without a
    zone, as nbgrader keeps times."""

    text: str
    utc: datetime


def read_moment(text: str, zone: str = "") -> Moment:
    """Read a time such as `2026-12-24 18:00 Europe/Paris`.

    Args:
        zone: for a time that does not name one.

    Raises:
        GradingError: it is not a time, it has no zone, or the zone's clocks show it twice or never.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise GradingError(f"{text!r} is not a time. Expected a date, a time and a zone: {_EXAMPLES}.")
    day, minutes, seconds, named = found.groups()
    named = named or zone
    if not named:
        raise GradingError(
            f"{text!r} does not say in which time zone. Write the zone behind it ({_EXAMPLES}), or give "
            "--zone."
        )
    try:
        local = datetime.fromisoformat(f"{day} {minutes}{seconds or ':00'}")
    except ValueError as error:
        raise GradingError(f"{text!r} is not a time ({error}). Expected one such as {_EXAMPLES}.") from error
    name, where = _zone(named)
    earlier, later = (local.replace(tzinfo=where, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    shown = f"{day} {minutes}{seconds or ''} {name}"
    if earlier != later:
        happens = "twice" if earlier > later else "never"  # the clocks are set back, or forward
        raise GradingError(
            f"{shown} happens {happens}: the clocks change then. Write the offset in place of the zone, such "
            f"as {day} {minutes} +01:00, or take another time."
        )
    try:
        return Moment(shown, local.replace(tzinfo=where).astimezone(timezone.utc).replace(tzinfo=None))
    except OverflowError as error:
        raise GradingError(f"{text!r} is out of range. Expected a time such as {_EXAMPLES}.") from error


def _zone(name: str) -> tuple[str, tzinfo]:
    """The zone's name as it is written down, and the zone."""
    if name in ("Z", "UTC"):
        return "UTC", timezone.utc
    if offset := _OFFSET.fullmatch(name):
        sign, hours, minutes = offset[1], int(offset[2]), int(offset[3])
        if hours < 24 and minutes < 60:
            away = timedelta(hours=hours, minutes=minutes)
            return f"{sign}{hours:02}:{minutes:02}", timezone(-away if sign == "-" else away)
    try:
        return name, ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # no such zone, a path, a folder of zones
        raise GradingError(
            f"{name!r} is not a time zone. Expected UTC, an offset such as +01:00, or a name such as "
            "Europe/Paris (Wikipedia: List of tz database time zones)."
        ) from error


def read_duration(text: str) -> timedelta:
    """Read a duration such as `2d`, `1d12h` or `15m`.

    Raises:
        GradingError: it is not one.
    """
    found = _DURATION.fullmatch(text.strip().removeprefix("+"))
    seconds = [
        int(number) * size
        for number, (_, size) in zip(found.groups() if found else (), _UNITS, strict=False)
        if number
    ]
    if not seconds or not sum(seconds):
        raise GradingError(
            f"{text!r} is not a duration. Expected weeks, days, hours and minutes, such as 1w, 2d, 1d12h or "
            "15m."
        )
    return timedelta(seconds=sum(seconds))


def write_duration(duration: timedelta) -> str:
    """A duration as `read_duration` reads it, without weeks; seconds are left out."""
    left, parts = int(duration.total_seconds()), []
    for name, size in _UNITS[1:]:
        number, left = divmod(left, size)
        parts += [f"{number}{name}"] if number else []
    return "".join(parts) or "0m"
