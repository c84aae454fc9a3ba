"""A small course with a gradebook that is written by hand: no lesson is generated, and nothing is run."""

import functools
import tempfile
from datetime import datetime
from pathlib import Path

import nbformat
from click.testing import CliRunner
from nbformat import v4
from nbgrader.api import Gradebook

UNIT = "01-soup"


class SmallCourse:
    """A course with one unit of 10 points, `cook` (4) and `serve` (6)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "source" / UNIT).mkdir(parents=True)
        (folder / "nbgrader_config.py").write_text("c = get_config()\n")
        nbformat.write(v4.new_notebook(), folder / "source" / UNIT / f"{UNIT}.ipynb")
        (folder / "gradebook.db").write_bytes(_gradebook())

    def book(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}")

    def hand_in(self, student: str, when: datetime, cook: float = 4, serve: float = 6) -> None:
        """A graded submission."""
        with self.book() as book:
            book.update_or_create_student(student)
            book.add_submission(UNIT, student, timestamp=when)
            for name, points in (("check-cook", cook), ("check-serve", serve)):
                book.find_grade(name, UNIT, UNIT, student).auto_score = points
            book.db.commit()

    def dates(self, *arguments: str, status: int = 0) -> str:
        """Run `tlcourse dates` here; what it said."""
        from graders.cli.dates import dates

        command = [*arguments[:1], "--course", str(self.folder), *arguments[1:]]
        done = CliRunner().invoke(dates, command, catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done.output

    def penalties(self) -> dict[str, float]:
        """Each student's late penalty."""
        with self.book() as book:
            return {
                row.student.id: row.late_submission_penalty or 0 for row in book.assignment_submissions(UNIT)
            }


@functools.cache
def _gradebook() -> bytes:
    """The file of a gradebook with the unit and nobody in it; nbgrader takes seconds to make a new one."""
    with tempfile.TemporaryDirectory() as folder:
        with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
            book.add_assignment(UNIT)
            book.add_notebook(UNIT, UNIT)
            for name, points in (("check-cook", 4), ("check-serve", 6)):
                book.add_grade_cell(name, UNIT, UNIT, max_score=points, cell_type="code")
        return Path(folder, "gradebook.db").read_bytes()
