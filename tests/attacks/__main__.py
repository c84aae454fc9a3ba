"""Measure attacks and write docs/attacks.md.

python -m tests.attacks --stock [ID ...]    on stock nbgrader, in throwaway worlds; goes on where it stopped
python -m tests.attacks --table             attack ours with everything, and write the table of both
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from . import measured
from .attack import read_corpus
from .scene import BEST, Scene
from .stock import attack_stock, prepared

# On stock there is nobody who would listen to the grader's own protocol.
_OURS_ALONE = "forging-protocol"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("ids", nargs="*", help="only these attacks")
    parser.add_argument("--stock", action="store_true", help="measure stock nbgrader")
    parser.add_argument("--table", action="store_true", help="measure ours, write docs/attacks.md")
    asked = parser.parse_args()
    if not asked.stock and not asked.table:
        parser.error("say what to measure: --stock or --table")
    if asked.stock:
        _measure_stock(asked.ids)
    if asked.table:
        from .table import write_table

        write_table()


def _measure_stock(ids: list[str]) -> None:
    measured.forget_all_but([attack.id for attack in read_corpus()])
    known = measured.read()
    attacks = [
        attack
        for attack in read_corpus()
        if attack.family != _OURS_ALONE
        and (attack.id in ids if ids else known.get(attack.id, ("",))[0] != measured.digest(attack))
    ]
    attacks.sort(key=lambda attack: attack.family == "exhaustion")  # the slowest last
    with tempfile.TemporaryDirectory(prefix="attacks-") as place:
        scene = prepared(Scene.make(Path(place) / "scene"))
        for number, attack in enumerate(attacks, 1):
            found = attack_stock(scene, attack, Path(place) / "own")
            measured.keep(attack, found)
            print(
                f"{number}/{len(attacks)} {attack.id}: {'; '.join(found.harm(BEST)) or 'nothing'}",
                file=sys.stderr,
                flush=True,
            )


if __name__ == "__main__":
    main()
