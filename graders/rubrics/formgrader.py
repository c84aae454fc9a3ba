"""Shows the rubric below each answer that a person grades, in formgrader and nowhere else."""

from __future__ import annotations

from pathlib import Path

from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

from .rubric import Rubric, read_rubrics


class ShowRubric(NbGraderPreprocessor):
    """One of `HTMLExporter.preprocessors` (course/nbgrader_config.py): adds a cell with the rubric.

    The rubric is read from `source/` each time a page is opened, so it is the one that holds now. Feedback,
    which has no submission's id, stays without.
    """

    display_data_priority: List[str] = List(help="Not used: nbconvert sets it on every preprocessor.").tag(
        config=True
    )

    def preprocess(self, nb, resources):
        if "submission_id" in resources:
            rubrics = {one.cell: one for one in self._rubrics(resources)}
            cells = []
            for cell in nb.cells:
                cells.append(cell)
                rubric = rubrics.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
                if rubric is not None:
                    cells.append(new_markdown_cell(rubric.as_markdown()))
            nb.cells = cells
        return nb, resources

    def _rubrics(self, resources) -> list[Rubric]:
        folder = _source(
            Path(resources["metadata"]["path"]),
            CourseDirectory(config=self.config).source_directory,
            resources["assignment_id"],
        )
        if folder is None:
            return []
        return [one for one in read_rubrics(folder) if one.notebook == resources["notebook_id"]]


def _source(graded: Path, source: str, assignment: str) -> Path | None:
    """The unit's folder in `source/`, in a folder above the graded notebook."""
    for folder in graded.parents:
        found = folder / source / assignment
        if found.is_dir():
            return found
    return None
