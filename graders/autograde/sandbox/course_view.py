"""What sandboxed processes see of the course: a student's sees experiments, a checker's exercises as well.

The notebooks with their solutions, and what students handed in, may lie in the same folder as the package. So
the folder itself is never in view, only what is named here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from graders.units import EXPERIMENTS, PACKAGE, exercise_folders, places_of, unit_packages

_COURSE = PACKAGE.partition(".")[0]
_CLAIMS = f"{_COURSE}.claims"  # experiments state claims with it


def course_files(exercises: bool) -> set[Path]:
    """Files and folders of the course that a process may read.

    Args:
        exercises: whether it sees exercises.
    """
    found = {place / "__init__.py" for place in places_of(_COURSE)}.union(places_of(_CLAIMS))
    if exercises:
        found.update(places_of(PACKAGE))
    else:
        for package in (PACKAGE, *unit_packages().values()):
            for place in places_of(package):
                found |= {place / "__init__.py", *place.glob(f"{EXPERIMENTS}*")}
    return {path.resolve() for path in found if path.exists()}


def hidden_folders(exercises: bool, libraries: Iterable[str]) -> set[Path]:
    """Folders of the course that a process must not see where it sees the folder that they are in.

    Args:
        exercises: whether it sees exercises.
        libraries: folders of installed packages; another copy of the course there is hidden as a whole.
    """
    here = places_of(_COURSE)
    seen = {place for name in (PACKAGE, _CLAIMS) for place in places_of(name)}
    hidden = {entry for place in here for entry in place.iterdir() if entry.is_dir()} - seen
    hidden |= {Path(library, _COURSE) for library in libraries} - set(here)
    return {path.resolve() for path in (hidden if exercises else hidden.union(exercise_folders()))}


def find_experiments() -> None:
    """Find, but do not import, every unit's experiments, in the server that forks students' processes.

    Landlock cannot hide some of a folder's names, so a folder with exercises in it cannot be listed later,
    when a cell imports the experiments beside them. Python remembers what it has listed.
    """
    if places_of(_CLAIMS):
        import_module(_CLAIMS)
    for package in unit_packages().values():
        importlib.util.find_spec(f"{package}.{EXPERIMENTS}")
