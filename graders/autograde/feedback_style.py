"""The style of feedback and of formgrader, named in the course's configuration: `style/custom/custom.css`."""

from __future__ import annotations

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

from tlwidgets.moved import renamed_in

STYLE = Path(__file__).parent / "style"

__getattr__ = renamed_in(__name__)


class FeedbackStyle(NbGraderPreprocessor):
    """Adds to nbgrader's styles: nothing is wider than the page, and hints show that they can be opened."""

    display_data_priority: List[str] = List(help="Not used: nbconvert sets it on every preprocessor.").tag(
        config=True
    )

    def preprocess(self, nb, resources):
        """Leave the notebook as it is, and name the folder in which nbconvert finds `custom/custom.css`."""
        resources["config_dir"] = str(STYLE)
        return nb, resources
