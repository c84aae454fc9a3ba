"""`tlcourse lab`: JupyterLab on the course's home page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import click

from .build import build_work, tell
from .places import course_root, work_folder

PORT = 8888
SETTINGS = Path(__file__).parent / "settings"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help=f"Port to use. [{PORT}, or the next free one]")
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening a browser.")
@click.option(
    "--dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="Where your copies are. [work]"
)
@click.argument("jupyter", nargs=-1, type=click.UNPROCESSED)
def lab(port: int | None, no_browser: bool, folder: Path | None, jupyter: tuple[str, ...]) -> None:
    """Open the course in JupyterLab.

    Brings new lessons first; notebooks that you changed stay as they are. Arguments after `--` go to
    JupyterLab: `tlcourse lab -- --allow-root`.
    """
    if port is not None and not is_free(port):
        raise click.ClickException(
            f"Port {port} is taken by another program. Choose another one (--port {port + 1}), or leave out "
            "--port to "
            "use the next free one."
        )
    root, work = course_root(), (folder or work_folder()).resolve()
    complete_setup()
    tell(build_work(root, work))
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={work}",
        "--LabApp.default_url=/lab/tree/Home.md",
        # Pages open rendered, and no question about news gets in the way of the first lesson.
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ServerApp.port={port or PORT}",
        *([] if port is None else ["--ServerApp.port_retries=0"]),
        *(["--no-browser"] if no_browser else []),
        *jupyter,
    ]
    click.echo(f"Opening JupyterLab on {work} (Ctrl+C twice stops it) ...")
    try:
        sys.exit(subprocess.run(command, env=environment()).returncode)
    except KeyboardInterrupt:
        sys.exit(0)


def complete_setup() -> None:
    """Install PyTorch and the weights if they are missing, as they are after `pip install .`.

    Raises:
        click.ClickException: it failed, with what to do.
    """
    from .bootstrap import Problem
    from .setup import install_after_torch, install_torch, install_weights, verify_weights

    try:
        install_torch("auto")
        install_after_torch()
        install_weights()
        verify_weights()
    except Problem as problem:
        raise click.ClickException(str(problem)) from problem


def environment() -> dict[str, str]:
    """The server's environment: this Python's programs come first, as if it were activated.

    nbgrader calls `alembic` by name, and a terminal in JupyterLab should find `tlcourse` and `nbgrader`.
    Importing `tlwidgets` here sets how threads wait, for notebooks that import torch first as well.
    """
    import tlwidgets  # noqa: F401

    programs = str(Path(sys.executable).parent)
    path = programs + os.pathsep + os.environ.get("PATH", "")
    return {**os.environ, "PATH": path}


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
