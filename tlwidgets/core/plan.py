"""A freeze plan: which weights learn, and in which modules statistics and dropout stay active."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any, Literal, NamedTuple

from torch import nn

from .argument_order import model_first
from .errors import FreezeError, NothingTrainableError, UnknownGroupError
from .groups import bit_set, bits_of, flags
from .structure import Flags, Structure
from .tree import ModelTree


@dataclass(frozen=True)
class Policy:
    """What is active in a group while it trains: gradients, normalisation statistics, dropout."""

    gradients: bool = True
    statistics: bool = True
    dropout: bool = True

    @classmethod
    def of(cls, value: str | Policy) -> Policy:
        """Read "frozen", "trained" or a `Policy`.

        Raises:
            FreezeError: it is something else.
        """
        if isinstance(value, cls):
            return value
        if value in ("frozen", "trained"):
            return TRAINED if value == "trained" else FROZEN
        raise FreezeError(
            f"{value!r} is not a policy. Expected 'frozen', 'trained', or "
            "Policy(gradients=, statistics=, dropout=)."
        )


TRAIN_THE_HEAD = ("feature-extraction", "last", "norms-and-biases", "lora")
"""The presets that adapt a pretrained model: they train its new head and freeze some of the rest."""

TRAINED = Policy(True, True, True)
FROZEN = Policy(False, False, False)


class PlanBits(NamedTuple):
    """The choice itself, as bit sets over a tree's parameters and modules. Only this package reads it."""

    gradients: int = 0
    statistics: int = 0
    dropout: int = 0

    @property
    def active(self) -> int:
        """The modules that stay in training mode."""
        return self.statistics | self.dropout


