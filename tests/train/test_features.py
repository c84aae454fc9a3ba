"""What is frozen below the first part that learns is computed once, and nothing else changes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.core.zoo import ZOO
from tests.train.feature_tasks import (
    bert,
    both,
    bottleneck,
    head,
    last,
    lower_blocks_frozen,
    pictures,
    relative,
    texts,
)
from tlwidgets.core import FreezePlan, ModelTree, apply_plan
from tlwidgets.core.plan import Policy
from tlwidgets.train import FeatureCache, TaskData, fit
from tlwidgets.train.features.prefix import alike


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "features")


# -- exact ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, plan_of, data",
    [
        (bert, head, TaskData(texts(), texts(32, seed=1), texts(32, seed=2))),
        (bert, last(2), TaskData(texts(), texts(32, seed=1), texts(32, seed=2))),
        (bottleneck, lower_blocks_frozen, TaskData(pictures(), pictures(32, 1), pictures(32, 2))),
    ],
    ids=["text, head", "text, last two layers", "pictures, with batch statistics above"],
)
def test_200_steps_with_and_without_the_cache_have_the_same_losses(make, plan_of, data, cache):
    cached, plain = both(make, plan_of, data, cache, epochs=25, batch_size=8, lr=1e-3)
    assert cached.cached
    assert cached.steps == plain.steps == 200
    assert relative(cached.curves.loss, plain.curves.loss) < 1e-5
    assert relative(cached.curves.valid_loss, plain.curves.valid_loss) < 1e-5
    assert cached.test_accuracy == plain.test_accuracy


class Scores(nn.Module):
    """A model of the zoo as one that returns scores."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs):
        output = self.model(**inputs)
        if isinstance(output, torch.Tensor):
            return output
        for name in ("logits", "logits_per_image", "last_hidden_state", "prediction_logits"):
            if getattr(output, name, None) is not None:
                return getattr(output, name)
        return output[0]


def size_of(scores, labels):
    return scores.float().square().mean() + scores.float().mean()


@pytest.mark.parametrize("preset", ["feature-extraction", "last", "norms-and-biases", "full"])
@pytest.mark.parametrize("name", sorted(ZOO))
def test_every_architecture_trains_the_same_with_the_cache(name, preset, cache):
    specimen = ZOO[name]
    torch.manual_seed(0)
    batches = [specimen.batch() for _ in range(3)]
    inputs = {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}
    data = TaskData({**inputs, "labels": torch.zeros(len(next(iter(inputs.values()))))})
    runs = []
    for each in (cache, False):
        torch.manual_seed(1)
        model = specimen.make()
        tree = ModelTree.of(model)
        if preset == "last" and not tree.layers:
            return
        options = {"k": 1} if preset == "last" else {}
        apply_plan(model, FreezePlan.preset(tree, preset, **options))
        runs.append(fit(Scores(model), None, data, epochs=3, batch_size=4, lr=1e-3, cache=each, loss=size_of))
    assert relative(runs[0].curves.loss, runs[1].curves.loss) < 1e-4
    assert runs[0].cached or runs[0].cache[0]["why"]
    if preset == "feature-extraction" and name in ("bert", "distilbert", "vit", "resnet"):
        assert runs[0].cached


def test_what_is_frozen_is_not_touched_and_nothing_is_left_behind(cache):
    model = bert()
    plan = FreezePlan.preset(model, "last", k=1)
    apply_plan(model, plan)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    hooks = {name: (len(m._forward_hooks), len(m._forward_pre_hooks)) for name, m in model.named_modules()}
    fit(model, plan, TaskData(texts()), epochs=2, cache=cache)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]) == (name not in plan.trainable), name
    assert not any("forward" in vars(module) for module in model.modules())
    assert hooks == {
        name: (len(m._forward_hooks), len(m._forward_pre_hooks)) for name, m in model.named_modules()
    }


def test_only_what_the_rest_of_the_model_uses_is_kept(cache):
    model = bert()
    run = fit(model, last(2)(ModelTree.of(model)), TaskData(texts()), epochs=2, cache=cache)
    assert run.cache[0]["sites"] == ["bert.encoder.layer.1"]
    assert run.cache[0]["nbytes"] == 64 * 12 * 16 * 4


def numbers() -> TaskData:
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    return TaskData((x, (x[:, 0] > 0).long()))


def test_what_is_only_handed_on_is_kept_once(cache):
    """As beside each matrix with LoRA: dropout that is off."""

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.one, self.two, self.head = (nn.Linear(4, n) for n in (4, 4, 4, 2))
            self.off, self.also_off = nn.Identity(), nn.Dropout(0.0)
            self.first.requires_grad_(False)

        def forward(self, x):
            x = self.first(x)
            return self.head(self.one(self.off(x)) + self.two(self.also_off(x)))

    run, plain = both(Branches, lambda tree: None, numbers(), cache, epochs=3)
    assert "off" not in run.cache[0]["sites"]
    assert run.cache[0]["sites"][0] == "first"
    assert relative(run.curves.loss, plain.curves.loss) < 1e-5


