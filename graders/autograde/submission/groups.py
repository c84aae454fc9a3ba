"""Who gets the credit for which submission: groups, by a folder's name or by `groups.json`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jsonschema import Draft202012Validator

from graders.names import normal_name, shown, student_id

from ..json_file import mistake_in, parse_checked, read_text

NAME = "groups.json"

_NAMES = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "description": "a name that is not empty"},
    "uniqueItems": True,
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Groups of students who hand in together",
    "type": "object",
    "properties": {
        "format": {"const": 1, "description": "1"},
        "groups": {
            "type": "array",
            "description": "a list of groups",
            "items": {
                "type": "object",
                "properties": {
                    "members": {
                        **_NAMES,
                        "minItems": 2,
                        "description": "a list of two students or more, each once",
                    },
                    "units": {**_NAMES, "description": "a list of units, each once"},
                },
                "required": ["members"],
                "additionalProperties": False,
                "description": 'a group with "members", and perhaps "units"',
            },
        },
    },
    "required": ["format", "groups"],
    "additionalProperties": False,
    "description": 'an object with "format": 1 and "groups"',
}
_VALIDATOR = Draft202012Validator(SCHEMA)

_PART = re.compile(r"\w[\w.@' -]*")  # of a group's folder name
Remark = Callable[[str, str], None]


@dataclass(frozen=True)
class SubmittedFolder:
    """Where a submission is.

    Attributes:
        path: usually a folder; what else it may be is for the reader to say.
        notes: sentences for the instructor ("it is listed under another name").
        members: the ids of those whom it is credited to.
        group: the group's name, or "" if one student handed it in alone.
    """

    path: Path
    notes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    group: str = ""


def read_groups(root: Path, unit: str) -> list[tuple[str, ...]]:
    """The groups that `groups.json` in the course folder has for a unit: ids, in the file's order.

    Raises:
        GradingError: the file cannot be read, is not as the schema says, or has a student in two groups.
    """
    path = root / NAME
    text = read_text(path)
    if text is None:
        return []
    content = parse_checked(text, str(path), _VALIDATOR, "the groups of the course")
    found: list[tuple[str, ...]] = []
    for number, one in enumerate(content["groups"]):
        if unit not in one.get("units", [unit]):
            continue
        members = tuple(dict.fromkeys(map(student_id, one["members"])))
        for other in found:
            twice = sorted({*members} & {*other})
            if twice:
                raise mistake_in(
                    str(path),
                    f"groups.{number}",
                    f"{shown(twice[0])} is in two groups of {unit}, {shown('+'.join(other))} and "
                    f"{shown('+'.join(members))}; expected one",
                )
        found.append(members)
    return found


def members_of(name: str, spelled: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of the members whom a folder's name lists (`ben+fay`); () if it is one student's.

    A name that the gradebook has as a student's, an address with a plus sign (`ana+x@y.org`), and a name with
    a part that does not look like an id (`=1+1`) is one student's.

    Args:
        spelled: the gradebook's ids by their normal form.
    """
    parts = [part.strip() for part in name.split("+")]
    if not all(map(_PART.fullmatch, parts)):
        return ()
    addresses = sum("@" in part for part in parts)
    if len(parts) < 2 or normal_name(name) in spelled or addresses not in (0, len(parts)):
        return ()
    ids = (spelled.get(normal_name(part)) or student_id(part) for part in parts)
    return tuple(sorted(dict.fromkeys(ids)))


def credited(
    folders: Mapping[str, SubmittedFolder],
    groups: Iterable[tuple[str, ...]],
    spelled: Mapping[str, str],
    remark: Remark,
) -> dict[str, SubmittedFolder]:
    """Each submission to grade, with those whom it is credited to; a student has one.

    For a student in several, the rule is: a group of `groups.json`, then a folder of their own, then the
    group whose folder is the first by name. What is left without anybody is not graded. `remark` says so.

    Args:
        folders: by id. `members` is filled in for those whose name lists a group.
        groups: of `groups.json`.
    """
    mine: dict[str, str] = {}  # the id of the submission that each student is credited with
    named = {id: folder.members or (id,) for id, folder in folders.items()}
    left = dict(folders)
    for listed in groups:
        group: tuple[str, ...] = tuple(spelled.get(normal_name(one), one) for one in listed)
        chosen = _of_group(group, named, left)
        if chosen is None:
            continue
        label = "+".join(group)
        mine.update(dict.fromkeys(group, chosen))
        left[chosen] = replace(left[chosen], group=label)
        for id in sorted(left):
            if id != chosen and {*named[id]} <= {*group}:
                remark(
                    id,
                    f"In {NAME} this is the group {label}, whose submission in {_place(folders, chosen)} "
                    "counts. The "
                    "one here was not graded. To have it count, move the other one elsewhere.",
                )
                del left[id]
    claims: dict[str, list[str]] = {}

    def place(id: str) -> tuple[bool, str]:
        return len(named[id]) > 1, folders[id].path.parent.name

    for id in sorted(left, key=place):  # those of one student first
        for student in named[id]:
            claims.setdefault(student, []).append(id)
    for student, ids in sorted(claims.items()):
        counts = mine.setdefault(student, ids[0])
        others = [id for id in ids if id != counts]
        if others:
            remark(student, _collision(student, counts, others, folders, left))
    done: dict[str, SubmittedFolder] = {}
    for id, folder in left.items():
        credit = tuple(student for student, counts in mine.items() if counts == id)
        if credit:
            label = folder.group or ("+".join(named[id]) if len(named[id]) > 1 else "")
            done[id] = replace(folder, members=tuple(sorted(credit)), group=label)
    return done


def _of_group(group: tuple[str, ...], named: Mapping[str, tuple[str, ...]], left: Mapping) -> str | None:
    """The submission of a group in `groups.json`: the one named after it, else the first member's."""
    for id in sorted(left):
        if {*named[id]} == {*group}:
            return id
    return next((student for student in group if named.get(student) == (student,) and student in left), None)


def _collision(student: str, counts: str, others: list[str], folders: Mapping, left: Mapping) -> str:
    if left[counts].group and counts not in others:
        why = f"as the group {left[counts].group} of {NAME} comes first"
    elif counts == student:
        why = "as a folder of one's own comes first"
    else:
        why = "as it is the first by name"
    places = " and ".join(_place(folders, id) for id in (counts, *others))
    return (
        f"Handed in more than once: {places}. {_place(folders, counts)} counts for {shown(student)}, {why}; "
        "the rest of a group keeps the group's. To have another one count, move this one elsewhere."
    )


def _place(folders: Mapping[str, SubmittedFolder], id: str) -> str:
    return f"submitted/{shown(folders[id].path.parent.name)}"
