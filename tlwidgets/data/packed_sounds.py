"""The file of speech: sounds made small by a cosine transform and coarse levels, in a zip with their tables.

The transform is the MDCT (Princen, Johnson and Bradley 1987) with a sine window; levels grow as in MP3, with
the power 4/3, so that loud parts take coarser steps. About 2 kB a second of speech, 20 dB above what is lost.
"""

import io
import lzma
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

RATE = 16_000
FRAME = 320
STEP = 600
# Where in the gap between two levels a coefficient goes up: later than halfway costs less than it loses.
ROUND_UP = 0.6
_LEVELS = 127
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]


class Clip(NamedTuple):
    """One recording's row in the table. `family` numbers the words or sentences that must stay together."""

    text: str
    speaker: str
    family: int
    sentiment: str
    tone: str
    label: str
    samples: int


def write_sounds(collections: Mapping[str, tuple[Sequence[Clip], Sequence[np.ndarray]]]) -> bytes:
    """A zip of, for each name, a table of clips and their sounds, each (samples,) int16 at `RATE`.

    The zip is undated, and all sums are of whole numbers, so the same input gives the same bytes wherever the
    same liblzma writes them. Raises ValueError for a sound whose length is not its row's, of another type, or
    a text with a tab or line break.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, (clips, sounds) in collections.items():
            _checked(name, clips, sounds)
            table = "".join("\t".join(map(str, clip)) + "\n" for clip in clips)
            levels = np.concatenate([to_levels(sound) for sound in sounds])
            members = {
                f"{name}.tsv": table.encode("utf-8"),
                f"{name}.xz": lzma.compress(levels.tobytes(), filters=_FILTERS),
            }
            for member_name, content in members.items():
                member = zipfile.ZipInfo(member_name)
                member.create_system = 3  # else the byte that names the operating system differs on Windows
                archive.writestr(member, content)
    return out.getvalue()


def read_sounds(packed: bytes, name: str) -> tuple[list[Clip], np.ndarray]:
    """The table of one collection, and its sounds as float32 (clips, longest) in -1..1, silent after a clip's
    end.

    Raises ValueError, with the line, where the file is not such a zip.
    """
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        clips = _clips(archive.read(f"{name}.tsv").decode("utf-8"))
        levels = np.frombuffer(lzma.decompress(archive.read(f"{name}.xz")), np.int8)
    counts = [frames(clip.samples) for clip in clips]
    if levels.size != FRAME * sum(counts):
        raise ValueError(
            f"The sounds of {name!r} have {levels.size:,} levels, which is not those of its {len(clips):,} "
            "clips."
        )
    sounds = np.zeros((len(clips), max(clip.samples for clip in clips)), np.float32)
    ends = np.cumsum(counts)
    for row, clip, part in zip(sounds, clips, np.split(levels.reshape(-1, FRAME), ends[:-1]), strict=True):
        row[: clip.samples] = from_levels(part, clip.samples)
    return clips, sounds


def frames(samples: int) -> int:
    """How many frames of levels a sound of this length has."""
    return -(-samples // FRAME) + 1


def to_levels(sound: np.ndarray) -> np.ndarray:
    """The levels (frames, 320) int8 of a sound (samples,) int16."""
    count = frames(len(sound))
    padded = np.zeros((count + 1) * FRAME)
    padded[FRAME : FRAME + len(sound)] = sound
    halves = padded.reshape(count + 1, FRAME)
    windows = np.concatenate([halves[:-1], halves[1:]], 1)
    # Whole numbers whose products sum to less than 2**53: exact in any order, so every machine finds the same
    # levels.
    coefficients = windows @ np.round(_basis() * 2**14)
    size = np.abs(coefficients) / np.round(_weights() * 2**14)
    steps = _steps()
    bounds = steps[:-1] + ROUND_UP * np.diff(steps)
    return (np.sign(coefficients) * np.searchsorted(bounds, size)).astype(np.int8)


def from_levels(levels: np.ndarray, samples: int) -> np.ndarray:
    """The sound (samples,) float32 in -1..1 that the levels (frames, 320) int8 stand for."""
    sizes, basis = _for_hearing()
    windows = sizes[levels.astype(np.intp) + _LEVELS] @ basis
    out = np.zeros((len(levels) + 1, FRAME), np.float32)
    out[:-1] += windows[:, :FRAME]
    out[1:] += windows[:, FRAME:]
    return np.clip(out.ravel()[FRAME : FRAME + samples], -1, 1)


@lru_cache(maxsize=1)
def _basis() -> np.ndarray:
    time, place = np.arange(2 * FRAME)[:, None] + 0.5, np.arange(FRAME)[None] + 0.5
    window = np.sin(np.pi / (2 * FRAME) * time)
    return np.sqrt(2 / FRAME) * window * np.cos(np.pi / FRAME * (time + FRAME / 2) * place)


@lru_cache(maxsize=1)
def _for_hearing() -> tuple[np.ndarray, np.ndarray]:
    sizes = np.concatenate([-_steps()[:0:-1], _steps()]) / 2**15
    return sizes.astype(np.float32), (_basis() * _weights()).T.astype(np.float32)


def _weights() -> np.ndarray:
    # Four times as coarse at 8 kHz as at 0: the ear is less exact there.
    return 4.0 ** (np.arange(FRAME) / FRAME)


def _steps() -> np.ndarray:
    return STEP * np.arange(_LEVELS + 1) ** (4 / 3)


def _checked(name: str, clips: Sequence[Clip], sounds: Sequence[np.ndarray]) -> None:
    for clip, sound in zip(clips, sounds, strict=True):
        if sound.shape != (clip.samples,) or sound.dtype != np.int16:
            raise ValueError(
                f"A sound of {name!r} has shape {sound.shape} and type {sound.dtype}; expected "
                f"({clip.samples},) and int16."
            )
        if any(mark in str(field) for field in clip for mark in "\t\r\n"):
            raise ValueError(f"A row of {name!r} holds a tab or a line break: {clip!r}.")


def _clips(table: str) -> list[Clip]:
    clips = []
    for number, line in enumerate(table.splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) != len(Clip._fields):
            raise ValueError(
                f"Line {number} of a table of clips has {len(fields)} fields instead of {len(Clip._fields)}."
            )
        text, speaker, family, sentiment, tone, label, samples = fields
        clips.append(Clip(text, speaker, int(family), sentiment, tone, label, int(samples)))
    return clips
