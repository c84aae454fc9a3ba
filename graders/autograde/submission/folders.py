"""Who handed in what: each entry of `submitted/` is a submission, or a line that says why it is none."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from graders.names import normal_name, shown, student_id

from ..course.folder import Course
from ..course.lesson import Assignment
from ..records import GradingError
from .groups import SubmittedFolder, credited, members_of, read_groups

_FROM_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini", ".gitkeep", ".gitignore")  # files, and nobody's


def submission_folders(
    course: Course,
    assignment: Assignment,
    known: Iterable[str] = (),
    remark: Callable[[str, str], None] = lambda name, sentence: None,
) -> dict[str, SubmittedFolder]:
    """The submissions of those who handed the assignment in, by id, each with whom it is credited to.

    An id is the name of a folder as `names.student_id` writes it, or as the gradebook spells it; for a
    group's folder, the ids of its members with `+` between them. `remark` is called with (name, sentence) for
    everything that is not graded.

    Args:
        known: the ids in the gradebook.

    Raises:
        GradingError: `submitted/` or `groups.json` cannot be read.
    """
    spelled = {normal_name(id): id for id in known if "/" not in id and id not in (".", "..")}
    found: dict[str, SubmittedFolder] = {}
    for name, entry, path in _entries(course, assignment):
        group = members_of(name, spelled)
        student = "+".join(group) or spelled.get(normal_name(name)) or student_id(name)
        if not _is_there(path):
            if os.path.isdir(entry):
                _look_for_loose_notebooks(entry, name, assignment, remark)
                continue
            if name in _FROM_SYSTEMS or name.startswith("._"):
                continue
            if normal_name(name) not in spelled:
                remark(
                    name,
                    "This is not a folder, so it is not graded. Expected a folder for each student, with "
                    f"{assignment.name}/ in it.",
                )
                continue
            path = Path(entry)
        if student in found:
            remark(
                student,
                "Two folders have this name, spelled with different Unicode characters. Only "
                f"{ascii(str(found[student].path))} was graded. Keep the submission that counts, and move "
                f"the other one ({ascii(str(path))}) elsewhere.",
            )
            continue
        notes = () if group else _notes(name, student)
        found[student] = SubmittedFolder(path, notes, group)
        if "+" in name and not group and all(normal_name(one) in spelled for one in name.split("+")):
            remark(
                student,
                "The gradebook has a student of this name, so the folder counts as one student's and not as "
                f"a group's. If it is a group: `nbgrader db student remove {shlex.quote(student)} --force`.",
            )
    return credited(found, read_groups(course.root, assignment.name), spelled, remark)


def choose_submissions(
    folders: dict[str, SubmittedFolder], student: str | None, assignment: Assignment
) -> dict[str, SubmittedFolder]:
    """The submissions to consider: all, or one student's or group's, given the id or the folder's name.

    Raises:
        GradingError: there are none.
    """
    if not folders:
        raise GradingError(
            f"Nobody has handed in {assignment.name}. Expected submitted/STUDENT/{assignment.name}/ in the "
            f"course folder: run `nbgrader collect {assignment.name}`, or put submissions there."
        )
    if student is None:
        return dict(folders)
    wanted = {normal_name(student), student_id(student)}
    chosen = {
        id: folder
        for id, folder in folders.items()
        if wanted & {normal_name(one) for one in (id, folder.path.parent.name, *folder.members)}
    }
    if not chosen:
        names = ", ".join(map(shown, list(folders)[:10]))
        raise GradingError(
            f"Student {student!r} has not handed in {assignment.name}. Handed in by: {names}"
            + (" and others." if len(folders) > 10 else ".")
        )
    return chosen


def _entries(course: Course, assignment: Assignment) -> Iterator[tuple[str, str, Path]]:
    """(name, entry, path) of what may be a submission.

    `name` is the part that is the student's, as the file system spells it (with surrogates for bytes that are
    not UTF-8), and `path` where the submission should be, in the entry or the entry itself.
    """
    anyone = "\0"
    directory = course.directory
    parts = Path(directory.format_path(directory.submitted_directory, anyone, assignment.name)).parts
    place = next(number for number, part in enumerate(parts) if anyone in part)
    before, _, after = parts[place].partition(anyone)
    head = Path(*parts[:place])
    try:
        entries = sorted(os.listdir(head))
    except FileNotFoundError:
        return
    except OSError as error:
        raise GradingError(
            f"{head} cannot be read ({error.strerror}). Expected a folder with a folder for each student."
        ) from error
    for entry in entries:
        name = entry[len(before) : len(entry) - len(after)]
        if name and entry == f"{before}{name}{after}":
            yield name, str(head / entry), head.joinpath(entry, *parts[place + 1 :])


def _is_there(path: Path) -> bool:
    """Whether there is something; also if it cannot be looked at, which its reader then says."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _look_for_loose_notebooks(entry: str, name: str, assignment: Assignment, remark) -> None:
    """Remark on notebooks of the assignment that are in the student's folder itself."""
    loose = [one.name for one in assignment.lessons if os.path.lexists(f"{entry}/{one.name}.ipynb")]
    if loose:
        remark(
            name,
            f"{loose[0]}.ipynb is in the student's folder itself, so it is not graded. Move it into a folder "
            f"{assignment.name}/ there.",
        )


def _notes(name: str, student: str) -> tuple[str, ...]:
    if normal_name(name) == normal_name(student):
        return ()
    return (
        f"The folder's name, {ascii(name)}, cannot be an id as it is (it is too long, not UTF-8, begins with "
        "a dot, or has a bracket or characters that cannot be seen), so the submission is listed as "
        f"{student}. Rename the folder to the student's id.",
    )
