"""What a plan costs: parameters, memory for gradients, optimizer and activations, and work."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

from torch import nn

from .errors import FreezeError
from .groups import bits_of, flags
from .plan import FreezePlan
from .profile import Profile
from .tree import ModelTree

# Numbers that an optimizer keeps beside each trained one.
OPTIMIZER_STATES = {"adamw": 2, "adam": 2, "sgd": 0, "sgd-momentum": 1, "rmsprop": 1, "adagrad": 1}


@dataclass(frozen=True)
class Cost:
    """The estimate; bytes and shares.

    Attributes:
        total, trainable: elements, tied weights once.
        parameter_bytes, gradient_bytes, optimizer_bytes: memory, of all weights and of those that learn.
        activation_bytes: memory of what is kept from forward to backward; None without a profile.
        forward_share: share of the forward work that depends on a weight that learns. The rest gives the same
            output every epoch.
        backward_share: backward work, as a share of that of full fine-tuning.
        assumptions: what the estimate is based on, in a sentence.
    """

    total: int
    trainable: int
    parameter_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int | None
    forward_share: float
    backward_share: float
    assumptions: str


def estimate_cost(
    model: nn.Module | ModelTree,
    plan: FreezePlan,
    profile: Profile | None = None,
    optimizer: str = "adamw",
) -> Cost:
    """Estimate a plan's cost for one training step.

    Args:
        model: a model, or its tree.
        profile: made by `tlwidgets.core.profile(model)`, once per model; without one, work is estimated from
            the number of weights, and the memory of activations is not known.
        optimizer: one of adamw, adam, sgd, sgd-momentum, rmsprop, adagrad.

    Raises:
        FreezeError: unknown optimizer, or a plan made for another model.
    """
    tree = ModelTree.of(model)
    if optimizer not in OPTIMIZER_STATES:
        raise FreezeError(f"Unknown optimizer {optimizer!r}. Expected one of {', '.join(OPTIMIZER_STATES)}.")
    if plan.tree is not tree and plan.tree.parameter_names != tree.parameter_names:
        raise FreezeError("The plan was made for another model. Make it with FreezePlan.preset(model, name).")
    learning = flags(plan._bits.gradients, len(tree.parameter_sizes))
    gradient_bytes = sum(compress(tree.parameter_bytes, learning))
    if profile is None:
        forward, backward, activations = *_shares_by_size(tree, plan), None
        assumptions = (
            "Work is estimated from the number of weights, in the order they are registered; no example "
            "batch was run."
        )
    else:
        forward, backward = _shares(profile, plan._bits.gradients)
        activations = _activations(profile, plan._bits.gradients)
        assumptions = (
            f"For {profile.sample}, {optimizer}, in the model's own number format, without gradient "
            "checkpointing; run once on shapes alone."
        )
    return Cost(
        total=tree.total,
        trainable=sum(compress(tree.parameter_sizes, learning)),
        parameter_bytes=sum(tree.parameter_bytes),
        gradient_bytes=gradient_bytes,
        optimizer_bytes=gradient_bytes * OPTIMIZER_STATES[optimizer],
        activation_bytes=activations,
        forward_share=forward,
        backward_share=backward,
        assumptions=assumptions,
    )


def _shares(profile: Profile, learning: int) -> tuple[float, float]:
    forward = backward = all_forward = all_backward = 0
    for call in profile.calls:
        work = call.flops
        if not work:
            continue
        all_forward += work
        if call.downstream & learning:
            forward += work
        if call.weights:
            # As much again for the gradient of the weights, and of the inputs if anything below them learns.
            all_backward += work * (1 + bool(call.upstream))
            backward += work * (bool(call.weights & learning) + bool(call.upstream & learning))
        else:
            all_backward += 2 * work
            backward += 2 * work * bool(call.downstream & learning)
    return forward / max(1, all_forward), backward / max(1, all_backward)


def _activations(profile: Profile, learning: int) -> int:
    calls = profile.calls
    needed = 0
    for saved in profile.saved:
        for index, weight_only in saved.users:
            call = calls[index]
            if call.weights & learning if weight_only else call.downstream & learning:
                needed += saved.nbytes
                break
    return needed


def _shares_by_size(tree: ModelTree, plan: FreezePlan) -> tuple[float, float]:
    below = False
    forward = backward = total = 0
    for row in tree.rows:
        if row.kind == "embeddings":  # a look-up, no multiplication
            below = below or plan.state(row.id) != "frozen"
            continue
        learning = plan.trainable_in(row.id)
        size = sum(tree.parameter_sizes[bit] for bit in bits_of(tree._index.masks[row.id].parameters))
        total += size
        forward += size if below or learning else 0
        backward += learning + (size if below else 0)
        below = below or bool(learning)
    return forward / max(1, total), min(1.0, backward / max(1, 2 * total))
