"""From a bare machine to a running course, with nothing but Python's standard library.

`python3 graders/cli/bootstrap.py setup|lab|test|...` makes `.venv` in the checkout, installs the course into
it and hands over to `tlcourse`. It is run as a file (the Makefile does so), since nothing is installed yet.
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
CONSTRAINTS = "graders/cli/constraints.txt"
# What each action needs beyond what a student does: the extras of pyproject.toml. [test] brings all the
# others.
EXTRAS = {"quick": "test", "test": "test", "test-long": "test", "docs": "docs"}

_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|Connection refused|Temporary failure in name resolution|"
    r"Name or service not known|Network is unreachable|getaddrinfo failed|No route to host|ProxyError|"
    r"Could not fetch URL|connection error|error sending request|from versions: none",
    re.I,
)


class Problem(Exception):
    """Something is missing. The message is for the person at the keyboard."""


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text, flush=True)


def check_python() -> None:
    """Make sure that this Python is new enough; if not, switch to a newer one that is installed."""
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
    """Stop before anything is half installed."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < need_gb:
        raise Problem(
            f"There are {free:.1f} GB free on the disk of {folder}, and the course needs about {need_gb:.0f} "
            "GB. "
            "Free some space and run the command again; nothing was changed."
        )


def python_of(venv: Path) -> Path:
    """The environment's interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv(venv: Path) -> None:
    """Make the environment, unless there is one that works."""
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
                "This Python cannot make environments: its venv module is incomplete. On Debian and Ubuntu, "
                "run "
                "`apt install python3-venv` as root, then the same command again."
            )
        raise Problem(f"The environment could not be made: {explain(output)}")


def explain(output: str) -> str:
    """What a failed installation's output means, in a sentence."""
    if "No space left on device" in output or "[Errno 28]" in output:
        return (
            f"the disk is full. The course needs about {NEED_GB:.0f} GB: free some space and run "
            "the command again."
        )
    if _NETWORK.search(output):
        return (
            "the package index could not be reached. Check the network (or your proxy and PIP_INDEX_URL), "
            "then run "
            "the command again; it continues where it stopped."
        )
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return (errors[-1] if errors else "no reason was given.") + " The full output is in the log named above."


def shown(command: list[str], log: Path) -> None:
    """Run an installer, showing its packages in one moving line (or one line each without a terminal); keep a
    log."""
    tail: list[str] = []
    with log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert process.stdout is not None  # it is a pipe
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


def fingerprint(root: Path) -> str:
    """Changes when what has to be installed does."""
    parts = [(root / name).read_bytes() for name in ("pyproject.toml", CONSTRAINTS)]
    return hashlib.sha256(b"\0".join([*parts, str(root).encode(), sys.version.encode()])).hexdigest()


def read_stamp(venv: Path) -> tuple[str, frozenset[str]]:
    """What the last finished set-up left: its fingerprint and its extras."""
    try:
        stamp = json.loads((venv / "tlcourse-setup.json").read_text())
        return str(stamp["fingerprint"]), frozenset(stamp["extras"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", frozenset()


def is_set_up(venv: Path, root: Path, extras: frozenset[str] = frozenset()) -> bool:
    """Whether the last set-up finished with these extras, and nothing has changed since."""
    found, installed = read_stamp(venv)
    return found == fingerprint(root) and ("test" in installed or extras <= installed)


def set_up(root: Path, venv: Path, extras: frozenset[str] = frozenset()) -> None:
    """Install the course into `venv`; quick if it is there already, and safe to run again after an
    interruption."""
    if is_set_up(venv, root, extras):
        return
    check_disk(root)
    make_venv(venv)
    python = str(python_of(venv))
    extras |= read_stamp(venv)[1]  # an instructor's stay when the course is updated by `make lab`
    names = f"[{','.join(sorted(extras))}]" if extras else ""
    say("Installing the course and Jupyter (a few minutes the first time) ...")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "-c", str(root / CONSTRAINTS)]
    shown([*pip, "-e", f"{root}{names}"], venv / "setup.log")
    tools = ["--test"] if "test" in extras else []
    done = subprocess.run([python, "-m", "graders.cli", "setup", *tools], cwd=root)
    if done.returncode:
        raise SystemExit(done.returncode)
    stamp = venv / "tlcourse-setup.json"
    half = stamp.with_suffix(".part")
    half.write_text(json.dumps({"fingerprint": fingerprint(root), "extras": sorted(extras)}))
    os.replace(half, stamp)


def build_docs(python: str, more: list[str]) -> int:
    """The documentation's pages, in `site/`; a warning is an error."""
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement of the theme's, not a warning
    return subprocess.run(
        [python, "-m", "mkdocs", "build", "--strict", *more], cwd=ROOT, env=quiet
    ).returncode


QUICK = "not (long or notebook or fresh or browser or slow)"
ALONE = "notebook or fresh"  # their time and memory are measured, so nothing else may run beside them


def run_tests(python: str, chosen: list[str], action: str = "test") -> int:
    """Run the tests of an action ("quick", "test", "test-long"), or those that `chosen` (arguments of pytest)
    names.

    Two tests run at a time; then those whose time and memory are measured run alone.
    """
    tests = [python, "-m", "pytest"]
    if chosen:
        return subprocess.run([*tests, *chosen], cwd=ROOT).returncode
    side_by_side = [*tests, "-n", "2", "--dist", "loadgroup"]
    if action == "quick":
        return subprocess.run([*side_by_side, "-m", QUICK], cwd=ROOT).returncode
    part = "long" if action == "test-long" else "not long"
    together = subprocess.run([*side_by_side, "-m", f"{part} and not ({ALONE})"], cwd=ROOT).returncode
    threads = {**os.environ, "OMP_NUM_THREADS": "2"}
    alone = subprocess.run([*tests, "-m", f"{part} and ({ALONE})"], cwd=ROOT, env=threads).returncode
    return together or alone


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Set up the course on a bare machine, and open or test it.",
        epilog="Other arguments are passed on: to `tlcourse lab`, to mkdocs (docs), to pytest (tests).",
    )
    parser.add_argument("action", choices=("setup", "lab", *EXTRAS))
    parser.add_argument(
        "--with",
        dest="extras",
        action="append",
        default=[],
        choices=("grading", "cluster", "docs", "test"),
        help="with setup: install this extra as well (test: the test tools and Chromium)",
    )
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="where the environment goes")
    given = sys.argv[1:] if arguments is None else arguments
    # argparse would drop a `--` behind the action.
    theirs = given.index("--") if "--" in given else len(given)
    options, rest = parser.parse_known_args(given[:theirs])
    rest += given[theirs:]
    try:
        check_python()
        needed = EXTRAS.get(options.action)
        set_up(ROOT, options.venv, frozenset([*options.extras, *([needed] if needed else [])]))
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to continue.", file=sys.stderr)
        return 130
    python = str(python_of(options.venv))
    if options.action == "lab":
        return subprocess.run([python, "-m", "graders.cli", "lab", *rest], cwd=ROOT).returncode
    if options.action == "docs":
        return build_docs(python, rest)
    if options.action in EXTRAS:
        return run_tests(python, rest, options.action)
    say("The course is set up. `make lab` opens it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
