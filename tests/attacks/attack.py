"""Attacks as records, read from corpus/: what they try, the program, and how it gets into a notebook.

A file of the corpus is a family. Its attacks begin with `## id` and a sentence; then come sections:

    %% start               a code cell before all others
    %% end                 a code cell after all others
    %% answer GRADE_ID     the source of a cell to answer; those without one stay as they are handed out, so
    unsolved
    %% file NAME           a file beside the notebook
    %% edit                Python that this side runs on the notebook's JSON before it is handed in:
    `notebook`, its `cells`, the
                           `checks` among them, the `folder` of the submission; it may set `content` (bytes,
                           or None for no file) or `link` (where the notebook's file points to)

Every attack knows where things are: @COURSE@, @HOME@ and @CODE@ are folders, @PORT@ is where somebody listens
on this machine, @MARK@ is a name for whatever it leaves behind.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

UNIT = "01-transfer-learning"
CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Attack:
    """An attack; see the module for its sections.

    Attributes:
        tries: what it tries, in a sentence or two.
        files: name -> content.
    """

    id: str
    family: str
    tries: str
    start: str
    end: str
    answers: Mapping[str, str]
    files: Mapping[str, str]
    edit: str


def read_corpus() -> tuple[Attack, ...]:
    """All attacks, family by family."""
    return tuple(attack for path in sorted(CORPUS.glob("*.txt")) for attack in _read(path))


def _read(path: Path) -> Iterator[Attack]:
    for text in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        head, *sections = re.split(r"^%% ", text, flags=re.M)
        id, _, tries = head.partition("\n")
        found: dict[str, str] = {}
        for section in sections:
            title, _, source = section.partition("\n")
            if title in found:
                raise ValueError(
                    f"{path.name}: the attack {id} has two sections {title!r}, and one was expected."
                )
            found[title] = source.rstrip() + "\n"
        yield Attack(
            id, path.stem, " ".join(tries.split()), found.pop("start", ""), found.pop("end", ""),
            _named(found, "answer"), _named(found, "file"), _last(path, id, found),
        )  # fmt: skip


def _named(sections: dict[str, str], kind: str) -> dict[str, str]:
    titles = [title for title in sections if title.startswith(f"{kind} ")]
    return {title.removeprefix(f"{kind} "): sections.pop(title) for title in titles}


def _last(path: Path, id: str, sections: dict[str, str]) -> str:
    edit = sections.pop("edit", "")
    if sections:
        raise ValueError(f"{path.name}: the attack {id} has unknown sections {sorted(sections)}.")
    return edit


def hand_in(attack: Attack, released: dict, folder: Path, places: Mapping[str, str]) -> None:
    """Write the attack's submission into a folder.

    Args:
        released: the notebook as students get it, as JSON.
        places: what stands in place of @COURSE@ and so on.
    """
    folder.mkdir(parents=True)
    notebook = copy.deepcopy(released)
    cells = notebook["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in attack.answers:
            cell["source"] = _filled(attack.answers[grade_id], places)
    for id, source, place in (("own-start", attack.start, 0), ("own-end", attack.end, len(cells) + 1)):
        if source:
            cells.insert(place, _code_cell(id, _filled(source, places)))
    for name, text in attack.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(text, places), encoding="utf-8")
    path = folder / f"{UNIT}.ipynb"
    checks = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
    names = {"notebook": notebook, "cells": cells, "checks": checks, "folder": folder}
    exec(compile(attack.edit, f"<edit of {attack.id}>", "exec"), names)
    if "link" in names:
        path.symlink_to(names["link"])
    elif "content" not in names:
        path.write_text(json.dumps(notebook), encoding="utf-8")
    elif names["content"] is not None:
        path.write_bytes(names["content"])


def _code_cell(id: str, source: str) -> dict:
    return {
        "cell_type": "code", "id": id, "metadata": {}, "outputs": [], "execution_count": None,
        "source": source,
    }  # fmt: skip


def _filled(source: str, places: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda found: places[found[1]], source)
