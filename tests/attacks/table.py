"""Makes docs/attacks.md: each attack, and what it did to stock nbgrader and to this grader."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from . import measured
from .attack import Attack, read_corpus
from .harm import Found
from .ours import make
from .scene import BEST, ROOT

PAGE = ROOT / "docs" / "attacks.md"
# What stock shows of an unsolved submission that attacks nothing: a failed check's source is in its
# traceback.
ALWAYS_SHOWN = ("hidden", "input")

_HEAD = """# Attacks on autograding

Made by `python -m tests.attacks --table`; don't edit. The attacks are in `tests/attacks/corpus/`, and the
tests in `tests/attacks` run all of them on this grader. Stock nbgrader was measured with `python -m
tests.attacks --stock`, which gives each attack a throwaway environment.

In each submission all three exercises of lesson 01 ({best:g} points) are unsolved. Secrets are placed in
the hidden tests and their inputs, the model solution, the gradebook, the environment, the home folder, a
neighbour's submission and the catalogue of right programs. Files, the gradebook and processes are compared
before and after, and an honest submission is graded right afterwards. Stock nbgrader shows hidden tests in
the feedback of any failed check, whether there was an attack or not; this is left out below.

{summary}
"""


def write_table() -> None:
    """Attack ours with everything, and write the page."""
    attacks = read_corpus()
    with tempfile.TemporaryDirectory(prefix="attacks-") as place, make(Path(place) / "scene", "auto") as ours:
        found = {attack.id: ours.attack(attack, feedback=attack.family == "injection") for attack in attacks}
    PAGE.write_text(page(attacks, measured.read(), found), encoding="utf-8")


def page(attacks: Iterable[Attack], stock: Mapping[str, tuple[str, Found]], ours: Mapping[str, Found]) -> str:
    """The page as Markdown."""
    attacks = tuple(attacks)
    now = {attack.id: _of_stock(attack, stock) for attack in attacks}
    tried = [said for said in now.values() if said not in (_NO_WAY, _NOT_MEASURED)]
    worked = sum(said != _NOTHING for said in tried)
    done = sum(bool(found.harm(BEST)) for found in ours.values())
    summary = (
        f"Of {len(attacks)} attacks, {len(tried)} were measured on stock nbgrader, and {worked} did harm "
        f"there; {done} of {len(ours)} did harm to this grader."
    )
    parts = [_HEAD.format(best=BEST, summary=summary)]
    for family, members in groupby(attacks, key=lambda attack: attack.family):
        parts.append(f"## {family.replace('-', ': ', 1).capitalize()}\n")
        parts.append("| attack | what it tries | stock nbgrader | this grader |\n| --- | --- | --- | --- |")
        parts += [
            f"| `{one.id}` | {_cell(one.tries)} | {_cell(now[one.id])} | "
            f"{_cell(_said(ours[one.id].harm(BEST)))} |"
            for one in members
        ]
        parts.append("")
    return "\n".join(parts)


_NOTHING, _NO_WAY, _NOT_MEASURED = "nothing", "there is no such way", "not measured"


def _of_stock(attack: Attack, stock: Mapping[str, tuple[str, Found]]) -> str:
    if attack.family == "forging-protocol":
        return _NO_WAY
    known = stock.get(attack.id)
    if known is None or known[0] != measured.digest(attack):
        return _NOT_MEASURED
    data = known[1].to_dict()
    leaked = tuple(kind for kind in known[1].leaked if kind not in ALWAYS_SHOWN)
    return _said(Found.from_dict({**data, "leaked": leaked}).harm(BEST))


def _said(harm: list[str]) -> str:
    return "; ".join(harm) or _NOTHING


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
