"""Checks of the course's exercises: each raises with the mistake it looks like, or returns None.

Lessons import them by name: `from graders.checks import check_build_head`. Importing this package is quick: torch loads
when a check or the list of exercises is first used, so that nbgrader, which needs `execute` alone, does not wait for it.
"""

from importlib import import_module

_HOME = {
    "CheckFailed": "mistakes",
    "Exercise": "mistakes",
    "Mistake": "mistakes",
    "EXERCISES": "units",
    "exercises": "units",
    "check_lora_linear": "unit00",
    "check_next_token_loss": "unit00",
    "check_perplexity": "unit00",
    "check_build_head": "unit01",
    "check_choose_plan": "unit01",
    "check_freeze_backbone": "unit01",
    "check_layer_rates": "unit02",
    "check_pick": "unit02",
    "check_set_dial": "unit02",
    "check_fuse_late": "unit03",
    "check_contrastive_loss": "unit03",
    "check_really_uses": "unit03",
    "check_split_clips": "unit03",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"graders.checks has no name {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
