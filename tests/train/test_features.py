"""What is frozen below the first part that learns is computed once, and nothing else changes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
import transformers as t
from torch import nn

from tests.core.zoo import ZOO
from tlwidgets.core import FreezePlan, ModelTree, apply_plan
from tlwidgets.core.plan import Policy
from tlwidgets.train import Control, FeatureCache, FeaturesComputed, TaskData, fit
from tlwidgets.train.features.prefix import alike


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "features")


def texts(number: int = 64, longest: int = 12, seed: int = 0) -> dict[str, torch.Tensor]:
    """Token ids of different lengths, padded at the end, in two classes."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 40, (number, longest), generator=draw)
    lengths = torch.randint(3, longest + 1, (number, 1), generator=draw)
    mask = (torch.arange(longest) < lengths).long()
    return {"input_ids": ids * mask, "attention_mask": mask, "labels": (ids[:, 0] > 20).long()}


def pictures(number: int = 64, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    images = torch.randn(number, 3, 16, 16, generator=draw)
    return images, (images.mean((1, 2, 3)) > 0).long()


def bert() -> nn.Module:
    torch.manual_seed(0)
    config = t.BertConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32, vocab_size=40
    )
    return t.BertForSequenceClassification(config)


def resnet() -> nn.Module:
    torch.manual_seed(0)
    config = t.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16], depths=[1, 1, 1], layer_type="basic", num_labels=2
    )
    return t.ResNetForImageClassification(config)


def bottleneck() -> nn.Module:
    """Convolutions with BatchNorm and dropout, called with one tensor."""
    torch.manual_seed(0)

    def block(width, wider):
        return nn.Sequential(nn.Conv2d(width, wider, 3, padding=1), nn.BatchNorm2d(wider), nn.ReLU())

    return nn.Sequential(
        block(3, 8),
        block(8, 8),
        nn.Dropout(0.2),
        block(8, 16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 2),
    )


def relative(one, other) -> float:
    one, other = torch.tensor(one), torch.tensor(other)
    return float(((one - other).abs() / other.abs()).max())


def both(make, plan_of, data, cache, **options):
    """The same training with and without the cache."""
    runs = []
    for each in (cache, False):
        model = make()
        runs.append(fit(model, plan_of(ModelTree.of(model)), data, cache=each, **options))
    assert not runs[1].cached
    return runs


def last(k):
    return lambda tree: FreezePlan.preset("last", tree, k=k)


def head(tree):
    return FreezePlan.preset("feature-extraction", tree)


def lower_blocks_frozen(tree):
    plan = FreezePlan.preset("full", tree)
    for group in ("0", "1"):
        plan = plan.with_policy(group, "frozen")
    return plan


# -- exact ------------------------------------------------------------------------------------------------------------


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
        apply_plan(FreezePlan.preset(preset, tree, **options), model)
        runs.append(fit(Scores(model), None, data, epochs=3, batch_size=4, lr=1e-3, cache=each, loss=size_of))
    assert relative(runs[0].curves.loss, runs[1].curves.loss) < 1e-4
    assert runs[0].cached or runs[0].cache[0]["why"]
    if preset == "feature-extraction" and name in ("bert", "distilbert", "vit", "resnet"):
        assert runs[0].cached


def test_what_is_frozen_is_not_touched_and_nothing_is_left_behind(cache):
    model = bert()
    plan = FreezePlan.preset("last", ModelTree.of(model), k=1)
    apply_plan(plan, model)
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


# -- where it would change something, there is no cache ---------------------------------------------------------------


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


# -- once, for all runs with the same prefix --------------------------------------------------------------------------


def test_a_second_run_with_another_head_starts_from_the_cache(cache, data, make_model):
    def run(seed_of_head=0, poke=0.0, examples=data):
        model = make_model()
        torch.manual_seed(seed_of_head)
        nn.init.normal_(model[4].weight)
        with torch.no_grad():
            model[0].weight[0, 0] += poke
        return fit(model, head(ModelTree.of(model)), examples, epochs=2, cache=cache).cache[0]

    assert not run()["warm"]
    assert run()["warm"]
    assert run(seed_of_head=1)["warm"]
    assert not run(poke=1e-3)["warm"], "other frozen weights are another prefix"
    other = TaskData((data.train[0] + 1e-3, data.train[1]), data.valid, data.test)
    assert not run(examples=other)["warm"], "other data have other features"


def test_what_does_not_fit_into_memory_goes_to_files(tmp_path, make_model, data):
    small = FeatureCache(tmp_path, memory_bytes=100)
    spilled, plain = both(make_model, head, data, small, epochs=3)
    assert spilled.cache[0]["on_disk"]
    assert spilled.curves.loss == pytest.approx(plain.curves.loss, rel=1e-6)


