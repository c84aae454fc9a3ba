"""What the freezing panel shows, as a plain dict: the widget, its static view and the tests all read this.

Every number comes with its words; the browser computes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, TypedDict

import torch
from torch import nn

from ...core import PRESETS, Cost, FreezeError, FreezePlan, Group, ModelTree, estimate_cost, profile
from ...core.cost import OPTIMIZER_STATES
from ..base.formats import count, memory, percent, plural
from ..base.labels import labels, number_option
from ..base.records import DeviceMemory, Message, PanelState, Preset

SCHEMA = 1
STATE_WORDS = {"frozen": "Frozen", "trained": "Trains", "partial": "Partly", "fixed": "Fixed"}
STALE = (
    "Code has changed the model since this view was drawn, so the click was not carried out. "
    "The tree now shows the model as it is: click again if you still want to."
)
_PENDING = "It takes effect at the next training step."
DEFAULT_K = 2  # "the last k layers", before anybody has chosen
_THINNEST = 0.01  # of a bar: the smallest group can be seen, too


RowState = Literal["frozen", "trained", "partial", "fixed"]


class FreezeRow(TypedDict):
    """One row of the tree, a group of the model."""

    id: str
    label: str
    type: str
    kind: str
    state: RowState
    state_text: str
    spoken: str  # all that the row says, for a screen reader
    tip: str
    aside: str
    numel: int
    count: str
    learns: str
    bar: float
    fixed: str
    note: str
    expandable: bool
    children: list[FreezeRow]  # those of an open row


class FreezeFill(TypedDict):
    """One part of a figure's bar."""

    name: str
    share: float


class FreezeMemory(FreezeFill):
    """What a part of the memory is needed for."""

    title: str
    text: str


class FreezeFigure(TypedDict):
    """A number with a bar; `tip` is shown when the pointer rests on it."""

    name: str
    title: str
    value: str
    of: str
    note: str
    tip: str
    parts: list[FreezeFill]


class FreezeSummary(TypedDict):
    """What a plan costs."""

    trainable: int
    total: int
    trainable_exact: str
    trainable_percent: str
    memory: list[FreezeMemory]
    memory_bytes: int
    memory_text: str
    memory_full_text: str
    activations_known: bool
    backward_percent: str
    forward_words: str
    assumptions: str
    figures: list[FreezeFigure]


class FreezeState(PanelState):
    """The state of a `FreezePanel`; `revision` counts the changes of its plan."""

    view: Literal["freeze"]
    rows: list[FreezeRow]
    code: str
    revision: int
    plan: str
    presets: list[Preset]
    summary: FreezeSummary
    device: DeviceMemory
    notes: list[str]
    undo: bool
    redo: bool
    pending: bool


def row_of(group: Group, plan: FreezePlan, largest: int, open_ids: Collection[str] = ()) -> FreezeRow:
    """One row of the tree; `largest` is the size of the largest top row, the unit of the bars."""
    state: RowState = "fixed" if group.fixed else plan.state(group.id)
    learns = plan.trainable_in(group.id) if state == "partial" else 0
    words = STATE_WORDS[state]
    size = count(group.numel) if group.numel or not group.tied_to else "tied"
    note = group.fixed or group.note
    parameters = f"{group.numel:,} parameters"
    spoken = f"{group.label}, {parameters}, {words.lower()}{f': {count(learns)} learn' if learns else ''}"
    return {
        "id": group.id,
        "label": group.label,
        "type": group.module_type,
        "kind": group.kind,
        "state": state,
        "state_text": words,
        "spoken": f"{spoken}. {note}" if note else spoken,
        "tip": note or parameters,
        "aside": "cannot be trained" if group.fixed else "tied" if group.note else "",
        "numel": group.numel,
        "count": size,
        "learns": f"{count(learns)} learn" if learns else "",
        "bar": max(_THINNEST, round(group.numel / max(1, largest), 4)) if group.numel else 0.0,
        "fixed": group.fixed,
        "note": group.note,
        "expandable": bool(group.children),
        "children": [row_of(child, plan, largest, open_ids) for child in group.children]
        if group.id in open_ids
        else [],
    }


