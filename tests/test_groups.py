"""With two processes, tests that share something costly run in one of them, and all others in whichever is
free."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFTEST = ROOT / "tests" / "conftest.py"
TESTS = """
import os
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(6))
def test_anything(number):
    with (Path(__file__).parent / "workers.txt").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def workers(root: Path, *modules: str) -> set[str]:
    """The processes, of two that there were, that ran six tests in each of some modules."""
    (root / "pytest.ini").write_text("[pytest]\n")
    for module in modules:
        (root / module).parent.mkdir(parents=True)
        (root / module).write_text(TESTS)
    shutil.copy(CONFTEST, root / "tests")
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, "tests"], cwd=root, capture_output=True, text=True)
    assert f"{6 * len(modules)} passed" in done.stdout, done.stdout + done.stderr
    return {worker for file in root.rglob("workers.txt") for worker in file.read_text().split()}


def test_tests_of_a_group_share_a_process(tmp_path):
    assert len(workers(tmp_path, "tests/grading/test_anything.py")) == 1


def test_browser_tests_of_all_widgets_share_a_process(tmp_path):
    modules = [f"tests/widgets/{name}/test_{name}_browser.py" for name in ("arena", "fork")]
    assert len(workers(tmp_path, *modules)) == 1


def test_all_others_are_shared_out(tmp_path):
    assert len(workers(tmp_path, "tests/core/test_anything.py")) == 2


def test_every_group_is_there(pytestconfig):
    for start in pytestconfig.pluginmanager.get_plugin(str(CONFTEST)).TOGETHER:
        path, _, name = start.partition("::")
        assert (ROOT / path).exists()
        assert name.partition("[")[0] in ((ROOT / path).read_text() if name else "")
