"""The wire between the drift panel and its views: the state goes whole; which step is looked at is a view's own affair."""

from __future__ import annotations

from .assets import script, style
from .wire import PanelWidget


class DriftWidget(PanelWidget):
    """See `PanelWidget`. A training may be measured at each step, and no eye follows so many layers so fast."""

    interval = 0.5

    _esm = script("drift_panel")
    _css = style("drift_panel")
