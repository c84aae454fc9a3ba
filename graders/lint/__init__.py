"""Checks on lessons before they are released: rules on their cells, and how much their checks catch."""
