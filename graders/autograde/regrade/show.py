"""Shows requests and their answers above the notebook, in feedback and in formgrader."""

from __future__ import annotations

from pathlib import Path

from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

from ..text import escape_markdown
from .requests import FOLDER, Answer, answers_shown_to


class ShowAnswers(NbGraderPreprocessor):
    """One of `HTMLExporter.preprocessors` (course/nbgrader_config.py): adds a cell if there are answers."""

    display_data_priority: List[str] = List(help="Not used: nbconvert sets it on every preprocessor.").tag(
        config=True
    )

    def preprocess(self, nb, resources):
        graded = Path(resources.get("metadata", {}).get("path", "")).absolute()
        root = next((one for one in graded.parents if (one / FOLDER).is_dir()), None)
        if root is not None:
            answers = answers_shown_to(root, graded.name, graded.parent.name)
            nb.cells = [*([new_markdown_cell(_markdown(answers))] if answers else []), *nb.cells]
        return nb, resources


def _markdown(answers: list[Answer]) -> str:
    parts = [
        f"**Your request**\n\n{_quoted(one.request)}\n\n**Answer** ({one.at} UTC)\n\n{_quoted(one.answer)}"
        for one in answers
    ]
    return "\n\n---\n\n".join(parts)


def _quoted(text: str) -> str:
    """Text line by line, as it was written: no markup of it has an effect."""
    return "\n".join(f"> {escape_markdown(line.strip())}  " for line in text.splitlines())
