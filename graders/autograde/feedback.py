"""What the feedback page of `nbgrader generate_feedback` lacks; a step of its own, named in the course's configuration."""

from __future__ import annotations

from nbgrader.preprocessors import NbGraderPreprocessor

_CSS = """
img, svg { max-width: 100%; height: auto; }
div.output_area pre { white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere; }
summary { display: list-item; cursor: pointer; }
"""


class FitFeedback(NbGraderPreprocessor):
    """Pictures and messages as wide as the page at most, and hints that can be seen to open, unlike in nbgrader's style."""

    def preprocess(self, nb, resources):
        """Leave the notebook as it is, and add to the page's style."""
        inlining = resources.setdefault("inlining", {})
        inlining["css"] = [*inlining.get("css", []), _CSS]
        return nb, resources
