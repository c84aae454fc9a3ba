"""A trial runs apart from everything, says what came of it, and is ended when its time is up."""

import os

import pytest

from graders.lint.pool import run_trials
from graders.lint.trial import Trial

pytestmark = pytest.mark.slow

CHECK = "from graders.checks.compare import same\nsame(f(2), 4, 'f(2)')"
RIGHT = "def f(x):\n    return 2 * x"


def test_each_kind_of_end_is_told_apart_and_in_order():
    trials = [
        Trial((RIGHT,), CHECK),
        Trial(("def f(x):\n    return x",), CHECK),
        Trial(("raise SystemExit(0)",), CHECK),
        Trial(("while True:\n    pass",), CHECK),
        Trial(("import os\nos._exit(0)",), CHECK),
        Trial((RIGHT,), "f(2)"),
        Trial((RIGHT,), "import os\nos.write(2, b'loud')\nprint('fine')"),
    ]
    done: list[int] = []
    outcomes = run_trials(trials, jobs=2, timeout=5, on_done=done.append)
    assert [one.stage for one in outcomes] == [
        "passed",
        "test",
        "cells",
        "timeout",
        "died",
        "passed",
        "passed",
    ]
    right, wrong, ended, endless, _, value, loud = outcomes
    assert (right.assertions, right.value, right.stderr) == (1, "", "")
    assert (wrong.error, wrong.message, wrong.assertions) == (
        "CheckFailed",
        "f(2) is 2, and 4 was expected.",
        0,
    )
    assert ended.error == "SystemExit"
    assert "longer than 5 seconds" in endless.message
    assert (value.value, value.assertions) == ("4", 0)
    assert loud.stderr == "loud"
    assert sorted(done) == list(range(1, 8))


def test_trials_know_nothing_of_each_other_or_of_us():
    os.environ.pop("SOUP", None)
    leave = "import os, builtins\nos.environ['SOUP'] = 'hot'\nbuiltins.soup = 1"
    look = "import os, builtins\nassert 'SOUP' not in os.environ and not hasattr(builtins, 'soup')"
    outcomes = run_trials([Trial((leave,), "1"), Trial((look,), "None")], jobs=1)
    assert [one.stage for one in outcomes] == ["passed", "passed"]
    assert "SOUP" not in os.environ


def test_hidden_inputs_are_drawn_from_the_trial_s_seed():
    draw = "from graders.checks.running import numbers\nnumbers().random()"
    values = [one.value for one in run_trials([Trial((), draw, seed) for seed in (1, 1, 2)])]
    assert values[0] == values[1] != values[2]
