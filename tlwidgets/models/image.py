"""Loading image backbones, offline, and making pictures ready for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from .records import ImageInput
from .registry import find_backbone
from .source import build

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


def load_image_backbone(
    name: str = "efficientnet-lite0", *, from_scratch: bool = False, seed: int = 0
) -> tuple[nn.Module, Callable[..., Tensor]]:
    """A pretrained image model, and the function that makes pictures ready for it (`prepare_images`).

    Ready pictures of shape (pictures, 3, 224, 224) give features of shape (pictures, 1280); the layer that
    sorted those into ImageNet's classes is `load_source_head(name)`. The model has BatchNorm inside and is in
    evaluation mode.

    With `from_scratch=True` the same architecture comes with random weights, drawn from `seed`; the caller's
    random state is left as it was. Its running statistics follow the batches faster (momentum 0.2 instead of
    0.01): otherwise statistics that still lag behind would decide the evaluation after a few hundred steps.

    Raises `UnknownBackboneError`, `MissingWeightsError`, `DamagedWeightsError`.
    """
    record = find_backbone(name, "load_image_backbone")
    return build(record, from_scratch, seed), partial(prepare_images, spec=cast(ImageInput, record.input))


def prepare_images(images: np.ndarray | Tensor | Sequence[Any], spec: ImageInput) -> Tensor:
    """Pictures as a batch (pictures, 3, size, size): the middle cut out, resized, mean and deviation taken
    off.

    `images` is one picture or several, of one size or of many: arrays or tensors (height, width, 3) of whole
    numbers from 0 to 255 or of fractions from 0 to 1; pictures of Pillow do too. To keep the borders of
    drawings, give `spec=dataclasses.replace(spec, crop=1.0)`.

    Raises:
        ValueError: a picture has another shape or other values.
    """
    import numpy as np
    import torch

    one = getattr(images, "ndim", 0) in (2, 3) or hasattr(images, "getbands")
    pictures = [images] if one else list(images)
    if not pictures:
        raise ValueError("No picture was given; at least one was expected.")
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (spec.mean, spec.std))
    return torch.stack([(_square(np.asarray(picture), spec) - mean) / std for picture in pictures])


def _square(picture: np.ndarray, spec: ImageInput) -> Tensor:
    """The middle of one picture as (3, size, size), values from 0 to 1."""
    import torch
    from torch.nn import functional as F

    pixels = torch.from_numpy(_fractions(picture))
    height, width, _ = pixels.shape
    side = max(round(min(height, width) * spec.crop), 1)
    top, left = (height - side) // 2, (width - side) // 2
    middle = pixels[top : top + side, left : left + side].permute(2, 0, 1)[None]
    size = (spec.size, spec.size)
    return F.interpolate(middle, size, mode="bicubic", align_corners=False, antialias=True)[0].clamp(0, 1)


def _fractions(picture: np.ndarray) -> np.ndarray:
    import numpy as np

    if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(
            f"A picture has shape {picture.shape}; (height, width, 3) was expected, with red, green and blue "
            "last. Repeat a grey picture three times (`numpy.stack([grey] * 3, -1)`), and put a transparent "
            "one on a background."
        )
    whole = np.issubdtype(picture.dtype, np.integer)
    top = 255 if whole else 1
    if not (np.issubdtype(picture.dtype, np.floating) or whole) or not (
        picture.min() >= 0 and picture.max() <= top
    ):
        raise ValueError(
            f"A picture of {picture.dtype} has values from {picture.min()} to {picture.max()}; whole numbers "
            "from 0 to 255 or fractions from 0 to 1 were expected. Give the pictures as they were read, "
            "before any normalisation."
        )
    return picture.astype(np.float32) / top
