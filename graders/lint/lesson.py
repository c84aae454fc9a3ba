"""Rules on a lesson that need it to run: exercises stand alone, right programs pass, mistakes are caught."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graders.checks.mistakes import Exercise

from .mutants import mutants
from .pool import run_trials
from .rules import Finding, cell_name, graded_kind, static_findings
from .trial import Outcome, Trial
from .width.lesson_run import record_lesson
from .width.measured import Width, measure_width

__all__ = ["CatchRate", "Report", "Survivor", "lint_lesson"]

SEEDS = (20, 1, 2, 3, 4)  # hidden inputs differ from submission to submission
IDIOM_SEEDS = (20, 301)
_NOT_RIGHT = ("right", "stands-alone")  # without a right answer that passes there is nothing to measure
CHEAT_SEEDS = (100, 101, 102, 103, 104)  # small ones are what a cheat may know


@dataclass(frozen=True)
class Survivor:
    """A mutant that passed the check: the program it was made from, and the change (`old => new`)."""

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
    """What was found out about a lesson. Without findings it is ready to be released."""

    unit: str
    findings: tuple[Finding, ...]
    rates: tuple[CatchRate, ...] = ()
    widths: tuple[Width, ...] = ()


@dataclass(frozen=True)
class _Task:
    """An exercise in its lesson. An answer makes it a trial."""

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
    width_in: Path | None = None,
    jobs: int | None = None,
    timeout: float = 20.0,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Check a lesson by all rules, static ones first; if those find something, nothing is run.

    Args:
        source: the lesson's notebook, with solutions.
        release: the same as students get it.
        unit: its folder's name.
        exercises: those of the unit, with their catalogues.
        mutate: whether mutants are tried; otherwise the rates have none.
        width_in: the folder in which the lesson is run to measure how wide its checks draw; None leaves that
            out.
        jobs: trials at a time.
        timeout: seconds a trial may take; a mutant that takes longer counts as caught.
        on_progress: called with what is being done, how much of it is done, and how much there is in all.
    """
    findings = [*static_findings(source, unit), *record_findings(source, exercises)]
    if findings:
        return Report(unit, tuple(findings))

    def tell(what: str) -> Callable[[int, int], None]:
        return lambda done, of: on_progress(what, done, of) if on_progress is not None else None

    rates, tasks = [], _tasks(source, release, exercises)
    for task in tasks:
        found, rate = _try_exercise(task, mutate, jobs, timeout, tell(task.exercise.id))
        findings += found
        rates.append(rate)
    if width_in is None or any(finding.rule in _NOT_RIGHT for finding in findings):
        return Report(unit, tuple(findings), tuple(rates))
    calls = record_lesson(source, exercises, width_in, tell(f"{unit}, every cell"))
    if calls.problem:
        said = f"{calls.problem}. So what the lesson gives to its functions is known only in part."
        findings.append(Finding("", "lesson", said))
    widths = []
    for task in tasks:
        exercise, told = task.exercise, tell(f"{task.exercise.id}, width")
        width = measure_width(
            exercise, task.answer, task.trial, calls.record, jobs=jobs, timeout=timeout, tell=told
        )
        widths.append(width)
        findings += width.findings()
    return Report(unit, tuple(findings), tuple(rates), tuple(widths))


def record_findings(source, exercises: Sequence[Exercise]) -> list[Finding]:
    """What does not fit between a notebook and its unit's exercises, and in the exercises' folders.

    Nothing is run.
    """
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
            "The unit has no exercise of this name. Make its folder with `tlcourse new-exercise`, or remove "
            "the cells.",
        )
        for id in points.keys() - known.keys()
    ]
    found += [
        Finding(
            id,
            "record",
            "The unit has this exercise, but the notebook does not. Add its cells, or remove the exercise.",
        )
        for id in known.keys() - points.keys()
    ]
    both = [id for id in points if id in known]
    found += [
        Finding(
            id,
            "points",
            f"The test cell is worth {points[id]:g}, and exercise.py says {known[id].points}. Make them "
            "agree.",
        )
        for id in both
        if points[id] != known[id].points
    ]
    found += _order(both, known)
    return found + [
        Finding(exercise.id, "programs", problem) for exercise in exercises for problem in exercise.problems()
    ]


def _order(ids: Sequence[str], known: dict[str, Exercise]) -> list[Finding]:
    """Exercises whose numbers are not their places in the notebook."""
    return [
        Finding(
            id,
            "order",
            f"It is number {place} in the notebook, and exercise.py says number={known[id].number}. Make "
            "them agree.",
        )
        for place, id in enumerate(ids, 1)
        if known[id].number != place
    ]


