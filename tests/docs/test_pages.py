"""README and the pages: what they show runs as it stands (a block marked `py` is an excerpt)."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from graders.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md")] + list((ROOT / "docs").glob("*.md")),
    key=lambda path: path.name,
)


def blocks(page: Path, language: str) -> list[str]:
    """The code of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name
)
def test_the_python_on_a_page_runs_from_top_to_bottom(page, tmp_path):
    """In an empty folder, without a network: what a page needs it makes or takes from the course."""
    program = tmp_path / "page.py"
    program.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "agg",
        "PYTHONWARNINGS": "error::FutureWarning:__main__",  # nothing that a page shows is on its way out
    }
    done = subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def in_consoles(program: str) -> list[tuple[str, str]]:
    """(page, command line) of each call of a program in a console block."""
    return [
        (page.name, line.strip())
        for page in PAGES
        for block in blocks(page, "console")
        for line in block.splitlines()
        if line.strip().startswith(f"{program} ")
    ]


def in_text(program: str) -> list[tuple[str, str]]:
    """(page, words) of each mention of a program in backticks, which may be a part of a command."""
    found = set()
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        found |= {(page.name, words) for words in re.findall(rf"`({program} [^`]+)`", text)}
    return sorted(found)


@pytest.mark.parametrize(("page", "line"), in_consoles("tlcourse"))
def test_a_command_of_a_console_block_is_understood(page, line):
    """Its options and arguments are parsed as they would be; nothing is run."""
    _, name, *arguments = shlex.split(line, comments=True)
    command = main.get_command(click.Context(main), name)
    assert command is not None, f"there is no `tlcourse {name}`"
    command.make_context(name, arguments)


@pytest.mark.parametrize(("page", "words"), in_text("tlcourse"))
def test_a_command_that_a_page_mentions_has_these_options(page, words):
    name, *arguments = words.split()[1:]
    if name == "--help":
        return
    command = main.get_command(click.Context(main), name)
    assert command is not None, f"there is no `tlcourse {name}`"
    options = {option for parameter in command.params for option in parameter.opts}
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    assert {word for word in before if word.startswith("--")} <= options


@pytest.mark.parametrize(("page", "line"), in_consoles("make") + in_text("make"))
def test_a_target_on_a_page_is_one_of_the_makefile(page, line):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert shlex.split(line, comments=True)[1] in targets
