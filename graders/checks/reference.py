"""Checks by a reference: random inputs, right answers from the author's program, mistakes known by theirs."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .compare import difference, to_builtin
from .evidence import count_comparison
from .gradients import gradient_problem, gradients_of, same_gradients, with_leaves
from .mistakes import Catalogue, CheckFailed, Mistake
from .programs import functions
from .running import FORGOTTEN_RETURN, ArgumentsChanged, call, copy_of_values, numbers, same_values
from .show import cut, show
from .worlds import World

__all__ = ["against_reference"]

_CALL, _ATTEMPTS = 600, 100


@dataclass(frozen=True)
class _Case:
    """One input and its outcome.

    Attributes:
        raised: what the call raised, if it did.
        failed: what a student would read, "" if the answer was right.
        aside: what is wrong beside the values: "arguments", "gradients" or "".
    """

    given: tuple
    found: object
    raised: CheckFailed | None
    failed: str
    aside: str = ""
    gradients: list[Tensor] | None = None
    atol: float = 0.0


@dataclass(frozen=True)
class _Trial:
    """What every input is tried with."""

    function: Callable
    reference: Callable
    name: str
    rtol: float
    atol: float | Callable[[Any], float]
    allow_nan: bool
    gradients: bool | Collection[int]
    may_change: Collection[int]

    def difference(self, found, expected, what: str) -> str:
        return difference(
            found, expected, what, rtol=self.rtol, atol=self.atol_for(expected), allow_nan=self.allow_nan
        )

    def atol_for(self, expected) -> float:
        return self.atol(expected) if callable(self.atol) else self.atol

    def arguments(self, given: tuple) -> tuple[tuple, list[Tensor]]:
        """A copy of the arguments, and the tensors in it that gradients go to."""
        places = range(len(given)) if self.gradients is True else self.gradients or ()
        return with_leaves(copy.deepcopy(given), places)


def against_reference(
    function,
    reference: Callable,
    draw: Callable[..., tuple],
    *,
    name: str,
    edges: Iterable[tuple] = (),
    world: World | None = None,
    variations: Iterable[Callable[[random.Random, tuple], tuple]] = (),
    catalogue: Catalogue | None = None,
    cases: int = 30,
    gradients: bool | Collection[int] = True,
    may_change: Collection[int] = (),
    shrink: bool = False,
    rtol: float = 1e-5,
    atol: float | Callable[[Any], float] = 1e-6,
    allow_nan: bool = False,
) -> None:
    """Compare a student's function with a reference on the edge cases and on random inputs.

    NumPy's floats and texts and tensors of float64 count as Python's and as float32 (`compare.to_builtin`).
    Arguments have to be what they were afterwards. Where a gradient flows through the reference, from its
    result to tensors among the arguments, it has to flow through the student's function, with the same
    values.

    The shortest failing input is reported. If the program of a named mistake gives what the student's
    function gives on *every* input, the mistake is reported instead: an author writes only its program and
    its message.

    Args:
        function: the student's.
        reference: the right one; it gets the same arguments.
        draw: makes the arguments of a call, as a tuple, from a `random.Random` seeded for each submission
            and, by name, the numbers that `world` has drawn for the case.
        name: of the function, in messages and in the catalogue's programs.
        edges: arguments that are always tried, before the drawn ones.
        world: the ranges of what is drawn, all parts of which are tried (`worlds.World`).
        variations: each makes of the numbers and a drawn input another input, which is tried as well
            (`relations`): in another order, joined with itself. Every drawn input goes through one of them.
        catalogue: named mistakes; those whose programs do not define a function `name` are ignored.
        cases: how many inputs are drawn.
        gradients: whether gradients are compared, or the places of the arguments that they have to reach.
        may_change: the places of arguments that the function may change.
        shrink: before an input is shown, leave items out of its lists for as long as the answer stays wrong.
            The reference must accept such inputs, and the task's wording must allow them.
        rtol: as in `same`, like `atol` and `allow_nan`.
        atol: it may be a function of the right answer, where answers differ in size.

    Raises:
        CheckFailed: with the mistake it looks like, or with the shortest input that goes wrong.
    """
    source, variations = numbers(), list(variations)
    drawn = [draw(source, **case) for case in (world.draw(source, cases) if world else [{}] * cases)]
    varied = [
        variation(source, given)
        for place, variation in enumerate(variations)
        for given in drawn[place :: len(variations)]
    ]
    trial = _Trial(function, reference, name, rtol, atol, allow_nan, gradients, may_change)
    tried = [_try(trial, given) for given in (*edges, *drawn, *varied)]
    wrong = [case for case in tried if case.failed]
    if not wrong:
        count_comparison(len(tried))
        return
    mistake = recognise(tried, trial, catalogue) if catalogue else None
    if mistake is not None:
        raise CheckFailed(mistake.message, mistake)
    worst = [case for case in wrong if not case.aside] or wrong  # first of all the values have to be right
    shortest = min(worst, key=lambda case: len(_shown_call(name, case.given)))
    if shrink:
        shortest = _shrunk(shortest, lambda given: _try(trial, given))
    raise shortest.raised or CheckFailed(shortest.failed)


def recognise(tried: list[_Case], trial: _Trial, catalogue: Catalogue) -> Mistake | None:
    """The first mistake whose program does what the student's does on all inputs, exceptions included."""
    for mistake in catalogue:
        try:
            (program,) = functions(catalogue.programs[mistake.id], (trial.name,), mistake.id)
        except NameError:
            continue
        if all(_agrees(program, case, trial) for case in tried):
            return mistake
    return None


