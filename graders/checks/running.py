"""Running a student's functions: quietly, and with sentences for what they raise."""

from __future__ import annotations

import contextlib
import copy
import io
import random
import sys
import warnings
from collections.abc import Callable, Collection, Iterator

import torch
from torch import Tensor, nn

from .compare import difference
from .evidence import seed_of_submission
from .mistakes import CheckFailed

__all__ = ["ArgumentsChanged", "backward", "call", "numbers", "refuse_none"]

FORGOTTEN_RETURN = "Is a `return` missing?"


def numbers() -> random.Random:
    """A new generator of hidden inputs: the same submission gets the same ones again."""
    return random.Random(seed_of_submission())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leave no trace: nothing on stderr (nbgrader takes that for a failure), and random numbers as before."""
    with (
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
        torch.random.fork_rng(devices=[]),
    ):
        warnings.simplefilter("ignore")
        torch.manual_seed(seed_of_submission())
        yield


def announce(title: str, points: int) -> None:
    """Say in a notebook that an exercise was passed.

    Where submissions are graded there is no IPython to say it in.
    """
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        print(f"✓ {title}: passed, {points:g} XP. (Provisional: the gradebook has the last word.)")


class ArgumentsChanged(CheckFailed):
    """A student's function returned, but had changed what it was given; `found` is what it returned."""

    def __init__(self, name: str, found: object) -> None:
        super().__init__(f"`{name}` changed what it was given. Expected it to read its arguments only.")
        self.found = found


def call(function: Callable, *args: object, what: str, may_change: bool | Collection[int] = False):
    """Call a student's function; `what` is how the message names the call ("build_head(8, 3)").

    Lists, dicts, tensors and arrays among the arguments are compared before and after, and so is all that is
    in them. Models are not: to change one is what many functions are for.

    Args:
        may_change: whether the function may change its arguments, or the places of those that it may.

    Raises:
        ArgumentsChanged: it changed one.
        CheckFailed: it is not a function, is not written yet, or raised.
    """
    name = what.partition("(")[0]
    if not callable(function):
        raise CheckFailed(f"`{name}` is a {type(function).__name__}, and a function was expected.")
    held = (
        [] if may_change is True else [place for place in range(len(args)) if place not in (may_change or ())]
    )
    before = [copy_of_values(args[place]) for place in held]
    try:
        found = function(*args)
    except NotImplementedError:
        raise CheckFailed(f"`{name}` is not written yet: fill in its cell, run it, check again.") from None
    except Exception as error:  # whatever a student's code raises
        raise stopped(what, error) from error
    if any(not same_values(args[place], old) for place, old in zip(held, before, strict=True)):
        raise ArgumentsChanged(name, found)
    return found


def stopped(what: str, error: Exception) -> CheckFailed:
    """What to say of a call that raised."""
    return CheckFailed(f"`{what}` stopped with {type(error).__name__}: {error}")


def copy_of_values(value):
    """A copy of lists, dicts, sets, tensors and arrays; models, functions and generators stay what they are.

    Tensors are copied without what they were computed from.
    """
    if isinstance(value, Tensor) and value.device.type != "meta":
        return value.detach().clone()
    if type(value) in (list, tuple):
        return type(value)([copy_of_values(item) for item in value])
    if type(value) is dict:
        return {key: copy_of_values(item) for key, item in value.items()}
    if isinstance(value, (nn.Module, torch.Generator)) or callable(value):
        return value
    return copy.copy(value)


def same_values(now, before) -> bool:
    """Whether a value is exactly what it was when it was copied, in types and in every bit that counts."""
    if type(before) in (list, tuple, dict) and type(now) is type(before) and len(now) == len(before):
        if type(before) is dict:
            return list(now) == list(before) and all(same_values(now[key], before[key]) for key in before)
        return all(map(same_values, now, before))
    if now is before:
        return True
    try:
        return not difference(now, before, "", rtol=0.0, atol=0.0, allow_nan=True)
    except TypeError:  # what cannot be compared
        return True


def refuse_none(found: object, what: str, expected: str) -> None:
    """Raise if a student's function returned None instead of an answer: usually a `return` is missing.

    Args:
        what: how the message names the call.
        expected: what was expected, with its article ("a float").
    """
    if found is None:
        raise CheckFailed(f"`{what}` returned None, and {expected} was expected. {FORGOTTEN_RETURN}")


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
