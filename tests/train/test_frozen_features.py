"""Features of a frozen model are the model's own output, computed once, and nothing of the model changes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.train.feature_tasks import bottleneck
from tlwidgets.train import FeatureCache, frozen_features, progress_listener
from tlwidgets.train.features import extract
from tlwidgets.train.features.key import model_key

IMAGES = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)


def prepared(images: np.ndarray, dark: float = 0.0) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - dark


class Counting(nn.Module):
    """The model, and how many examples it met."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.met = bottleneck(), []

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.met.append(len(batch))
        return self.model(batch)


def test_they_are_the_models_own_output_and_the_model_is_as_it_was():
    model = bottleneck().train()
    model[0].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    features = frozen_features(model, IMAGES, prepared)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert all(weight.requires_grad for weight in model.parameters()) and not features.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(features, model.eval()(prepared(IMAGES)))


def test_a_second_time_and_in_another_session_nothing_is_computed(tmp_path):
    first, again = Counting(), Counting()
    kept = frozen_features(first, IMAGES, prepared, cache=FeatureCache(tmp_path, keep=True))
    found = frozen_features(again, IMAGES, prepared, cache=FeatureCache(tmp_path, keep=True))
    assert sum(first.met) == len(IMAGES) and again.met == [] and torch.equal(kept, found)


class Beside(Counting):
    """The same model where sums end in other bits, as with another number of threads; `first` is done while
    it computes."""

    def __init__(self, off: float, *first) -> None:
        super().__init__()
        self.off, self.first = off, list(first)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        while self.first:
            self.first.pop()()
        return super().forward(batch) + self.off


def test_of_two_at_once_both_get_what_the_quicker_one_kept(tmp_path, monkeypatch):
    def features(model: Beside) -> torch.Tensor:
        return frozen_features(model, IMAGES, prepared, cache=FeatureCache(tmp_path, keep=True))

    monkeypatch.setattr(extract, "_key", lambda *_: "the-same-model")
    quicker = []
    slower = features(Beside(1e-3, lambda: quicker.append(features(Beside(0.0)))))
    assert torch.equal(slower, quicker[0])


def test_functions_are_known_by_what_they_do_not_by_where_they_are(tmp_path):
    def darker(dark: float):
        inner = partial(prepared, dark=dark)
        return lambda images: inner(images)

    cache = FeatureCache(tmp_path)
    for dark, computed in ((0.1, True), (0.1, False), (0.2, True)):
        model = Counting()
        frozen_features(model, IMAGES, darker(dark), cache=cache)
        assert bool(model.met) == computed


@pytest.mark.parametrize(
    "change",
    [
        lambda model: (model, IMAGES[::-1].copy(), prepared, None),
        lambda model: (model, IMAGES, partial(prepared, dark=0.5), None),
        lambda model: (model, IMAGES, prepared, lambda out: out.relu()),
        lambda model: (_nudged(model), IMAGES, prepared, None),
    ],
    ids=["examples", "preparation", "after", "weights"],
)
def test_whatever_changes_they_are_computed_anew(tmp_path, change):
    cache = FeatureCache(tmp_path)
    frozen_features(Counting(), IMAGES, prepared, cache=cache)
    model, examples, prepare, after = change(Counting())
    frozen_features(model, examples, prepare, after=after, cache=cache)
    assert sum(model.met) == len(IMAGES)


def _nudged(model: Counting) -> Counting:
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1
    return model


def test_where_they_cannot_be_kept_they_are_computed_all_the_same(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = FeatureCache(tmp_path / "file", keep=True)
    features = frozen_features(bottleneck(), IMAGES, prepared, cache=cache)
    torch.testing.assert_close(features, frozen_features(bottleneck(), IMAGES, prepared))


def test_progress_goes_to_the_end_and_no_examples_get_a_sentence():
    told = []
    with progress_listener(lambda done, total, words: told.append((done, total))):
        frozen_features(bottleneck(), IMAGES, prepared)
    assert told[-1] == (len(IMAGES), len(IMAGES)) and told == sorted(told)
    cache = FeatureCache()
    frozen_features(bottleneck(), IMAGES, prepared, cache=cache)
    with progress_listener(lambda *one: told.append(one)):
        frozen_features(bottleneck(), IMAGES, prepared, cache=cache)
    assert told[-1] == (len(IMAGES), len(IMAGES), "examples, kept from before")
    with pytest.raises(ValueError, match="at least"):
        frozen_features(bottleneck(), IMAGES[:0], prepared)


def in_place(tensor: torch.Tensor) -> None:
    with torch.no_grad():
        tensor.add_(1)


def behind_its_back(tensor: torch.Tensor) -> None:
    """Its version stays what it was."""
    tensor.data.add_(1)


def through_numpy(tensor: torch.Tensor) -> None:
    tensor.detach().numpy()[...] += 1


def other_storage(tensor: torch.Tensor) -> None:
    tensor.data = tensor.data + 1


def by_a_fused_optimizer(tensor: torch.Tensor) -> None:
    weight = nn.Parameter(tensor.detach())  # the same memory
    weight.grad = torch.ones_like(weight)
    torch.optim.AdamW([weight], lr=0.1, fused=True).step()


WRITES = [in_place, behind_its_back, through_numpy, other_storage, by_a_fused_optimizer]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.lists(st.sampled_from(WRITES), min_size=1, max_size=3))
def test_whatever_is_written_into_a_weight_or_buffer_changes_the_models_key(which, writes):
    model = bottleneck().requires_grad_(False).eval()
    keys, kept = [model_key(model)], {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tensors = [tensor for tensor in (*model.parameters(), *model.buffers()) if tensor.is_floating_point()]
    for write in writes:
        write(tensors[which % len(tensors)])
        keys.append(model_key(model))
    assert len(set(keys)) == len(keys)
    model.load_state_dict(kept)
    assert model_key(model) == keys[0]


def test_a_weight_that_is_replaced_changes_the_models_key():
    model = bottleneck().requires_grad_(False).eval()
    before, (name, weight) = model_key(model), next(iter(model.named_parameters()))
    place, _, last = name.rpartition(".")
    setattr(model.get_submodule(place), last, nn.Parameter(weight + 1, requires_grad=False))
    assert model_key(model) != before
