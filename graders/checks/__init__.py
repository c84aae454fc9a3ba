"""The toolbox of checks, and the checks of the course's exercises, found by name.

Lessons import a check by its name: `from graders.checks import check_build_head`. A check raises with the
mistake it recognises, or returns None. Importing this package is quick: torch loads when a check or the list
of exercises is first used, so that nbgrader, which needs `execute` alone, does not wait for it.
"""

from importlib import import_module

from tlwidgets import moved

moved.install()

_HOME = {
    "Catalogue": "mistakes",
    "CheckFailed": "mistakes",
    "Exercise": "mistakes",
    "Mistake": "mistakes",
    "exercise": "registry",
    "exercises": "registry",
}


def __getattr__(name):
    value = None
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name == "EXERCISES":
        value = _registry().exercises()
    elif name.startswith("check_"):
        value = _registry().find_check(name)
    if value is None:
        raise AttributeError(f"graders.checks has no name {name!r}; it offers {', '.join(__dir__())}")
    globals()[name] = value
    return value


def __dir__():
    return sorted([*_HOME, "EXERCISES", *_registry().check_names()])


def _registry():
    return import_module(f"{__name__}.registry")
