"""The usual ways to freeze, as functions from a tree to a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import FreezeError, NothingTrainableError
from .plan import FreezePlan
from .tree import ModelTree


@dataclass(frozen=True)
class Preset:
    """A named way to freeze: what a person reads, its options with their defaults, and whether it fits a model."""

    name: str
    title: str
    description: str
    options: Mapping[str, object]
    make: Callable[..., FreezePlan]
    offered: Callable[[ModelTree], bool] = lambda tree: True


def make_preset(name: str, tree: ModelTree, options: Mapping[str, object]) -> FreezePlan:
    """See `FreezePlan.preset`."""
    if name not in PRESETS:
        raise FreezeError(f"There is no preset {name!r}. Expected one of {', '.join(map(repr, PRESETS))}.")
    preset = PRESETS[name]
    unknown = sorted(set(options) - set(preset.options))
    if unknown:
        known = ", ".join(preset.options) or "none"
        raise FreezeError(f"The preset {name!r} has no option {unknown[0]!r}. Its options: {known}.")
    plan = preset.make(tree, **{**preset.options, **options})
    if not plan.gradient_bits:
        raise NothingTrainableError(
            f"The preset {name!r} would train nothing in this {tree.model_type}, and a model that can't learn is of no "
            "use to training. Choose another preset, or thaw a group with plan.with_policy(group, 'trained')."
        )
    return plan


def nothing(tree: ModelTree, name: str = "custom") -> FreezePlan:
    """Everything frozen: where the presets start. It can't be applied."""
    return FreezePlan(tree, name, 0, 0, 0)


def _thaw(tree: ModelTree, ids: list[str], name: str) -> FreezePlan:
    plan = nothing(tree)
    for id in ids:
        masks = tree.masks(id)
        if masks.parameters & ~tree.fixed:
            plan = plan.with_policy(id, "trained")
    return FreezePlan(tree, name, plan.gradient_bits, plan.statistics_bits, plan.dropout_bits)


def _feature_extraction(tree: ModelTree) -> FreezePlan:
    # A bare backbone has no head; what comes last in it is what a new task would replace first.
    return _thaw(tree, list(tree.head) or [_last_row(tree)], "feature-extraction")


def _last_row(tree: ModelTree) -> str:
    rows = [row for row in tree.root.children if not row.tied_to and not row.fixed] or [tree.root]
    return rows[-1].id


def _last(tree: ModelTree, k: int | None) -> FreezePlan:
    if not tree.layers:
        raise FreezeError(
            f"This {tree.model_type} has no list of layers to count from the end. Choose groups with "
            "plan.with_policy(group, 'trained') instead."
        )
    towers = _trained_towers(tree)
    longest = max(len(tower) for tower, _ in towers)
    k = min(2, longest) if k is None else k
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= longest:
        raise FreezeError(
            f"k={k!r} can't be: the model has {longest} layers. Expected a whole number from 1 to {longest}."
        )
    # Below each tower's first trained layer all stays; from it on (last norm, pooler, head) all learns.
    rows = _flat_rows(tree)
    place = {row.id: index for index, row in enumerate(rows)}
    starts = {branch: place[tower[-k:][0]] for tower, branch in towers}
    end = max(place[id] for id in tree.layers)
    chosen = []
    for index, row in enumerate(rows):
        branch = _branch_of(row.id, tree.branches)
        learns = index >= starts[branch] if branch in starts else branch is None and index > end
        if (learns or row.id in tree.head) and not row.tied_to:
            chosen.append(row.id)
    return _thaw(tree, chosen, "last")


def _flat_rows(tree: ModelTree) -> list:
    rows = []
    for row in tree.root.children:
        rows.extend(row.children if row.kind == "layers" else [row])
    return rows


def _trained_towers(tree: ModelTree) -> list[tuple[tuple[str, ...], str]]:
    """Towers whose last layers are the model's last, with their branch: all, but an encoder that feeds a decoder."""
    feeding = {branch.replace("decoder", "encoder") for branch in tree.branches if "decoder" in branch}
    towers = zip(tree.towers, tree.branches, strict=True)
    return [(tower, branch) for tower, branch in towers if branch not in feeding]


def _branch_of(id: str, branches: tuple[str, ...]) -> str | None:
    inside = [branch for branch in branches if not branch or id == branch or id.startswith(branch + ".")]
    return max(inside, key=len) if inside else None


def _full(tree: ModelTree) -> FreezePlan:
    every = (1 << len(tree.parameter_names)) - 1
    modules = (1 << len(tree.module_names)) - 1
    return FreezePlan(
        tree, "full", every & ~tree.fixed, modules & tree.statistics, modules & ~tree.statistics
    )


def _norms_and_biases(tree: ModelTree) -> FreezePlan:
    gradients = tree.norm_parameters
    for index, name in enumerate(tree.parameter_names):
        if name.rpartition(".")[2].endswith("bias"):
            gradients |= 1 << index
    gradients &= ~tree.fixed
    statistics = 0
    for bit, (parameters, _) in tree.own.items():
        if bit & tree.statistics and parameters & gradients:
            statistics |= bit
    modules = (1 << len(tree.module_names)) - 1
    return FreezePlan(tree, "norms-and-biases", gradients, statistics, modules & ~tree.statistics)


def _has_lora(tree: ModelTree) -> bool:
    return any(".lora_" in name for name in tree.parameter_names)


def _predicts_tokens(tree: ModelTree, head: str) -> bool:
    """Whether this is a language model's own output layer, as old as the rest of it: LoRA leaves it as it is."""
    return head.rpartition(".")[2] == "lm_head" or bool(tree.group(head).tied_to)


def _lora(tree: ModelTree) -> FreezePlan:
    gradients = 0
    for index, name in enumerate(tree.parameter_names):
        gradients |= (".lora_" in name) << index
    if not gradients:
        raise FreezeError(
            f"This {tree.model_type} has no LoRA to train. Put it in first: tlwidgets.train.add_lora(model), then make the "
            "tree again."
        )
    heads = _thaw(tree, [id for id in tree.head if not _predicts_tokens(tree, id)], "lora")
    gradients |= heads.gradient_bits
    active = heads.statistics_bits | heads.dropout_bits
    for bit, name in enumerate(tree.module_names):
        active |= (".lora_dropout" in name) << bit
    statistics = active & tree.statistics
    return FreezePlan(tree, "lora", gradients & ~tree.fixed, statistics, active & ~tree.statistics)


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "feature-extraction",
            "Feature extraction",
            "Only the head learns; the pretrained backbone stays as it is and turns inputs into features.",
            {},
            _feature_extraction,
        ),
        Preset(
            "last",
            "Last k layers",
            "Partial fine-tuning: the last k layers and all that follows them learn; what is below stays.",
            {"k": None},  # None: 2, or as many as there are
            _last,
        ),
        Preset("full", "Everything", "Full fine-tuning: every weight learns.", {}, _full),
        Preset(
            "norms-and-biases",
            "Norms and biases",
            "Only normalisation layers and biases learn: about a thousandth of a transformer (BitFit, Ben Zaken et al. 2022).",
            {},
            _norms_and_biases,
        ),
        Preset(
            "lora",
            "LoRA",
            "Low-rank additions beside frozen matrices learn, and the head (Hu et al. 2022).",
            {},
            _lora,
            _has_lora,
        ),
    )
}
