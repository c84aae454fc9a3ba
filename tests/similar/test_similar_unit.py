"""A class hands in lesson 01: who wrote alike is listed, and nobody's file stops the command."""

import subprocess
import sys
from pathlib import Path

import pytest

from graders.similar.text import NO_VERDICT
from tests.grading.classroom import RIGHT, UNIT, Classroom, environment, programs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ADA = """def build_head(width, classes):
    hidden = max(classes * 3, width // 5)
    inner = nn.Linear(width, hidden)
    nn.init.orthogonal_(inner.weight, gain=0.5)
    outer = nn.Linear(hidden, classes)
    for parameter in outer.parameters():
        nn.init.normal_(parameter, std=0.02)
    stack = [nn.LayerNorm(width), inner, nn.GELU(), nn.Dropout(0.25), outer]
    return nn.Sequential(*stack)
"""
BEN = """%time
import torch.nn as tn
# my own
def build_head(w, c):
    h = max(w // 4, 2 * c)
    first = tn.Linear(w, h)
    last = tn.Linear(h, c)
    tn.init.orthogonal_(first.weight, gain=0.7)
    for p in last.parameters():
        tn.init.normal_(p, std=0.01)
    print("ok")
    layers = [tn.LayerNorm(w), first, tn.GELU(), tn.Dropout(0.5), last]
    result = tn.Sequential(*layers)
    return result
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    room = Classroom.make(tmp_path_factory.mktemp("similar") / "course")
    for number in range(12):
        room.hand_in(f"s{number:02}", programs(number)[0])
    room.hand_in("ada", RIGHT | {"build-head": ADA})
    room.hand_in("ben <b>", RIGHT | {"build-head": BEN})
    room.hand_in("cleo", RIGHT | {"build-head": "def build_head(:"})
    room.hand_in("dan", RIGHT | {"build-head": "f(" * 3000 + ")" * 3000})
    room.hand_in("eve", {})
    room.put("finn", b"no notebook")
    return room


@pytest.fixture(scope="module")
def said(room) -> str:
    command = [sys.executable, "-m", "graders.cli", "similar", "01"]
    done = subprocess.run(command, cwd=room.folder, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_who_wrote_alike_are_listed_and_right_answers_of_the_catalogue_are_not(said):
    listed = [line for line in said.splitlines() if "rare parts shared" in line]
    assert any("ada ~ ben <b>" in line for line in listed)
    # `RIGHT` has the same answer of the catalogue for all who are named here.
    _, _, others = said.partition("freeze-backbone:")
    assert "ada" not in others.partition("Alike in")[0]
    assert NO_VERDICT in said


def test_what_cannot_be_compared_is_said_and_costs_nobody_else_anything(said):
    assert "not compared: finn: The file is not a notebook" in said
    head = next(line for line in said.splitlines() if line.startswith("build-head:"))
    assert "1 as handed out" in head and "2 not compared" in head


def test_the_page_shows_both_side_by_side_and_runs_nothing(room, said):
    text = (room.folder / "grading" / f"{UNIT}-similar.html").read_text(encoding="utf-8")
    assert "<script" not in text and "script-src" not in text and "ben &lt;b&gt;" in text
    assert "<mark>    inner = nn.Linear(width, hidden)</mark>" in text
    assert "<mark>    first = tn.Linear(w, h)</mark>" in text
    assert "print(&quot;ok&quot;)</mark>" not in text


def test_an_unknown_unit_and_a_course_without_submissions_get_sentences(room, tmp_path):
    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "graders.cli", "similar", *arguments]
        return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True)

    unknown = run("09", cwd=room.folder)
    assert unknown.returncode == 1 and "There is no unit '09'" in unknown.stderr
    empty = room.copy(tmp_path / "course")
    subprocess.run(["rm", "-r", str(empty.folder / "submitted")], check=True)
    done = run("01", cwd=empty.folder)
    assert done.returncode == 0 and f"{UNIT}: 0 submissions" in done.stdout
