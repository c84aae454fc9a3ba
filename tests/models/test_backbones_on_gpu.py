"""On a GPU every backbone gives what it gives on a CPU, where its values are held against what was
published.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tlwidgets.models import (
    load_audio_backbone,
    load_image_backbone,
    load_language_model,
    load_text_backbone,
)

pytestmark = pytest.mark.slow


def text():
    model, tokenizer = load_text_backbone()
    inputs = tokenizer(["It's so sunny outside!", "He drove."], padding=True, return_tensors="pt")
    return model, dict(inputs), lambda found: found.last_hidden_state


def language():
    model, tokenizer = load_language_model()
    return (
        model,
        dict(tokenizer("The capital of France is", return_tensors="pt")),
        lambda found: found.logits,
    )


def image():
    model, prepare = load_image_backbone()
    picture = np.random.default_rng(0).integers(0, 256, (240, 300, 3), dtype=np.uint8)
    return model, prepare(picture), lambda found: found


def audio():
    model, prepare = load_audio_backbone()
    return model, prepare(torch.sin(torch.arange(8_000) / 12)), lambda found: found


@pytest.mark.gpu
@pytest.mark.parametrize("make", [text, language, image, audio])
def test_a_backbone_gives_the_same_on_a_gpu(make, device="cuda"):
    model, inputs, values = make()

    def run(device):
        model.to(device)
        moved = inputs.to(device) if torch.is_tensor(inputs) else {k: v.to(device) for k, v in inputs.items()}
        with (
            torch.no_grad(),
            torch.backends.cudnn.flags(allow_tf32=False),
        ):  # its 10 bits are fewer than a CPU's
            return values(model(**moved) if isinstance(moved, dict) else model(moved)).cpu()

    expected = run("cpu")
    scale = float(expected.abs().max())
    torch.testing.assert_close(run(device), expected, rtol=1e-3, atol=1e-3 * scale)
