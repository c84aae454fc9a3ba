"""The command `tlcourse`. Commands load when they are called, so `--help` is quick."""

from __future__ import annotations

import sys
from importlib import import_module

import click

# Name -> (module, function, what it does), in the order of a newcomer's day.
_COMMANDS = {
    "setup": ("setup", "setup", "Install what the course needs into this Python environment."),
    "lab": ("lab", "lab", "Open the course in JupyterLab."),
    "build": ("build", "build", "Make or update your copies of the lessons."),
    "check": ("check", "check", "Check a notebook's exercises as the grader would."),
    "grade": ("grade", "grade", "Grade what was handed in, each submission held apart."),
    "xp": ("xp", "xp", "Show XP, levels and badges from the gradebook."),
    "doctor": ("doctor", "doctor", "Say what is there, what is missing, and what to do."),
    "binder-links": ("binder", "binder_links", "Write launch links for Binder, one a lesson."),
}


class _Lazy(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, function, _ = _COMMANDS[name]
        return getattr(import_module(f"{__name__}.{module}"), function)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


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
