"""The content of the course: its units (lessons and projects), their experiments, exercises and claims."""