def _try(trial: _Trial, given: tuple) -> _Case:
    what = _shown_call(trial.name, given)
    due, leaves = trial.arguments(given)
    expected = trial.reference(*due)
    wanted = gradients_of(expected, leaves)
    own, leaves = trial.arguments(given) if wanted else (copy.deepcopy(given), [])
    try:
        found = to_builtin(call(trial.function, *own, what=what, may_change=trial.may_change))
    except ArgumentsChanged as changed:
        return _Case(given, to_builtin(changed.found), None, changed.message, "arguments")
    except CheckFailed as raised:
        if raised.__cause__ is None:
            raise  # no function, or not written yet: no input will tell more
        return _Case(given, None, raised, raised.message)
    atol, failed = trial.atol_for(expected), trial.difference(found, expected, f"`{what}`")
    if failed:
        failed = f"{failed} {FORGOTTEN_RETURN}" if found is None else failed
        return _Case(given, found, None, failed, atol=atol)
    slopes = gradients_of(found, leaves) if wanted else None
    failed = gradient_problem(slopes, wanted, f"`{what}`")
    return _Case(given, found, None, failed, "gradients" if failed else "", slopes, atol)


def _shrunk(case: _Case, attempt: Callable[[tuple], _Case]) -> _Case:
    """Leave out items of lists, one after the other, while it still goes wrong the same way."""
    place, item = 0, 0
    for _ in range(_ATTEMPTS):
        while place < len(case.given) and not (
            type(case.given[place]) is list and item < len(case.given[place])
        ):
            place, item = place + 1, 0
        if place == len(case.given):
            break
        shorter = list(case.given)
        shorter[place] = case.given[place][:item] + case.given[place][item + 1 :]
        smaller = attempt(tuple(shorter))
        if smaller.failed and (smaller.raised is None) == (case.raised is None):
            case = smaller
        else:
            item += 1
    return case


def _agrees(program, case: _Case, trial: _Trial) -> bool:
    by_gradient = case.aside == "gradients"
    own, leaves = trial.arguments(case.given) if by_gradient else (copy.deepcopy(case.given), [])
    kept = [place for place in range(len(own)) if place not in trial.may_change]
    before = copy_of_values([own[place] for place in kept])
    try:
        other = program(*own)
    except Exception as error:  # whatever a wrong program raises
        return case.raised is not None and type(error).__name__ == type(case.raised.__cause__).__name__
    if case.raised is not None or same_values([own[place] for place in kept], before) == (
        case.aside == "arguments"
    ):
        return False
    if leaves and not same_gradients(case.gradients, gradients_of(to_builtin(other), leaves)):
        return False
    return not _differs(case.found, to_builtin(other), rtol=trial.rtol, atol=case.atol)


def _differs(found, other, *, rtol: float, atol: float) -> bool:
    try:
        return bool(difference(found, other, "", rtol=rtol, atol=atol, allow_nan=True))
    except TypeError:  # a wrong program may return what cannot be compared
        return True


def _shown_call(name: str, given: tuple) -> str:
    return cut(f"{name}({', '.join(show(value) for value in given)})", _CALL)
