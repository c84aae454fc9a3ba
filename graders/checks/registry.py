"""The exercises of the course: each registers itself with `@exercise`, and is found by its folder's name.

`course/units/u01_transfer_learning/build_head/exercise.py` defines `check_build_head`, the check of the
exercise `build-head` of the unit `01-transfer-learning`. There is no list to keep.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import ParamSpec

from graders.off_limits import off_limits as keep_off
from graders.units import exercise_packages, unit_id, unit_packages

from .mistakes import Catalogue, Exercise
from .running import announce, quiet

__all__ = ["RegistryError", "exercise", "exercises"]

_P = ParamSpec("_P")
_registered: dict[str, Exercise] = {}  # by module


class RegistryError(ValueError):
    """An exercise does not follow the rules; the message says which one, which rule, and what to do."""


def exercise(
    *,
    number: int,
    points: int,
    title: str,
    functions: tuple[str, ...],
    mistakes: Catalogue,
    equivalent: tuple[tuple[str, str], ...] = (),
    narrow: tuple[tuple[str, str], ...] = (),
    lesson_calls: Callable[[], Iterable[tuple[str, tuple]]] | None = None,
    off_limits: tuple[str, ...] = (),
) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """Register the check below as that of an exercise. The folders say its id and its unit.

    The check runs quietly: nothing reaches stderr (nbgrader takes that for a failure), and random numbers are
    as before. In a notebook it says that it was passed, since a cell without output looks like one that did
    not run.

    Args:
        number: the exercise's place in its unit, from 1.
        points: XP; the test cell of the notebook says the same.
        title: what a person reads.
        functions: names that the answer's cell defines, in the order in which the check takes them.
        mistakes: the named mistakes.
        equivalent: faults in a right program that change nothing, as `tlcourse lint-lesson` lists them:
            (change, why).
        narrow: what the check draws from a narrow range on purpose, as `tlcourse lint-lesson` lists it:
            (dimension, why); `*` stands for any text.
        lesson_calls: returns (function, arguments) for calls such as a student of the lesson would make.
            `tlcourse lint-lesson` adds them to the calls that the lesson itself makes, so that a check is
            compared with the lesson where no cell calls the function.
        off_limits: dotted names of what does the same in our own library: functions, classes, whole modules.
            An answer that calls one fails (`graders.off_limits`).

    Raises:
        RegistryError: the module is not `exercise.py` in a folder of a unit, or its check has another name.
    """

    def register(check: Callable[_P, None]) -> Callable[_P, None]:
        id, unit = _place(check)

        @functools.wraps(check)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
            with quiet(), keep_off(off_limits):
                check(*args, **kwargs)
            announce(title, points)

        _registered[check.__module__] = Exercise(
            id,
            unit,
            number,
            points,
            title,
            functions,
            run,
            mistakes,
            equivalent,
            narrow,
            lesson_calls,
            off_limits,
        )
        return run

    return register


def exercises(unit: str = "") -> tuple[Exercise, ...]:
    """The exercises of a unit ("01-transfer-learning") or of the course, in order; none for an unknown unit.

    Importing them imports torch.

    Raises:
        RegistryError: an exercise does not follow the rules.
    """
    found: list[Exercise] = []
    for id, package in unit_packages().items():
        if unit in ("", id):
            own = [_load(name) for name in exercise_packages(package)]
            found += sorted(own, key=lambda one: one.number)
    return tuple(found)


def check_names() -> list[str]:
    """The names of all checks. No exercise is imported."""
    return sorted(f"check_{package.rpartition('.')[2]}" for package in _packages())


def find_check(name: str) -> Callable[..., None] | None:
    """The check of this name ("check_build_head"), or None. Only the exercise's own modules are imported.

    Raises:
        RegistryError: exercises of two units have this name.
    """
    found = [package for package in _packages() if f"check_{package.rpartition('.')[2]}" == name]
    if len(found) > 1:
        raise RegistryError(f"{found[0]} and {found[1]} have the same name. Rename one of the two folders.")
    return _load(found[0]).check if found else None


def _packages() -> Iterator[str]:
    for package in unit_packages().values():
        yield from exercise_packages(package)


def _load(package: str) -> Exercise:
    module = f"{package}.exercise"
    import_module(module)
    if module not in _registered:
        raise RegistryError(f"{module} registers no exercise. Put `@exercise(...)` above its check.")
    return _registered[module]


def _place(check: Callable[..., None]) -> tuple[str, str]:
    """The id and the unit of the exercise whose check this is."""
    *_, unit, folder, module = ("", "", *check.__module__.split("."))
    if not unit_id(unit) or module != "exercise":
        raise RegistryError(
            f"{check.__module__} is not the exercise.py of a unit's folder. Expected, for example, "
            "course/units/u01_transfer_learning/build_head/exercise.py."
        )
    if check.__name__ != f"check_{folder}":
        raise RegistryError(
            f"The check of {check.__module__} is named {check.__name__}. Expected check_{folder}, after its "
            "folder."
        )
    return folder.replace("_", "-"), unit_id(unit)
