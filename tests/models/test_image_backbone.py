"""The image backbone is EfficientNet-Lite0 as published, and its pictures are made ready as it was
trained.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from tlwidgets.models import (
    BACKBONES,
    ImageClassifier,
    checked_folder,
    load_image_backbone,
    load_source_head,
    prepare_images,
)

pytestmark = pytest.mark.slow

RECORD = BACKBONES["efficientnet-lite0"]
# ImageNet's classes are numbered in the order of their WordNet ids (ILSVRC 2012): n03877845, n11939491.
PALACE, DAISY = 698, 985


@pytest.fixture(scope="module")
def loaded():
    return load_image_backbone()


@pytest.fixture(scope="module")
def photographs():
    return [load_sample_image("china.jpg"), load_sample_image("flower.jpg")]


def test_a_backbone_is_what_its_record_says(loaded):
    model, prepare = loaded
    assert sum(p.numel() for p in model.parameters()) == RECORD.parameters
    assert len(model.blocks) == RECORD.layers
    assert not any(module.training for module in model.modules())
    pictures = prepare(np.zeros((50, 40, 3), np.uint8))
    assert pictures.shape == (1, 3, RECORD.input.size, RECORD.input.size)
    with torch.no_grad():
        assert model(pictures).shape == (1, RECORD.hidden_size)


def test_loading_writes_nothing_to_either_stream(capfd):
    load_image_backbone()
    load_image_backbone(from_scratch=True)
    load_source_head("efficientnet-lite0")
    assert capfd.readouterr() == ("", "")


def test_it_knows_a_palace_from_a_daisy(loaded, photographs):
    model, prepare = loaded
    classifier = ImageClassifier(model, load_source_head("efficientnet-lite0"))
    with torch.no_grad():
        scores = classifier(prepare(photographs))
    assert scores.shape == (2, 1000)
    assert scores.argmax(1).tolist() == [PALACE, DAISY]
    assert DAISY not in scores[0].topk(5).indices and PALACE not in scores[1].topk(5).indices


def test_scores_are_those_of_the_implementation_that_the_weights_were_made_with(loaded, photographs):
    from efficientnet_lite_pytorch import EfficientNet

    model, prepare = loaded
    theirs = EfficientNet.from_name("efficientnet-lite0").eval()
    path = checked_folder(RECORD) / RECORD.files[0].path
    theirs.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    pictures = torch.cat(
        [prepare(photographs), torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))]
    )
    with torch.no_grad():
        features = model(pictures)
        torch.testing.assert_close(
            theirs.extract_features(pictures).mean((2, 3)), features, rtol=1e-4, atol=1e-4
        )
        ours = load_source_head("efficientnet-lite0")(features)
        torch.testing.assert_close(theirs(pictures), ours, rtol=1e-4, atol=1e-4)


def test_from_scratch_is_the_same_architecture_with_weights_that_only_the_seed_decides(loaded):
    pretrained, _ = loaded
    state = torch.get_rng_state()
    first, _ = load_image_backbone(from_scratch=True, seed=3)
    again, _ = load_image_backbone(from_scratch=True, seed=3)
    other, _ = load_image_backbone(from_scratch=True, seed=4)
    load_image_backbone()
    assert torch.equal(state, torch.get_rng_state())
    shapes = {name: tensor.shape for name, tensor in pretrained.state_dict().items()}
    assert shapes == {name: tensor.shape for name, tensor in first.state_dict().items()}
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.stem.conv.weight, other.stem.conv.weight)
    assert not torch.equal(first.stem.conv.weight, pretrained.stem.conv.weight)


def test_pictures_come_out_the_same_however_they_are_given(loaded, photographs):
    _, prepare = loaded
    photograph = photographs[0]
    expected = prepare([photograph])
    for other in (
        photograph,
        torch.from_numpy(photograph.copy()),
        photograph[None],
        photograph.astype(np.float32) / 255,
    ):
        assert torch.equal(prepare(other), expected)


def test_values_are_those_of_the_training():
    """A picture of one colour keeps it: no resizing touches it, and black and white lie where the builder has
    them.
    """
    for value, expected in ((0, -127 / 128), (255, 1.0), (127, 0.0)):
        pictures = prepare_images(np.full((300, 260, 3), value, np.uint8), RECORD.input)
        torch.testing.assert_close(pictures, torch.full((1, 3, 224, 224), expected), rtol=0, atol=1e-5)


def test_the_middle_is_what_is_seen_and_borders_only_when_asked_for():
    framed = np.zeros((512, 256, 3), np.uint8)
    framed[144:368, 16:240] = 255  # the middle seven eighths of the shorter side
    middle = prepare_images(framed, RECORD.input)
    assert (middle == middle.max()).all()
    whole = prepare_images(framed, dataclasses.replace(RECORD.input, crop=1.0))
    assert whole[0, 0, 0, 0] < 0 < whole[0, 0, 112, 112]


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.zeros((8, 8), np.uint8), r"shape \(8, 8\).*Repeat a grey picture"),
        (np.zeros((8, 8, 4), np.uint8), r"shape \(8, 8, 4\).*background"),
        (np.zeros((3, 8, 8), np.uint8), r"shape \(3, 8, 8\).*last"),
        (np.full((8, 8, 3), 200.0), "from 200.0 to 200.0.*before any normalisation"),
        (np.full((8, 8, 3), -1.0), "before any normalisation"),
        (np.full((8, 8, 3), np.nan), "before any normalisation"),
        (np.full((8, 8, 3), 256), "whole numbers from 0 to 255"),
        ([], "No picture was given"),
    ],
)
def test_what_is_not_a_picture_gets_a_sentence(loaded, picture, sentence):
    with pytest.raises(ValueError, match=sentence):
        loaded[1](picture)
