"""What Binder builds, replayed here: its steps, its user, its memory."""

import contextlib
import http.client
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import nbformat
import psutil
import pytest
import websocket

from graders.cli.binder import launch_links
from graders.cli.build import build_work

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 2 * 10**9
TOKEN = "soup"


def checkout(target: Path) -> Path:
    """A copy of what is in version control, as Binder fetches it."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def test_repo2docker_accepts_the_folder(tmp_path):
    tree = checkout(tmp_path / "tree")
    command = [Path(sys.executable).parent / "jupyter-repo2docker", "--no-build", "--debug", tree]
    done = subprocess.run(command, capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "RUN ./binder/postBuild" in output
    assert "binder/start" in output


def test_every_launch_link_points_to_a_file_of_the_built_tree(tmp_path):
    tree = checkout(tmp_path / "tree")
    build_work(tree, tree / "work")  # as binder/postBuild does
    links = launch_links(tree, "ada/course")
    assert links
    for link in links:
        assert (tree / link["file"]).is_file()
        assert link["url"].endswith(link["file"].replace("/", "%2F"))


@pytest.fixture
def launch_home():
    """A folder of its own: pytest's are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="launch-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.fresh
@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_launch_runs_lesson_01_within_2_gb_as_an_ordinary_user(launch_home, capsys):
    home = launch_home
    tree = checkout(home / "tree")
    user = ordinary_user()
    hand_over(home, user)
    python = home / "env" / "bin" / "python"
    run_as(user, home, [interpreter(user), "-m", "venv", str(home / "env")])
    run_as(user, home, [str(python), "-m", "pip", "install", "-q", "-r", "binder/requirements.txt"], cwd=tree)
    run_as(user, home, ["binder/postBuild"], cwd=tree)
    lesson = tree / "work" / "01-transfer-learning" / "01-transfer-learning.ipynb"
    assert lesson.is_file() and owner(lesson) == user.pw_name
    assert list((home / ".cache" / "tlwidgets" / "models").glob("smollm2-*/model.safetensors"))
    with free_port() as port:
        server = launch(user, home, tree, port)
    limited = limit_memory(server.pid)
    memory = Memory(server.pid)
    try:
        wait_for(server, port, home)
        kernel = json.loads(
            request(port, "POST", "/api/kernels", {"name": "python3", "path": "work/01-transfer-learning"})
        )
        took = run_cells(port, kernel["id"], nbformat.read(solved(tree), as_version=4))
    finally:
        memory.stop()
        stop(server)
    with capsys.disabled():
        print(
            f"\nBinder replay: peak {memory.peak / 1e9:.2f} GB of {LIMIT / 1e9:.0f}, lesson in {took:.0f} s"
        )
        print(f"({memory.how}; {'under a cgroup limit' if limited else 'no cgroup limit could be set here'})")
    assert memory.peak < LIMIT


# -- the user ------------------------------------------------------------------------------------------