def rows_of(plan: FreezePlan, open_ids: Collection[str] = ()) -> list[FreezeRow]:
    """The rows a person sees first, with the children of those in `open_ids`."""
    top = _top(plan.tree)
    largest = max(group.numel for group in top)
    return [row_of(group, plan, largest, open_ids) for group in top]


def _top(tree: ModelTree) -> Sequence[Group]:
    return tree.root.children or (tree.root,)


def flat(rows: list[FreezeRow]) -> dict[str, dict]:
    """Rows by id, without their children; two such dicts can be compared."""
    found: dict[str, dict] = {}
    for row in rows:
        found[row["id"]] = {key: value for key, value in row.items() if key != "children"}
        found.update(flat(row["children"]))
    return found


def changed_rows(before: dict[str, dict], after: dict[str, dict]) -> list[dict]:
    """For each row of `before` that changed: its id and the fields that are new."""
    deltas = []
    for id, old in before.items():
        row = after.get(id, old)
        fields = {key: value for key, value in row.items() if old[key] != value}
        if fields:
            deltas.append({"id": id, **fields})
    return deltas


def opened_rows(known: Collection[str], rows: list[FreezeRow]) -> list[dict]:
    """The children of each row of `known` that was opened since: {id, children}."""
    opened = []
    for row in rows:
        children = row["children"]
        if children and children[0]["id"] not in known:
            opened.append({"id": row["id"], "children": children})
        else:
            opened += opened_rows(known, children)
    return opened


def changed_in_code(before: FreezePlan, after: FreezePlan) -> str:
    """How many of the top rows code has put into another state, in words."""
    number = sum(before.state(group.id) != after.state(group.id) for group in _top(after.tree))
    return f"Changed in code: {plural(number, 'group')}."


def message_of(message: Message, pending: bool) -> Message:
    """The panel's message, and when its change takes effect if that is not now."""
    text = f"{message['text']} {_PENDING}" if pending and message["text"] else message["text"]
    return {"kind": message["kind"], "text": text}


class Sent(NamedTuple):
    """What the views of a panel know: the rows of a tree, and how often its code was asked for."""

    tree: ModelTree
    rows: dict[str, dict]
    code_requests: int


def summary_of(cost: Cost, full: Cost) -> FreezeSummary:
    """The strip of figures; `full` is the cost of full fine-tuning, which the bars are a share of."""
    parts = [
        ("weights", "Weights", cost.parameter_bytes),
        ("gradients", "Gradients", cost.gradient_bytes),
        ("optimizer", "Optimizer", cost.optimizer_bytes),
    ]
    if cost.activation_bytes is not None:
        parts.append(("activations", "Activations", cost.activation_bytes))
    total, most = sum(part[2] for part in parts), _training_bytes(full)
    summary: FreezeSummary = {
        "trainable": cost.trainable,
        "total": cost.total,
        "trainable_exact": f"{cost.trainable:,} of {cost.total:,} parameters learn",
        "trainable_percent": percent(cost.trainable / max(1, cost.total)),
        "memory": [
            {"name": name, "title": title, "text": memory(size), "share": size / max(1, most)}
            for name, title, size in parts
        ],
        "memory_bytes": total,
        "memory_text": memory(total),
        "memory_full_text": memory(most),
        "activations_known": cost.activation_bytes is not None,
        "backward_percent": percent(cost.backward_share),
        "forward_words": f"Forward work that changes as it learns: {percent(cost.forward_share)}",
        "assumptions": cost.assumptions,
        "figures": [],
    }
    summary["figures"] = _figures(summary, cost)
    return summary


