"""Isolated grading: a submission is rebuilt, run apart from its checks, and judged by what it answers."""
