"""What the freezing panel shows, as a plain dict: the widget, its twin and the tests all read this.

Every number comes with its words; the browser computes nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import torch

from ..core import PRESETS, Cost, FreezeError, FreezePlan, Group, ModelTree
from ..core.cost import OPTIMIZER_STATES
from ..core.tree import bits_of
from ..render.words import count, memory, percent

SCHEMA = 1
STATE_WORDS = {"frozen": "Frozen", "trained": "Trains", "partial": "Partly", "fixed": "Fixed"}


def row_of(group: Group, plan: FreezePlan, largest: int, open_ids: Collection[str] = ()) -> dict:
    """One row of the tree; `largest` is the size of the largest top row, the unit of the bars."""
    tree = plan.tree
    state = "fixed" if group.fixed else plan.state(group.id)
    learning = tree.masks(group.id).parameters & plan.gradient_bits
    learns = sum(tree.parameter_sizes[bit] for bit in bits_of(learning)) if state == "partial" else 0
    words = STATE_WORDS[state]
    size = count(group.numel) if group.numel or not group.tied_to else "tied"
    spoken = f"{group.label}, {group.numel:,} parameters, {words.lower()}"
    return {
        "id": group.id,
        "label": group.label,
        "type": group.module_type,
        "kind": group.kind,
        "state": state,
        "state_text": words,
        "spoken": f"{spoken}: {count(learns)} learn" if learns else spoken,
        "numel": group.numel,
        "count": size,
        "learns": f"{count(learns)} learn" if learns else "",
        "bar": round(group.numel / max(1, largest), 4),
        "fixed": group.fixed,
        "note": group.note,
        "expandable": bool(group.children),
        "children": [row_of(child, plan, largest, open_ids) for child in group.children]
        if group.id in open_ids
        else [],
    }


def rows_of(plan: FreezePlan, open_ids: Collection[str] = ()) -> list[dict]:
    """The rows a person sees first, with the children of those in `open_ids`."""
    top = plan.tree.root.children or (plan.tree.root,)
    largest = largest_row(plan.tree)
    return [row_of(group, plan, largest, open_ids) for group in top]


def largest_row(tree: ModelTree) -> int:
    """Elements of the largest top row."""
    return max(row.numel for row in tree.root.children or (tree.root,))


def flat(rows: list[dict]) -> dict[str, dict]:
    """Rows by id, without their children: what deltas are taken of."""
    found: dict[str, dict] = {}
    for row in rows:
        found[row["id"]] = {key: value for key, value in row.items() if key != "children"}
        found.update(flat(row["children"]))
    return found


def changed_rows(before: dict[str, dict], after: dict[str, dict]) -> list[dict]:
    """For each row that changed: its id and the fields that are new."""
    deltas = []
    for id, row in after.items():
        old = before.get(id, {})
        fields = {key: value for key, value in row.items() if old.get(key) != value}
        if fields:
            deltas.append({"id": id, **fields})
    return deltas


def summary_of(cost: Cost, full: Cost) -> dict:
    """The strip of figures; `full` is the cost of full fine-tuning, which the bars are a share of."""
    parts = [
        ("weights", "Weights", cost.parameter_bytes),
        ("gradients", "Gradients", cost.gradient_bytes),
        ("optimizer", "Optimizer", cost.optimizer_bytes),
    ]
    if cost.activation_bytes is not None:
        parts.append(("activations", "Activations", cost.activation_bytes))
    total, most = sum(part[2] for part in parts), _training_bytes(full)
    share = cost.trainable / max(1, cost.total)
    return {
        "trainable": cost.trainable,
        "total": cost.total,
        "trainable_text": count(cost.trainable),
        "total_text": count(cost.total),
        "trainable_exact": f"{cost.trainable:,} of {cost.total:,} parameters learn",
        "trainable_share": share,
        "trainable_percent": percent(share),
        "memory": [
            {"name": name, "title": title, "bytes": size, "text": memory(size), "share": size / max(1, most)}
            for name, title, size in parts
        ],
        "memory_bytes": total,
        "memory_text": memory(total),
        "memory_full_text": memory(most),
        "activations_known": cost.activation_bytes is not None,
        "backward_share": cost.backward_share,
        "backward_percent": percent(cost.backward_share),
        "forward_share": cost.forward_share,
        "forward_percent": percent(cost.forward_share),
        "assumptions": cost.assumptions,
    }


def _training_bytes(cost: Cost) -> int:
    return cost.parameter_bytes + cost.gradient_bytes + cost.optimizer_bytes + (cost.activation_bytes or 0)


def optimizer_name(optimizer: torch.optim.Optimizer | None) -> str:
    """The name by which `estimate_cost` knows an optimizer; AdamW where there is none or it is not known."""
    if optimizer is None:
        return "adamw"
    name = type(optimizer).__name__.lower()
    if name == "sgd" and any(group.get("momentum") for group in optimizer.param_groups):
        return "sgd-momentum"
    return name if name in OPTIMIZER_STATES else "adamw"


def presets_of(plan: FreezePlan, k: int, plans: dict[str, FreezePlan | str]) -> list[dict]:
    """The preset buttons. `plans` holds each preset's plan, or the sentence why this model has none."""
    shown = []
    for name, preset in PRESETS.items():
        if name not in plans:
            continue
        made = plans[name]
        options = (
            {"k": {"value": k, "min": 1, "max": most_layers(plan.tree)}} if "k" in preset.options else {}
        )
        shown.append(
            {
                "name": name,
                "title": preset.title,
                "description": preset.description,
                "active": not isinstance(made, str) and made == plan,
                "unavailable": made if isinstance(made, str) else "",
                "options": options,
            }
        )
    return shown


def most_layers(tree: ModelTree) -> int:
    """The largest k of "the last k layers"; 1 where the model has no list of layers."""
    return max((len(tower) for tower in tree.towers), default=1)


def preset_plans(tree: ModelTree, k: int) -> dict[str, FreezePlan | str]:
    """Each preset's plan for this model, or the sentence why there is none."""
    plans: dict[str, FreezePlan | str] = {}
    for name, preset in PRESETS.items():
        if not preset.offered(tree):
            continue
        options = {"k": k} if "k" in preset.options else {}
        try:
            plans[name] = FreezePlan.preset(name, tree, **options)
        except FreezeError as error:
            plans[name] = str(error)
    return plans
