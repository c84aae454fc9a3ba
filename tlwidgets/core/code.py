"""A plan as the plain PyTorch lines that have the same effect."""

from __future__ import annotations

import re

from .groups import Group, bits_of, flags
from .plan import PRESETS, FreezePlan
from .tree import ModelTree

_INDEX = re.compile(r"^(.*)\[(\d+)\]$")


def plan_code(plan: FreezePlan, model_name: str = "model") -> str:
    """Python lines, with torch alone, that freeze and thaw a model named `model_name` as `plan` does.

    They define `train_mode(model)`, to be called in place of `model.train()`.
    """
    tree = plan.tree
    learning = plan._bits.gradients
    everything = (1 << len(tree.parameter_names)) - 1
    preset = PRESETS.get(plan.name)
    lines = [f"# {preset.comment if preset else 'Your own choice of layers'}"]
    if learning == everything:
        lines.append(f"{model_name}.requires_grad_(True)")
    elif (preset and preset.by_name) or _scattered(plan):
        lines += _by_name(plan, model_name)
    else:
        mostly_frozen = plan.trainable_count * 2 <= tree.total or bool(tree._index.fixed)
        lines.append(f"{model_name}.requires_grad_({not mostly_frozen})")
        chosen = learning if mostly_frozen else everything & ~learning
        lines += _switch(tree, chosen, mostly_frozen, model_name)
    lines += ["", *_mode(plan, model_name), "", *_optimizer(model_name)]
    return "\n".join(lines)


def _scattered(plan: FreezePlan) -> bool:
    groups, single = _cover(plan.tree, plan._bits.gradients)
    return len(single) > 12


def _by_name(plan: FreezePlan, model_name: str) -> list[str]:
    names = sorted(plan.trainable)
    ends = sorted({re.sub(r"^.*?\.\d+\.", "", name) for name in names})
    if all(
        any(name.endswith(end) for end in ends) == (name in plan.trainable)
        for name in plan.tree.parameter_names
    ):
        listed = ",\n    ".join(repr(end) for end in ends)
        test = "name.endswith(learns)"
    else:
        listed = ",\n    ".join(repr(name) for name in names)
        test = "name in learns"
    return [
        f"learns = (\n    {listed},\n)",
        f"for name, parameter in {model_name}.named_parameters():",
        f"    parameter.requires_grad_({test})",
    ]


def _cover(tree: ModelTree, chosen: int) -> tuple[list[str], list[str]]:
    """The largest groups that are wholly in `chosen`, and the single parameters left over."""
    groups: list[str] = []
    single: list[str] = []
    left = chosen

    def visit(group: Group) -> None:
        nonlocal left
        mask = tree._index.masks[group.id].parameters
        if not mask & left:
            return
        if mask & ~chosen == 0 and group.kind not in ("parameter", "layers"):
            groups.append(group.id)
            left &= ~mask
            return
        if group.kind == "parameter":
            single.append(group.id)
            left &= ~mask
            return
        for child in group.children:
            visit(child)

    visit(tree.root)
    single += [tree.parameter_names[bit] for bit in bits_of(left)]
    return groups, single


def _switch(tree: ModelTree, chosen: int, value: bool, model_name: str) -> list[str]:
    groups, single = _cover(tree, chosen)
    lines = [f"{target}.requires_grad_({value})" for target in _paths(groups, model_name)[0]]
    for loop in _paths(groups, model_name)[1]:
        lines += [f"for layer in {loop}:", f"    layer.requires_grad_({value})"]
    lines += [f"{path(name, model_name)}.requires_grad_({value})" for name in single]
    return lines


def _paths(ids: list[str], model_name: str) -> tuple[list[str], list[str]]:
    """Expressions for single modules, and slices for consecutive elements of a list."""
    alone: list[str] = []
    lists: dict[str, list[int]] = {}
    for id in ids:
        expression = path(id, model_name) if id else model_name
        match = _INDEX.match(expression)
        if match:
            lists.setdefault(match[1], []).append(int(match[2]))
        else:
            alone.append(expression)
    slices = []
    for base, numbers in lists.items():
        for first, last in _runs(sorted(numbers)):
            if last - first >= 1:
                slices.append(f"{base}[{first}:{last + 1}]")
            else:
                alone.append(f"{base}[{first}]")
    return alone, slices


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def path(name: str, model_name: str = "model") -> str:
    """A Python expression for a module or parameter: "encoder.layer.3" -> "model.encoder.layer[3]"."""
    expression = model_name
    for part in name.split("."):
        if part.isdigit():
            expression += f"[{part}]"
        elif part.isidentifier():
            expression += f".{part}"
        else:
            expression = f"getattr({expression}, {part!r})"
    return expression


def _mode(plan: FreezePlan, model_name: str) -> list[str]:
    still = _still_modules(plan)
    if not still:
        return ["def train_mode(model):", "    model.train()"]
    lines = [
        "def train_mode(model):  # in place of model.train(): frozen layers keep their statistics, and drop "
        "nothing",
        "    model.train()",
    ]
    alone, slices = _paths(still, "model")
    lines += [f"    {target}.eval()" for target in alone]
    for loop in slices:
        lines += [f"    for layer in {loop}:", "        layer.eval()"]
    return lines


def _still_modules(plan: FreezePlan) -> list[str]:
    """Outermost modules in which nothing is active."""
    tree, active = plan.tree, plan._bits.active
    found: list[str] = []
    covered: set[int] = set()
    works = flags(active, len(tree.module_names))
    for number, name in enumerate(tree.module_names):
        if works[number] or number in covered:
            continue
        inside = tree._index.own[number][1]
        if not inside & active:
            found.append(name)
            covered.update(bits_of(inside))
    return found


def _optimizer(model_name: str) -> list[str]:
    return [
        "optimizer = torch.optim.AdamW(",
        f"    (parameter for parameter in {model_name}.parameters() if parameter.requires_grad), lr=1e-3",
        ")",
    ]