@dataclass(frozen=True, eq=False)
class FreezePlan:
    """An immutable choice of what learns in a model.

    Make one with `preset` or `from_model`, change it with `with_policy`.

    Attributes:
        tree: of the model that it is for.
        name: of the preset that made it; "custom" once it was changed.
    """

    tree: ModelTree
    name: str
    _bits: PlanBits

    # -- making one ------------------------------------------------------------------------------------------

    @classmethod
    def preset(cls, model: nn.Module | ModelTree, name: str, **options: Any) -> FreezePlan:
        """Make one of the usual plans: feature-extraction, last (`k=`), full, norms-and-biases, lora.

        Args:
            model: a model, or its tree.
            name: one of `PRESETS`, which describes them and their options.
            options: the preset's own; and `head`, the name of the new part or several names, for a model in
                which it is not found (`plan.tree.heads` says what is found, and why).

        Raises:
            FreezeError: unknown preset or option, or one that does not fit this model.
            NothingTrainableError: the model has nothing that this preset would train.
            UnknownGroupError: the model has no part called `head`.
        """
        model, name = model_first(model, name, (nn.Module, ModelTree), "FreezePlan.preset(model, name)")
        if name not in PRESETS:
            raise FreezeError(
                f"There is no preset {name!r}. Expected one of {', '.join(map(repr, PRESETS))}."
            )
        preset = PRESETS[name]
        head = None if "head" in preset.options else options.pop("head", None)
        return preset.plan(ModelTree.of(model, head), options)

    @classmethod
    def all_frozen(cls, model: nn.Module | ModelTree) -> FreezePlan:
        """Everything frozen: a start for `with_policy`. It cannot be applied as it is."""
        return cls(ModelTree.of(model), "custom", PlanBits())

    @classmethod
    def from_model(cls, model: nn.Module, tree: ModelTree | None = None) -> FreezePlan:
        """Read what the `requires_grad` flags and the modules kept in `eval` say now.

        Args:
            tree: the model's tree, where it is at hand; None makes it.

        Raises:
            StructureChangedError: the tree was made for another model.
        """
        model, tree = model_first(model, tree, nn.Module, "FreezePlan.from_model(model, tree)")
        tree = ModelTree.of(model) if tree is None else tree
        structure = Structure(model)
        tree.check(structure.parameter_names)
        return cls.of_flags(structure.flags(), tree)

    @classmethod
    def of_flags(cls, now: Flags, tree: ModelTree) -> FreezePlan:
        """`from_model`, of a model that fits the tree, by its now."""
        active = ~bit_set(now.held)
        # In a model that is in `eval`, what is not kept there would follow `model.train()`.
        active &= bit_set(now.training) if now.training[0] else (1 << len(now.training)) - 1
        keeps_statistics = tree._index.statistics
        statistics, dropout = active & keeps_statistics, active & ~keeps_statistics
        return cls(tree, "custom", PlanBits(bit_set(now.learns), statistics, dropout))

    @classmethod
    def from_dict(cls, model: nn.Module | ModelTree, data: Mapping[str, Any]) -> FreezePlan:
        """Read back what `to_dict` wrote, for a model or tree with the same names.

        Raises:
            FreezeError: not a plan, or one of a newer version.
            UnknownGroupError: it names parts that this model does not have.
        """
        tree = ModelTree.of(model)
        if not isinstance(data, Mapping) or "trained" not in data:
            raise FreezeError("This is not a freeze plan: a mapping made by plan.to_dict() was expected.")
        if data.get("schema") != 1:
            raise FreezeError(
                f"This plan has version {data.get('schema')!r}; version 1 was expected. "
                "Update the course's package."
            )
        parameters = {name: index for index, name in enumerate(tree.parameter_names)}
        modules = {name: index for index, name in enumerate(tree.module_names)}

        def read(key: str, numbers: dict[str, int]) -> int:
            mask = 0
            for name in data.get(key, ()):
                if name not in numbers:
                    raise UnknownGroupError(
                        f"The plan names {name!r}, which this {tree.model_type} does not have. Expected a "
                        "plan made for the same architecture; make a new one with FreezePlan.preset."
                    )
                mask |= 1 << numbers[name]
            return mask

        bits = PlanBits(read("trained", parameters), read("statistics", modules), read("dropout", modules))
        return cls(tree, str(data.get("name", "custom")), bits)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain JSON data, by names."""
        gradients, statistics, dropout = self._bits
        return {
            "schema": 1,
            "name": self.name,
            "trained": [self.tree.parameter_names[bit] for bit in bits_of(gradients)],
            "statistics": [self.tree.module_names[bit] for bit in bits_of(statistics)],
            "dropout": [self.tree.module_names[bit] for bit in bits_of(dropout)],
        }

    def with_policy(self, group: str, policy: str | Policy) -> FreezePlan:
        """Return a plan with this policy for a group and everything in it.

        Raises:
            FreezeError: the policy is not one.
            UnknownGroupError: there is no such group.
            NothingTrainableError: the group was to be trained, and none of it can be.
        """
        policy = Policy.of(policy)
        found = self.tree.group(group)
        index = self.tree._index
        masks = index.masks[found.id]
        possible = masks.parameters & ~index.fixed
        if policy.gradients and masks.parameters and not possible:
            raise NothingTrainableError(f"{found.label} cannot be trained: {found.fixed}.")
        gradients = _set(self._bits.gradients, possible, policy.gradients)
        statistics = _set(self._bits.statistics, masks.statistics, policy.statistics)
        dropout = _set(self._bits.dropout, masks.modules, policy.dropout)
        return replace(
            self, name="custom", _bits=self._settled(found.id, PlanBits(gradients, statistics, dropout))
        )

    def _settled(self, group: str, bits: PlanBits) -> PlanBits:
        """Keep the modules around a group in step with it: active as long as anything in them learns."""
        index = self.tree._index
        gradients, statistics, dropout = bits
        for place in index.parents[group]:
            parameters, inside = index.own[place]
            bit, learns = 1 << place, bool(parameters & gradients)
            if bit & index.statistics:
                statistics = _set(statistics, bit, learns)
            else:
                dropout = _set(dropout, bit, learns or bool(inside & (statistics | dropout)))
        return PlanBits(gradients, statistics, dropout)

    # -- what it says ----------------------------------------------------------------------------------------

    def state(self, group: str) -> Literal["frozen", "trained", "partial"]:
        """What a group does: "frozen", "trained", or "partial".

        Partial: some of it learns, or its statistics still move though its weights do not.

        Raises:
            UnknownGroupError: there is no such group.
        """
        index = self.tree._index
        masks = index.masks[self.tree.group(group).id]
        learning = masks.parameters & self._bits.gradients
        if not learning:
            return "partial" if masks.statistics & self._bits.statistics else "frozen"
        return "trained" if learning == masks.parameters & ~index.fixed else "partial"

    @property
    def trainable(self) -> frozenset[str]:
        """Canonical names of the parameters that learn."""
        return frozenset(self.tree.parameter_names[bit] for bit in bits_of(self._bits.gradients))

    @property
    def trainable_count(self) -> int:
        """Number of elements that learn, tied weights once."""
        return self.trainable_in("")

    def trainable_in(self, group: str) -> int:
        """Number of elements of a group that learn, tied weights once, wherever they are counted.

        Raises:
            UnknownGroupError: there is no such group.
        """
        masks = self.tree._index.masks[self.tree.group(group).id]
        learning = masks.parameters & self._bits.gradients
        sizes = self.tree.parameter_sizes
        return sum(compress(sizes, flags(learning, len(sizes))))

    @property
    def trains_nothing(self) -> bool:
        """Whether every weight is frozen; such a plan cannot be applied."""
        return not self._bits.gradients

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of a preset's plan: a new part that it may have frozen."""
        doubt = self.tree.head_doubt if self.name in TRAIN_THE_HEAD else ""
        return (doubt,) if doubt else ()

    @property
    def active_modules(self) -> frozenset[str]:
        """Names of the modules that stay in training mode: their dropout drops, their statistics move."""
        return frozenset(self.tree.module_names[bit] for bit in bits_of(self._bits.active))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FreezePlan):
            return NotImplemented
        same = self.tree is other.tree or (
            self.tree.parameter_names == other.tree.parameter_names
            and self.tree.module_names == other.tree.module_names
        )
        return same and self._bits == other._bits

    def __hash__(self) -> int:
        return hash((self.tree.parameter_names, self._bits))

    def __str__(self) -> str:
        share = self.trainable_count / max(1, self.tree.total)
        return f"{self.name}: {self.trainable_count:,} of {self.tree.total:,} parameters learn ({share:.1%})"

    __repr__ = __str__


