"""Modalities are switched one by one, repeatably, and measured without touching the model."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.widgets.pairs import Late
from tlwidgets.train import MODES, measure_modes, switch_modalities, wilson_interval


def features(examples: int = 40, seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {
        "text": torch.randn(examples, 6, generator=draw) * 3 + 1,
        "audio": torch.randn(examples, 5, 4, generator=draw),
    }


def late() -> Late:
    torch.manual_seed(0)
    return Late({"text": 6, "audio": 4}, 2)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["text", "audio"]), st.sampled_from(MODES)), st.integers(0, 5))
def test_what_is_on_stays_and_the_same_seed_gives_the_same(modes, seed):
    given_features = features()
    before = {name: tensor.clone() for name, tensor in given_features.items()}
    switched, present = switch_modalities(given_features, modes, seed=seed)
    again, _ = switch_modalities(given_features, modes, seed=seed)
    for name, tensor in given_features.items():
        mode = modes.get(name, "on")
        assert torch.equal(tensor, before[name]), "what was given is left alone"
        assert switched[name].shape == tensor.shape and torch.equal(switched[name], again[name])
        assert torch.equal(switched[name], tensor) == (mode == "on")
        assert present[name].dtype == torch.bool and present[name].tolist() == [mode != "missing"] * 40
        assert (not switched[name].any()) == (mode in ("off", "missing"))
        alone, _ = switch_modalities(given_features, {name: mode}, seed=seed)
        assert torch.equal(alone[name], switched[name]), "another modality's mode changes nothing"


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(0, 1000))
def test_shuffling_gives_every_example_another_one_s(examples, seed):
    numbers = torch.arange(float(examples))[:, None]
    shuffled = switch_modalities({"text": numbers}, {"text": "shuffled"}, seed=seed)[0]["text"]
    assert sorted(shuffled[:, 0].tolist()) == numbers[:, 0].tolist()
    assert examples == 1 or not (shuffled == numbers).any()


def test_noise_has_the_modality_s_own_mean_and_deviation_in_each_column():
    draw = torch.Generator().manual_seed(1)
    spread = torch.tensor([0.0, 1.0, 20.0])
    tensor = torch.randn(4000, 2, 3, generator=draw) * spread + torch.tensor([5.0, 0.0, -40.0])
    noise = switch_modalities({"audio": tensor}, {"audio": "noise"})[0]["audio"]
    assert torch.allclose(noise.mean((0, 1)), torch.tensor([5.0, 0.0, -40.0]), atol=1.0)
    assert torch.allclose(noise.std((0, 1)), spread, rtol=0.05)
    related = torch.corrcoef(torch.stack([noise[..., 2].flatten(), tensor[..., 2].flatten()]))[0, 1]
    assert abs(related) < 0.05


def test_what_is_padding_stays_padding_moves_with_its_example_and_has_no_share_in_the_noise():
    tensor, lengths = torch.full((30, 4, 2), 1000.0), torch.arange(30) % 4 + 1
    mask = torch.arange(4) < lengths[:, None]
    tensor[mask] = torch.randn(int(mask.sum()), 2, generator=torch.Generator().manual_seed(0))
    given_features, given_mask = {"text": tensor}, {"text": mask}
    noise, there = switch_modalities(given_features, {"text": "noise"}, present=given_mask)
    assert noise["text"].abs().max() < 10 and torch.equal(there["text"], mask)
    shuffled, there = switch_modalities(given_features, {"text": "shuffled"}, present=given_mask)
    assert not torch.equal(there["text"], mask)
    assert torch.equal(shuffled["text"][..., 0] == 1000, ~there["text"])
    _, there = switch_modalities(given_features, {"text": "missing"}, present=given_mask)
    assert there["text"].shape == mask.shape and not there["text"].any()
    with pytest.raises(ValueError, match=r"present..text.. has shape \(30, 3\)"):
        switch_modalities(given_features, {}, present={"text": mask[:, 1:]})


def test_a_measurement_is_the_share_that_the_model_itself_gets_right_and_leaves_it_as_it_was():
    model, given_features = late(), features()
    labels = given_features["text"][:, 0].gt(1).long()
    model.heads["audio"].eval()
    before = [module.training for module in model.modules()]
    on, missing = measure_modes(model, given_features, labels, [{}, {"audio": "missing"}], batch_size=7)
    assert [module.training for module in model.modules()] == before
    model.eval()
    answers = model(given_features).argmax(1)
    assert on.answers == tuple(answers.tolist())
    assert on.right == (answers == labels).sum() and on.accuracy == on.right / 40
    alone = model.heads["text"](given_features["text"]).argmax(1)
    assert missing.answers == tuple(alone.tolist()), "a missing modality has no say"
    assert [of for _, of in on.per_class] == labels.bincount().tolist()
    assert sum(right for right, _ in on.per_class) == on.right
    assert on.confusion[1][0] == ((labels == 1) & (answers == 0)).sum()
    low, high = on.interval
    assert low < on.accuracy < high


@settings(deadline=None)
@given(st.integers(1, 500), st.data())
def test_wilsons_interval_holds_the_share_and_stays_a_share(of, data):
    right = data.draw(st.integers(0, of))
    low, high = wilson_interval(right, of)
    assert 0 <= low <= right / of <= high <= 1 and low < high


def test_wilsons_interval_is_the_published_one():
    from scipy.stats import binomtest

    expected = binomtest(81, 263).proportion_ci(0.95, method="wilson")
    assert wilson_interval(81, 263) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_what_does_not_fit_gets_a_sentence():
    given_features = features()
    labels = torch.zeros(40, dtype=torch.long)
    with pytest.raises(ValueError, match="no modality 'smell'. Expected one of text, audio"):
        switch_modalities(given_features, {"smell": "off"})
    with pytest.raises(ValueError, match="'audio' has no mode 'loud'. Expected one of on, off"):
        switch_modalities(given_features, {"audio": "loud"})
    with pytest.raises(ValueError, match="There are no features"):
        switch_modalities({}, {})
    with pytest.raises(ValueError, match=r"are \(40,\). Expected a float tensor"):
        switch_modalities({"text": torch.zeros(40)}, {})
    with pytest.raises(ValueError, match="'audio' has 39 examples, others 40"):
        switch_modalities({**given_features, "audio": given_features["audio"][1:]}, {})
    with pytest.raises(ValueError, match="39 labels and 40 examples of 'text'"):
        measure_modes(late(), given_features, labels[1:], [{}])
    with pytest.raises(ValueError, match="class numbers, one for each example"):
        measure_modes(late(), given_features, labels.float(), [{}])
    with pytest.raises(ValueError, match="logits for 2 classes, and the labels go from 0 to 7"):
        measure_modes(late(), given_features, labels + torch.arange(40) % 8, [{}])
    with pytest.raises(ValueError, match="With text on the model gives logits that are not finite"):
        measure_modes(
            late(), {**given_features, "text": torch.full((40, 6), torch.inf)}, labels, [{"text": "on"}]
        )
    with pytest.raises(ValueError, match=r"For 40 examples the model gives \(6,\)"):
        measure_modes(Odd(), given_features, labels, [{}])
    with pytest.raises(ValueError, match="5 of 4 is not a share"):
        wilson_interval(5, 4)


class Odd(nn.Module):
    def forward(self, features, present=None):
        return features["text"].mean(0)
