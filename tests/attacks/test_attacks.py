"""Whatever a submission tries: no credit, nothing read or written, an end, no effect on the next one."""

import importlib
import inspect
import re

import pytest

from graders.autograde.cells import runner
from graders.autograde.student import process as student_process

from . import attack, measured
from .attack import read_corpus
from .ours import Ours
from .scene import BEST, BY_ID, RIGHT, ROOT, Scene
from .stock import attack_stock, prepared

ATTACKS = {one.id: one for one in read_corpus()}
# What isolation itself has to withstand, family by family. Forging is stopped elsewhere, in code that is the
# same under every isolation. These attacks try one thing of each kind; the others of their families run under
# Landlock as `long`.
OF_EACH_KIND = {
    "reading": ("neighbours-work", "memory-of-others", "sent-through-sockets", "processes-around"),
    "writing": ("grades-by-sql", "home-overwritten", "daemon", "modes-changed", "signals-by-a-descriptor"),
    "exhaustion": ("endless-loop", "memory", "processes", "disk", "signals-to-all"),
}

# An honest student is graded after each attack, and to check the other two exercises takes five times as long
# as this one. All three are graded after all attacks.
FIRST = "build-head"
FOLLOWING, WORTH = {FIRST: RIGHT[FIRST]}, BY_ID[FIRST].points

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Scene:
    """The scene before any attack, to be copied."""
    return Scene.make(tmp_path_factory.mktemp("scene") / "scene")


@pytest.fixture(scope="module")
def ours(scene, tmp_path_factory):
    """A course and a worker, held apart as well as this machine can."""
    with Ours(scene.copy(tmp_path_factory.mktemp("ours") / "scene"), "auto", FOLLOWING) as ours:
        yield ours
        assert ours.honest() == BEST  # after all attacks


@pytest.fixture(scope="module")
def landlocked(scene, tmp_path_factory):
    """The same with Landlock, for machines (many containers) that allow no namespaces."""
    with Ours(scene.copy(tmp_path_factory.mktemp("landlocked") / "scene"), "landlock", FOLLOWING) as ours:
        yield ours
        assert ours.honest() == BEST  # after all attacks


@pytest.fixture(scope="module")
def stock(scene, tmp_path_factory) -> Scene:
    """A course whose neighbour was graded by stock nbgrader."""
    return prepared(scene.copy(tmp_path_factory.mktemp("stock") / "scene"))


@pytest.mark.parametrize("id", ATTACKS)
def test_an_attack_does_no_harm(ours, id):
    found = ours.attack(ATTACKS[id], feedback=ATTACKS[id].family == "injection")
    assert found.harm(WORTH) == []


@pytest.mark.parametrize("id", [id for ids in OF_EACH_KIND.values() for id in ids])
def test_an_attack_of_each_kind_does_no_harm_without_namespaces(landlocked, id):
    assert ATTACKS[id].family in OF_EACH_KIND
    assert landlocked.attack(ATTACKS[id]).harm(WORTH) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "id", [id for id, one in ATTACKS.items() if id not in OF_EACH_KIND.get(one.family, (id,))]
)
def test_an_attack_does_no_harm_without_namespaces(landlocked, id):
    assert landlocked.attack(ATTACKS[id]).harm(WORTH) == []


# One of each kind that works on stock nbgrader: were they to do no harm there, they would prove nothing here.
REAL = {
    "run-cell-replaced": lambda found: found.points > 0,
    "planted-torch": lambda found: found.points > 0,
    "solution-from-the-source": lambda found: found.points > 0 and "solution" in found.leaked,
    "start-up-file": lambda found: found.next == 0 and found.written,
}


@pytest.mark.parametrize("id", REAL)
def test_an_attack_is_real(stock, id, tmp_path):
    found = attack_stock(stock, ATTACKS[id], tmp_path / "own")
    assert REAL[id](found), found


def test_the_corpus_covers_every_family():
    families = {one.family for one in ATTACKS.values()}
    assert {"reading", "writing", "metadata", "exhaustion", "injection"} < families
    assert len(ATTACKS) == len(read_corpus()) >= 60
    assert all(one.tries.endswith(".") for one in ATTACKS.values())


def test_what_attacks_replace_in_the_graders_modules_is_there():
    """An attack that replaced something which has moved would prove nothing."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in attack.CORPUS.glob("*.txt"))
    named = re.findall(r'sys\.modules\["(graders\.autograde[\w.]*)"\]\.?(\w*)', text)
    assert {"graders.autograde.student.process", "graders.autograde.cells.runner"} <= {
        one for one, _ in named
    }
    named += re.findall(r"from (course\.units[\w.]+) import (\w+)", text)
    for module, name in named:
        assert hasattr(importlib.import_module(module), name or "__name__"), (module, name)
    assert callable(student_process.encode) and callable(runner.CellRunner.run)
    source = inspect.getsource(student_process)
    for name in set(re.findall(r"\bstudent\.(_\w+)", text)):
        assert f"self.{name}" in source or f"def {name}(" in source, name


def test_what_was_measured_is_of_attacks_that_there_are():
    assert set(measured.read()) <= set(ATTACKS)


def test_the_page_has_a_row_for_each_attack():
    rows = [
        line
        for line in (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    assert [row.split("`")[1] for row in rows] == list(ATTACKS)


def test_an_attack_with_a_section_that_there_is_not_is_refused(tmp_path, monkeypatch):
    (tmp_path / "forging.txt").write_text("Forging.\n\n## one\nTries.\n%% begin\npass\n")
    monkeypatch.setattr(attack, "CORPUS", tmp_path)
    with pytest.raises(ValueError, match="unknown sections"):
        read_corpus()
