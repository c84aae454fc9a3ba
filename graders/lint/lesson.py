"""Rules on a lesson that show when it runs: exercises stand alone, checks count, right programs pass, mistakes are caught."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graders.checks.mistakes import Exercise

from .mutants import mutants
from .pool import run_trials
from .rules import Finding, cell_name, graded_kind, static_findings
from .trial import Outcome, Trial

SEEDS = (20, 1, 2, 3, 4)  # hidden inputs differ from submission to submission


@dataclass(frozen=True)
class Survivor:
    """A mutant that a check let pass: of which program, and the change (`old => new`)."""

    program: str
    change: str


@dataclass(frozen=True)
class CatchRate:
    """What an exercise's check catches.

    Attributes:
        named: named mistakes that got their own message, of `of_named`.
        caught: mutants that did not pass, of `mutants`, which leaves out those marked as equivalent.
        survivors: the mutants that passed and are not marked.
    """

    exercise: str
    named: int
    of_named: int
    caught: int
    mutants: int
    equivalent: int
    survivors: tuple[Survivor, ...]


@dataclass(frozen=True)
class Report:
    """What is known of a lesson; it is fit to be handed out when there are no findings."""

    unit: str
    findings: tuple[Finding, ...]
    rates: tuple[CatchRate, ...] = ()


@dataclass(frozen=True)
class _Task:
    """An exercise in its lesson: the trials are this with an answer put in."""

    exercise: Exercise
    before: tuple[str, ...]
    place: int
    answer: str
    stub: str
    test: str
    check: str

    def trial(self, answer: str, seed: int = SEEDS[0]) -> Trial:
        cells = (*self.before[: self.place], answer, *self.before[self.place :])
        return Trial(cells, self.test, seed)


def lint_lesson(
    source,
    release,
    unit: str,
    exercises: Sequence[Exercise],
    *,
    mutate: bool = True,
    jobs: int | None = None,
    timeout: float = 20.0,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Look a lesson over by all rules, static ones first; where those find something nothing is run.

    Args:
        source: the lesson's notebook, with solutions.
        release: the same as students get it.
        unit: its folder's name.
        exercises: those of the unit, with their catalogues.
        mutate: whether mutants are tried; otherwise the rates have none.
        jobs: trials at a time.
        timeout: seconds a trial may take; a mutant that takes longer counts as caught.
        on_progress: called with an exercise's id, trials done and trials in all.
    """
    findings = [*static_findings(source, unit), *_unrecorded(source, exercises)]
    if findings:
        return Report(unit, tuple(findings))
    rates = []
    for task in _tasks(source, release, exercises):

        def tell(done: int, of: int, task: _Task = task) -> None:
            if on_progress is not None:
                on_progress(task.exercise.id, done, of)

        found, rate = _try_exercise(task, mutate, jobs, timeout, tell)
        findings += found
        rates.append(rate)
    return Report(unit, tuple(findings), tuple(rates))


def _unrecorded(source, exercises: Sequence[Exercise]) -> list[Finding]:
    """Exercises of the notebook and records in `graders.checks` that don't fit each other."""
    points = {
        cell_name(cell).removeprefix("check-"): cell.metadata.nbgrader.get("points", 0)
        for cell in source.cells
        if graded_kind(cell) == "test"
    }
    known = {exercise.id: exercise for exercise in exercises}
    found = [
        Finding(
            id,
            "record",
            "graders.checks has no Exercise of this id and unit. Add its record, with its mistakes, to EXERCISES in the "
            "`__init__.py` of the unit's checks.",
        )
        for id in points.keys() - known.keys()
    ]
    found += [
        Finding(
            id,
            "record",
            "graders.checks has this exercise, and the notebook has not. Remove one or add the other.",
        )
        for id in known.keys() - points.keys()
    ]
    return found + [
        Finding(
            id,
            "points",
            f"The test cell is worth {points[id]:g}, and its record says {known[id].points}. Make them agree.",
        )
        for id in points.keys() & known.keys()
        if points[id] != known[id].points
    ]


def _tasks(source, release, exercises: Sequence[Exercise]) -> list[_Task]:
    """Each exercise with what stands before its test cell: set-up, and the other exercises unanswered."""
    stubs = {cell_name(cell): cell.source for cell in release.cells if graded_kind(cell) == "solution"}
    known = {exercise.id: exercise for exercise in exercises}
    tasks, before, answers = [], [], {}
    for cell in source.cells:
        if cell.cell_type != "code":
            continue
        kind, name = graded_kind(cell), cell_name(cell)
        if kind == "solution":
            answers[name] = (len(before), cell.source)
            before.append(stubs[name])
        elif kind == "test":
            id = name.removeprefix("check-")
            place, answer = answers[id]
            others = tuple(before[:place] + before[place + 1 :])
            tasks.append(_Task(known[id], others, place, answer, stubs[id], cell.source, name))
        elif "setup" in cell.metadata.get("tags", []):
            before.append(cell.source)
    return tasks


