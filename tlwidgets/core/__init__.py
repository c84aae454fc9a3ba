"""Freezing: model tree, freeze plan, applying it, auditing it, and what it costs. Needs torch alone."""

from .apply import Change, PlanDiff, apply_plan, parameter_groups
from .audit import AuditReport, Violation, audit
from .code import plan_code
from .cost import Cost, estimate_cost
from .errors import (
    FreezeError,
    NoParametersError,
    NothingTrainableError,
    OptimizerError,
    StructureChangedError,
    UnknownGroupError,
)
from .plan import FROZEN, TRAINED, FreezePlan, Policy
from .presets import PRESETS, Preset
from .profile import Profile, profile
from .tree import Group, ModelTree, TiedSet

__all__ = [
    "FROZEN",
    "PRESETS",
    "TRAINED",
    "AuditReport",
    "Change",
    "Cost",
    "FreezeError",
    "FreezePlan",
    "Group",
    "ModelTree",
    "NoParametersError",
    "NothingTrainableError",
    "OptimizerError",
    "PlanDiff",
    "Policy",
    "Preset",
    "Profile",
    "StructureChangedError",
    "TiedSet",
    "UnknownGroupError",
    "Violation",
    "apply_plan",
    "audit",
    "estimate_cost",
    "parameter_groups",
    "plan_code",
    "profile",
]
