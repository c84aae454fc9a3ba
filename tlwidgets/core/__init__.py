"""Freezing: model tree, freeze plan, applying it, auditing it, and what it costs. Needs torch alone."""

from . import presets as presets  # registers the usual ones
from .apply import Change, PlanDiff, apply_plan, freeze, parameter_groups
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
from .groups import Group, Head, TiedSet
from .plan import FROZEN, PRESETS, TRAINED, FreezePlan, Policy, Preset, register_preset
from .profile import Profile, profile
from .tree import ModelTree

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
    "Head",
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
    "freeze",
    "parameter_groups",
    "plan_code",
    "profile",
    "register_preset",
]
