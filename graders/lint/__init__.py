"""Lessons are looked over before they are handed out: rules on their cells, and how many mistakes their checks catch."""