def _set(mask: int, bits: int, on: bool) -> int:
    return mask | bits if on else mask & ~bits


# -- presets -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preset:
    """A named way to freeze: what a person reads, its options, and whether it fits a model.

    Attributes:
        name: as in `FreezePlan.preset(model, name)`.
        title, description: a few words, and a sentence.
        comment: what stands above the code of such a plan.
        options: those of `make`, with their defaults.
        make: gives the plan of a tree.
        offered: whether a panel offers it for a tree.
        by_name: whether its code goes through the names of weights, and not through modules.
    """

    name: str
    title: str
    description: str
    comment: str
    options: Mapping[str, Any]
    make: Callable[..., FreezePlan]
    offered: Callable[[ModelTree], bool]
    by_name: bool

    def plan(self, tree: ModelTree, options: Mapping[str, Any]) -> FreezePlan:
        """The plan for a tree.

        Raises:
            FreezeError: unknown option, or one that does not fit this model.
            NothingTrainableError: nothing of this model would learn.
        """
        unknown = sorted(set(options) - set(self.options))
        if unknown:
            known = ", ".join(self.options) or "none"
            raise FreezeError(f"The preset {self.name!r} has no option {unknown[0]!r}. Its options: {known}.")
        plan = replace(self.make(tree, **{**self.options, **options}), name=self.name)
        if plan.trains_nothing:
            raise NothingTrainableError(
                f"The preset {self.name!r} would train nothing in this {tree.model_type}. Choose another "
                "preset, or thaw a group with plan.with_policy(group, 'trained')."
            )
        return plan


PRESETS: dict[str, Preset] = {}


def register_preset(
    name: str,
    *,
    title: str,
    description: str,
    comment: str,
    offered: Callable[[ModelTree], bool] = lambda tree: True,
    by_name: bool = False,
) -> Callable[[Callable[..., FreezePlan]], Callable[..., FreezePlan]]:
    """Decorator that makes a preset of a function from a tree to a plan.

    The function's keyword parameters are the preset's options; the other arguments are as in `Preset`.
    `FreezePlan.preset`, `freeze`, and the panels with the code that they show then know it.
    """

    def register(make: Callable[..., FreezePlan]) -> Callable[..., FreezePlan]:
        parameters = list(inspect.signature(make).parameters.values())
        options = {parameter.name: parameter.default for parameter in parameters[1:]}
        PRESETS[name] = Preset(name, title, description, comment, options, make, offered, by_name)
        return make

    return register
