"""The usual ways to freeze: each a function from a tree to a plan, made a preset by a decorator.

To add one, write such a function here, or in a module that `tlwidgets.core` imports.
"""

from __future__ import annotations

from .errors import FreezeError
from .groups import Group, bits, bits_of
from .plan import FreezePlan, PlanBits, register_preset
from .tree import ModelTree


@register_preset(
    "feature-extraction",
    title="Feature extraction",
    description="Only the head learns; the pretrained backbone stays as it is and turns inputs into "
    "features.",
    comment="Feature extraction: only the head learns",
)
def feature_extraction(tree: ModelTree) -> FreezePlan:
    # A bare backbone has no head; what comes last in it is what a new task would replace first.
    return _thaw(tree, list(tree.head) or [tree.last_row])


@register_preset(
    "last",
    title="Last k layers",
    description="Partial fine-tuning: the last k layers and all that follows them learn; what is below "
    "stays.",
    comment="Partial fine-tuning: the last layers learn",
)
def last(tree: ModelTree, k: int | None = None) -> FreezePlan:
    """The last `k` layers of each tower; None: 2, or as many as there are."""
    if not tree.layers:
        raise FreezeError(
            f"This {tree.model_type} has no list of layers to count from the end. Choose groups with "
            "plan.with_policy(group, 'trained') instead."
        )
    longest = max(map(len, tree.towers))
    k = min(2, longest) if k is None else k
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= longest:
        raise FreezeError(
            f"k must be a whole number between 1 and {longest}, the number of layers; got {k!r}."
        )
    # Below each tower's first trained layer everything stays; from it on (last norm, pooler, head) everything
    # learns.
    layers = {layer for tower in tree.towers for layer in tower[-k:]}

    def learns(row: Group) -> bool:
        if row.tied_to:
            return False
        return row.id in layers if row.id in tree.layers else tree.depths[row.id] < k

    heads = [id for id in tree.head if not tree.group(id).tied_to]
    return _thaw(tree, [row.id for row in tree.unfolded_rows if learns(row)] + heads)


@register_preset(
    "full",
    title="Everything",
    description="Full fine-tuning: every weight learns.",
    comment="Full fine-tuning: every weight learns",
)
def full(tree: ModelTree) -> FreezePlan:
    every = (1 << len(tree.parameter_names)) - 1
    return _plan(tree, every, active=_all_modules(tree))


@register_preset(
    "norms-and-biases",
    title="Norms and biases",
    description="Biases learn, as in BitFit (Ben Zaken et al. 2022), and so do normalisation layers: about a "
    "thousandth of a transformer. A new head learns as well.",
    comment="Biases, normalisation layers and a new head learn",
    by_name=True,
)
def norms_and_biases(tree: ModelTree) -> FreezePlan:
    index = tree._index
    gradients = index.norms | _new_heads(tree)._bits.gradients
    gradients |= bits(
        bit for bit, name in enumerate(tree.parameter_names) if name.rpartition(".")[2].endswith("bias")
    )
    gradients &= ~index.fixed
    still = 0  # modules that keep statistics, and of which nothing learns
    for place in bits_of(index.statistics):
        if not index.own[place][0] & gradients:
            still |= 1 << place
    return _plan(tree, gradients, active=_all_modules(tree) & ~still)


def _has_adapters(tree: ModelTree) -> bool:
    return bool(tree._index.adapters)


@register_preset(
    "lora",
    title="LoRA",
    description="Low-rank additions beside frozen matrices learn (Hu et al. 2022); so does a new head.",
    comment="LoRA: the low-rank additions learn, and a new head if there is one",
    offered=_has_adapters,
)
def lora(tree: ModelTree) -> FreezePlan:
    if not _has_adapters(tree):
        raise FreezeError(
            f"This {tree.model_type} has no LoRA to train. Add it first: tlwidgets.train.add_lora(model), "
            "then make the tree again."
        )
    heads = _new_heads(tree)
    gradients, active = heads._bits.gradients | tree._index.adapters, heads._bits.active
    active |= bits(bit for bit, name in enumerate(tree.module_names) if ".lora_dropout" in name)
    return _plan(tree, gradients, active)


def _new_heads(tree: ModelTree) -> FreezePlan:
    """The plan in which the heads learn that a pretrained model lacks.

    A language model's own output layer is pretrained too, and stays as it is unless it was chosen.
    """
    return _thaw(tree, [head.id for head in tree.heads if head.chosen or not _predicts_tokens(tree, head.id)])


def _predicts_tokens(tree: ModelTree, head: str) -> bool:
    """Whether this is a language model's own output layer: by its name, or tied to what is no head."""

    def in_a_head(name: str) -> bool:
        return any(name == id or name.startswith(f"{id}.") for id in tree.head)

    if head.rpartition(".")[2] == "lm_head":
        return True
    return any(
        any(name.startswith(f"{head}.") for name in tied.names) and not all(map(in_a_head, tied.names))
        for tied in tree.tied
    )


def _thaw(tree: ModelTree, ids: list[str]) -> FreezePlan:
    """Everything frozen but these groups; what cannot be trained stays frozen."""
    plan = FreezePlan.all_frozen(tree)
    for id in ids:
        group = tree.group(id)
        if group.parameters and not group.fixed:
            plan = plan.with_policy(id, "trained")
    return plan


def _all_modules(tree: ModelTree) -> int:
    return (1 << len(tree.module_names)) - 1


def _plan(tree: ModelTree, gradients: int, active: int) -> FreezePlan:
    """The plan in which these parameters learn and these modules stay in training mode, as bit sets."""
    index = tree._index
    bits = PlanBits(gradients & ~index.fixed, active & index.statistics, active & ~index.statistics)
    return FreezePlan(tree, "custom", bits)
