"""The files that a sandboxed process sees: Python, installed packages, and only some packages of ours."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from .course_view import course_files, hidden_folders

HOME = "/home/student"
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
# numpy and the tokenizers library would start threads of their own, but a fork copies only the calling
# thread.
ENVIRONMENT = {
    "HOME": "/tmp", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
    "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
    "TLWIDGETS_VIEW": "static", "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip
OURS = ("graders", "tlwidgets")


@dataclass(frozen=True)
class View:
    """A view of the file system.

    Attributes:
        readable: files and folders that are visible, read-only.
        masked: folders beneath those that appear empty.
        home: whether there is an empty writable folder, HOME, which is also /tmp.
    """

    readable: tuple[str, ...]
    masked: tuple[str, ...]
    home: bool


def view_for(packages: tuple[str, ...], home: bool, exercises: bool = False) -> View:
    """The view of a process that may import the installed packages and, of our own packages, only these.

    Args:
        exercises: whether it sees the course's exercises. Any process that sees one of our packages sees the
            experiments.
    """
    libraries = {path for path in search_path() if Path(path).name in ("site-packages", "dist-packages")}
    libraries |= {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    library = sysconfig.get_config_var("LIBDIR")
    readable = {os.path.realpath(path) for path in (*libraries, *_SYSTEM, *([library] if library else ()))}
    readable |= set(libraries)  # also as spelled in sys.path, since a part of it may be a link
    readable |= {str(place) for name in packages for place in _places(name)}
    readable |= {str(path) for path in course_files(exercises)} if packages else set()
    readable = {path for path in readable if os.path.exists(path)}
    masked = {str(place) for name in OURS if name not in packages for place in _places(name)}
    masked |= {str(Path(path, name)) for path in libraries for name in OURS if name not in packages}
    masked |= {str(path) for path in hidden_folders(exercises, libraries)}
    inside = {path for path in masked if any(Path(path).is_relative_to(top) for top in readable)}
    return View(tuple(_tops(readable)), tuple(sorted(path for path in inside if os.path.isdir(path))), home)


def search_path() -> list[str]:
    """`sys.path` without the folder in which grading was started, where a `torch.py` could replace torch."""
    ours = {str(place.parent) for name in (*OURS, "course") for place in _places(name)}
    library = sysconfig.get_paths()["stdlib"]
    own = (Path(library), Path(library + ".zip"), Path(sysconfig.get_config_var("DESTSHARED") or library))
    kept = []
    for path in sys.path:
        place = Path(path)
        installed = place.name in ("site-packages", "dist-packages", "lib-dynload") or place in own
        if path and (
            installed or path in ours or place.name == f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
        ):
            kept.append(path)
    return kept + sorted(ours - set(kept))


def _places(name: str) -> list[Path]:
    """Where one of our packages is. `graders` is the one that this file is in."""
    import importlib.util

    found = importlib.util.find_spec(name)
    places = list(found.submodule_search_locations or ()) if found is not None else []
    return [Path(place).resolve() for place in places]


def _tops(paths: set[str]) -> list[str]:
    """The paths that do not lie inside another one; the shortest first."""
    tops: list[str] = []
    for path in sorted(paths, key=lambda path: (len(Path(path).parts), path)):
        if not any(Path(path).is_relative_to(top) for top in tops):
            tops.append(path)
    return tops
