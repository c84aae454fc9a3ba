"""Grades in files that learning platforms import: Moodle, Canvas, Blackboard; and as a plain table."""

from .formats import FORMATS, Export, ExportError, Identity, export

__all__ = ["FORMATS", "Export", "ExportError", "Identity", "export"]
