"""Contrastive training: what is of one object is never told apart, and only projections learn."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from tlwidgets.core import FreezePlan, ModelTree, audit
from tlwidgets.models import SharedSpace
from tlwidgets.train import (
    Control,
    EpochEnded,
    Stepped,
    contrastive_loss,
    fit_contrastive,
    fork,
    info_nce,
    retrieval,
)

pytestmark = pytest.mark.slow

DIMS = {"image": 12, "text": 10, "audio": 8}


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def points(number: int, seed: int, width: int = 6) -> torch.Tensor:
    return F.normalize(random(number, width, seed=seed), dim=1)


def world(objects: torch.Tensor, seed: int = 0) -> dict[str, torch.Tensor]:
    """Features of each object in three modalities: one hidden vector, seen through three mixings, with
    noise."""
    hidden = random(1000, 5, seed=99)[objects]
    return {
        name: hidden @ random(5, dim, seed=dim) + 0.1 * random(len(objects), dim, seed=seed + dim)
        for name, dim in DIMS.items()
    }


def fast(space, pairs, **options):
    return fit_contrastive(space, pairs, **{"epochs": 3, "batch_size": 32, "device": "cpu", **options})


# -- the loss ------------------------------------------------------------------------------------------------


def test_with_all_objects_different_the_loss_is_two_cross_entropies_by_hand():
    left, right, scale = points(4, 0), points(4, 1), 5.0
    total = 0.0
    for i in range(4):
        scores = [scale * float(left[i] @ right[j]) for j in range(4)]
        back = [scale * float(left[j] @ right[i]) for j in range(4)]
        for row in (scores, back):
            total += math.log(sum(math.exp(score) for score in row)) - row[i]
    expected = total / 8
    assert float(info_nce(left, right, scale)) == pytest.approx(expected, rel=1e-5)
    assert float(info_nce(left, right, scale, torch.tensor([7, 3, 5, 1]))) == pytest.approx(
        expected, rel=1e-5
    )
    scores = scale * left @ right.T
    diagonal = torch.arange(4)
    by_torch = (F.cross_entropy(scores, diagonal) + F.cross_entropy(scores.T, diagonal)) / 2
    torch.testing.assert_close(info_nce(left, right, scale), by_torch)


@settings(max_examples=40, deadline=None)
@given(objects=st.lists(st.integers(0, 4), min_size=1, max_size=9), seed=st.integers(0, 20))
def test_the_order_of_examples_the_numbers_of_objects_and_the_side_do_not_matter(objects, seed):
    numbers = torch.tensor(objects)
    left, right = points(len(objects), seed), points(len(objects), seed + 100)
    loss = info_nce(left, right, 8.0, numbers)
    order = torch.randperm(len(objects), generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(info_nce(left[order], right[order], 8.0, numbers[order]), loss)
    torch.testing.assert_close(info_nce(left, right, 8.0, 50 - 3 * numbers), loss)
    torch.testing.assert_close(info_nce(right, left, 8.0, numbers), loss)
    if len(set(objects)) == len(objects):
        torch.testing.assert_close(info_nce(left, right, 8.0), loss)


def test_duplicates_are_pulled_together_where_the_diagonal_alone_would_push_them_apart():
    objects = torch.tensor([0, 0, 1])
    left, right = points(3, 0), points(3, 1)

    def push(objects):  # how the loss changes with the score of the first example and the second
        scores = (5.0 * left @ right.T).requires_grad_()
        info_nce(scores, torch.eye(3), 1.0, objects).backward()
        return float(scores.grad[0, 1])

    assert push(None) > 0 and push(torch.arange(3)) > 0
    assert push(objects) < 0
    grown = torch.eye(3)[:, :2][
        [0, 0, 1]
    ]  # both of object 0 in one point, object 1 elsewhere: as good as it gets
    assert float(info_nce(grown, grown, 100.0, objects)) == pytest.approx(2 / 3 * math.log(2), abs=1e-4)
    assert float(info_nce(grown, grown, 100.0, objects)) < float(info_nce(left, right, 100.0, objects))


def test_a_pair_s_loss_is_over_the_examples_that_have_both_and_ignores_the_others():
    space = SharedSpace(DIMS).eval()
    features, objects = world(torch.arange(6)), torch.arange(6)
    there = {
        "image": torch.tensor([1, 1, 1, 0, 0, 0]).bool(),
        "audio": torch.tensor([0, 0, 0, 1, 1, 1]).bool(),
    }
    noise = {
        name: tensor.masked_fill(~there[name][:, None], math.nan) if name in there else tensor
        for name, tensor in features.items()
    }
    loss = contrastive_loss(space(noise, there), objects, pairs=((0, 1), (2, 1)))
    image, text, audio = (space.embed(name, features[name]) for name in DIMS)
    first = info_nce(image[:3], text[:3], space.scale, objects[:3])
    second = info_nce(audio[3:], text[3:], space.scale, objects[3:])
    torch.testing.assert_close(loss, (first + second) / 2)
    none_has_both = contrastive_loss(space(noise, there), objects, pairs=((0, 2),))
    assert float(none_has_both.detach()) == 0


# -- the space -----------------------------------------------------------------------------------------------


def test_points_lie_on_the_unit_sphere_and_the_temperature_begins_as_published():
    space, features = SharedSpace(DIMS), world(torch.arange(5))
    assert float(space.scale.detach()) == pytest.approx(1 / 0.07)
    for name, tensor in features.items():
        torch.testing.assert_close(space.points(name, tensor).norm(dim=1), torch.ones(5))
    torch.testing.assert_close(space(features).norm(dim=2), space.scale.sqrt().expand(5, 3))


@pytest.mark.parametrize("log_scale", [-20.0, 0.0, 4.0, 30.0])
def test_the_temperature_stays_above_a_hundredth_and_can_come_back(log_scale):
    space = SharedSpace({"image": 12, "text": 10}).train()
    with torch.no_grad():
        space.log_scale.fill_(log_scale)
    assert 0 < float(space.scale.detach()) <= 100 * (1 + 1e-6)
    features = world(torch.arange(8))
    wrong = {"image": features["image"], "text": features["text"].flip(0)}
    contrastive_loss(space(wrong), torch.arange(8)).backward()
    assert float(space.log_scale.detach()) <= math.log(100) + 1e-6
    assert math.isfinite(float(space.log_scale.grad)) and float(space.log_scale.grad) != 0


def test_points_are_not_asked_for_amid_dropout():
    space = SharedSpace(DIMS).train()
    with pytest.raises(ValueError, match=r"space\.eval\(\)"):
        space.embed("image", random(2, 12))
    assert not space.eval().embed("image", random(2, 12)).requires_grad


def test_weights_come_from_the_seed_and_leave_the_caller_s_random_numbers_alone():
    before = torch.get_rng_state()
    one, same, other = SharedSpace(DIMS, seed=1), SharedSpace(DIMS, seed=1), SharedSpace(DIMS, seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    features = random(2, 12)
    assert torch.equal(one.eval().embed("image", features), same.eval().embed("image", features))
    assert not torch.equal(one.embed("image", features), other.eval().embed("image", features))


# -- training ------------------------------------------------------------------------------------------------


def test_what_is_held_out_is_found_and_what_was_never_paired_is_found_through_the_hub():
    objects, new = torch.arange(200).repeat(2), torch.arange(500, 550)
    features, held_out = world(objects), world(new, seed=5)
    space = SharedSpace(DIMS, width=16, hidden=64, dropout=0.0)
    pairs = {
        "image-text": (features["image"], features["text"], objects),
        "audio-text": (features["audio"], features["text"], objects),
    }
    run = fast(space, pairs, epochs=30, source=lambda space: found(space, held_out, new, "image", "text"))
    assert run.curves.source_accuracy[0] < 0.2 and run.curves.source_accuracy[-1] > 0.8
    assert found(space, held_out, new, "text", "audio") > 0.8
    assert found(space, held_out, new, "audio", "image") > 0.8  # bound through text alone


def found(space, features, objects, query: str, gallery: str) -> float:
    found = retrieval(
        space.embed(query, features[query]), space.embed(gallery, features[gallery]), objects, objects
    )
    return found.recall[1]


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not():
    objects = torch.arange(60)
    features = world(objects)
    runs = []
    for seed in (1, 1, 2):
        torch.rand(seed)  # the caller's random numbers have no say
        space = SharedSpace({"image": 12, "text": 10})
        run = fast(space, {"image-text": (features["image"], features["text"])}, seed=seed)
        runs.append(
            (run.curves.loss, torch.cat([weight.detach().flatten() for weight in space.parameters()]))
        )
    assert runs[0][0] == runs[1][0] and torch.equal(runs[0][1], runs[1][1])
    assert runs[0][0] != runs[2][0]


def test_features_and_their_backbone_stay_to_the_bit_and_gradients_end_at_the_projections():
    backbone = torch.nn.Sequential(torch.nn.Linear(12, 12), torch.nn.BatchNorm1d(12)).train()
    plan = FreezePlan.from_model(backbone, ModelTree.of(backbone))
    for row in plan.tree.root.children:
        plan = plan.with_policy(row.id, "frozen")
    watch = audit(backbone, plan)
    features = world(torch.arange(60))
    image = backbone.eval()(features["image"])  # with a graph behind it: a student forgot no_grad
    before = {"image": image.detach().clone(), "text": features["text"].clone()}
    space = SharedSpace({"image": 12, "text": 10})
    fast(space, {"image-text": (image, features["text"])})
    assert torch.equal(image.detach(), before["image"]) and torch.equal(features["text"], before["text"])
    assert all(weight.grad is None for weight in backbone.parameters())
    assert watch.report().ok and not watch.report().moved


def test_a_projection_can_be_bound_to_one_that_is_frozen():
    objects = torch.arange(60)
    features = world(objects)
    space = SharedSpace(DIMS)
    fast(
        space,
        {
            "image-text": (features["image"], features["text"]),
            "audio-text": (features["audio"], features["text"]),
        },
    )
    tree = ModelTree.of(space)
    plan = FreezePlan.preset(tree, "full")
    for name in ("image", "text"):
        plan = plan.with_policy(f"projections.{name}", "frozen")
    kept = {name: space.embed(name, features[name]) for name in DIMS}
    pairs = {
        "image-text": (features["image"], features["text"]),
        "audio-text": (features["audio"], features["text"]),
    }
    fast(space, pairs, plan=plan)
    for name in ("image", "text"):
        assert torch.equal(space.embed(name, features[name]), kept[name])
    assert not torch.equal(space.embed("audio", features["audio"]), kept["audio"])


def test_progress_stop_and_the_record_are_the_engine_s():
    features, told, control = world(torch.arange(64)), [], Control()

    def listen(event):
        told.append(type(event))
        if event.step == 3:
            control.stop()

    pairs = {"image-text": (features["image"], features["text"])}
    space = SharedSpace({"image": 12, "text": 10})
    run = fast(space, pairs, valid=pairs, on_event=listen, control=control)
    assert run.status == "stopped" and run.steps == 3
    assert Stepped in told and EpochEnded in told
    assert len(run.curves.valid_loss) == 1 and run.trace.groups
    whole = fast(space, pairs, valid=pairs)
    assert whole.curves.valid_loss[-1] < whole.curves.valid_loss[0]


def test_a_run_can_be_gone_back_into_like_any_other():
    features, space = world(torch.arange(64)), SharedSpace({"image": 12, "text": 10})
    run = fast(space, {"image-text": (features["image"], features["text"])}, snapshots=2)
    ended = {name: value.clone() for name, value in space.state_dict().items()}
    assert fork(run, space, 3).curves.loss == run.curves.loss
    assert all(torch.equal(value, ended[name]) for name, value in space.state_dict().items())


# -- sentences -----------------------------------------------------------------------------------------------

IMAGE, TEXT = random(6, 12), random(6, 10)


def with_row(tensor: torch.Tensor, value: float) -> torch.Tensor:
    changed = tensor.clone()
    changed[2] = value
    return changed


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ({}, "Expected a mapping such as"),
        ([], "Expected a mapping such as"),
        ({"image-smell": (IMAGE, TEXT)}, "'image-smell' is not of two modalities"),
        ({"image": (IMAGE, TEXT)}, "'image' is not of two modalities"),
        ({"image-image": (IMAGE, IMAGE)}, "not of two modalities"),
        ({"image-text": (IMAGE, TEXT), "text-image": (TEXT, IMAGE)}, "twice, once in each order"),
        ({"image-text": IMAGE}, "holds a Tensor"),
        ({"image-text": (IMAGE,)}, "holds a tuple"),
        ({"image-text": (IMAGE, TEXT[:5])}, "6 rows of image and 5 of text"),
        ({"image-text": (TEXT, IMAGE)}, r"Expected a tensor \(examples, 12\)"),
        ({"image-text": (IMAGE[:0], TEXT[:0])}, "at least one example"),
        ({"image-text": (IMAGE.numpy(), TEXT)}, r"Expected a tensor \(examples, 12\)"),
        ({"image-text": (with_row(IMAGE, math.nan), TEXT)}, "Row 2 of 'image' has NaN"),
        ({"image-text": (IMAGE, with_row(TEXT, math.inf))}, "Row 2 of 'text' has NaN or infinite"),
        ({"image-text": (IMAGE, with_row(TEXT, 0.0))}, "Row 2 of 'text' is all zeros"),
        ({"image-text": (IMAGE, TEXT, [1, 2])}, "The objects of 'image-text'"),
        ({"image-text": (IMAGE, TEXT, torch.rand(6))}, "The objects of 'image-text'"),
        ({"image-text": (IMAGE[:1], TEXT[:1])}, "nothing to tell apart"),
        ({"image-text": (IMAGE, TEXT, [4] * 6)}, "nothing to tell apart"),
    ],
)
def test_pairs_that_teach_nothing_get_a_sentence_and_change_nothing(pairs, sentence):
    space = SharedSpace({"image": 12, "text": 10})
    before = {name: value.clone() for name, value in space.state_dict().items()}
    with pytest.raises(ValueError, match=sentence):
        fast(space, pairs)
    assert all(torch.equal(value, before[name]) for name, value in space.state_dict().items())


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: fast(SharedSpace(DIMS), {"image-text": (IMAGE, TEXT)}), "No pair has 'audio'"),
        (lambda: info_nce(points(3, 0), points(4, 0), 1.0), "row i of both shows the same object"),
        (lambda: info_nce(points(3, 0), points(3, 0), 1.0, torch.arange(4)), r"Expected \(3,\)"),
        (lambda: SharedSpace(DIMS).points("smell", IMAGE), "no modality 'smell'"),
        (lambda: SharedSpace(DIMS).points("image", TEXT), "'image' has shape"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
