"""Students' requests to look at a grade again, and the instructor's answers."""
