"""From a bare machine to a running course, with nothing but Python's standard library.

`python3 graders/cli/bootstrap.py setup|lab|test` makes `.venv` beside the project, installs the course into it and hands
over to `tlcourse`. Run as a file (the Makefile does), since nothing is installed yet.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 10)
NEWER = ("python3.13", "python3.12", "python3.11", "python3.10")
NEED_GB = 4.0

_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|Connection refused|Temporary failure in name resolution|"
    r"Name or service not known|Network is unreachable|getaddrinfo failed|No route to host|ProxyError|"
    r"Could not fetch URL|connection error|error sending request|from versions: none",
    re.I,
)


class Problem(Exception):
    """Something is missing; the message is for the person at the keyboard."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text, flush=True)


def check_python() -> None:
    """Go on with a newer Python if this one is too old, or say so."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    raise Problem(
        f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old: the course needs "
        f"{OLDEST[0]}.{OLDEST[1]} or newer. Install a newer Python and run the command again with it."
    )


def check_disk(folder: Path, need_gb: float = NEED_GB) -> None:
    """Refuse before anything is half installed."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < need_gb:
        raise Problem(
            f"There are {free:.1f} GB free where {folder} is, and the course needs about {need_gb:.0f} GB. "
            "Make some room and run the command again; nothing was changed."
        )


def python_of(venv: Path) -> Path:
    """The environment's interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv(venv: Path) -> None:
    """Make the environment, unless it is there and works."""
    python = python_of(venv)
    if (
        python.exists()
        and subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0
    ):
        return
    say(f"Making a Python environment in {venv.name} ...")
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(venv)], capture_output=True, text=True
    )
    if done.returncode:
        output = done.stdout + done.stderr
        if "ensurepip" in output:
            raise Problem(
                "This Python can't make environments: its venv module is not complete. On Debian and Ubuntu run "
                "`apt install python3-venv` (as root), then the same command again."
            )
        raise Problem(f"The environment could not be made: {explain(output)}")


def explain(output: str) -> str:
    """What a failed installation's output means, in a sentence."""
    if "No space left on device" in output or "[Errno 28]" in output:
        return f"the disk is full. The course needs about {NEED_GB:.0f} GB: make some room and run the command again."
    if _NETWORK.search(output):
        return (
            "the package index could not be reached. Check the network (or your proxy and PIP_INDEX_URL), then run "
            "the command again; it goes on where it stopped."
        )
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return (errors[-1] if errors else "no reason was given.") + " The whole output is in the log named above."


def shown(command: list[str], log: Path) -> None:
    """Run an installer: its packages in one moving line (or one line each where there is no terminal), all in a log."""
    tail: list[str] = []
    with log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        for line in process.stdout:
            file.write(line)
            tail = [*tail[-200:], line]
            word = line.strip()
            if sys.stdout.isatty():
                print(f"\r\033[K  {word[: shutil.get_terminal_size().columns - 4]}", end="", flush=True)
            elif word.startswith(("Collecting", "Downloading", "Installing", "Building")):
                print(f"  {word[:110]}", flush=True)
        process.wait()
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)
    if process.returncode:
        print(f"  (log: {log})")
        raise Problem(f"The installation stopped: {explain(''.join(tail))}")


def fingerprint(root: Path, extra: str) -> str:
    """Changes when what has to be installed does."""
    parts = [(root / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(
        b"\0".join([*parts, str(root).encode(), sys.version.encode(), extra.encode()])
    ).hexdigest()


def is_set_up(venv: Path, root: Path, test: bool) -> bool:
    """Whether the last set-up finished, and nothing has changed since."""
    try:
        stamps = json.loads((venv / "tlcourse-setup.json").read_text())
    except (OSError, ValueError):
        return False
    wanted = ("test",) if test else ("", "test")
    return any(stamps.get(extra) == fingerprint(root, extra) for extra in wanted)


def set_up(root: Path, venv: Path, test: bool) -> None:
    """Install the course into `venv`; quick when it is there already, safe to run again after an interruption."""
    if is_set_up(venv, root, test):
        return
    check_disk(root)
    make_venv(venv)
    python = str(python_of(venv))
    extra = "[test]" if test else ""
    say("Installing the course and Jupyter (a few minutes the first time) ...")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "-c", str(root / "constraints.txt")]
    shown([*pip, "-e", f"{root}{extra}"], venv / "setup.log")
    done = subprocess.run([python, "-m", "graders.cli", "setup", *(["--test"] if test else [])], cwd=root)
    if done.returncode:
        raise SystemExit(done.returncode)
    stamp = venv / "tlcourse-setup.json"
    half = stamp.with_suffix(".part")
    half.write_text(json.dumps({"test" if test else "": fingerprint(root, "test" if test else "")}))
    os.replace(half, stamp)


def run_tests(python: str, chosen: list[str]) -> int:
    """Everything; or what `chosen` (pytest's own arguments) asks for.

    Two passes: two tests at a time, then whole notebooks and new environments alone, whose time and memory are measured.
    """
    tests = [python, "-m", "pytest"]
    if chosen:
        return subprocess.run([*tests, *chosen], cwd=ROOT).returncode
    alone = "notebook or fresh"
    quick = subprocess.run(
        [*tests, "-n", "2", "--dist", "loadgroup", "-m", f"not ({alone})"], cwd=ROOT
    ).returncode
    threads = {**os.environ, "OMP_NUM_THREADS": "2"}
    slow = subprocess.run([*tests, "-m", alone], cwd=ROOT, env=threads).returncode
    return quick or slow


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Set the course up from a bare machine, and open or test it.",
        epilog="All other arguments go on: with lab to `tlcourse lab`, with test to pytest.",
    )
    parser.add_argument("action", choices=("setup", "lab", "test"))
    parser.add_argument("--test", action="store_true", help="with setup: the test tools and Chromium as well")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="where the environment goes")
    given = sys.argv[1:] if arguments is None else arguments
    # argparse would drop a `--` behind the action.
    theirs = given.index("--") if "--" in given else len(given)
    options, rest = parser.parse_known_args(given[:theirs])
    rest += given[theirs:]
    try:
        check_python()
        set_up(ROOT, options.venv, options.test or options.action == "test")
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to go on.", file=sys.stderr)
        return 130
    python = str(python_of(options.venv))
    if options.action == "lab":
        return subprocess.run([python, "-m", "graders.cli", "lab", *rest], cwd=ROOT).returncode
    if options.action == "test":
        return run_tests(python, rest)
    say("The course is set up. `make lab` opens it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
