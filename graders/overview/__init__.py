"""A whole course at a glance: what the gradebook and its audit say of all units, and pages made from it."""
