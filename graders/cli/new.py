"""`tlcourse new-exercise` and `new-unit`: skeletons that work and keep every rule, to be rewritten."""

from __future__ import annotations

import json
import keyword
import re
from pathlib import Path
from string import Template

import click

from graders.units import UnknownUnit, find_unit, is_unit_id, unit_folder

from .places import course_folder, lessons

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_SKELETON = Path(__file__).with_name("skeleton")


@click.command("new-exercise")
@click.argument("unit")
@click.argument("name")
@click.option("--title", default="", help="What a person reads. [the name]")
@click.option("--points", type=click.IntRange(1), default=1, show_default=True, help="XP.")
def new_exercise(unit: str, name: str, title: str, points: int) -> None:
    """Make an exercise NAME in a UNIT (01, or 01-transfer-learning): its folder, its cells in the notebook.

    The exercise is an example that works and passes `tlcourse lint-lesson`. Rewrite it: exercise.py, a
    program for each mistake in mistakes/, some in right/, and the three cells. No list is kept anywhere.
    Nothing is overwritten.

    The points of a unit add up to its XP, so the new exercise takes its points from the one that has most.
    """
    course = _course_package()
    notebooks = {path.stem: path for path in lessons(course)}
    try:
        id = find_unit(unit, notebooks)
    except UnknownUnit as error:
        raise click.UsageError(str(error)) from error
    folder = course / "units" / unit_folder(id)
    if not folder.is_dir():
        raise click.ClickException(
            f"{folder} is missing, so there is no place for exercises of {id}. Make it, with an __init__.py."
        )
    function = _function_name(name)
    notebook = _Notebook(notebooks[id])
    _refuse_known_exercise(course, function)
    notebook.refuse_ids(function)
    given = notebook.take_points(folder, points)
    number = notebook.add_exercise(function, title or _title(function), points)
    _write_exercise(folder / function, number, points, title or _title(function))
    notebook.save()
    click.echo(f"new: {folder / function}\nchanged: {notebook.path} (three cells before the last)")
    click.echo(given or f"The points of {id} no longer add up to its XP: give some exercise fewer.")


@click.command("new-unit")
@click.argument("unit")
@click.option("--title", default="", help="The notebook's heading. [the words of the name]")
@click.option("--exercise", default="", help="The name of its first exercise. [first_NUMBER]")
def new_unit(unit: str, title: str, exercise: str) -> None:
    """Make a new UNIT, such as 04-sound or P1-voices: its notebook and its package, with one exercise.

    It passes `tlcourse lint-lesson --static`. A lesson (two digits) is worth 5 XP, a project (P and a digit)
    15; its first exercise has all of them until `tlcourse new-exercise` makes others. No list is kept
    anywhere. Nothing is overwritten.
    """
    from graders.lint.rules import unit_xp

    course = _course_package()
    xp = unit_xp(unit)
    if not is_unit_id(unit) or xp is None:
        raise click.UsageError(
            f"{unit!r} is not a unit's name. Expected two digits, or P and a digit, then lower-case words, "
            "all joined by hyphens: 04-sound, P1-voices."
        )
    number = unit.partition("-")[0]
    known = [path.stem for path in lessons(course)]
    taken = [one for one in known if one.partition("-")[0].upper() == number.upper()]
    if taken:
        raise click.UsageError(f"The number {number} belongs to {taken[0]}. Expected another one.")
    source, folder = course / "source" / unit, course / "units" / unit_folder(unit)
    for place in (source, folder):
        if place.exists():
            raise click.ClickException(
                f"{place} is there already, and nothing is overwritten. Move it away first."
            )
    function = _function_name(exercise or f"first_{number.lower()}")
    _refuse_known_exercise(course, function)
    heading = title or _title(unit.partition("-")[2])
    notebook = _Notebook.new(source / f"{unit}.ipynb", folder.name, heading, xp)
    notebook.add_exercise(function, _title(function), xp)
    folder.mkdir()
    (folder / "__init__.py").write_text(f'"""Unit {number}, "{heading}"."""\n', encoding="utf-8")
    (folder / "experiments.py").write_text(_filled("experiments", number=number), encoding="utf-8")
    _write_exercise(folder / function, 1, xp, _title(function))
    source.mkdir(parents=True)
    notebook.save()
    click.echo(f"new: {folder}\nnew: {notebook.path}")


