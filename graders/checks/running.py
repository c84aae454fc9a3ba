"""Running a student's functions: quietly, and with sentences for what they raise."""

from __future__ import annotations

import contextlib
import functools
import io
import random
import sys
import warnings

from .evidence import seed_of_submission
from .mistakes import CheckFailed


def numbers() -> random.Random:
    """A new generator of hidden inputs: the same submission gets the same ones again."""
    return random.Random(seed_of_submission())


def quiet(check):
    """Make a check leave no trace: nothing on stderr (nbgrader takes that for a failure), random numbers as before.

    In a notebook it says that it was passed: a cell without output looks like one that did not run.
    """

    @functools.wraps(check)
    def run(*args, **kwargs) -> None:
        import torch

        with (
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
            torch.random.fork_rng(devices=[]),
        ):
            warnings.simplefilter("ignore")
            torch.manual_seed(seed_of_submission())
            check(*args, **kwargs)
        if _in_a_notebook():
            _say_passed(run)

    return run


def _in_a_notebook() -> bool:
    """Whether somebody may be looking. Where submissions are graded there is no IPython."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def _say_passed(check) -> None:
    from .units import EXERCISES

    for exercise in EXERCISES:
        if exercise.check is check:
            print(
                f"✓ {exercise.title}: passed, {exercise.points:g} XP. (Provisional: the gradebook has the last word.)"
            )


def call(function, *args, what: str):
    """Call a student's function; `what` is how the message names the call ("build_head(8, 3)").

    Raises:
        CheckFailed: it is no function, is not written yet, or raised.
    """
    if not callable(function):
        raise CheckFailed(
            f"`{what.partition('(')[0]}` is a {type(function).__name__}, and a function was expected."
        )
    try:
        return function(*args)
    except NotImplementedError:
        raise CheckFailed(
            f"`{what.partition('(')[0]}` is not written yet: fill in its cell, run it, check again."
        ) from None
    except Exception as error:  # whatever a student's code raises
        raise CheckFailed(f"`{what}` stopped with {type(error).__name__}: {error}") from error


def took_none_for_a_number(failed: CheckFailed) -> bool:
    """Whether a call (of `call`) stopped because None was subtracted, compared or the like."""
    return isinstance(failed.__cause__, TypeError) and "'NoneType'" in failed.message


def backward(loss) -> None:
    """`loss.backward()`; what a student's part of it raises becomes a sentence.

    Raises:
        CheckFailed: it stopped.
    """
    try:
        loss.backward()
    except Exception as error:  # an in-place change of what the gradient needs, a hook that raises
        raise CheckFailed(
            f"`backward()` from this loss stopped with {type(error).__name__}: {error}"
        ) from error
