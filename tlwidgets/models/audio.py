"""Loading audio backbones, offline, and making sounds ready for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from .records import AudioInput
from .registry import find_backbone
from .source import build

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


def load_audio_backbone(
    name: str = "crepe-tiny", *, from_scratch: bool = False, seed: int = 0
) -> tuple[nn.Module, Callable[..., Tensor]]:
    """A pretrained audio model, and the function that makes sounds ready for it (`prepare_sounds`).

    Windows of shape (sounds, windows, 1024) give features of shape (sounds, windows, 256); the layer that
    computed the pitch from those is `load_source_head(name)`, and `pitch_in_hertz` reads its output. The
    model has BatchNorm inside and is in evaluation mode.

    With `from_scratch=True` the same architecture comes with random weights, drawn from `seed`; the caller's
    random state is left as it was. Its running statistics follow the batches faster (momentum 0.2 instead of
    0.01).

    Raises `UnknownBackboneError`, `MissingWeightsError`, `DamagedWeightsError`.
    """
    record = find_backbone(name, "load_audio_backbone")
    return build(record, from_scratch, seed), partial(prepare_sounds, spec=cast(AudioInput, record.input))


def prepare_sounds(
    waves: np.ndarray | Tensor, sample_rate: int | None = None, *, spec: AudioInput, hop: int | None = None
) -> Tensor:
    """Sounds as windows (sounds, windows, 1024), the n-th around sample n x hop, each of mean 0 and deviation
    1.

    `waves` has shape (samples,) or (sounds, samples), and `sample_rate` samples a second (the model's own by
    default; another is resampled). Before and after a sound there is silence. `hop` is how many of the
    model's samples lie from one window to the next (10 ms by default).

    Raises:
        ValueError: another shape, values that are not numbers, or a rate or hop that is not positive.
    """
    import numpy as np
    import torch
    from torch.nn import functional as F

    hop, rate = spec.hop if hop is None else hop, spec.sample_rate if sample_rate is None else sample_rate
    for what, value in (("sample rate", rate), ("hop", hop)):
        if value != int(value) or value < 1:
            raise ValueError(f"The {what} is {value}; a whole number of at least 1 was expected.")
    sound = np.atleast_2d(np.asarray(waves, dtype=np.float32))
    if sound.ndim != 2 or not sound.size:
        raise ValueError(
            f"The sounds have shape {np.shape(waves)}; (samples,) or (sounds, samples) was expected. Average "
            "the channels of a stereo sound first."
        )
    if not np.isfinite(sound).all():
        raise ValueError(
            "The sounds hold values that are not numbers (NaN or infinite); repair or drop them first."
        )
    if rate != spec.sample_rate:
        from scipy.signal import resample_poly

        divisor = np.gcd(int(rate), spec.sample_rate)
        sound = resample_poly(sound, spec.sample_rate // divisor, int(rate) // divisor, axis=1)
    padded = F.pad(torch.from_numpy(np.ascontiguousarray(sound)), (spec.window // 2, spec.window // 2))
    windows = padded.unfold(1, spec.window, int(hop))
    centred = windows - windows.mean(2, keepdim=True)
    return centred / centred.std(2, keepdim=True).clamp(min=1e-10)
