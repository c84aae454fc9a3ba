"""What `from tlwidgets import ...` offers. `lazy.offer` reads it, and so do type checkers and editors."""

from .core import FreezePlan as FreezePlan
from .core import ModelTree as ModelTree
from .core import Policy as Policy
from .core import apply_plan as apply_plan
from .core import audit as audit
from .core import estimate_cost as estimate_cost
from .core import freeze as freeze
from .core import parameter_groups as parameter_groups
from .core import plan_code as plan_code
from .core import profile as profile
from .train import Run as Run
from .train import Snapshots as Snapshots
from .train import TaskData as TaskData
from .train import UnfreezeSchedule as UnfreezeSchedule
from .train import discriminative_rates as discriminative_rates
from .train import fit as fit
from .train import fork as fork
from .train import gradual_unfreezing as gradual_unfreezing
from .widgets import *  # noqa: F403

__version__: str
