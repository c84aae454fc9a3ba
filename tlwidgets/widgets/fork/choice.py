"""The choices that the fork panel offers for the next fork, and what they amount to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core import PRESETS, FreezePlan, ModelTree
from ..base.labels import number_option
from ..freeze.state import most_layers

RATES = {
    "same": ("as it was", 1.0),
    "half": ("halved", 0.5),
    "tenth": ("a tenth", 0.1),
    "twice": ("doubled", 2.0),
}
_PLAIN = {
    "as": ("As it was", "The freeze plan stays as it was in the run."),
    "panel": ("As in the freezing panel", "The plan that the freezing panel shows now."),
}


@dataclass(frozen=True)
class Choice:
    """The step to fork after, the run to fork ("" is the run itself, else a fork's name), and what changes
    from there.

    Attributes:
        plan: "as" (nothing changes), "panel" (the freezing panel's plan), or a preset's name.
        k: the option of the preset "last".
        rate: a key of `RATES`.
    """

    step: int
    plan: str = "as"
    k: int = 2
    rate: str = "same"
    base: str = ""


def plan_items(
    choice: Choice, tree: ModelTree, plans: Mapping[str, FreezePlan | str], with_panel: bool
) -> list[dict]:
    """The buttons for plans. `plans` holds each preset's plan, or a sentence that says why there is none."""
    found = [
        {"name": name, "title": title, "description": description, "unavailable": "", "options": {}}
        for name, (title, description) in _PLAIN.items()
        if name == "as" or with_panel
    ]
    for name, made in plans.items():
        k = {"k": number_option("k", choice.k, most_layers(tree))}
        found.append(
            {
                "name": name,
                "title": PRESETS[name].title,
                "description": PRESETS[name].description,
                "unavailable": made if isinstance(made, str) else "",
                "options": k if name == "last" else {},
            }
        )
    return [{**each, "active": each["name"] == choice.plan} for each in found]


def rate_items(choice: Choice) -> list[dict]:
    """The buttons for learning rates."""
    return [
        {"name": name, "title": title, "active": name == choice.rate} for name, (title, _) in RATES.items()
    ]


def base_items(choice: Choice, forks: list[str]) -> list[dict]:
    """The buttons that choose the run to fork."""
    names = {"": "the run", **{name: f"fork {name}" for name in forks}}
    return [{"name": name, "title": title, "active": name == choice.base} for name, title in names.items()]


def rate_of(choice: Choice, was: float | Mapping[str, float]) -> float | dict[str, float] | None:
    """The new learning rate, or rates by row; None where it stays."""
    factor = RATES[choice.rate][1]
    if choice.rate == "same":
        return None
    return {row: factor * rate for row, rate in was.items()} if isinstance(was, Mapping) else factor * was


def change_words(choice: Choice) -> str:
    """What the fork changes, in a few words."""
    title = {"as": "", "panel": "as in the freezing panel", "last": f"last {choice.k} layers"}
    plan = title.get(choice.plan, PRESETS[choice.plan].title.lower() if choice.plan in PRESETS else "")
    rate = "" if choice.rate == "same" else f"rate {RATES[choice.rate][0]}"
    return ", ".join(filter(None, [plan, rate])) or "nothing"


def code_of(choice: Choice, base: str, rate: float | dict[str, float] | None) -> str:
    """Lines that fork in this way; `base` is the expression for the run."""
    parts = [base, "copy.deepcopy(model)", str(choice.step)]
    if choice.plan == "panel":
        parts.append("panel.plan")
    elif choice.plan != "as":
        options = f", k={choice.k}" if choice.plan == "last" else ""
        parts.append(f'FreezePlan.preset(model, "{choice.plan}"{options})')
    if rate is not None:
        parts.append(f"lr={rate!r}")
    imports = ["import copy", "", "from tlwidgets import fork"]
    if choice.plan not in ("as", "panel"):
        imports[-1] = "from tlwidgets import FreezePlan, fork"
    return "\n".join([*imports, "", f"other = fork({', '.join(parts)})"])
