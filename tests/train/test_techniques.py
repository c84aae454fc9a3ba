"""Rates by layer, thawing by epoch, warm-up, accumulation, early stopping, and what is measured on the
way."""

from __future__ import annotations

import math

import pytest
import torch
import transformers as t
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.train.conftest import examples
from tests.train.feature_tasks import bert, texts
from tlwidgets.core import FreezePlan, ModelTree, OptimizerError
from tlwidgets.train import (
    EpochEnded,
    TaskData,
    TrainingError,
    discriminative_rates,
    fit,
    gradual_unfreezing,
)
from tlwidgets.train.data import Split
from tlwidgets.train.optim import make_scheduler

CPU = torch.device("cpu")


# -- learning rates ------------------------------------------------------------------------------------------


@given(lr=st.floats(1e-6, 1.0), decay=st.floats(0.1, 1.0))
@settings(deadline=None)
def test_each_layer_learns_slower_than_the_one_after_it(lr, decay):
    rates = discriminative_rates(ModelTree.of(bert()), lr, decay)
    layers = [rates[f"bert.encoder.layer.{number}"] for number in range(4)]
    assert rates["classifier"] == lr
    for lower, upper in zip([rates["bert.embeddings"], *layers], [*layers, lr], strict=True):
        assert lower == pytest.approx(upper * decay)


def test_the_optimizer_gets_each_group_s_rate_and_a_rate_too_small_hardly_moves_it():
    model = bert()
    tree = ModelTree.of(model)
    rates = discriminative_rates(tree, 1e-2, 0.1)
    run = fit(
        model,
        FreezePlan.preset(tree, "full"),
        TaskData(texts()),
        epochs=1,
        lr=rates,
        schedule="constant",
        warmup=0,
    )
    drift = dict(zip(run.trace.groups, run.trace.drift[-1], strict=True))
    assert drift["bert.encoder.layer.0"] < drift["bert.encoder.layer.3"] / 10
    assert run.config["lr"] == rates


@pytest.mark.parametrize(
    "change, sentence",
    [
        (
            {"bert.encoder.layer.9": 1e-3},
            "which is not a row of the tree. The nearest are 'bert.encoder.layer",
        ),
        ({"classifier": None}, "The learning rate of 'classifier' is None. Expected a number above 0"),
        ({"classifier": -1.0}, "The learning rate of 'classifier' is -1.0"),
    ],
)
def test_rates_that_don_t_fit_the_model_are_refused(change, sentence):
    model = bert()
    rates = {**discriminative_rates(ModelTree.of(model), 1e-3), **change}
    with pytest.raises((OptimizerError, ValueError), match=sentence):
        fit(model, None, TaskData(texts()), lr=rates)


def test_a_missing_rate_says_what_gives_them_all():
    model = bert()
    with pytest.raises(
        OptimizerError, match="No learning rate for the group 'bert.embeddings'.*discriminative_rates"
    ):
        fit(model, None, TaskData(texts()), lr={"classifier": 1e-3})


def curve(name: str, steps: int, warmup: float) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make_scheduler(name, optimizer, steps, warmup)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@given(
    name=st.sampled_from(["one-cycle", "linear", "cosine", "constant"]),
    steps=st.integers(1, 60),
    warmup=st.floats(0, 0.9),
)
@example("one-cycle", 9, 0.1)  # PyTorch's own divides by zero
@example("one-cycle", 1, 0.5)
@settings(deadline=None)
def test_a_schedule_climbs_then_falls_and_never_leaves_its_bounds(name, steps, warmup):
    rates = curve(name, steps, warmup)
    assert all(0 <= rate <= 1 + 1e-9 for rate in rates)
    top = rates.index(max(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_warm_up_takes_its_share_of_the_steps():
    assert curve("constant", 10, 0.0) == [1.0] * 10
    assert curve("linear", 10, 0.4)[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


# -- plans by epoch ------------------------------------------------------------------------------------------


def test_gradual_unfreezing_thaws_from_the_head_down_and_nothing_moves_before_its_epoch():
    model = bert()
    schedule = gradual_unfreezing(ModelTree.of(model))
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    moved: dict[int, set[str]] = {}

    def look(event):
        if isinstance(event, EpochEnded):
            moved[event.epoch] = {
                n for n, tensor in model.state_dict().items() if not torch.equal(tensor, start[n])
            }

    fit(
        model, schedule[1], TaskData(texts()), epochs=len(schedule), lr=1e-2, unfreeze=schedule, on_event=look
    )
    for epoch, plan in schedule.items():
        assert moved[epoch] <= set(plan.trainable)
    assert moved[1] == {"classifier.weight", "classifier.bias"}
    plans = list(schedule.values())
    thawed = [
        min(set(after.trainable) - set(before.trainable))
        for before, after in zip(plans, plans[1:], strict=False)
    ]
    layers = [name for name in thawed if "encoder.layer" in name]
    assert layers == sorted(layers, reverse=True)
    assert "embeddings" in thawed[-1]
    assert schedule[max(schedule)].trainable_count == ModelTree.of(model).total


# -- steps ---------------------------------------------------------------------------------------------------


def test_gradients_of_several_batches_make_the_step_of_one_large_batch():
    def train(**options):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        return fit(model, None, TaskData(examples(60, 1)), epochs=2, lr=0.05, optimizer="sgd", **options)

    whole, parts = train(batch_size=24), train(batch_size=8, accumulate=3)
    assert whole.steps == parts.steps == 6
    assert parts.curves.loss == pytest.approx(whole.curves.loss, rel=1e-5)


@given(size=st.integers(1, 20), seed=st.integers(0, 99), by_length=st.booleans())
@settings(deadline=None)
def test_a_pass_takes_each_example_once(size, seed, by_length):
    part = Split(texts(70, seed=seed), "training", CPU)
    batches = part.shuffled(size, torch.Generator().manual_seed(seed), by_length)
    assert sorted(torch.cat(batches).tolist()) == list(range(70))
    assert all(len(batch) <= size for batch in batches)
    assert sum(len(batch) < size for batch in batches) <= 1


def test_texts_of_one_length_in_a_batch_leave_less_padding():
    part = Split(texts(400), "training", CPU)

    def places(by_length):
        batches = part.shuffled(8, torch.Generator().manual_seed(0), by_length)
        return sum(len(batch) * part.take(batch).length for batch in batches)

    assert places(True) < 0.85 * places(False)


def test_padding_is_cut_to_the_longest_of_a_batch_and_changes_no_score():
    torch.manual_seed(0)
    model = bert().eval()
    part = Split(texts(8, longest=30), "training", CPU)
    short = part.lengths.argsort()[:3]
    batch = part.take(short)
    assert batch.inputs["input_ids"].shape[1] == int(part.lengths[short].max()) < 30
    with torch.no_grad():
        whole = model(**{name: tensor[short] for name, tensor in part.inputs.items()}).logits
        torch.testing.assert_close(model(**batch.inputs).logits, whole)


def test_bf16_trains_on_a_cpu():
    run = fit(bert(), None, TaskData(texts()), epochs=1, precision="bf16")
    assert all(map(math.isfinite, run.curves.loss))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_trains_on_a_gpu(precision):
    run = fit(bert(), None, TaskData(texts()), epochs=3, lr=1e-2, precision=precision, device="cuda")
    assert run.curves.loss[-1] < run.curves.loss[0]


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"precision": "fp16", "device": "cpu"}, "fp16.*needs a GPU. On a CPU use 'fp32'"),
        ({"precision": "half"}, "Unknown precision 'half'. Expected one of fp32, bf16, fp16"),
        ({"patience": 0}, "patience is 0. Expected a whole number"),
        ({"patience": 2}, "there are no validation data. Give TaskData"),
        ({"accumulate": 0}, "accumulate is 0"),
        ({"warmup": 1}, "warmup is 1. Expected a share"),
    ],
)
def test_options_that_can_not_be_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(bert(), None, TaskData(texts()), **options)


