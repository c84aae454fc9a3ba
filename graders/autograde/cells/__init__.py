"""Runs cells as a notebook does, without a notebook; both sides use it."""