def ordinary_user() -> pwd.struct_passwd:
    """Whoever runs the tests; `nobody` where that is root, as Binder never is."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def owner(path: Path) -> str:
    return pwd.getpwuid(path.stat().st_uid).pw_name


def hand_over(folder: Path, user: pwd.struct_passwd) -> None:
    if os.geteuid() != 0:
        return
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", folder], check=True)


def as_user(user: pwd.struct_passwd) -> dict:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def environment(home: Path) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if key.startswith(("PIP_", "UV_", "SSL_", "LANG", "LC_"))
    }
    return {
        **kept,
        "PATH": f"{home / 'env' / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "JUPYTER_TOKEN": TOKEN,
    }


def interpreter(user: pwd.struct_passwd) -> str:
    """A Python with venv that this user may run: the tests' own may be in root's home."""
    for candidate in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        done = (
            subprocess.run([candidate, "-c", "import ensurepip, venv"], capture_output=True, **as_user(user))
            if (allowed(candidate, user))
            else None
        )
        if done is not None and done.returncode == 0:
            return candidate
    raise AssertionError("No Python with venv that an ordinary user may run: install python3-venv")


def allowed(path: str, user: pwd.struct_passwd) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, **as_user(user)).returncode == 0
    except OSError:
        return False


def run_as(user, home: Path, command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd or home, env=environment(home), capture_output=True, text=True, **as_user(user)
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


# -- the server ----------------------------------------------------------------------------------------


class free_port:
    """A port that nobody had a moment ago."""

    def __enter__(self) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def __exit__(self, *error) -> None:
        return None


def launch(user, home: Path, tree: Path, port: int) -> subprocess.Popen:
    """As the image's entry point does: binder/start, then JupyterLab."""
    command = [str(tree / "binder" / "start"), "jupyter", "lab", "--no-browser", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0"]
    log = (home / "server.log").open("w")
    return subprocess.Popen(
        command,
        cwd=tree,
        env=environment(home),
        stdout=log,
        stderr=log,
        start_new_session=True,
        **as_user(user),
    )


def request(port: int, method: str, path: str, body: dict | None = None) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, json.dumps(body) if body else None, {"Authorization": f"token {TOKEN}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status < 300, text
    return text


def wait_for(server: subprocess.Popen, port: int, home: Path) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        assert server.poll() is None, (home / "server.log").read_text()[-3000:]
        try:
            request(port, "GET", "/api/status")
            return
        except OSError:
            threading.Event().wait(0.2)
    raise AssertionError((home / "server.log").read_text()[-3000:])


def solved(tree: Path) -> Path:
    return tree / "course" / "source" / "01-transfer-learning" / "01-transfer-learning.ipynb"


def run_cells(port: int, kernel: str, notebook) -> float:
    """Run every code cell over the server's own channel, as a page does; returns the seconds."""
    channel = websocket.create_connection(
        f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?token={TOKEN}", timeout=180
    )
    start = time.monotonic()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            execute(channel, cell.source)
    channel.close()
    return time.monotonic() - start


def execute(channel, source: str) -> None:
    number = uuid.uuid4().hex
    header = {
        "msg_id": number,
        "msg_type": "execute_request",
        "username": "",
        "session": "s",
        "version": "5.3",
    }
    content = {
        "code": source,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": True,
    }
    channel.send(
        json.dumps(
            {
                "header": header,
                "parent_header": {},
                "metadata": {},
                "content": content,
                "channel": "shell",
                "buffers": [],
            }
        )
    )
    while True:
        raw = channel.recv()
        if not isinstance(raw, str):
            continue  # a widget's binary message
        message = json.loads(raw)
        if message["parent_header"].get("msg_id") != number:
            continue
        kind, body = message["header"]["msg_type"], message["content"]
        assert kind != "error", f"{source}\n{body.get('ename')}: {body.get('evalue')}"
        if kind == "status" and body["execution_state"] == "idle":
            return


def stop(server: subprocess.Popen) -> None:
    """End the server and all that it started, by force where asking does not help."""
    family = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(server.pid).children(recursive=True)
    server.terminate()
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(family, timeout=5)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def limit_memory(pid: int) -> bool:
    """Put a process and its children to come under a limit of the kernel's, where this machine allows it."""
    root = Path("/sys/fs/cgroup")
    unified = root / "cgroup.controllers"
    if unified.is_file() and "memory" in unified.read_text().split():
        group, limit = root / f"tlcourse-{pid}", "memory.max"
    elif (root / "memory" / "memory.limit_in_bytes").is_file():
        group, limit = root / "memory" / f"tlcourse-{pid}", "memory.limit_in_bytes"
    else:
        return False
    try:
        group.mkdir()
        (group / limit).write_text(str(LIMIT))
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        return False
    return str(pid) in (group / "cgroup.procs").read_text().split()


class Memory:
    """Peak memory of a process and all below it: proportional shares, so that shared pages count once."""

    def __init__(self, pid: int):
        self.peak, self.how = 0, "proportional set size of the whole process tree, every 0.1 s"
        self._root = psutil.Process(pid)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._end.wait(0.1):
            self.peak = max(self.peak, self._now())

    def _now(self) -> int:
        total = 0
        try:
            family = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        for process in family:
            try:
                info = process.memory_full_info()
                total += getattr(info, "pss", info.rss)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return total

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
