"""Attacks on stock `nbgrader autograde`, each in a world of its own (see jail.py)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from graders.autograde.sandbox.clearing import clear

from .attack import UNIT, Attack
from .harm import Found, changes
from .jail import INSIDE
from .scene import NEIGHBOUR, Scene, harmful, left_behind

_UNSHARE = (
    "unshare", "--user", "--map-root-user", "--mount", "--pid", "--net", "--ipc", "--fork",
    "--kill-child", "--mount-proc",
)  # fmt: skip
_CELL_S, _WALL_S = 25, 150.0


def prepared(scene: Scene) -> Scene:
    """Have stock nbgrader grade the neighbour, so that there is a grade to lose. Returns the scene."""
    autograde(scene)
    if NEIGHBOUR not in scene.scores():
        raise RuntimeError(
            f"Stock nbgrader did not grade an honest submission:\n{(scene.folder / 'jail.log').read_text()}"
        )
    return scene


def attack_stock(scene: Scene, attack: Attack, folder: Path) -> Found:
    """Grade an attack and an honest student after it with stock nbgrader, in a copy of a prepared scene."""
    own = scene.copy(folder)
    own.attacked("attacker", attack, inside=INSIDE)
    # What changes its own kernel alone can't reach the next one; each honest student takes as long as an
    # attack.
    followed = attack.family not in ("forging-values", "reading", "injection") and not attack.id.endswith(
        "-replaced"
    )
    if followed:
        own.honest("honest")
    before, grades, people = own.state(), own.scores(), own.people()
    started = time.monotonic()
    said = autograde(own)
    seconds = time.monotonic() - started
    if said is not None and attack.family == "injection":
        _in_jail(own, "generate_feedback", UNIT, "--student", "attacker")
    after, shown = own.scores(), own.shown("attacker")
    written = changes(before, own.state()) + left_behind(attack)
    if after.get(NEIGHBOUR) != grades[NEIGHBOUR] or own.people() != people:
        written.append("the gradebook")
    found = Found(
        points=after.get("attacker", 0.0), next=after.get("honest"), leaked=tuple(own.leaked(shown)),
        written=tuple(written), running=tuple(said["left"]) if said else (), acting=tuple(_acting(own)),
        followed=followed, ended=said is not None, seconds=round(seconds, 1),
    )  # fmt: skip
    clear(str(folder))
    return found


def autograde(scene: Scene) -> dict | None:
    """Run `nbgrader autograde` on whatever is not graded yet; how it ended, or None if it did not."""
    return _in_jail(scene, "autograde", UNIT, f"--Execute.timeout={_CELL_S}")


def _in_jail(scene: Scene, *arguments: str) -> dict | None:
    said = scene.folder / "jail.json"
    said.unlink(missing_ok=True)
    command = [sys.executable, "-m", "nbgrader", *arguments]
    process = subprocess.Popen(
        [*_UNSHARE, sys.executable, "-m", "tests.attacks.jail", str(scene.folder), *command],
        env=scene.environment(INSIDE), cwd=Path(__file__).resolve().parents[2], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        output = process.communicate(timeout=_WALL_S)[0]
    except subprocess.TimeoutExpired:
        process.kill()  # and so all that is in there
        process.communicate()
        return None
    if not said.exists():
        raise RuntimeError(f"The throwaway world was not made:\n{output}")
    found = json.loads(said.read_text())
    said.unlink()
    (scene.folder / "jail.log").replace(scene.folder.with_name(f"{scene.folder.name}.log"))
    return found


def _acting(scene: Scene) -> list[str]:
    return [
        one
        for path in (scene.course / "feedback" / "attacker" / UNIT).glob("*.html")
        for one in harmful(path.read_text())
    ]