def _tasks(source, release, exercises: Sequence[Exercise]) -> list[_Task]:
    """Each exercise with what stands before its test cell: set-up, and the other exercises unanswered."""
    stubs = {cell_name(cell): cell.source for cell in release.cells if graded_kind(cell) == "solution"}
    known = {exercise.id: exercise for exercise in exercises}
    tasks: list[_Task] = []
    before: list[str] = []
    answers: dict[str, tuple[int, str]] = {}
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
    right = {"the lesson's answer": task.answer, **_titled("right", exercise.right)}
    idioms, cheats = _titled("right/idioms", exercise.idioms), _titled("cheats", exercise.cheats)
    faulty: dict[str, Survivor] = {}
    if mutate:
        for name, program in right.items():
            for mutant in mutants(program):
                faulty.setdefault(mutant.source, Survivor(name, mutant.change))
    trials = [task.trial(task.stub)]
    trials += [task.trial(program, seed) for program in right.values() for seed in SEEDS]
    trials += [task.trial(program, seed) for program in idioms.values() for seed in IDIOM_SEEDS]
    trials += [task.trial(program, seed) for program in cheats.values() for seed in CHEAT_SEEDS]
    trials += [task.trial(exercise.wrong[mistake.id]) for mistake in exercise.mistakes]
    trials += [task.trial(program) for program in faulty]
    outcomes = iter(
        run_trials(trials, jobs=jobs, timeout=timeout, on_done=lambda done: tell(done, len(trials)))
    )
    findings = _unanswered(task, next(outcomes))
    for name in right:
        findings += _right(task, name, SEEDS, [next(outcomes) for _ in SEEDS])
    for name in idioms:
        findings += _right(task, name, IDIOM_SEEDS, [next(outcomes) for _ in IDIOM_SEEDS])
    for name in cheats:
        findings += _cheat(task, name, [next(outcomes) for _ in CHEAT_SEEDS])
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


def _titled(kind: str, programs: Mapping[str, str]) -> dict[str, str]:
    return {f"{kind}/{name}.py": program for name, program in programs.items()}


def _unanswered(task: _Task, outcome: Outcome) -> list[Finding]:
    if not outcome.passed:
        return []
    message = "The check passes on the unanswered cell. Put the whole answer between the marks of the region."
    return [Finding(task.exercise.id, "solution", message)]


def _right(task: _Task, name: str, seeds: Sequence[int], outcomes: list[Outcome]) -> list[Finding]:
    """What is wrong with a right program's runs, one finding of each kind."""
    found: dict[str, Finding] = {}
    for seed, outcome in zip(seeds, outcomes, strict=True):
        for rule, message in _right_problems(name, seed, outcome):
            found.setdefault(rule, Finding(task.check, rule, message))
    return list(found.values())


def _right_problems(name: str, seed: int, outcome: Outcome):
    said = f"{outcome.error}: {outcome.message}".strip(": ")
    if outcome.stage == "cells":
        yield (
            "stands-alone",
            f"With {name}, set-up and nothing else, a cell before the test stops with {said}. Move what the "
            "exercise needs from demonstrations or other exercises into a cell tagged `setup`, as plain "
            "Python.",
        )
    elif not outcome.passed:
        yield (
            "right",
            f"With {name}, set-up and nothing else, the check fails (seed {seed}): {said}. Correct the "
            "check, or let the exercise depend only on cells tagged `setup`.",
        )
    else:
        if outcome.stderr:
            yield (
                "stderr",
                f"With {name} the cell writes to stderr ({outcome.stderr[:80]!r}), which nbgrader takes for "
                "a failure.",
            )
        if outcome.value:
            yield (
                "last-line",
                f"The cell's last line gives {outcome.value[:60]}. nbgrader may take it for the score: "
                "return None.",
            )
        if not outcome.assertions:
            yield (
                "asserts-nothing",
                f"With {name} the check counts no comparison that held, so it would earn no points. Compare "
                "with `same`, or call `count_comparison()` of graders.checks.evidence after each comparison.",
            )


def _cheat(task: _Task, name: str, outcomes: list[Outcome]) -> list[Finding]:
    """Whether a program that does not solve the exercise passed with some inputs."""
    lucky = [seed for seed, outcome in zip(CHEAT_SEEDS, outcomes, strict=True) if outcome.passed]
    if not lucky:
        return []
    message = (
        f"{name} does not solve the exercise, but passes the check (seed {lucky[0]}). Sharpen the check."
    )
    return [Finding(task.exercise.id, "cheat", message)]


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
        f"The program of the mistake {mistake.id!r} {what}. Make the check raise that mistake's own message.",
    )


def _stale(task: _Task, marked: dict[str, str], survivors: list[Survivor]) -> list[Finding]:
    alive = {_bare(survivor.change) for survivor in survivors}
    return [
        Finding(
            task.exercise.id,
            "equivalent",
            f"`{change}` is marked as equivalent, and no such mutant survives. Remove the mark.",
        )
        for bare, change in marked.items()
        if bare not in alive
    ]


def _bare(change: str) -> str:
    """A change without what versions of Python write in other ways: parentheses and spaces."""
    return re.sub(r"[()\s]", "", change)
