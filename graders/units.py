"""Finds the course's units by name. The course is a plugin: no `import` statement of the grader names it."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

PACKAGE = "course.units"
EXPERIMENTS = "experiments"  # the module or package of a unit that its notebook imports
_ID = re.compile(r"(?:\d\d|[Pp]\d)-[a-z0-9]+(?:-[a-z0-9]+)*")
_FOLDER = re.compile(r"(u\d\d|p\d)_(\w+)")


class UnknownUnit(ValueError):
    """No unit has this name; the message lists the units there are."""


def is_unit_id(text: str) -> bool:
    """Whether this is a unit's id: two digits or P and a digit, then lower-case words joined by hyphens."""
    return _ID.fullmatch(text) is not None


def unit_folder(unit: str) -> str:
    """A unit's folder: `u01_transfer_learning` for "01-transfer-learning", `p1_voices` for "P1-voices"."""
    name = unit.replace("-", "_").lower()
    return f"u{name}" if name[0].isdigit() else name


def unit_id(folder: str) -> str:
    """The unit of a folder: the inverse of `unit_folder`; "" for a folder that is not a unit's."""
    match = _FOLDER.fullmatch(folder)
    if match is None:
        return ""
    number, words = match[1].removeprefix("u").upper(), match[2].replace("_", "-")
    return f"{number}-{words}"


def unit_packages() -> dict[str, str]:
    """The package of every unit, by the unit's id and in the course's order.

    Nothing below `course` is imported.
    """
    found = {}
    for place in places_of(PACKAGE):
        for module in pkgutil.iter_modules([str(place)]):
            unit = unit_id(module.name)
            if unit and module.ispkg:
                found[unit] = f"{PACKAGE}.{module.name}"
    return dict(sorted(found.items()))


def exercise_packages(package: str) -> list[str]:
    """The exercises of a unit's package: its folders with an `exercise.py`. No exercise is imported."""
    return [
        f"{package}.{folder.name}"
        for place in places_of(package)
        for folder in sorted(place.iterdir())
        if (folder / "exercise.py").is_file()
    ]


def exercise_folders() -> list[Path]:
    """The folder of every exercise."""
    packages = [name for package in unit_packages().values() for name in exercise_packages(package)]
    return [place for name in packages for place in places_of(name)]


def units_experiments() -> Iterator[tuple[str, ModuleType]]:
    """The experiments of every unit that has any, imported, with the unit's id."""
    for unit, package in unit_packages().items():
        name = f"{package}.{EXPERIMENTS}"
        if importlib.util.find_spec(name) is not None:
            yield unit, importlib.import_module(name)


def find_unit(given: str, known: Iterable[str]) -> str:
    """The unit that somebody means by its id, by its folder as a shell completes it, or by its number.

    Raises:
        UnknownUnit: there is no such unit, or more than one has this number.
    """
    known, name = list(known), Path(given).name
    found = [unit for unit in known if unit == name] or [
        unit for unit in known if name and unit.partition("-")[0] == name
    ]
    if len(found) != 1:
        expected = ", ".join(known) or "none yet"
        raise UnknownUnit(f"There is no unit {given!r}. Expected one of {expected}, or its number.")
    return found[0]


def places_of(package: str) -> list[Path]:
    """Where a package is; nowhere if it is not installed. The packages above it are imported."""
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return []
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec is not None else []
