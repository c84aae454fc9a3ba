"""What a student handed in, read as data, and the notebook that is rebuilt from it."""
