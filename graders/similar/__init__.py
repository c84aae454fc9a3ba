"""Finds answers that are alike in form, as pairs for a person to look at; never a verdict."""
