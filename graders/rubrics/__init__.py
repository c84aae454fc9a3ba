"""Rubrics for answers that a person grades: declared in the lesson, shown in formgrader, kept."""

from .rubric import Criterion, Rubric, read_rubrics, rubric_of, rubric_problems

__all__ = ["Criterion", "Rubric", "read_rubrics", "rubric_of", "rubric_problems"]
