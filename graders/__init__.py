"""Checks for exercises, the linter for lessons, the grader, XP, and the command line."""

from tlwidgets import moved

moved.install()  # modules of this package have moved, too
