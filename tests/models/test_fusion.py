"""Fusion: what is missing has no influence, whoever trains it; and what each kind can and can't learn."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.core import FreezePlan, ModelTree, apply_plan, audit
from tlwidgets.core.profile import profile
from tlwidgets.models import (
    FUSIONS,
    CrossAttentionFusion,
    EarlyFusion,
    InteractionFusion,
    LateFusion,
    fusion_models,
)
from tlwidgets.train import TaskData, fit

pytestmark = pytest.mark.slow

DIMS = {"image": 6, "text": 4, "audio": 3}
KINDS = sorted(FUSIONS)
every_kind = pytest.mark.parametrize("kind", KINDS)


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model_of(kind: str, dims=DIMS, seed: int = 0, **options) -> torch.nn.Module:
    """A model whose every weight is random: learned vectors and priors begin at zero, and would hide
    mistakes.
    """
    model = FUSIONS[kind](dims, 3, **options)
    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=random(1000 * seed + number)) / 2)
    return model.eval()


def features(examples: int = 5, tokens: int = 0, seed: int = 0) -> dict[str, torch.Tensor]:
    shape = (examples, tokens) if tokens else (examples,)
    return {name: torch.randn(*shape, dim, generator=random(seed + dim)) for name, dim in DIMS.items()}


masks = st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=6)
junk = st.sampled_from([0.0, -1e30, math.inf, -math.inf, math.nan])


@every_kind
@settings(max_examples=25, deadline=None)
@given(mask=masks, value=junk, tokens=st.integers(0, 3), seed=st.integers(0, 5))
def test_what_is_missing_has_no_influence_whatever_stands_in_its_place(kind, mask, value, tokens, seed):
    model = model_of(kind, seed=seed)
    clean = features(len(mask), tokens, seed)
    present = {name: torch.tensor(column) for name, column in zip(DIMS, zip(*mask, strict=True), strict=True)}
    dirty = {name: tensor.clone() for name, tensor in clean.items()}
    for name, tensor in dirty.items():
        tensor[~present[name]] = value
    expected, found = model(clean, present), model(dirty, present)
    assert torch.equal(expected, found) and bool(found.isfinite().all())


@every_kind
@settings(max_examples=25, deadline=None)
@given(length=st.lists(st.integers(0, 3), min_size=1, max_size=5), value=junk, seed=st.integers(0, 5))
def test_padding_tokens_have_no_influence_either(kind, length, value, seed):
    model, clean = model_of(kind, seed=seed), features(len(length), 3, seed)
    real = torch.arange(3) < torch.tensor(length)[:, None]
    dirty = {**clean, "text": clean["text"].masked_fill(~real[..., None], value)}
    assert torch.equal(model(clean, {"text": real}), model(dirty, {"text": real}))
    for example, tokens in enumerate(length):  # and are as good as not there
        one = {name: tensor[example : example + 1] for name, tensor in clean.items()}
        one["text"] = one["text"][:, :tokens] if tokens else None
        torch.testing.assert_close(model(one), model(clean, {"text": real})[example : example + 1])


@every_kind
def test_gradients_neither_come_from_nor_go_to_what_is_missing(kind):
    model, batch = model_of(kind).train(), features(4)
    present = {name: torch.tensor([name != "text", True, name == "text", False]) for name in DIMS}
    batch = {
        name: tensor.masked_fill(~present[name][:, None], math.nan).requires_grad_()
        for name, tensor in batch.items()
    }
    torch.nn.functional.cross_entropy(model(batch, present), torch.tensor([0, 1, 2, 0])).backward()
    for name, tensor in batch.items():
        assert bool((tensor.grad[~present[name]] == 0).all())
        assert bool((tensor.grad[present[name]] != 0).any())
    assert all(weight.grad is None or bool(weight.grad.isfinite().all()) for weight in model.parameters())


@every_kind
def test_an_example_without_any_modality_gets_the_prior_which_is_even_until_it_was_met(kind):
    batch, nothing = features(2), {name: torch.tensor([False, True]) for name in DIMS}
    model = model_of(kind)
    assert torch.equal(model(batch, nothing)[0], model.prior)
    assert FUSIONS[kind](DIMS, 3).eval()(batch, nothing)[0].softmax(0).tolist() == pytest.approx([1 / 3] * 3)


@every_kind
def test_each_example_is_judged_by_itself_and_each_modality_by_its_name(kind):
    model, batch = model_of(kind), features(6)
    whole = model(batch)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    torch.testing.assert_close(model({name: tensor[order] for name, tensor in batch.items()}), whole[order])
    assert torch.equal(model(dict(reversed(batch.items()))), whole)
    assert torch.equal(model(**batch), whole)  # as `fit` calls it
    changed = {**batch, "audio": batch["audio"].flip(1)}
    assert not torch.allclose(model(changed), whole)


@every_kind
@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_number_of_modalities_will_do(kind, number):
    dims = dict(list(DIMS.items())[:number])
    batch = {name: tensor for name, tensor in features(4).items() if name in dims}
    assert model_of(kind, dims)(batch).shape == (4, 3)


@every_kind
def test_how_large_numbers_are_counts_where_they_are_taken_as_they_are(kind):
    dims, values = {"age": 1, "text": 4}, torch.tensor([[-1.0], [0.5], [2.0]])
    text = torch.ones(3, 4)
    model = model_of(kind, dims, as_is=["age"])
    assert len(model(age=values, text=text).unique(dim=0)) == 3


@every_kind
def test_none_and_false_are_the_same_absence(kind):
    model, batch = model_of(kind), features(4)
    absent = {"text": torch.zeros(4, dtype=torch.bool)}
    assert torch.equal(model({**batch, "text": None}), model(batch, absent))
    assert torch.equal(model(**batch, text_present=absent["text"]), model(batch, absent))


@every_kind
def test_modality_dropout_is_for_training_alone_and_leaves_out_about_its_share(kind):
    batch = {name: tensor[:1].expand(4000, -1) for name, tensor in features(1).items()}
    model = model_of(kind, dropout=0.0, modality_dropout=0.4)
    assert len(model(batch).unique(dim=0)) == 1
    torch.manual_seed(0)
    met, counts = model.train()(batch).unique(dim=0, return_counts=True)
    sets = {}
    for subset in range(8):
        there = {name: torch.tensor([bool(subset >> place & 1)]) for place, name in enumerate(DIMS)}
        sets[subset] = model.eval()({name: tensor[:1] for name, tensor in batch.items()}, there)[0]
    for subset, logits in sets.items():
        share = sum(
            int(count)
            for row, count in zip(met, counts, strict=True)
            if torch.allclose(row, logits, atol=1e-5)
        )
        size = bin(subset).count("1")
        assert share / 4000 == pytest.approx(0.6**size * 0.4 ** (3 - size), abs=0.03)


@pytest.mark.parametrize("learn", [False, True])
def test_late_fusion_of_scores_is_their_weighted_mean_and_of_probabilities_a_mean_of_those(learn):
    batch = features(4)
    present = {"text": torch.tensor([True, False, True, False])}
    for combine in ("logits", "probabilities"):
        model = model_of("late", combine=combine, learn_weights=learn)
        weights = model.weights.exp() if learn else torch.ones(3)
        for example in range(4):
            names = [name for name in DIMS if name != "text" or present["text"][example]]
            share = torch.stack([weights[list(DIMS).index(name)] for name in names])
            share = share / share.sum()
            scores = torch.stack([model.heads[name](batch[name][example]) for name in names])
            by_hand = {
                "logits": share @ scores,
                "probabilities": (share @ scores.softmax(1)).log(),
            }[combine]
            torch.testing.assert_close(model(batch, present)[example], by_hand)


def test_late_fusion_trusts_the_one_that_is_there_however_little_it_counted():
    model, batch = model_of("late", learn_weights=True), features(2)
    with torch.no_grad():
        model.weights.copy_(torch.tensor([0.0, -200.0, 0.0]))
    alone = {**batch, "image": None, "audio": None}
    torch.testing.assert_close(model(alone), model.heads["text"](batch["text"]))


def test_cross_attention_weighs_what_is_there_and_nothing_else():
    model, batch = model_of("cross-attention"), features(3, tokens=2)
    weights = model.weights_of("image", batch, {"audio": torch.tensor([True, False, True])})
    assert weights.shape == (3, 2, 1 + 4)  # the learned token, two of text, two of audio
    torch.testing.assert_close(weights.sum(2), torch.ones(3, 2))
    assert bool((weights[1, :, 3:] == 0).all()) and bool((weights[0] > 0).all())
    with pytest.raises(ValueError, match="'smell'. Expected one of 'image', 'text', 'audio'"):
        model.weights_of("smell", batch)


def exclusive_or(number: int, seed: int) -> dict[str, torch.Tensor]:
    """Two modalities, a sign each, with noise: the class is whether they agree. Each alone says nothing."""
    signs = torch.randint(0, 2, (2, number), generator=random(seed)) * 2 - 1
    noise = torch.randn(2, number, 4, generator=random(seed + 1))
    left, right = (noise * 0.3 + signs[..., None] * torch.tensor([1.0, -1.0, 0.5, 0.0])).unbind()
    return {"words": left, "voice": right, "labels": (signs[0] == signs[1]).long()}


@pytest.mark.parametrize("kind", KINDS)
def test_whether_two_agree_is_learned_by_all_but_late_fusion(kind):
    torch.manual_seed(0)
    model = FUSIONS[kind]({"words": 4, "voice": 4}, 2, dropout=0.0)
    data = TaskData(exclusive_or(512, 0), test=exclusive_or(512, 10))
    run = fit(model, None, data, epochs=20, lr=1e-2, device="cpu", trace=False)
    if kind == "late":
        assert run.test_accuracy < 0.8  # sums of evidence get three of the four cases right at most
    else:
        assert run.test_accuracy > 0.95


@every_kind
def test_fit_with_missing_modalities_and_a_loop_of_ones_own_both_train(kind):
    examples = exclusive_or(96, 0)
    examples["voice_present"] = torch.rand(96, generator=random(3)) > 0.3
    examples["voice"] = examples["voice"].masked_fill(~examples["voice_present"][:, None], math.nan)
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        model = FUSIONS[kind]({"words": 4, "voice": 4}, 2, modality_dropout=0.2)
        runs.append((fit(model, None, TaskData(examples, test=examples), epochs=2, device="cpu"), model))
    (run, model), (again, other) = runs
    assert run.curves.loss == again.curves.loss and run.status == "finished"
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))

    inputs = {name: examples[name] for name in ("words", "voice")}
    present = {"voice": examples["voice_present"]}
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(model(inputs, present), examples["labels"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


@every_kind
def test_a_frozen_part_stays_to_the_bit_and_the_rest_learns(kind):
    torch.manual_seed(0)
    model = FUSIONS[kind]({"words": 4, "voice": 4}, 2, modality_dropout=0.2)
    tree = ModelTree.of(model)
    frozen = {"early": "hidden", "late": "heads.words", "interaction": "factors.words"}.get(
        kind, "projections.words"
    )
    plan = FreezePlan.preset(tree, "full").with_policy(frozen, "frozen")
    apply_plan(model, plan)
    watch = audit(model, plan)
    fit(model, plan, exclusive_or(64, 0), epochs=2, device="cpu")
    report = watch.report()
    assert report.ok, str(report)
    assert set(report.moved) == plan.trainable
    assert not any(name.startswith(frozen) for name in report.moved)


@every_kind
def test_the_tree_shows_a_head_and_the_cost_is_measured(kind):
    model, batch = model_of(kind), features(4)
    tree = ModelTree.of(model)
    assert tree.head and tree.total == sum(weight.numel() for weight in model.parameters())
    assert profile(model, batch) is not None


def test_features_below_what_learns_are_cached_as_in_any_model():
    torch.manual_seed(0)
    model = InteractionFusion({"words": 4, "voice": 4}, 2)
    plan = FreezePlan.preset(model, "feature-extraction")
    data = exclusive_or(64, 0)
    with_cache = fit(model, plan, data, epochs=2, device="cpu")
    torch.manual_seed(0)
    model = InteractionFusion({"words": 4, "voice": 4}, 2)
    without = fit(
        model,
        FreezePlan.preset(model, "feature-extraction"),
        data,
        epochs=2,
        device="cpu",
        cache=False,
    )
    assert with_cache.cached, with_cache.cache
    assert with_cache.curves.loss == without.curves.loss


@pytest.mark.parametrize(
    "dims", [{"image": 1280, "text": 384}, {"image": 64, "text": 32, "audio": 16}, {"text": 384}]
)
def test_four_models_of_about_one_size(dims):
    budget = 40 * sum(dims.values())
    before = torch.get_rng_state()
    models = fusion_models(dims, 5, budget=budget)
    assert torch.equal(before, torch.get_rng_state())
    sizes = {name: sum(weight.numel() for weight in model.parameters()) for name, model in models.items()}
    assert set(sizes) == set(KINDS)
    assert all(0.88 * budget <= size <= budget for size in sizes.values()), sizes
    for name, model in fusion_models(dims, 5, budget=budget).items():
        assert all(
            torch.equal(a, b) for a, b in zip(model.parameters(), models[name].parameters(), strict=True)
        )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: EarlyFusion({}, 2), "at least one modality"),
        (lambda: EarlyFusion({"a.b": 2}, 2), "cannot name a modality"),
        (lambda: EarlyFusion({"values": 2}, 2), "cannot name a modality"),
        (lambda: EarlyFusion({"copy": 2}, 2), "cannot name a modality"),
        (lambda: EarlyFusion({"labels": 2}, 2), "cannot name a modality"),
        (lambda: EarlyFusion({"x_present": 2}, 2), "cannot name a modality"),
        (lambda: EarlyFusion({"image": 0}, 2), "width of 'image'"),
        (lambda: EarlyFusion({"image": 2}, 1), "classes is 1"),
        (lambda: EarlyFusion({"image": 2}, 2, dropout=1.0), "dropout is 1.0"),
        (lambda: EarlyFusion({"image": 2}, 2, modality_dropout=-0.1), "modality_dropout is -0.1"),
        (lambda: EarlyFusion({"age": 1}, 2), "'age' is a single number"),
        (lambda: EarlyFusion({"age": 1}, 2, as_is=["aeg"]), "as_is is"),
        (lambda: EarlyFusion({"age": 1}, 2, as_is="age"), "as_is is"),
        (lambda: LateFusion({"image": 2}, 2, combine="votes"), "combine is 'votes'"),
        (lambda: CrossAttentionFusion({"image": 2}, 2, width=5), "share equally"),
        (lambda: fusion_models({"image": 1280}, 2, budget=100), "budget is 100 parameters"),
        (lambda: model_of("early")({"image": torch.ones(2, 6)}), "'text' is not there"),
        (lambda: model_of("early")({**features(), "smell": torch.ones(5, 2)}), "there is 'smell'"),
        (lambda: model_of("early")(features(), {"smell": torch.ones(5)}), "there is 'smell'"),
        (lambda: model_of("early")({**features(), "text": torch.ones(5, 9)}), "'text' has shape"),
        (lambda: model_of("early")({**features(), "text": torch.ones(4, 4)}), "'text' has shape"),
        (lambda: model_of("early")(dict.fromkeys(DIMS)), "No modality has a tensor"),
        (lambda: model_of("early")(features(), {"text": torch.ones(5)}), "Expected bool"),
        (lambda: model_of("early")(features(), {"text": torch.ones(4, dtype=torch.bool)}), "Expected bool"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_features_come_in_one_way_at_a_time():
    with pytest.raises(TypeError, match="one of the two"):
        model_of("early")(features(), text=torch.ones(5, 4))