# -- what is measured ----------------------------------------------------------------------------------------


def test_the_trace_is_what_one_would_compute_by_hand():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    model[0].requires_grad_(False)
    inputs, labels = examples(16, 1)
    nn.functional.cross_entropy(model(inputs), labels).backward()
    gradient = math.sqrt(sum(float(p.grad.square().sum()) for p in model[2].parameters()))
    start = torch.cat([p.detach().flatten() for p in model[2].parameters()])
    model.zero_grad()
    run = fit(model, None, TaskData((inputs, labels)), epochs=2, batch_size=16, lr=0.1, cache=False)
    end = torch.cat([p.detach().flatten() for p in model[2].parameters()])
    assert run.trace.groups == ["0", "2"]
    assert run.trace.step == [1, 2]
    assert math.isnan(run.trace.gradient[0][0]) and math.isnan(run.trace.drift[-1][0])
    assert run.trace.gradient[0][1] == pytest.approx(gradient, rel=1e-5)
    assert run.trace.drift[-1][1] == pytest.approx(float((end - start).norm() / start.norm()), rel=1e-4)


def test_what_is_left_of_the_source_task_is_measured_before_and_after_each_epoch():
    model = bert()
    source = texts(32, seed=9)
    asked = []
    run = fit(model, None, TaskData(texts()), epochs=3, source=lambda m: asked.append(m.training) or 0.25)
    assert run.curves.source_accuracy == [0.25] * 4
    assert asked == [False] * 4
    run = fit(model, None, TaskData(texts()), epochs=2, source=source)
    assert len(run.curves.source_accuracy) == 3
    assert all(0 <= value <= 1 for value in run.curves.source_accuracy)


# -- faults --------------------------------------------------------------------------------------------------


def test_a_loss_that_breaks_names_the_step_and_the_group_where_it_began():
    model = bert()
    with torch.no_grad():
        model.bert.encoder.layer[2].output.dense.weight[0, 0] = math.nan
    with pytest.raises(TrainingError, match="at step 1. It began in the weights of bert.encoder.layer.2"):
        fit(
            model,
            FreezePlan.preset(model, "feature-extraction"),
            TaskData(texts()),
            cache=False,
        )

    class Square(nn.Module):
        def forward(self, x):
            return (1e20 * x) ** 2

    model = nn.Sequential(nn.Linear(4, 4), Square(), nn.Linear(4, 2))
    with pytest.raises(TrainingError, match="It began in the output of 1"):
        fit(model, None, TaskData(examples(16, 1)))


def test_out_of_memory_says_what_to_freeze_or_shrink():
    class Greedy(nn.Linear):
        def forward(self, x):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(
        TrainingError,
        match="ran out of memory at step 1. Freeze more layers, or take a smaller batch than 16",
    ):
        fit(nn.Sequential(Greedy(4, 2)), None, TaskData(examples(16, 1)))


def test_gpt2_with_its_cache_of_keys_trains_under_a_frozen_prefix():
    torch.manual_seed(0)
    config = t.GPT2Config(
        n_embd=16, n_layer=3, n_head=2, vocab_size=40, n_positions=16, pad_token_id=0, num_labels=2
    )
    model = t.GPT2ForSequenceClassification(config)
    run = fit(model, FreezePlan.preset(model, "last", k=1), TaskData(texts()), epochs=2)
    assert run.cached or run.cache[0]["why"]
