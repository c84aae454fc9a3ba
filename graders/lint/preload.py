"""What the fork server of trials imports before it forks the first one: every exercise of the course."""

from __future__ import annotations

import sys

from graders.checks.registry import exercises
from graders.off_limits import find

from . import trial  # noqa: F401
from .width import draws, overfitted  # noqa: F401

for exercise in exercises():
    for name in exercise.off_limits:
        find(name)  # a check imports it
    exercise.wrong  # noqa: B018  reads the programs that a check recognises mistakes by

models = sys.modules.get("graders.checks.models")
if models is not None:  # a check makes small models of `transformers`, whose import takes seconds
    models.preload()
