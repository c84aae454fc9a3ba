"""`tlcourse grade`: grade submissions, each isolated from its checks."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .alone import alone
from .extras import need, need_driver
from .places import course_folder
from .plan import say_remarks, tell_plan

if TYPE_CHECKING:
    from graders.autograde.submission.timestamps import Trust


@dataclass(frozen=True)
class _Choices:
    """The options of a run."""

    student: str | None
    exercise: str | None
    workers: int | None
    cluster: tuple[str | None, Path | None, bool]
    trust: Trust
    unsafe: bool
    force: bool
    dry: bool
    as_json: bool


@click.command()
@click.argument("assignment")
@click.option("--student", metavar="ID", help="Only the student with this id.")
@click.option(
    "--exercise",
    metavar="NAME",
    help="Grade this exercise again, in all submissions that are graded; all other points stay.",
)
@click.option("--dry-run", "dry", is_flag=True, help="Say whose points would change, and write nothing.")
@click.option(
    "--workers", type=click.IntRange(1, 256), help="How many submissions to grade at a time. [one per core]"
)
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the workers of this Dask scheduler.")
@click.option(
    "--certs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that `tlcourse cluster-certs` made, for --scheduler.",
)
@click.option(
    "--insecure-cluster",
    "insecure",
    is_flag=True,
    help="Use a scheduler without TLS, on a closed network; every such grade is marked in the audit.",
)
@click.option(
    "--course",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The nbgrader course folder. [the one you are in, or the checkout's course]",
)
@click.option(
    "--timestamps",
    "trust",
    type=click.Choice(["exchange", "file", "none"]),
    default="exchange",
    show_default=True,
    help="Which timestamp.txt files count for late penalties: those the exchange confirms, all, or none.",
)
@click.option(
    "--unsafe-no-isolation",
    "unsafe",
    is_flag=True,
    help="Grade even where students' code cannot be isolated; every such grade is marked.",
)
@click.option("--force", is_flag=True, help="Grade again what is already graded and has not changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON as well.")
def grade(
    assignment: str,
    student: str | None,
    exercise: str | None,
    dry: bool,
    workers: int | None,
    scheduler: str | None,
    certs: Path | None,
    insecure: bool,
    folder: Path | None,
    trust: Trust,
    unsafe: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Grade submissions, in place of `nbgrader autograde`. ASSIGNMENT is the name of its folder in
    source/, such as 01-transfer-learning, or its number.

    Each submission is rebuilt from the lesson and the student's answers, run apart from its checks, and
    written to the gradebook as a whole. Stop it at any time and run it again: it continues from there, and
    grades what is new or has changed.

    With --dry-run the submissions are run, and nothing is written. With --exercise only the points of that
    exercise change; a submission that has no grade yet, or was handed in again since, is left out.

    It writes two files for you alone: a summary, grading/ASSIGNMENT.html, and a table of points,
    grading/ASSIGNMENT.csv. Then run `nbgrader generate_feedback ASSIGNMENT` for the students.

    Exit status 1: the grader itself failed on a submission, whose old grade stays, or could not continue; it
    says which.
    """
    need("rich", "grading", "tlcourse grade")
    if scheduler is not None:
        need("distributed", "cluster", "tlcourse grade --scheduler")
    cluster = (scheduler, certs, insecure)
    choices = _Choices(student, exercise, workers, cluster, trust, unsafe, force, dry, as_json)
    from graders.autograde.processes.zygote import Zygote
    from graders.autograde.records import KEPT_SO_FAR

    root = (folder or course_folder()).resolve()
    # First, so that it imports PyTorch while this process imports nbgrader and reads the lesson.
    try:
        zygote = Zygote() if scheduler is None else None
        with zygote or contextlib.nullcontext():
            _grade_with(zygote, root, assignment, choices)
    except KeyboardInterrupt:  # before the first submission, or after the last
        _say(f"Stopped. {KEPT_SO_FAR}")
        sys.exit(130)


def _grade_with(zygote, root: Path, assignment: str, choices: _Choices) -> None:
    from graders.autograde.course.folder import open_course
    from graders.autograde.course.lesson import find_assignment, load_assignment
    from graders.autograde.grading import Tally
    from graders.autograde.records import GradingError
    from graders.autograde.report.summary import summarise
    from graders.autograde.results.gradebook import GradeWriter

    tally = Tally()
    try:
        course = open_course(root)
        need_driver(course.directory.db_url, "tlcourse grade")
        assignment = find_assignment(course, assignment)
        lesson = load_assignment(course, assignment)
        lock = contextlib.nullcontext() if choices.dry else alone(root)
        with lock, GradeWriter(course, lesson, _say, dry=choices.dry) as writer:
            if choices.dry:
                interrupted = _grade(zygote, course, lesson, writer, tally, choices)
                tell_plan(writer.planned, tally, interrupted, choices.as_json)
                sys.exit(130 if interrupted else int(tally.failed > 0))
            _keep_rubrics(course, assignment, writer)
            interrupted = _grade(zygote, course, lesson, writer, tally, choices)
            summary = writer.read(lambda session: summarise(session, lesson))
            page = _written(summary, root / "grading" / f"{assignment}.html")
    except GradingError as error:
        raise click.ClickException(str(error)) from error
    if choices.as_json:
        click.echo(json.dumps(summary, indent=2))
    _tell(tally, page, interrupted, course, assignment, choices.force)
    sys.exit(130 if interrupted else int(tally.failed > 0))


