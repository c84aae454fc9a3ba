"""Things that go wrong while a class is graded: processes killed, a database that is locked or away."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from classroom import Classroom, environment

LOCK = """
import sqlite3, sys
lock = sqlite3.connect(sys.argv[1])
lock.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def start(room: Classroom, *options: str) -> subprocess.Popen:
    """Start `tlcourse grade`; its output, both streams, can be read line by line."""
    # A shell has its background jobs ignore Ctrl+C, and these would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        room.command(*options),
        cwd=room.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_something(room: Classroom, chance: random.Random, longest_s: float, *options: str) -> str:
    """Grade, and kill one process of it (with -9) at a random moment: which one, in words.

    Returns when the command has ended, killed or not, and everything that it had started has ended too.
    """
    process = start(room, *options)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=chance.uniform(0.1, longest_s))
        return "nothing: it had ended"
    root = psutil.Process(process.pid)
    tree = [root, *root.children(recursive=True)]
    victim = chance.choice([root, chance.choice(tree)])
    with contextlib.suppress(psutil.NoSuchProcess):
        name = " ".join(victim.cmdline()[-3:])
        victim.kill()
    everything = {*tree, *_children(root)}
    process.communicate()
    gone, left = psutil.wait_procs(list(everything), timeout=60)
    assert not left, f"still there: {[one.cmdline() for one in left]}"
    return "the command" if victim == root else name


def _children(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextlib.contextmanager
def locked(room: Classroom) -> Iterator[subprocess.Popen]:
    """Another process that writes to the gradebook until its stdin is closed."""
    command = [sys.executable, "-c", LOCK, str(room.folder / "gradebook.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "locked\n"
        yield holder


class Postgres:
    """A PostgreSQL server of one's own, on a socket in a folder of its own."""

    def __init__(self) -> None:
        self._programs = _postgres_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        # The server refuses to run as root.
        self._user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self._user:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self.data), "-U", "grader", "--auth=trust", "-N", "-E", "UTF8")
        self.start()
        self._run("createdb", "-h", str(self._folder), "-U", "grader", "grades")

    @property
    def data(self) -> Path:
        return self._folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://grader@/grades?host={self._folder}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off"
        self._run(
            "pg_ctl", "-D", str(self.data), "-w", "-o", options, "-l", str(self._folder / "log"), "start"
        )

    def stop(self) -> None:
        """As a machine that is switched off."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
            **self._user,
        )


def _postgres_programs() -> Path:
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    assert folders, (
        "These tests need PostgreSQL's server programs: apt-get install postgresql (as .ci/run does)."
    )
    return folders[-1].parent


def until(condition, within_s: float = 180.0) -> None:
    """Look again and again until something is so.

    Raises:
        AssertionError: it was not within that time.
    """
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
