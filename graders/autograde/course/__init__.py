"""The instructor's side: the course folder, and a lesson as nbgrader generates it."""

from tlwidgets.moved import renamed_in

__getattr__ = renamed_in(__name__)