class _Notebook:
    """A unit's source notebook as JSON, which is written as JupyterLab writes it."""

    def __init__(self, path: Path) -> None:
        self.path, self._json = path, json.loads(path.read_text(encoding="utf-8"))

    @classmethod
    def new(cls, path: Path, package: str, heading: str, xp: int) -> _Notebook:
        """A notebook without exercises, not written yet."""
        self = object.__new__(cls)
        self.path = path
        self._json = {
            "cells": _first_cells(package, heading, xp),
            "metadata": {
                "kernelspec": {
                    "display_name": "Python 3 (ipykernel)",
                    "language": "python",
                    "name": "python3",
                },
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return self

    def refuse_ids(self, function: str) -> None:
        """Raise if the notebook has cells of this exercise."""
        name = function.replace("_", "-")
        taken = {cell.get("id") for cell in self._json["cells"]} & {name, f"check-{name}", f"exercise-{name}"}
        if taken:
            raise click.ClickException(
                f"{self.path} has a cell {sorted(taken)[0]!r} already. Choose another name, or remove the "
                "cell."
            )

    def take_points(self, folder: Path, points: int) -> str:
        """Take points from the exercise that has most, in its test cell and in its record.

        Returns:
            What was done, as a sentence; "" if no exercise can spare so many.
        """
        tests = [cell for cell in self._json["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
        richest = max(tests, key=lambda cell: cell["metadata"]["nbgrader"]["points"], default=None)
        if richest is None or richest["metadata"]["nbgrader"]["points"] <= points:
            return ""
        meta = richest["metadata"]["nbgrader"]
        name = meta["grade_id"].removeprefix("check-")
        record = folder / name.replace("-", "_") / "exercise.py"
        source = record.read_text(encoding="utf-8") if record.is_file() else ""
        left = meta["points"] - points
        changed, times = re.subn(rf"\bpoints={meta['points']:g}\b", f"points={left:g}", source)
        if times != 1:
            return ""
        record.write_text(changed, encoding="utf-8")
        meta["points"] = left
        return f"changed: {record} ({name} is now worth {left:g} XP, so that the points still add up)"

    def add_exercise(self, function: str, title: str, points: int) -> int:
        """Put an exercise's three cells before the last one; returns its number in the notebook."""
        name, cells = function.replace("_", "-"), self._json["cells"]
        number = 1 + sum(bool(cell["metadata"].get("nbgrader", {}).get("grade")) for cell in cells)
        text = (
            f"### Exercise {number}: {title[:1].lower() + title[1:]} ({points} XP)\n\n"
            f"Write `{function}(x)`. It returns twice its argument. (Say what goes in and what comes "
            "out.)\n\n<details><summary>Hint 1</summary>A nudge.</details>\n"
            "<details><summary>Hint 2</summary>Nearly the answer: <code>2 * x</code>.</details>"
        )
        answer = (
            f'def {function}(x):\n    """Twice a number."""\n    ### BEGIN SOLUTION\n    return 2 * x\n'
            "    ### END SOLUTION"
        )
        test = f"from graders.checks import check_{function}\n\ncheck_{function}({function})"
        cells[-1:-1] = [
            _text(f"exercise-{name}", text),
            _code(name, answer, grade=False),
            _code(f"check-{name}", test, grade=True, points=points),
        ]
        return number

    def save(self) -> None:
        """Write the notebook whole."""
        from .build import write_whole

        write_whole(self.path, (json.dumps(self._json, indent=1, ensure_ascii=False) + "\n").encode())


def _first_cells(package: str, heading: str, xp: int) -> list[dict]:
    """The cells of a notebook without exercises."""
    goal = (
        f"# {heading}\n\n**{xp} XP** · about 40 minutes · no GPU needed\n\n"
        "**By the end you can** say what you can do now."
    )
    story = "## An image that carries the idea\n\nTell it here, then give the field's words for it."
    data = f'from course.units.{package} import experiments as lesson\n\nprint("unit", lesson.LESSON.id)'
    version = 'import tlwidgets  # before torch\n\nprint("tlwidgets", tlwidgets.__version__)'
    end = "## Look back\n\n- A question without points.\n\n**Next:** where to go from here."
    return [
        _text("goal", goal),
        _text("story", story),
        _code("setup", version, tag="setup"),
        _code("load-data", data, tag="demo"),
        _text("reflect", end),
    ]


def _text(id: str, source: str) -> dict:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(id: str, source: str, tag: str = "", grade: bool | None = None, points: int = 0) -> dict:
    """A code cell: with a tag, or nbgrader's solution cell (`grade=False`) or test cell (`grade=True`)."""
    metadata: dict = {"tags": [tag]} if tag else {}
    if grade is not None:
        worth = {"points": points} if grade else {}
        metadata["nbgrader"] = {
            "grade": grade,
            "grade_id": id,
            "locked": grade,
            **worth,
            "schema_version": 3,
            "solution": not grade,
            "task": False,
        }
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": id,
        "metadata": metadata,
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def _course_package() -> Path:
    """The folder of the course, which holds the package as well as the notebooks."""
    course = course_folder()
    if not (course / "units" / "__init__.py").is_file():
        raise click.ClickException(
            f"{course} has notebooks, and not the course's package: a folder units with an __init__.py. "
            "Change to the course's checkout (cd), then run the command again."
        )
    return course


def _function_name(name: str) -> str:
    """The function of an exercise, from its name with hyphens or underscores."""
    function = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(function):
        raise click.UsageError(
            f"{name!r} is not a name for an exercise. Expected the name of the function that students write: "
            "lower-case words joined by underscores, such as build_head."
        )
    return function


def _refuse_known_exercise(course: Path, function: str) -> None:
    """Raise if a unit has an exercise, or anything else, of this name."""
    taken = sorted((course / "units").glob(f"*/{function}"))
    if taken:
        raise click.ClickException(
            f"{taken[0]} is there already: a check is found by its name, so no two exercises share one. "
            "Choose another."
        )


def _write_exercise(folder: Path, number: int, points: int, title: str) -> None:
    name = folder.name
    programs = {"mistakes/added_two": "x + 2", "right/product": "2 * x", "right/sum": "x + x"}
    for kind in ("mistakes", "right", "cheats"):
        (folder / kind).mkdir(parents=True)
    (folder / "__init__.py").touch()
    record = _filled("exercise", name=name, number=number, points=points, title=_quoted(title))
    (folder / "exercise.py").write_text(record, encoding="utf-8")
    for program, answer in programs.items():
        source = f"def {name}(x):\n    return {answer}\n"
        (folder / f"{program}.py").write_text(source, encoding="utf-8")


def _filled(template: str, /, **values: object) -> str:
    return Template((_SKELETON / f"{template}.py.txt").read_text(encoding="utf-8")).substitute(values)


def _quoted(text: str) -> str:
    """A string literal as `ruff format` writes it."""
    return repr(text) if '"' in text else json.dumps(text, ensure_ascii=False)


def _title(name: str) -> str:
    words = re.sub("[-_]", " ", name)
    return words[:1].upper() + words[1:]