def _figures(summary: FreezeSummary, cost: Cost) -> list[FreezeFigure]:
    """The three figures, each with a bar of one or several parts."""
    words = labels("freeze", title="")
    return [
        {
            "name": "learns",
            "title": words["learns"],
            "value": count(cost.trainable),
            "of": f" of {count(cost.total)}",
            "note": summary["trainable_percent"],
            "tip": summary["trainable_exact"],
            "parts": [{"name": "trained", "share": cost.trainable / max(1, cost.total)}],
        },
        {
            "name": "memory",
            "title": words["memory"],
            "value": summary["memory_text"],
            "of": f" of {summary['memory_full_text']}",
            "note": words["of_full" if summary["activations_known"] else "of_full_without_activations"],
            "tip": "\n".join(f"{part['title']}: {part['text']}" for part in summary["memory"]),
            "parts": [{"name": part["name"], "share": part["share"]} for part in summary["memory"]],
        },
        {
            "name": "work",
            "title": words["work"],
            "value": summary["backward_percent"],
            "of": "",
            "note": words["of_full"],
            "tip": summary["assumptions"],
            "parts": [{"name": "work", "share": cost.backward_share}],
        },
    ]


def _training_bytes(cost: Cost) -> int:
    return cost.parameter_bytes + cost.gradient_bytes + cost.optimizer_bytes + (cost.activation_bytes or 0)


def optimizer_name(optimizer: torch.optim.Optimizer | None) -> str:
    """The name by which `estimate_cost` knows an optimizer; "adamw" if there is none, or an unknown one."""
    if optimizer is None:
        return "adamw"
    name = type(optimizer).__name__.lower()
    if name == "sgd" and any(group.get("momentum") for group in optimizer.param_groups):
        return "sgd-momentum"
    return name if name in OPTIMIZER_STATES else "adamw"


class Figures:
    """What is known of a model for all its plans: sizes, work, and the presets with the `k` chosen last."""

    def __init__(
        self,
        model: nn.Module,
        tree: ModelTree,
        sample: object = None,
        optimizer: torch.optim.Optimizer | None = None,
        k: int | None = None,
    ) -> None:
        self._tree = tree
        self._profile = profile(model, sample)
        self._optimizer = optimizer_name(optimizer)
        self.k = min(k or DEFAULT_K, most_layers(tree))
        self._plans = preset_plans(tree, self.k)
        full = self._plans["full"]
        self._full = self._cost(full if isinstance(full, FreezePlan) else FreezePlan.from_model(model, tree))

    def summary(self, plan: FreezePlan) -> FreezeSummary:
        """The strip of figures of a plan."""
        return summary_of(self._cost(plan), self._full)

    def presets(self, plan: FreezePlan) -> list[Preset]:
        """The preset buttons while `plan` is in effect."""
        return presets_of(plan, self.k, self._plans)

    def choose_last(self, k: int | None, plan: FreezePlan) -> None:
        """Remember the plan of "the last k layers" that was chosen, with this k or without one."""
        self.k = k or min(DEFAULT_K, most_layers(self._tree))
        self._plans["last"] = plan

    def _cost(self, plan: FreezePlan) -> Cost:
        return estimate_cost(self._tree, plan, self._profile, self._optimizer)


def presets_of(plan: FreezePlan, k: int, plans: dict[str, FreezePlan | str]) -> list[Preset]:
    """The preset buttons. `plans` holds each preset's plan, or a sentence that says why there is none."""
    shown: list[Preset] = []
    for name, preset in PRESETS.items():
        if name not in plans:
            continue
        made = plans[name]
        options = {"k": number_option("k", k, most_layers(plan.tree))} if "k" in preset.options else {}
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
    """The largest k of "the last k layers"; 1 if the model has no list of layers."""
    return max((len(tower) for tower in tree.towers), default=1)


def preset_plans(tree: ModelTree, k: int) -> dict[str, FreezePlan | str]:
    """Each preset's plan for this model, or a sentence that says why there is none."""
    plans: dict[str, FreezePlan | str] = {}
    for name, preset in PRESETS.items():
        if not preset.offered(tree):
            continue
        options = {"k": k} if "k" in preset.options else {}
        try:
            plans[name] = FreezePlan.preset(tree, name, **options)
        except FreezeError as error:
            plans[name] = str(error)
    return plans