def test_a_tensor_that_was_written_to_is_another_one(cache):
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.relu, self.head = nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)
            self.first.requires_grad_(False)

        def forward(self, x):
            return self.head(self.relu(self.first(x)))

    run, plain = both(InPlace, lambda tree: None, numbers(), cache, epochs=3)
    assert run.cache[0]["sites"] == ["relu"]
    assert relative(run.curves.loss, plain.curves.loss) < 1e-5


@pytest.mark.parametrize("place", [0, 2**18 - 1, 2**18, 2**18 + 2])
def test_one_number_that_differs_among_many_is_seen(place):
    one = torch.linspace(0, 1, 2**18 + 3).reshape(1, -1)
    other = one.clone()
    other[0, place] += 1e-3
    assert alike(one, one.clone())
    assert not alike(one, other)


def test_the_largest_number_of_all_says_what_counts_as_alike():
    one = torch.zeros(2**18 + 3)
    one[-1] = 1e3
    other = one.clone()
    other[0] = 0.05  # less than 1e-4 of a thousand
    assert alike(one, other)


# -- where it would change something, there is no cache ------------------------------------------------------


def test_dropout_that_stays_active_below_is_seen(cache):
    def plan(tree):
        return head(tree).with_policy("bert.encoder.layer.0", Policy(False, False, True))

    run, plain = both(bert, plan, TaskData(texts()), cache, epochs=2)
    # What comes before the first dropout is the same each time, and nothing after it is.
    before = [f"bert.encoder.layer.0.attention.self.{name}" for name in ("query", "key", "value")]
    assert run.cache[0]["sites"] == ["bert.embeddings", *before]
    assert relative(run.curves.loss, plain.curves.loss) < 1e-5


def test_dropout_that_a_forward_calls_by_itself_is_seen(cache):
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.head = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2)

        def forward(self, x):
            x = nn.functional.dropout(self.first(x), 0.3, self.training)
            return self.head(self.second(x))

    model = Noisy()
    for part in (model.first, model.second):
        part.requires_grad_(False)
    x = torch.randn(32, 4)
    run = fit(model, None, TaskData((x, (x[:, 0] > 0).long())), epochs=3, cache=cache)
    assert run.cache[0]["sites"] == ["first"]


def test_batch_statistics_that_stay_active_below_are_seen(cache, make_model, data):
    model = make_model()
    plan = head(ModelTree.of(model)).with_policy("1", Policy(False, True, False))
    run = fit(model, plan, data, epochs=2, cache=cache)
    assert run.cache[0]["sites"] == ["0"]


def test_a_frozen_layer_on_top_of_a_detached_trained_one_is_seen(cache):
    class Detached(nn.Module):
        def __init__(self):
            super().__init__()
            self.learns, self.frozen, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(8, 2)

        def forward(self, x):
            one = self.learns(x)
            return self.head(torch.cat([one, self.frozen(one.detach())], 1))

    model = Detached()
    model.frozen.requires_grad_(False)
    x = torch.randn(32, 4)
    run = fit(model, None, TaskData((x, (x[:, 0] > 0).long())), epochs=2, cache=cache)
    assert run.cache[0]["why"].startswith("no frozen part comes before")


@pytest.mark.parametrize(
    "options, why",
    [
        (
            {"augment": lambda x: x + 0.1 * torch.randn_like(x), "epochs": 2},
            "augmentation changes the inputs",
        ),
        ({"epochs": 1}, "only one pass"),
        ({"epochs": 2, "cache": False}, "switched off"),
    ],
)
def test_a_run_says_why_it_does_not_cache(options, why, make_model, data, cache):
    model = make_model()
    run = fit(model, head(ModelTree.of(model)), data, **{"cache": cache, **options})
    assert not run.cached
    assert why in run.cache[0]["why"]


def test_nothing_frozen_costs_nothing(make_model, data, cache):
    run = fit(make_model(), None, data, epochs=2, cache=cache)
    assert run.cache[0]["why"] == "nothing is frozen"


# -- plans that change ---------------------------------------------------------------------------------------


def test_layers_thawed_while_it_trains_are_no_longer_read_back(cache):
    data = TaskData(texts(), texts(32, seed=1))

    def train(each):
        model = bert()
        tree = ModelTree.of(model)
        plans = {1: head(tree), 2: last(1)(tree), 3: last(2)(tree), 5: FreezePlan.preset(tree, "full")}
        return fit(model, plans[1], data, epochs=7, lr=1e-3, cache=each, unfreeze=plans)

    cached, plain = train(cache), train(False)
    assert [entry["sites"] for entry in cached.cache if entry["used"]] == [
        ["bert"],
        ["bert.encoder.layer.2"],
        ["bert.encoder.layer.1"],
    ]
    assert cached.cache[-1]["why"] == "nothing is frozen"
    assert relative(cached.curves.loss, plain.curves.loss) < 1e-4
