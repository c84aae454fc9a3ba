"""What nbgrader's pages of a graded notebook lack: feedback's and formgrader's. Named in the course's configuration."""

from __future__ import annotations

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

STYLE = Path(__file__).parent / "style"


class FitFeedback(NbGraderPreprocessor):
    """Pictures and messages as wide as the page at most, and hints that can be seen to open, unlike in nbgrader's styles."""

    display_data_priority = List(help="Not used: nbconvert sets it, and warns where it can't.").tag(
        config=True
    )

    def preprocess(self, nb, resources):
        """Leave the notebook as it is. nbconvert takes a person's own style, `custom/custom.css`, from the folder named here."""
        resources["config_dir"] = str(STYLE)
        return nb, resources
