"""The usual ways to freeze, as functions from a tree to a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import FreezeError, NothingTrainableError
from .plan import FreezePlan
from .tree import ModelTree


@dataclass(frozen=True)
class Preset:
    """A named way to freeze: what a person reads, and its options with their defaults."""

    name: str
    title: str
    description: str
    options: Mapping[str, object]
    make: Callable[..., FreezePlan]


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


def _last(tree: ModelTree, k: int) -> FreezePlan:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise FreezeError(f"k={k!r} is no number of layers. Expected a whole number from 1 to {len(tree.layers) or 1}.")
    if not tree.layers:
        raise FreezeError(
            f"This {tree.model_type} has no list of layers to count from the end. Choose groups with "
            "plan.with_policy(group, 'trained') instead."
        )
    towers = _trained_towers(tree)
    longest = max(len(tower) for tower in towers)
    if k > longest:
        raise FreezeError(f"k={k} is more than the {longest} layers there are. Expected a number from 1 to {longest}.")
    chosen = [id for tower in towers for id in tower[-k:]]
    # Below each tower's first trained layer everything stays; above it (last norm, pooler, head) everything learns.
    rows = _flat_rows(tree)
    layers = set(tree.layers)
    place = {row.id: index for index, row in enumerate(rows)}
    last_layer = max(place[id] for id in tree.layers)
    for index, row in enumerate(rows):
        if row.id in layers or row.tied_to:
            continue
        tower = _tower_of(row.id, tree.towers)
        after_tower = tower in towers and index > max(place[id] for id in tower)
        if after_tower or (tower is None and index > last_layer) or row.id in tree.head:
            chosen.append(row.id)
    return _thaw(tree, chosen, "last")


def _flat_rows(tree: ModelTree) -> list:
    rows = []
    for row in tree.root.children:
        rows.extend(row.children if row.kind == "layers" else [row])
    return rows


def _branch(tower: tuple[str, ...]) -> str:
    """The part of the model a tower is in: "decoder" for the layer "decoder.block.0"."""
    return tower[0].rpartition(".")[0].rpartition(".")[0]


def _trained_towers(tree: ModelTree) -> list[tuple[str, ...]]:
    """Towers whose last layers are the model's last: all of them, but an encoder that feeds a decoder."""
    decoders = {_branch(tower).replace("decoder", "encoder") for tower in tree.towers if "decoder" in _branch(tower)}
    return [tower for tower in tree.towers if _branch(tower) not in decoders]


def _tower_of(id: str, towers: tuple[tuple[str, ...], ...]) -> tuple[str, ...] | None:
    if len(towers) < 2:
        return None
    inside = [tower for tower in towers if _branch(tower) and id.startswith(_branch(tower).split(".layers")[0] + ".")]
    return max(inside, key=lambda tower: len(_branch(tower))) if inside else None


def _full(tree: ModelTree) -> FreezePlan:
    every = (1 << len(tree.parameter_names)) - 1
    modules = (1 << len(tree.module_names)) - 1
    return FreezePlan(tree, "full", every & ~tree.fixed, modules & tree.statistics, modules & ~tree.statistics)


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
            {"k": 2},
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
    )
}
