"""The summary of an assignment for its instructor: as data, as a page, and as a table."""

from tlwidgets.moved import renamed_in

__getattr__ = renamed_in(__name__)
