"""The command `tlcourse`. Commands load when they are called, so `--help` is quick."""

from __future__ import annotations

import sys
from importlib import import_module

import click

# For whom -> name -> (module, function, what it does), in the order of a newcomer's day.
_SECTIONS = {
    "Commands": {
        "setup": ("setup", "setup", "Install what the course needs into this Python environment."),
        "lab": ("lab", "lab", "Open the course in JupyterLab."),
        "build": ("build", "build", "Make or update your copies of the lessons."),
        "check": ("check", "check", "Check a notebook's exercises as the grader would."),
        "doctor": ("doctor", "doctor", "Say what is installed, what is missing, and what to do."),
    },
    "For instructors": {
        "grade": ("grade", "grade", "Grade submissions, each isolated from its checks."),
        "dates": ("dates", "dates", "Set due dates, extensions and rules for late submissions."),
        "regrade-requests": ("regrade", "regrade_requests", "List and answer requests to look again."),
        "cluster-certs": ("certs", "cluster_certs", "Make certificates for a Dask cluster that grades."),
        "course-page": ("course_page", "course_page", "Make one page: who, how far, which mistakes."),
        "export": ("export", "export", "Write grades for Moodle, Canvas, Blackboard, or as a table."),
        "similar": ("similar", "similar", "List answers that are alike in form, for you to look at."),
        "xp": ("xp", "xp", "Show XP, levels and badges from the gradebook."),
    },
    "For authors of lessons": {
        "lint-lesson": ("lint", "lint_lesson", "Check lessons, and say how much their checks catch."),
        "new-exercise": (
            "new",
            "new_exercise",
            "Make a new exercise: a working example to rewrite.",
        ),
        "new-unit": ("new", "new_unit", "Make a new unit with one such exercise."),
        "binder-links": ("binder", "binder_links", "Write launch links for Binder, one for each lesson."),
    },
}
_COMMANDS = {name: where for commands in _SECTIONS.values() for name, where in commands.items()}


class _Lazy(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, function, _ = _COMMANDS[name]
        return getattr(import_module(f"{__name__}.{module}"), function)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, _COMMANDS))
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), text) for name, (_, _, text) in commands.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="transfer-learning-course")
def main() -> None:
    """A hands-on course on transfer learning, in JupyterLab."""


def console_streams() -> None:
    """Let sentences with check marks print on consoles that are not UTF-8 (older Windows)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


console_streams()
# Reading a notebook imports jsonschema, which imports this where it is installed, and it takes a second to
# read its grammar. It is for addresses with letters beyond ASCII; nothing here asks for those.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
