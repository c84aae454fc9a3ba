"""What a notebook offers besides Python: `get_ipython()` and `display`."""

from __future__ import annotations

import io


class Shell:
    """Stands in for IPython: accepts every call and does nothing."""

    def __getattr__(self, name: str):
        return lambda *arguments, **options: None

    def getoutput(self, *arguments, **options) -> list:
        """The output of a command: none, since it was not run."""
        return []

    def written(self, name: str, mode: str, text: str) -> None:
        """Write a file, as `%%writefile` does."""
        with open(name, mode, encoding="utf-8") as file:
            file.write(text)

    def captured(self):
        """What `%%capture NAME` binds to the name."""
        from IPython.utils.capture import CapturedIO

        return CapturedIO(io.StringIO(), io.StringIO())


def display(*things: object, display_id: object = None, **options: object) -> Shell | None:
    """Print the `repr` of things, which may fail."""
    for thing in things:
        try:
            print(repr(thing))
        except Exception as error:  # a student's __repr__
            print(f"<{type(thing).__name__}: {type(error).__name__}>")
    return Shell() if display_id else None
