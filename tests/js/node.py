"""Node.js, which only tests use."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def node(*arguments: str, cwd: Path = FOLDER) -> str:
    """What `node` prints; fails the test with its words where it ends with an error."""
    program = shutil.which("node")
    if program is None:
        pytest.fail(
            "The widgets' scripts are tested with Node.js, which is not installed. Install `node` and `npm` "
            "(Debian: `apt install nodejs npm`), then run `tlcourse setup --test`."
        )
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{done.stdout}{done.stderr}".strip())
    return done.stdout
