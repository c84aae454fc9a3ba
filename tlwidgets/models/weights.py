"""Finding the weight packages and making sure that their files are the ones the course was written with.

Sizes are looked at each time; a file's SHA-256 is computed once and remembered (by path, size and time of
last change) in the user's cache folder, so that a damaged download is found and loading stays quick.
"""

import hashlib
import importlib.util
import json
import os
import tempfile
from pathlib import Path

from .records import Backbone, BackboneStatus, WeightFile
from .registry import BACKBONES


class WeightsError(RuntimeError):
    """Base of what can be wrong with a weight package."""


class MissingWeightsError(WeightsError):
    """The package with the weights is not installed, or a file of it is gone."""


class DamagedWeightsError(WeightsError):
    """A file is there, but not with the content that the course was written with."""


def status() -> list[BackboneStatus]:
    """One record for each backbone: is it installed, are its files intact, how large are they."""
    return [_status(backbone) for backbone in BACKBONES.values()]


def backbone_folder(backbone: Backbone) -> Path | None:
    """The folder of the model's files, or None where the package is not installed. Imports nothing."""
    spec = importlib.util.find_spec(backbone.module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / backbone.folder


def checked_folder(backbone: Backbone) -> Path:
    """The folder of the model's files, once each of them has been checked.

    Raises `MissingWeightsError` or `DamagedWeightsError`, both with what to run next.
    """
    folder = backbone_folder(backbone)
    if folder is None:
        raise MissingWeightsError(
            f"The pretrained weights of {backbone.name!r} are not installed (package {backbone.package}, "
            f"{backbone.download_bytes / 1e6:.0f} MB). "
            "Run `tlcourse setup` once, with a network, then restart the kernel."
        )
    for file in backbone.files:
        _check(folder / file.path, file, backbone)
    return folder


def _status(backbone: Backbone) -> BackboneStatus:
    folder = backbone_folder(backbone)
    message = ""
    try:
        checked_folder(backbone)
    except WeightsError as error:
        message = str(error)
    present = [folder / file.path for file in backbone.files] if folder else []
    return BackboneStatus(
        name=backbone.name,
        package=backbone.package,
        requirement=backbone.requirement,
        installed=folder is not None,
        ok=not message,
        bytes=sum(path.stat().st_size for path in present if path.is_file()),
        licence=backbone.licence,
        message=message,
    )


def _check(path: Path, file: WeightFile, backbone: Backbone) -> None:
    again = f"Run `tlcourse setup` to install {backbone.requirement} afresh."
    if not path.is_file():
        raise MissingWeightsError(f"The package {backbone.package} has lost its file {file.path}. {again}")
    found = path.stat().st_size
    if found != file.bytes:
        raise DamagedWeightsError(
            f"{file.path} of {backbone.package} has {found:,} bytes instead of {file.bytes:,}: "
            f"the download was cut off or another version is installed. {again}"
        )
    if sha256_of(path) != file.sha256:
        raise DamagedWeightsError(
            f"{file.path} of {backbone.package} has the right size but not the content that the course was "
            f"written with (its SHA-256 differs). {again}"
        )


def sha256_of(path: Path, *, remember: bool = True) -> str:
    """SHA-256 of a file; with `remember`, computed once for each path, size and time of last change."""
    if not remember:
        return _digest(path)
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    remembered = _remembered()
    if key not in remembered:
        remembered[key] = _digest(path)
        _remember(remembered)
    return remembered[key]


def cache_folder() -> Path:
    """The course's folder among the user's caches; it may not exist yet."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "tlwidgets"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _memory_file() -> Path:
    return cache_folder() / "sha256.json"


def _remembered() -> dict[str, str]:
    try:
        known = json.loads(_memory_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(known: dict[str, str]) -> None:
    target = _memory_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=target.parent, suffix=".part", delete=False, encoding="utf-8"
        ) as part:
            json.dump(known, part, indent=1)
        os.replace(part.name, target)
    except OSError:
        # A read-only home only costs the next process the fraction of a second that hashing takes.
        return
