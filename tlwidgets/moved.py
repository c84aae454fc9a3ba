"""Old names go on working for one release; each says, once, what to write instead.

`import tlwidgets` installs a finder for old modules. To add one, add a row to `MODULES`: the old name imports
the very module that the new name gives. Where a class or function got a new name, add a row to `NAMES` and
let its module look
there: `__getattr__ = renamed_in(__name__)`, or a call of `renamed` in the `__getattr__` that it has.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MODULES = {
    "graders.autograde.assignment": "graders.autograde.course.lesson",
    "graders.autograde.audit": "graders.autograde.results.audit",
    "graders.autograde.autograded": "graders.autograde.results.notebook",
    "graders.autograde.channel": "graders.autograde.protocol.channel",
    "graders.autograde.cluster": "graders.autograde.batch.cluster",
    "graders.autograde.feedback": "graders.autograde.feedback_style",
    "graders.autograde.gradebook": "graders.autograde.results.gradebook",
    "graders.autograde.handed_in": "graders.autograde.submission.notebook",
    "graders.autograde.huge_pages": "graders.autograde.processes.huge_pages",
    "graders.autograde.layers": "graders.autograde.protocol.layers",
    "graders.autograde.plain": "graders.autograde.cells.magics",
    "graders.autograde.rebuild": "graders.autograde.submission.rebuild",
    "graders.autograde.report_page": "graders.autograde.report.page",
    "graders.autograde.report_table": "graders.autograde.report.table",
    "graders.autograde.requests": "graders.autograde.protocol.requests",
    "graders.autograde.sentences": "graders.autograde.stopped",
    "graders.autograde.server": "graders.autograde.processes.server",
    "graders.autograde.source": "graders.autograde.checker.cell_analysis",
    "graders.autograde.stubs": "graders.autograde.checker.remote",
    "graders.autograde.timestamps": "graders.autograde.submission.timestamps",
    "graders.autograde.twins": "graders.autograde.protocol.mirrored_modules",
    "graders.autograde.worker": "graders.autograde.processes.worker",
    "graders.autograde.zygote": "graders.autograde.processes.zygote",
    "tlwidgets.data.loader": "tlwidgets.data.sentences",
    "tlwidgets.models.crepe": "tlwidgets.models.backbones.crepe_tiny.network",
    "tlwidgets.models.efficientnet_lite": "tlwidgets.models.backbones.efficientnet_lite0.network",
    "graders.checks.unit00.lora_linear": "course.units.u00_where_we_left_off.lora_linear.exercise",
    "graders.checks.unit00.next_token_loss": "course.units.u00_where_we_left_off.next_token_loss.exercise",
    "graders.checks.unit00.perplexity": "course.units.u00_where_we_left_off.perplexity.exercise",
    "graders.checks.unit01.build_head": "course.units.u01_transfer_learning.build_head.exercise",
    "graders.checks.unit01.choose_plan": "course.units.u01_transfer_learning.choose_plan.exercise",
    "graders.checks.unit01.freeze_backbone": "course.units.u01_transfer_learning.freeze_backbone.exercise",
    "graders.checks.unit02.layer_rates": "course.units.u02_which_layers_to_train.layer_rates.exercise",
    "graders.checks.unit02.pick": "course.units.u02_which_layers_to_train.pick.exercise",
    "graders.checks.unit02.set_dial": "course.units.u02_which_layers_to_train.set_dial.exercise",
    "graders.checks.unit03.contrastive_loss": "course.units.u03_multimodal_models.contrastive_loss.exercise",
    "graders.checks.unit03.fuse_late": "course.units.u03_multimodal_models.fuse_late.exercise",
    "graders.checks.unit03.known_models": "course.units.u03_multimodal_models.really_uses.known_models",
    "graders.checks.unit03.really_uses": "course.units.u03_multimodal_models.really_uses.exercise",
    "graders.checks.unit03.split_clips": "course.units.u03_multimodal_models.split_clips.exercise",
    "graders.checks.units": "graders.checks",
    "tlwidgets.claims.features03": "course.units.u03_multimodal_models.experiments.features",
    "tlwidgets.claims.fusion03": "course.units.u03_multimodal_models.experiments.fusion",
    "tlwidgets.claims.judge": "course.claims.judge",
    "tlwidgets.claims.lesson": "course.claims.lesson",
    "tlwidgets.claims.lesson00": "course.units.u00_where_we_left_off.experiments",
    "tlwidgets.claims.lesson01": "course.units.u01_transfer_learning.experiments",
    "tlwidgets.claims.lesson02": "course.units.u02_which_layers_to_train.experiments",
    "tlwidgets.claims.lesson03": "course.units.u03_multimodal_models.experiments",
    "tlwidgets.claims.spaces03": "course.units.u03_multimodal_models.experiments.spaces",
    "tlwidgets.claims.table": "course.claims.table",
    "tlwidgets.render.arena": "tlwidgets.widgets.arena.static",
    "tlwidgets.render.arena_state": "tlwidgets.widgets.arena.state",
    "tlwidgets.render.charts": "tlwidgets.figures.charts",
    "tlwidgets.render.curves": "tlwidgets.widgets.train.static",
    "tlwidgets.render.drift": "tlwidgets.widgets.drift.static",
    "tlwidgets.render.drift_state": "tlwidgets.widgets.drift.state",
    "tlwidgets.render.embedding": "tlwidgets.widgets.embedding.static",
    "tlwidgets.render.embedding_maps": "tlwidgets.widgets.embedding.maps",
    "tlwidgets.render.embedding_state": "tlwidgets.widgets.embedding.state",
    "tlwidgets.render.figure": "tlwidgets.figures.figure",
    "tlwidgets.render.fork": "tlwidgets.widgets.fork.static",
    "tlwidgets.render.freeze": "tlwidgets.widgets.freeze.static",
    "tlwidgets.render.html": "tlwidgets.widgets.base.static_html",
    "tlwidgets.render.media": "tlwidgets.widgets.media.static",
    "tlwidgets.render.media_code": "tlwidgets.widgets.media.code",
    "tlwidgets.render.media_state": "tlwidgets.widgets.media.state",
    "tlwidgets.render.plot": "tlwidgets.widgets.base.plot",
    "tlwidgets.render.predict": "tlwidgets.widgets.predict.static",
    "tlwidgets.render.range_test": "tlwidgets.figures.range_test",
    "tlwidgets.render.retrieval": "tlwidgets.widgets.retrieval.static",
    "tlwidgets.render.retrieval_state": "tlwidgets.widgets.retrieval.state",
    "tlwidgets.render.switchboard": "tlwidgets.widgets.switchboard.static",
    "tlwidgets.render.switchboard_state": "tlwidgets.widgets.switchboard.state",
    "tlwidgets.render.thumbnails": "tlwidgets.widgets.retrieval.thumbnails",
    "tlwidgets.render.unfreeze": "tlwidgets.widgets.unfreeze.static",
    "tlwidgets.render.words": "tlwidgets.widgets.base.formats",
    "tlwidgets.train.features.frozen": "tlwidgets.train.features.prefix_features",
    "tlwidgets.train.features.once": "tlwidgets.train.features.extract",
    "tlwidgets.train.place": "tlwidgets.train.state",
    "tlwidgets.train.recipe": "tlwidgets.train.config",
    "tlwidgets.train.scores": "tlwidgets.train.losses",
    "tlwidgets.train.unfreezing": "tlwidgets.train.unfreeze_schedule",
    "tlwidgets.views.arena_panel": "tlwidgets.widgets.arena.panel",
    "tlwidgets.views.arena_widget": "tlwidgets.widgets.base.bridge",
    "tlwidgets.views.assets": "tlwidgets.widgets.base.assets",
    "tlwidgets.views.device": "tlwidgets.widgets.base.device",
    "tlwidgets.views.drift_panel": "tlwidgets.widgets.drift.panel",
    "tlwidgets.views.drift_widget": "tlwidgets.widgets.base.bridge",
    "tlwidgets.views.embedding_map": "tlwidgets.widgets.embedding.panel",
    "tlwidgets.views.environment": "tlwidgets.widgets.base.environment",
    "tlwidgets.views.follow": "tlwidgets.widgets.freeze.follow",
    "tlwidgets.views.fork_choice": "tlwidgets.widgets.fork.choice",
    "tlwidgets.views.fork_panel": "tlwidgets.widgets.fork.panel",
    "tlwidgets.views.fork_state": "tlwidgets.widgets.fork.state",
    "tlwidgets.views.fork_widget": "tlwidgets.widgets.base.bridge",
    "tlwidgets.views.forks": "tlwidgets.widgets.fork.forks",
    "tlwidgets.views.freeze_panel": "tlwidgets.widgets.freeze.panel",
    "tlwidgets.views.freeze_state": "tlwidgets.widgets.freeze.state",
    "tlwidgets.views.freeze_widget": "tlwidgets.widgets.base.bridge",
    "tlwidgets.views.live": "tlwidgets.widgets.base.live",
    "tlwidgets.views.media_input": "tlwidgets.widgets.media.panel",
    "tlwidgets.views.media_widget": "tlwidgets.widgets.media.uploads",
    "tlwidgets.views.modality_switchboard": "tlwidgets.widgets.switchboard.panel",
    "tlwidgets.views.pace": "tlwidgets.widgets.base.throttle",
    "tlwidgets.views.panel": "tlwidgets.widgets.base.panel",
    "tlwidgets.views.predict": "tlwidgets.widgets.predict.panel",
    "tlwidgets.views.progress": "tlwidgets.widgets.base.progress",
    "tlwidgets.views.receipt": "tlwidgets.widgets.base.receipt",
    "tlwidgets.views.retrieval_grid": "tlwidgets.widgets.retrieval.panel",
    "tlwidgets.views.retrieval_widget": "tlwidgets.widgets.retrieval.bridge",
    "tlwidgets.views.train_panel": "tlwidgets.widgets.train.panel",
    "tlwidgets.views.train_state": "tlwidgets.widgets.train.state",
    "tlwidgets.views.train_widget": "tlwidgets.widgets.base.bridge",
    "tlwidgets.views.unfreeze_score": "tlwidgets.widgets.unfreeze.panel",
    "tlwidgets.views.unfreeze_state": "tlwidgets.widgets.unfreeze.state",
    "tlwidgets.views.wire": "tlwidgets.widgets.base.bridge",
}
"""Old module -> new module. The modules below an old package are found below the new one, without rows of
their own."""

SPLIT = {
    "graders.checks.unit00": "graders.checks",
    "graders.checks.unit01": "graders.checks",
    "graders.checks.unit02": "graders.checks",
    "graders.checks.unit03": "graders.checks",
    "tlwidgets.claims": "course.claims",
    "tlwidgets.render": "",
    "tlwidgets.views": "tlwidgets.widgets",
}
"""Old package whose modules went to several places -> the package that offers its names now ("": none
does)."""

NAMES: dict[str, str] = {
    "graders.checks.compare.plain": "graders.checks.compare.to_builtin",
    "graders.checks.evidence.held": "graders.checks.evidence.count_comparison",
    "graders.autograde.batch.Job": "graders.autograde.batch.jobs.Job",
    "graders.autograde.batch.grade_here": "graders.autograde.batch.local.grade_here",
    "graders.autograde.course.Course": "graders.autograde.course.folder.Course",
    "graders.autograde.course.open_course": "graders.autograde.course.folder.open_course",
    "graders.autograde.feedback_style.FitFeedback": "graders.autograde.feedback_style.FeedbackStyle",
    "graders.autograde.report.summarise": "graders.autograde.report.summary.summarise",
    "tlwidgets.UnfreezeScore": "tlwidgets.UnfreezeSchedulePanel",
    "tlwidgets.widgets.UnfreezeScore": "tlwidgets.UnfreezeSchedulePanel",
    "tlwidgets.Unfreezing": "tlwidgets.UnfreezeSchedule",
    "tlwidgets.train.Unfreezing": "tlwidgets.train.UnfreezeSchedule",
    "tlwidgets.train.telling": "tlwidgets.train.progress_listener",
}
"""Old name of a class or function, with its module -> new name, likewise."""


def new_name(module: str) -> str:
    """Where an old module is now; "" for a name that is not old."""
    start, rest = module, ""
    while start:
        if start in MODULES:
            return MODULES[start] + rest
        start, dot, last = start.rpartition(".")
        rest = f"{dot}{last}{rest}"
    return ""


def renamed(module: str, name: str) -> object:
    """What the old `name` of a module stands for now, with a warning.

    Raises:
        AttributeError: it is not an old name.
    """
    new = NAMES.get(f"{module}.{name}")
    if new is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    _warn(f"{module}.{name}", new, stacklevel=4)
    home, _, attribute = new.rpartition(".")
    return getattr(import_module(home), attribute)


def renamed_in(module: str) -> Callable[[str], object]:
    """A `__getattr__` for a module in which names have changed."""
    return lambda name: renamed(module, name)


def install() -> None:
    """Let old modules be imported. Doing it again changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # before the finder of files, which would import a second copy


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in SPLIT:
            return ModuleSpec(name, _SplitLoader(), is_package=True)
        new = new_name(name)
        return ModuleSpec(name, _MovedLoader(new)) if new else None


class _MovedLoader(Loader):
    """Gives the new module itself, so that a class is the same under both names."""

    def __init__(self, new: str):
        self.new = new

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        _warn(spec.name, self.new)
        module = import_module(self.new)
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own  # importing under the old name has replaced it


class _SplitLoader(Loader):
    """Gives an empty package: its old modules are found one by one, its names where they are offered now."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def offered(name: str) -> object:
            home = SPLIT[module.__name__]
            if not home or name.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            value = getattr(import_module(home), name)
            _warn(f"{module.__name__}.{name}", f"{home}.{name}", stacklevel=3)
            return value

        module.__dict__["__getattr__"] = offered


def _warn(old: str, new: str, stacklevel: int = 3) -> None:
    warnings.warn(
        f"`{old}` is now `{new}`. The old name works for this release only: please use the new one.",
        FutureWarning,
        stacklevel=stacklevel,
    )