def _try_exercise(task: _Task, mutate: bool, jobs, timeout, tell) -> tuple[list[Finding], CatchRate]:
    exercise = task.exercise
    right = {"the lesson's answer": task.answer}
    right |= {f"right program {place + 1}": program for place, program in enumerate(exercise.right)}
    faulty = {}
    if mutate:
        for name, program in right.items():
            for mutant in mutants(program):
                faulty.setdefault(mutant.source, Survivor(name, mutant.change))
    trials = [task.trial(task.stub)]
    trials += [task.trial(program, seed) for program in right.values() for seed in SEEDS]
    trials += [task.trial(mistake.wrong) for mistake in exercise.mistakes]
    trials += [task.trial(program) for program in faulty]
    outcomes = iter(
        run_trials(trials, jobs=jobs, timeout=timeout, on_done=lambda done: tell(done, len(trials)))
    )
    findings = _unanswered(task, next(outcomes))
    for name in right:
        findings += _right(task, name, [next(outcomes) for _ in SEEDS])
    named = [_named(task, mistake, next(outcomes)) for mistake in exercise.mistakes]
    passed = {source for source, outcome in zip(faulty, outcomes, strict=True) if outcome.passed}
    marked = {_bare(change): change for change, _ in exercise.equivalent}
    survivors = [faulty[source] for source in faulty if source in passed]
    findings += [finding for finding in named if finding is not None]
    if mutate:
        findings += _stale(task, marked, survivors)
    open_ones = tuple(one for one in survivors if _bare(one.change) not in marked)
    equivalent = len(survivors) - len(open_ones)
    rate = CatchRate(
        exercise.id,
        sum(finding is None for finding in named),
        len(named),
        len(faulty) - len(survivors),
        len(faulty) - equivalent,
        equivalent,
        open_ones,
    )
    return findings, rate


def _unanswered(task: _Task, outcome: Outcome) -> list[Finding]:
    if not outcome.passed:
        return []
    message = "The check passes on the cell as students get it, unanswered. Put the whole answer between the region's marks."
    return [Finding(task.exercise.id, "solution", message)]


def _right(task: _Task, name: str, outcomes: list[Outcome]) -> list[Finding]:
    """What is wrong with a right program's runs, one of each kind."""
    found: dict[str, Finding] = {}
    for seed, outcome in zip(SEEDS, outcomes, strict=True):
        for rule, message in _right_problems(name, seed, outcome):
            found.setdefault(rule, Finding(task.check, rule, message))
    return list(found.values())


def _right_problems(name: str, seed: int, outcome: Outcome):
    said = f"{outcome.error}: {outcome.message}".strip(": ")
    if outcome.stage == "cells":
        yield (
            "stands-alone",
            f"With {name}, set-up and nothing else, a cell before the test stops with {said}. Move what the exercise needs from "
            "demonstrations or other exercises into a cell tagged `setup`, as plain Python.",
        )
    elif not outcome.passed:
        yield (
            "right",
            f"With {name}, set-up and nothing else, the check fails (seed {seed}): {said}. Correct the check, or let the "
            "exercise stand on cells tagged `setup` alone.",
        )
    else:
        if outcome.stderr:
            yield (
                "stderr",
                f"With {name} the cell writes to stderr ({outcome.stderr[:80]!r}), which nbgrader takes for a failure.",
            )
        if outcome.value:
            yield (
                "last-line",
                f"The cell's last line gives {outcome.value[:60]}. nbgrader may take it for the score: return None.",
            )
        if not outcome.assertions:
            yield (
                "asserts-nothing",
                f"With {name} the check counts no comparison that held, so it earns no point. Compare with `same`, or call "
                "`held()` of graders.checks.evidence after each comparison.",
            )


def _named(task: _Task, mistake, outcome: Outcome) -> Finding | None:
    if outcome.mistake == mistake.id and outcome.message == mistake.message:
        return None
    if outcome.passed:
        what = "passes the check"
    elif outcome.mistake:
        what = f"gets the message of {outcome.mistake!r}"
    else:
        what = (
            f"is not recognised ({outcome.error}: {outcome.message[:100]})"
            if outcome.error
            else outcome.message
        )
    return Finding(
        task.exercise.id,
        "mistake",
        f"The wrong program of {mistake.id!r} {what}. Let the check tell it by its own message.",
    )


def _stale(task: _Task, marked: dict[str, str], survivors: list[Survivor]) -> list[Finding]:
    alive = {_bare(survivor.change) for survivor in survivors}
    return [
        Finding(
            task.exercise.id,
            "equivalent",
            f"`{change}` is marked as equivalent and is no survivor. Remove the mark.",
        )
        for bare, change in marked.items()
        if bare not in alive
    ]


def _bare(change: str) -> str:
    """A change without what versions of Python write in other ways: parentheses and spaces."""
    return re.sub(r"[()\s]", "", change)
