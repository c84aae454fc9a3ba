"""The bridge of the retrieval grid: the pictures to pick from are sent once, as one sheet."""

from __future__ import annotations

import traitlets

from ..base.bridge import PanelWidget


class SheetWidget(PanelWidget):
    """Those found go with the state: at most 24 pictures of about a kilobyte each."""

    _sheet = traitlets.Bytes().tag(sync=True)

    @traitlets.default("_sheet")
    def _first_sheet(self) -> bytes:
        return self.panel.sheet()
