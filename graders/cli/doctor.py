"""`tlcourse doctor`: what is installed, what is missing, and what to do."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import click
import psutil

from .setup import AFTER_TORCH

NEEDED = ("jupyterlab", "ipywidgets", "anywidget", "nbgrader", "transformers")


@dataclass(frozen=True)
class Finding:
    """The result of one check. `needed`: the course does not work without it."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = True


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Say what is installed, what is missing, and what to do. Exit status 1: something needed is missing."""
    found = findings()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            mark = click.style("ok     ", fg="green") if finding.ok else click.style("missing", fg="red")
            if not finding.ok and not finding.needed:
                mark = click.style("note   ", fg="yellow")
            click.echo(f"{mark} {finding.name}: {finding.detail}")
            if finding.remedy and not finding.ok:
                click.echo(f"        {finding.remedy}")
    sys.exit(any(finding.needed and not finding.ok for finding in found))


def findings() -> list[Finding]:
    """Check everything that the course depends on."""
    late = [_package(name, "Run `tlcourse setup`.") for name in AFTER_TORCH]
    return [
        _python(),
        *map(_package, NEEDED),
        *_torch(),
        *late,
        *_weights(),
        *_unpacked(),
        _isolation(),
        _memory(),
        _disk(),
    ]


def _python() -> Finding:
    ok = sys.version_info >= (3, 10)
    return Finding(
        "Python", ok, f"{platform.python_version()} at {sys.executable}", "Install Python 3.10 or newer."
    )


def _package(name: str, remedy: str = "Run `pip install .` in the course's folder.") -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", remedy)


def _torch() -> list[Finding]:
    try:
        import torch
    except ImportError:
        return [Finding("PyTorch", False, "not installed", "Run `tlcourse setup`.")]
    build = (
        f"CUDA {torch.version.cuda}"
        if torch.version.cuda
        else f"ROCm {torch.version.hip}"
        if torch.version.hip
        else "CPU"
    )
    findings = [Finding("PyTorch", True, f"{torch.__version__} ({build} build)")]
    if torch.cuda.is_available():
        memory = torch.cuda.mem_get_info()[1] / 2**30
        findings.append(
            Finding("GPU", True, f"{torch.cuda.get_device_name()}, {memory:.0f} GiB", needed=False)
        )
    elif torch.backends.mps.is_available():
        findings.append(Finding("GPU", True, "Apple GPU (MPS)", needed=False))
    elif shutil.which("nvidia-smi"):
        remedy = "Run `tlcourse setup --torch-backend auto` in a new environment, or update the driver."
        findings.append(
            Finding("GPU", False, "there is an NVIDIA GPU that this PyTorch does not see", remedy, False)
        )
    else:
        findings.append(Finding("GPU", True, "none; the lessons are made for a CPU", needed=False))
    return findings


def _weights() -> list[Finding]:
    from tlwidgets.models import status

    return [
        Finding(
            f"weights of {record.name}",
            record.ok,
            f"{record.requirement}, {record.bytes / 1e6:.0f} MB, licence {record.licence}",
            record.message,  # whether it is missing or damaged, and what to run
        )
        for record in status()
    ]


def _unpacked() -> list[Finding]:
    from tlwidgets.models import BACKBONES, is_converted

    return [
        Finding(
            f"unpacked weights of {backbone.name}",
            found := is_converted(backbone),
            f"{4 * backbone.parameters / 1e6:.0f} MB in your cache" if found else "not made yet",
            "Run `tlcourse setup`; otherwise the first lesson that needs them unpacks them, in a few "
            "seconds.",
            False,
        )
        for backbone in BACKBONES.values()
        if backbone.loader == "load_language_model"
    ]


def _isolation() -> Finding:
    """How `tlcourse grade` would isolate students' code here; students do not need it."""
    from graders.autograde import available_isolation

    best, why = available_isolation()
    words = {
        "namespaces": "namespaces, the strongest kind",
        "landlock": f"Landlock, which is enough. {why}",
        "none": f"none. {why}",
    }
    return Finding(
        "isolation for grading",
        best != "none",
        words[best],
        "Lessons do not need it, but `tlcourse grade` does: run that on a machine, or in a container, that "
        "allows user namespaces.",
        False,
    )


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 2**30
    return Finding(
        "memory",
        free > 1.5,
        f"{free:.1f} GiB available",
        "A lesson needs up to 1.5 GiB: close other programs.",
        False,
    )


def _disk() -> Finding:
    free = shutil.disk_usage(sys.prefix).free / 1e9
    return Finding("disk", free > 0.5, f"{free:.1f} GB free", "Free some space.", False)