def _keep_rubrics(course, assignment: str, writer) -> None:
    from graders.rubrics import read_rubrics
    from graders.rubrics.kept import keep_rubrics

    rubrics = read_rubrics(course.folder("source", ".", assignment))
    if rubrics:
        writer.read(lambda session: keep_rubrics(session, assignment, rubrics))


def _written(summary: dict, path: Path) -> Path:
    from graders.autograde.records import GradingError
    from graders.autograde.report.page import write_report

    try:
        return write_report(summary, path)
    except OSError as error:
        raise GradingError(
            f"The summary cannot be written to {path.parent} ({error.strerror}). Every grade is in the "
            "gradebook. Make the "
            "folder writable, then run the same command again: it grades nothing twice."
        ) from error


def _grade(zygote, course, lesson, writer, tally, choices: _Choices) -> bool:
    """Grade, and say whether it was interrupted."""
    from functools import partial

    from graders.autograde.batch.local import grade_here
    from graders.autograde.course.lesson import find_exercise
    from graders.autograde.grading import grade_all, keep, pending_submissions
    from graders.autograde.records import Limits
    from graders.autograde.sandbox import available_isolation
    from graders.autograde.submission.folders import choose_submissions, submission_folders
    from graders.autograde.submission.timestamps import SubmissionTime, timestamps

    def remark(name: str, sentence: str) -> None:
        tally.attention.append((name, sentence))

    for name, sentence in writer.moved_dates():
        remark(name, sentence)
    found = submission_folders(course, lesson, writer.students(), remark)
    folders = choose_submissions(found, choices.student, lesson)
    exercise = None if choices.exercise is None else find_exercise(lesson, choices.exercise)
    finished = {} if choices.force and exercise is None else writer.finished()
    workers = min(choices.workers or os.cpu_count() or 1, len(folders))
    with contextlib.ExitStack() as stack:
        scheduler, certs, insecure = choices.cluster
        if scheduler is not None:
            from graders.autograde.batch.certificates import INSECURE, cluster_security
            from graders.autograde.batch.cluster import grade_on, isolation_of, remote_cluster

            security = cluster_security(scheduler, certs, insecure)
            client = stack.enter_context(remote_cluster(scheduler, security))
            how = partial(grade_on, client, mark=INSECURE if insecure else "")
            isolation, why = isolation_of(client)
        else:
            how = partial(grade_here, workers=workers, zygote=zygote)
            isolation, why = available_isolation()
        _refuse_unsafe(isolation, why, choices.unsafe)
        advance, stop = stack.enter_context(_progress(sum(len(one.members) for one in folders.values())))

        def kept(name: str, submitted: SubmissionTime) -> None:
            keep(course, lesson, writer, tally, name, submitted)
            advance(name)

        def left_out(name: str, sentence: str) -> None:
            tally.kept += 1
            remark(name, sentence)
            advance(name)

        works = pending_submissions(
            course,
            lesson,
            folders,
            finished,
            isolation,
            timestamps(course, lesson.name, choices.trust),
            kept,
            writer.changes(),
            exercise,
            left_out,
        )
        try:
            grade_all(
                course,
                lesson,
                writer,
                works,
                lambda jobs: how(jobs, Limits(), isolation),
                tally,
                advance,
                exercise,
            )
        except KeyboardInterrupt:
            stop()
            writer.session.rollback()
            return True
    return False


def _refuse_unsafe(isolation: str, why: str, unsafe: bool) -> None:
    from graders.autograde.records import GradingError

    if isolation == "none" and not unsafe:
        raise GradingError(
            f"Students' code cannot be isolated here: {why} A submission could change its own grade and "
            "those of "
            "others. Grade on Linux where user namespaces or Landlock work, or take the risk with "
            "--unsafe-no-isolation, which marks every grade."
        )
    if isolation != "namespaces":
        how = (
            "is not isolated: every grade is marked as such"
            if isolation == "none"
            else f"is isolated by {isolation}"
        )
        _say(f"Students' code {how}. {why}")


@contextlib.contextmanager
def _progress(total: int):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from graders.names import shown

    columns = (
        "grading",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),  # a student's name
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda name: bar.update(task, advance=1, description=shown(name, 40)), bar.stop


def _tell(tally, page: Path, interrupted: bool, course, assignment: str, force: bool) -> None:
    from graders.names import shown

    say_remarks(tally)
    done = f"{tally.graded} graded, {tally.kept} graded before"
    if tally.penalties:
        done += f", {tally.penalties} of them with a new late penalty"
    if tally.failed:
        done += f", {tally.failed} could not be (their old grades stay; run this again)"
    if interrupted and force:
        _say(f"Stopped: {done}. With --force, the same command grades all of them again.")
    elif interrupted:
        _say(f"Stopped: {done}. Run the same command again to continue.")
    else:
        _say(f"{done}. Summary: {page}")
    old = list(_old_feedback(course, assignment))
    if old:
        who, only = (
            (repr(shown(old[0])), f" --student {shlex.quote(old[0])}")
            if len(old) == 1
            else (f"{len(old)} students", "")
        )
        _say(
            f"The feedback of {who} is older than the grades: "
            f"`nbgrader generate_feedback {assignment} --force{only}` renews it."
        )


def _old_feedback(course, assignment: str) -> Iterator[str]:
    """Students whose page was written before their notebook was graded last."""
    for folder in sorted(course.folder("feedback", "*", assignment).parent.parent.glob(f"*/{assignment}")):
        student = folder.parent.name
        for notebook in course.folder("autograded", student, assignment).glob("*.ipynb"):
            page = folder / f"{notebook.stem}.html"
            if page.exists() and page.stat().st_mtime < notebook.stat().st_mtime:
                yield student
                break


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
