"""Reading a sound that somebody brought: whatever the recording, one channel at the rate that a model
takes.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from io import BytesIO
from math import ceil
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

from .media import MOST_BYTES, MediaError, content_of, looks_like

if TYPE_CHECKING:
    import numpy as np

RATE = 16_000
SHORTEST, LONGEST = 0.05, 30.0  # seconds
_RATES = (2_000, 400_000)
_CHANNELS = 32
_FINEST = 2_000
"""The largest number of a ratio of rates: an odd one such as 44,101 to 16,000 is missed by less than a
millionth, and its filter stays short."""


def read_sound(
    source: bytes | bytearray | memoryview | str | Path,
    rate: int = RATE,
    *,
    longest: float = LONGEST,
    most_bytes: int = MOST_BYTES,
    name: str = "",
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The samples of a WAV file (8, 16, 24 or 32 bits, or fractions), and notes on what was done
    (`one_channel`).

    Args:
        source: the file's bytes, or its path.
        rate: samples a second that come out.
        longest: seconds; what comes after is left out.
        most_bytes: larger files are rejected before they are read.
        name: what an error calls it; the file's name by default.

    Returns:
        float32 (samples,) from -1 to 1, and sentences.

    Raises:
        MediaError: not a WAV file, damaged, empty, too large or too short.
    """
    content, name = content_of(source, most_bytes, name)
    kind = looks_like(content)
    if kind != "a WAV sound":
        says = f"it looks like {kind}" if kind else "its first bytes are not those of a sound"
        raise MediaError(
            f"{name} cannot be read as a sound: {says}. Expected a WAV file; other sounds are read where a "
            "browser can decode them (usually MP3, M4A, Ogg, FLAC and WebM)."
        )
    try:
        found, samples, whole = _wav(content)
    except Exception as error:  # scipy's reader raises whatever a header leads it to
        why = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise MediaError(
            f"{name} begins like a WAV file, but cannot be read ({why}). Save it again as WAV with 16 bits "
            "(PCM)."
        ) from error
    sound, notes = one_channel(samples, found, rate, longest=longest, name=name)
    return sound, notes if whole else ("The file is cut off; the part that is there was used.", *notes)


def one_channel(
    samples: np.ndarray, found: float, rate: int = RATE, *, longest: float = LONGEST, name: str = "The sound"
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Samples (samples,) or (samples, channels) at `found` a second as one channel at `rate`, and notes on
    what was done.

    Whole numbers are divided by the largest of their type. Values that are not numbers become 0, a sound that
    goes beyond -1 to 1 is scaled down to fit, channels are averaged, and the rate is changed by
    `scipy.signal.resample_poly`.

    Raises:
        MediaError: it has no channels or too many, an unlikely rate, or is too short.
    """
    import numpy as np

    samples = np.asarray(samples)
    if samples.dtype.kind not in "iuf":
        raise MediaError(
            f"{name} has values of type {samples.dtype}; whole numbers or fractions were expected."
        )
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and not 1 <= samples.shape[1] <= _CHANNELS):
        raise MediaError(
            f"{name} has shape {samples.shape}; (samples,) or (samples, channels) with at most {_CHANNELS} "
            "channels was expected."
        )
    if not isinstance(found, Real) or not _RATES[0] <= found <= _RATES[1]:
        told = f"{found:,.0f}" if isinstance(found, Real) else repr(found)
        raise MediaError(
            f"{name} has {told} samples a second; {_RATES[0]:,} to {_RATES[1]:,} were expected. Save it at "
            "44,100."
        )
    seconds = len(samples) / found
    if seconds < SHORTEST:
        raise MediaError(
            f"{name} is {seconds:.3f} s long; at least {SHORTEST} s were expected. Record a longer one."
        )
    notes = []
    if seconds > longest:
        samples = samples[: int(longest * found)]
        notes.append(f"Of {seconds:,.1f} s the first {longest:g} s were taken.")
    values = _fractions(samples, notes)
    if values.ndim == 2:
        if values.shape[1] > 1:
            notes.append(f"{_count(values.shape[1])} channels were averaged.")
        values = values.mean(axis=1)
    values = _at_rate(values, found, rate, notes)
    if not np.any(values):
        notes.append("It is silent: every value is 0.")
    return np.clip(values, -1, 1).astype(np.float32), tuple(notes)


def _wav(content: bytes) -> tuple[int, np.ndarray, bool]:
    """Rate, samples, and whether all were there that the header told of."""
    from scipy.io import wavfile

    for cut in range(17):  # a sample that is cut off is dropped
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                rate, samples = wavfile.read(BytesIO(content[: len(content) - cut]))
        except ValueError as error:
            if "multiple of element size" not in str(error) and "cannot reshape" not in str(error):
                raise
            broken = error
            continue
        return rate, samples, not any("EOF" in str(warning.message) for warning in told)
    raise broken


def _fractions(samples: np.ndarray, notes: list[str]) -> np.ndarray:
    """Values from -1 to 1."""
    import numpy as np

    if samples.dtype.kind in "iu":
        half = 2.0 ** (8 * samples.dtype.itemsize - 1)
        middle = half if samples.dtype.kind == "u" else 0.0  # 8 bits are stored without a sign
        return (samples.astype(np.float64) - middle) / half
    with np.errstate(invalid="ignore"):  # one kind of NaN raises a signal
        values = samples.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        notes.append(
            f"{(~finite).sum():,} of {finite.size:,} values were not numbers (NaN or infinite) and became 0."
        )
        values = np.where(finite, values, 0.0)
    peak = np.abs(values).max()
    if peak > 1:
        values = values / peak
        notes.append(
            f"Its loudest value was {peak:.3g}; all were divided by that, so that they lie between -1 and 1."
        )
    return values


def _at_rate(values: np.ndarray, found: float, rate: int, notes: list[str]) -> np.ndarray:
    from scipy.signal import resample_poly

    if found == rate:
        return values
    ratio = Fraction(rate) / Fraction(found)
    up, down = ratio.limit_denominator(_FINEST).as_integer_ratio()
    notes.append(f"{found:,.0f} Hz became {rate:,} Hz.")
    return resample_poly(values, up, down)[: ceil(len(values) * ratio)]


def _count(number: int) -> str:
    return {2: "Two"}.get(number, f"{number}")
