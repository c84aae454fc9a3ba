"""What grading writes: the graded notebook, the grades, and the audit."""
