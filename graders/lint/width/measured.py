"""The width of a check: its draws beside the lesson's, and the overfitting mutants that it catches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from graders.checks.mistakes import Exercise
from graders.lint.pool import run_trials
from graders.lint.rules import Finding
from graders.lint.trial import Outcome, Trial

from .draws import Draw, Draws, record_draws
from .lesson_run import add_declared_calls
from .overfit import OverfittingMutant, overfitting_mutants, wrapped
from .records import Record
from .verdicts import Row, compare, on_purpose

PATIENCE = 6  # times the time of another trial: these mutants end when the right program does
TRIED = (2001, 2002, 2003)  # seeds; a mutant survives if it passes with each of them
_DRAWS_S = 60.0


@dataclass(frozen=True)
class Overfit:
    """An overfitting mutant that passed: the function that is wrong, what it is narrow in, and how."""

    function: str
    dimension: str
    change: str

    def __str__(self) -> str:
        return f"{self.function}: {self.dimension} ({self.change})"


@dataclass(frozen=True)
class Width:
    """How wide an exercise's check draws.

    Attributes:
        exercise: its id.
        runs: how often the check was run to record its draws, each time with another seed.
        rows: one for each dimension.
        caught: overfitting mutants that did not pass, of `mutants`, which leaves out those that are narrow on
            purpose.
        survivors: those that passed.
        problems: why the width could not be measured, and declarations that fit nothing.
    """

    exercise: str
    runs: int = 0
    rows: tuple[Row, ...] = ()
    caught: int = 0
    mutants: int = 0
    on_purpose: int = 0
    survivors: tuple[Overfit, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def too_narrow(self) -> bool:
        """Whether a dimension is too narrow or an overfitting mutant survives, and not on purpose."""
        return bool(self.survivors) or any(row.refused for row in self.rows)

    def findings(self) -> Iterator[Finding]:
        """What is wrong beside what is narrow."""
        return (Finding(self.exercise, "width", problem) for problem in self.problems)


def measure_width(
    exercise: Exercise,
    answer: str,
    trial: Callable[[str, int], Trial],
    lesson: Record,
    *,
    jobs: int | None = None,
    timeout: float = 20.0,
    tell: Callable[[int, int], None] | None = None,
) -> Width:
    """Record what a check draws, compare it with the lesson, and try overfitting mutants.

    Args:
        exercise: whose check it is.
        answer: the lesson's own, from which the mutants are made.
        trial: makes a trial of a program and a seed.
        lesson: what the lesson gives to the functions; calls that the exercise declares are added.
        jobs: trials at a time.
        timeout: seconds a trial may take.
        tell: called with the trials done and those known of so far.
    """
    problem = add_declared_calls(lesson, exercise)
    if problem:
        return Width(exercise.id, problems=(problem,))
    draws = _draws(exercise, trial(answer, 0), timeout)
    if draws.problem:
        said = f"With the lesson's answer, watched, {draws.problem}. Its width was not measured."
        return Width(exercise.id, draws.runs, problems=(said,))
    made = overfitting_mutants(answer, draws, lesson)
    watched = [wrapped(answer, function) for function in exercise.functions]
    outcomes = run_trials([trial(one, TRIED[0]) for one in watched], jobs=jobs, timeout=PATIENCE * timeout)
    failed = [one for one in outcomes if isinstance(one, Outcome) and not one.passed]
    if failed:
        said = (
            "The lesson's answer, called by a function of the same name, does not pass "
            f"({failed[0].message}), so overfitting mutants would say nothing. Judge by what a function does."
        )
        return Width(exercise.id, draws.runs, problems=(said,))
    tried, stuck = _tried([one for one in made if not one.unseen], trial, jobs, PATIENCE * timeout, tell)
    alive = [one for one in made if one.unseen or one in tried]
    rows = tuple(_explained(exercise, row) for row in compare(lesson, draws.record, exercise.functions))
    survivors = [Overfit(one.function, one.dimension, one.change) for one in alive]
    marks = [on_purpose(exercise.narrow, one.function, one.dimension) for one in survivors]
    open_ones = tuple(one for one, mark in zip(survivors, marks, strict=True) if mark is None)
    marked = len(survivors) - len(open_ones)
    used = {mark[0] for mark in marks if mark is not None}
    for row in rows:
        mark = on_purpose(exercise.narrow, row.function, row.dimension)
        if row.problem and mark is not None:
            used.add(mark[0])
    return Width(
        exercise.id,
        draws.runs,
        rows,
        len(made) - len(survivors),
        len(made) - marked,
        marked,
        open_ones,
        tuple(stuck)
        + tuple(
            f"`{pattern}` is declared as narrow on purpose, and it is not narrow. Remove the declaration."
            for pattern, _ in exercise.narrow
            if pattern not in used
        ),
    )


def _draws(exercise: Exercise, trial: Trial, timeout: float) -> Draws:
    draw = Draw(trial.cells, trial.test, trial.seed, exercise.functions)
    (found,) = run_trials([draw], jobs=1, timeout=PATIENCE * timeout + _DRAWS_S, run=record_draws)
    if isinstance(found, Draws):
        return found
    return Draws(problem=f"its process ended: {found.message}")


def _explained(exercise: Exercise, row: Row) -> Row:
    mark = on_purpose(exercise.narrow, row.function, row.dimension) if row.problem else None
    return row if mark is None else replace(row, why=mark[1])


def _tried(
    made: list[OverfittingMutant],
    trial: Callable[[str, int], Trial],
    jobs: int | None,
    timeout: float,
    tell: Callable[[int, int], None] | None,
) -> tuple[list[OverfittingMutant], list[str]]:
    """Those that pass with every seed, and what is to be said of those that did not end.

    One that failed is not tried again.
    """
    alive, done, stuck = made, 0, []
    for seed in TRIED:
        trials = [trial(mutant.source, seed) for mutant in alive]
        before = done

        def told(now: int, before: int = before, of: int = done + len(trials)) -> None:
            if tell is not None:
                tell(before + now, of)

        outcomes = run_trials(trials, jobs=jobs, timeout=timeout, on_done=told) if trials else []
        done += len(trials)
        passed = []
        for mutant, outcome in zip(alive, outcomes, strict=True):
            if not isinstance(outcome, Outcome) or outcome.stage in ("timeout", "died", "cells"):
                said = getattr(outcome, "message", "")
                stuck.append(f"An overfitting mutant could not be tried ({mutant.change}): {said}")
            elif outcome.passed:
                passed.append(mutant)
        alive = passed
    return alive, stuck