@pytest.mark.parametrize("in_files", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize(
    "make_model, data", [(bert, TaskData(texts())), (resnet, TaskData(pictures()))], ids=["text", "pictures"]
)
def test_half_precision_takes_half_the_room_and_stays_near(tmp_path, make_model, data, in_files):
    runs = {}
    for half in (False, True):
        cache = FeatureCache(tmp_path / f"half-{half}", half=half, keep=in_files)
        model = make_model()
        runs[half] = fit(model, head(ModelTree.of(model)), data, epochs=3, lr=1e-2, cache=cache)
        assert runs[half].cached
        assert runs[half].cache[0]["half"] is half
        assert runs[half].cache[0]["on_disk"] is in_files
    assert runs[True].cache[0]["nbytes"] == runs[False].cache[0]["nbytes"] / 2
    assert 0 < relative(runs[True].curves.loss, runs[False].curves.loss) < 0.02


def test_whole_and_half_features_are_not_taken_for_each_other(tmp_path):
    for half in (False, True, False, True):
        model = bert()
        cache = FeatureCache(tmp_path, half=half, keep=True)
        run = fit(model, head(ModelTree.of(model)), TaskData(texts()), epochs=2, cache=cache)
        assert run.cache[0]["half"] is half
    assert run.cache[0]["warm"]
    assert len(list(tmp_path.iterdir())) == 2


def test_files_outlive_the_session(tmp_path, make_model, data):
    def run(cache):
        model = make_model()
        return fit(model, head(ModelTree.of(model)), data, epochs=2, cache=cache)

    cold, warm = run(FeatureCache(tmp_path, keep=True)), run(FeatureCache(tmp_path, keep=True))
    assert not cold.cache[0]["warm"]
    assert warm.cache[0]["warm"]
    assert warm.curves.loss == cold.curves.loss


def test_the_folder_is_bounded_and_the_oldest_goes_first(tmp_path):
    cache = FeatureCache(tmp_path, keep=True, disk_bytes=3000)
    for number in range(4):
        rows = cache.allocate(f"key{number}", [((200,), torch.float32)])
        rows.put([(torch.arange(200), torch.full((200,), float(number)))])
        rows.finish()
        os.utime(tmp_path / f"key{number}", (number, number))
    assert cache.find("key0") is None
    assert float(cache.find("key3")[0][0]) == 3.0


def test_what_another_process_removes_meanwhile_is_in_nobody_s_way(tmp_path, monkeypatch):
    first, second = (FeatureCache(tmp_path, keep=True) for _ in range(2))

    def kept(cache, key):
        rows = cache.allocate(key, [((200,), torch.float32)])
        rows.put([(torch.arange(200), torch.ones(200))])
        rows.finish()

    kept(first, "old")
    listed = list(second._entries())
    monkeypatch.setattr(second, "_entries", lambda: iter(listed))
    first.clear()
    kept(second, "new")
    assert second.find("new") is not None and second.find("old") is None


_KILLED_WHILE_IT_WRITES = """
import os, signal, sys, torch
from tlwidgets.train import FeatureCache
rows = FeatureCache(sys.argv[1], keep=True).allocate("killed", [((200,), torch.float32)])
rows.put([(torch.arange(100), torch.ones(100))])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_when_a_day_has_passed(tmp_path):
    def parts():
        return list(tmp_path.glob(".part-*"))

    subprocess.run([sys.executable, "-c", _KILLED_WHILE_IT_WRITES, str(tmp_path)])
    cache = FeatureCache(tmp_path, keep=True)
    left = parts()
    cache.allocate("soon", [((200,), torch.float32)]).discard()
    assert len(left) == 1 and parts() == left  # its process may be writing still
    day_ago = time.time() - 86_500
    os.utime(left[0], (day_ago, day_ago))
    cache.allocate("later", [((200,), torch.float32)]).discard()
    assert parts() == [] and cache.find("killed") is None


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_folder_that_can_not_be_written_is_said_and_training_goes_on(tmp_path, make_model, data):
    taken = tmp_path / "taken"
    taken.write_text("a file where the folder should be")
    run, plain = both(make_model, head, data, FeatureCache(taken, keep=True), epochs=2)
    assert run.cache[0]["why"].startswith(f"the folder {taken} can't be used")
    assert run.curves.loss == plain.curves.loss


def test_a_disk_that_fills_up_is_said_and_nothing_half_written_stays(tmp_path, make_model, data, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    run, plain = both(make_model, head, data, FeatureCache(tmp_path, keep=True), epochs=2)
    assert "can't be written (No space left on device)" in run.cache[0]["why"]
    assert run.curves.loss == plain.curves.loss
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_disk_has_left_is_refused_before_writing(tmp_path, make_model, data, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    run, _ = both(make_model, head, data, FeatureCache(tmp_path, keep=True), epochs=2)
    assert "the disk of" in run.cache[0]["why"]


def test_a_damaged_file_is_computed_again(tmp_path, make_model, data):
    def run():
        model = make_model()
        return fit(model, head(ModelTree.of(model)), data, epochs=2, cache=FeatureCache(tmp_path, keep=True))

    first = run()
    for file in tmp_path.glob("*/0.bin"):
        content = bytearray(file.read_bytes())
        content[5] ^= 255
        file.write_bytes(content)
    again = run()
    assert not again.cache[0]["warm"]
    assert again.curves.loss == first.curves.loss


def test_stop_while_features_are_computed_leaves_nothing(tmp_path):
    control = Control()

    def stop(event):
        if isinstance(event, FeaturesComputed):
            control.stop()

    model = bert()
    run = fit(
        model,
        head(ModelTree.of(model)),
        TaskData(texts(200)),
        epochs=3,
        cache=FeatureCache(tmp_path, keep=True),
        control=control,
        on_event=stop,
    )
    assert (run.status, run.steps) == ("stopped", 0)
    assert list(tmp_path.iterdir()) == []


# -- plans that change ------------------------------------------------------------------------------------------------


def test_layers_thawed_while_it_trains_are_no_longer_read_back(cache):
    data = TaskData(texts(), texts(32, seed=1))

    def train(each):
        model = bert()
        tree = ModelTree.of(model)
        plans = {1: head(tree), 2: last(1)(tree), 3: last(2)(tree), 5: FreezePlan.preset("full", tree)}
        return fit(model, plans[1], data, epochs=7, lr=1e-3, cache=each, unfreeze=plans)

    cached, plain = train(cache), train(False)
    assert [entry["sites"] for entry in cached.cache if entry["used"]] == [
        ["bert"],
        ["bert.encoder.layer.2"],
        ["bert.encoder.layer.1"],
    ]
    assert cached.cache[-1]["why"] == "nothing is frozen"
    assert relative(cached.curves.loss, plain.curves.loss) < 1e-4
