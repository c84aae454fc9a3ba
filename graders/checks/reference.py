"""Checks by a reference: random inputs, the right answer from a program of the author's, and mistakes told by their programs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .compare import difference, plain
from .evidence import held
from .mistakes import Catalogue, CheckFailed, Mistake
from .programs import functions
from .running import call, numbers
from .show import cut, show

_CALL, _ATTEMPTS = 600, 100


@dataclass(frozen=True)
class _Case:
    """One input and what became of it; `failed` is what a student would read, "" where the answer was right."""

    given: tuple
    found: object
    raised: CheckFailed | None
    failed: str


def against_reference(
    function,
    reference: Callable,
    draw: Callable[..., tuple],
    *,
    name: str,
    edges: Iterable[tuple] = (),
    catalogue: Catalogue | None = None,
    cases: int = 30,
    shrink: bool = False,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    allow_nan: bool = False,
) -> None:
    """Compare a student's function with a reference on the edge cases and on random inputs.

    NumPy's floats and texts and tensors of float64 count as Python's and as float32 (`compare.plain`).

    Of the inputs whose answers are wrong the one that is shown shortest is told. If a program of the catalogue gives what
    the student's function gives on *every* input, it is that mistake: an author writes the wrong program and its
    message, and nothing to recognise it by.

    Args:
        function: the student's.
        reference: the right one; it gets the same arguments.
        draw: makes the arguments of a call, as a tuple, from a `random.Random` that is seeded for each submission.
        name: of the function, in messages and in the catalogue's programs.
        edges: arguments that are always tried, before the drawn ones.
        catalogue: named mistakes; programs that don't define a function `name` alone are no candidates.
        cases: how many inputs are drawn.
        shrink: leave items out of an input's lists for as long as the answer stays wrong, before it is shown. The reference
            has to take such inputs, and a student has to find them in the task's words.
        rtol: as in `same`, like `atol` and `allow_nan`.

    Raises:
        CheckFailed: with the mistake it looks like, the shortest input that goes wrong, or that inputs were changed.
    """
    source = numbers()
    inputs = [*edges, *(draw(source) for _ in range(cases))]
    tolerances = {"rtol": rtol, "atol": atol, "allow_nan": allow_nan}
    tried = [_try(function, reference, given, name, tolerances) for given in inputs]
    wrong = [case for case in tried if case.failed]
    if not wrong:
        held(len(tried))
        return
    mistake = recognise(tried, name, catalogue, tolerances) if catalogue else None
    if mistake is not None:
        raise CheckFailed(mistake.message, mistake)
    shortest = min(wrong, key=lambda case: len(_shown_call(name, case.given)))
    if shrink:
        shortest = _shrunk(shortest, lambda given: _try(function, reference, given, name, tolerances))
    raise shortest.raised or CheckFailed(shortest.failed)


def recognise(tried: list[_Case], name: str, catalogue: Catalogue, tolerances: dict) -> Mistake | None:
    """The first mistake of the catalogue whose program agrees with the student's on all inputs: values, or exceptions."""
    for mistake in catalogue.mistakes:
        try:
            (program,) = functions(mistake.wrong, (name,), mistake.id)
        except NameError:
            continue
        if all(_agrees(program, case, tolerances) for case in tried):
            return mistake
    return None


def _try(function, reference, given: tuple, name: str, tolerances: dict) -> _Case:
    own, what = copy.deepcopy(given), _shown_call(name, given)
    expected = reference(*copy.deepcopy(given))
    try:
        found = plain(call(function, *own, what=what))
    except CheckFailed as raised:
        if raised.__cause__ is None:
            raise  # no function, or not written yet: no input will tell more
        return _Case(given, None, raised, raised.message)
    if _differs(own, given, {"rtol": 0.0, "atol": 0.0, "allow_nan": True}, unknown=False):
        raise CheckFailed(f"`{name}` changed what it was given. Expected it to read its arguments only.")
    failed = difference(found, expected, f"`{what}`", **tolerances)
    return _Case(
        given, found, None, f"{failed} Is a `return` missing?" if found is None and failed else failed
    )


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


def _agrees(program, case: _Case, tolerances: dict) -> bool:
    try:
        other = program(*copy.deepcopy(case.given))
    except Exception as error:  # whatever a wrong program raises
        return case.raised is not None and type(error).__name__ == type(case.raised.__cause__).__name__
    return case.raised is None and not _differs(case.found, other, {**tolerances, "allow_nan": True})


def _differs(found, other, tolerances: dict, unknown: bool = True) -> bool:
    try:
        return bool(difference(found, other, "", **tolerances))
    except TypeError:  # a wrong program may give what can't be compared, an input may be a function
        return unknown


def _shown_call(name: str, given: tuple) -> str:
    return cut(f"{name}({', '.join(show(value) for value in given)})", _CALL)
