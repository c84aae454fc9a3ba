"""A freeze plan: which weights learn, and in which modules statistics and dropout stay active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import nn

from .errors import FreezeError, NothingTrainableError, StructureChangedError, UnknownGroupError
from .hold import is_held
from .scan import scan
from .tree import ModelTree, bits_of


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
            FreezeError: it is none of them.
        """
        if isinstance(value, cls):
            return value
        if value in ("frozen", "trained"):
            return TRAINED if value == "trained" else FROZEN
        raise FreezeError(
            f"{value!r} is no policy. Expected 'frozen', 'trained', or Policy(gradients=, statistics=, dropout=)."
        )


TRAINED = Policy(True, True, True)
FROZEN = Policy(False, False, False)


@dataclass(frozen=True, eq=False)
class FreezePlan:
    """An immutable choice for a model tree. Make one with `preset` or `from_model`, change it with `with_policy`."""

    tree: ModelTree
    name: str
    gradient_bits: int
    statistics_bits: int
    dropout_bits: int

    @classmethod
    def preset(cls, name: str, tree: ModelTree, **options) -> FreezePlan:
        """Make one of the usual plans: feature-extraction, last (`k=`), full, norms-and-biases.

        Raises:
            FreezeError: unknown preset or option.
            NothingTrainableError: the model has nothing that this preset would train.
        """
        from .presets import make_preset

        return make_preset(name, tree, options)

    @classmethod
    def from_model(cls, tree: ModelTree, model: nn.Module) -> FreezePlan:
        """Read what `requires_grad` flags and modules held in `eval` say now.

        Raises:
            StructureChangedError: the tree was made of another model.
        """
        scanned = scan(model)
        check_structure(tree, scanned.names)
        gradients = 0
        for index, parameter in enumerate(scanned.parameters):
            gradients |= bool(parameter.requires_grad) << index
        training = scanned.modules[0].module.training
        statistics = dropout = seen = 0
        known: dict[int, int] = {}
        for entry in scanned.modules:
            bit = 1 << known.setdefault(id(entry.module), len(known))
            if seen & bit:
                continue
            seen |= bit
            if is_held(entry.module) or (training and not entry.module.training):
                continue
            statistics |= bit & tree.statistics
            dropout |= bit & ~tree.statistics
        return cls(tree, "custom", gradients, statistics, dropout)

    @classmethod
    def from_dict(cls, tree: ModelTree, data: Mapping) -> FreezePlan:
        """Read back what `to_dict` wrote, for a tree with the same names.

        Raises:
            FreezeError: not a plan, or one of a newer version.
            UnknownGroupError: it names parts that this model does not have.
        """
        if not isinstance(data, Mapping) or "trained" not in data:
            raise FreezeError("This is no freeze plan: a mapping made by plan.to_dict() was expected.")
        if data.get("schema") != 1:
            raise FreezeError(
                f"This plan has version {data.get('schema')!r}, and version 1 was expected. Update the course's package."
            )
        parameters = {name: index for index, name in enumerate(tree.parameter_names)}
        modules = {name: index for index, name in enumerate(tree.module_names)}

        def read(key, numbers):
            mask = 0
            for name in data.get(key, ()):
                if name not in numbers:
                    raise UnknownGroupError(
                        f"The plan names {name!r}, which this {tree.model_type} does not have. "
                        "Expected a plan made for the same architecture; make a new one with FreezePlan.preset."
                    )
                mask |= 1 << numbers[name]
            return mask

        name = str(data.get("name", "custom"))
        return cls(
            tree, name, read("trained", parameters), read("statistics", modules), read("dropout", modules)
        )

    def to_dict(self) -> dict:
        """The plan as plain JSON data, by names."""
        return {
            "schema": 1,
            "name": self.name,
            "trained": [self.tree.parameter_names[bit] for bit in bits_of(self.gradient_bits)],
            "statistics": [self.tree.module_names[bit] for bit in bits_of(self.statistics_bits)],
            "dropout": [self.tree.module_names[bit] for bit in bits_of(self.dropout_bits)],
        }

    def with_policy(self, group: str, policy: str | Policy) -> FreezePlan:
        """Return a plan with this policy for a group and everything in it.

        Raises:
            UnknownGroupError: there is no such group.
            NothingTrainableError: the group was to be trained, and none of it can be.
        """
        policy = Policy.of(policy)
        found = self.tree.group(group)
        masks = self.tree.masks(group)
        if policy.gradients and masks.parameters and not masks.parameters & ~self.tree.fixed:
            raise NothingTrainableError(f"{found.label} can't be trained: {found.fixed}.")
        gradients = _set(self.gradient_bits, masks.parameters & ~self.tree.fixed, policy.gradients)
        statistics = _set(self.statistics_bits, masks.statistics, policy.statistics)
        dropout = _set(self.dropout_bits, masks.modules, policy.dropout)
        plan = replace(
            self, name="custom", gradient_bits=gradients, statistics_bits=statistics, dropout_bits=dropout
        )
        return plan._settle_around(group)

    def _settle_around(self, group: str) -> FreezePlan:
        """Keep the modules around a group in step with it: active as long as anything in them learns."""
        statistics, dropout = self.statistics_bits, self.dropout_bits
        for bit in self.tree.ancestors(group):
            parameters, inside = self.tree.own[bit]
            active = bool(parameters & self.gradient_bits) or bool(inside & (statistics | dropout))
            if bit & self.tree.statistics:
                statistics = _set(statistics, bit, bool(parameters & self.gradient_bits))
            else:
                dropout = _set(dropout, bit, active)
        return replace(self, statistics_bits=statistics, dropout_bits=dropout)

    def state(self, group: str) -> str:
        """ "frozen", "trained", or "partial" (some of it; or its statistics still move though its weights don't)."""
        masks = self.tree.masks(group)
        possible = masks.parameters & ~self.tree.fixed
        learning = masks.parameters & self.gradient_bits
        if not learning:
            return "partial" if masks.statistics & self.statistics_bits else "frozen"
        return "trained" if learning == possible else "partial"

    @property
    def trainable(self) -> frozenset[str]:
        """Canonical names of the parameters that learn."""
        return frozenset(self.tree.parameter_names[bit] for bit in bits_of(self.gradient_bits))

    @property
    def trainable_count(self) -> int:
        """Number of elements that learn, tied weights once."""
        return sum(self.tree.parameter_sizes[bit] for bit in bits_of(self.gradient_bits))

    @property
    def active_bits(self) -> int:
        """Bit set of the modules that stay in training mode."""
        return self.statistics_bits | self.dropout_bits

    def __eq__(self, other) -> bool:
        if not isinstance(other, FreezePlan):
            return NotImplemented
        same = self.tree is other.tree or (
            self.tree.parameter_names == other.tree.parameter_names
            and self.tree.module_names == other.tree.module_names
        )
        return same and self._bits == other._bits

    def __hash__(self) -> int:
        return hash((self.tree.parameter_names, self._bits))

    @property
    def _bits(self) -> tuple[int, int, int]:
        return self.gradient_bits, self.statistics_bits, self.dropout_bits

    def __str__(self) -> str:
        share = self.trainable_count / max(1, self.tree.total)
        return f"{self.name}: {self.trainable_count:,} of {self.tree.total:,} parameters learn ({share:.1%})"

    __repr__ = __str__


def check_structure(tree: ModelTree, names: list[str]) -> None:
    """Refuse a model whose parameters are not the tree's.

    Raises:
        StructureChangedError: with the first names that differ.
    """
    if tuple(names) == tree.parameter_names:
        return
    added = [name for name in names if name not in set(tree.parameter_names)]
    gone = [name for name in tree.parameter_names if name not in set(names)]
    parts = [f"it has {_some(added)}, which the plan doesn't know"] if added else []
    parts += [f"it lacks {_some(gone)}"] if gone else []
    raise StructureChangedError(
        f"The plan was made for another shape of this model: {' and '.join(parts) or 'the order differs'}. "
        "Make the tree again with ModelTree.of(model) (a panel: panel.refresh()), then the plan."
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _set(mask: int, bits: int, on: bool) -> int:
    return mask | bits if on else mask & ~bits
