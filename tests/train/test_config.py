"""The options are one record: what `fit`, panels, arenas, checkpoints and `Run.config` know of them is the
same."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from typing import get_type_hints

import pytest
import torch

from tlwidgets import TrainPanel
from tlwidgets.core import FreezePlan
from tlwidgets.train import (
    FeatureCache,
    Snapshots,
    TrainConfig,
    TrainOptions,
    discriminative_rates,
    fit,
    fit_contrastive,
    gradual_unfreezing,
)
from tlwidgets.train.config import option_names

DEFAULTS = {each.name: each.default for each in dataclasses.fields(TrainConfig)}


def test_the_keywords_are_the_record():
    assert get_type_hints(TrainOptions) == get_type_hints(TrainConfig)
    assert list(get_type_hints(TrainOptions)) == list(option_names())


def test_every_option_is_documented_where_it_is_defined():
    attributes = inspect.cleandoc(TrainConfig.__doc__).partition("Attributes:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^    (\w+): ", attributes, re.M) == list(option_names())


@pytest.mark.parametrize(
    "function, changed",
    [
        (fit, {}),
        (TrainPanel, {}),
        (fit_contrastive, {"epochs": 24, "batch_size": 128, "weight_decay": 0.05}),
    ],
    ids=["fit", "TrainPanel", "fit_contrastive"],
)
def test_a_person_who_asks_for_help_sees_every_option_with_its_default(function, changed):
    parameters = inspect.signature(function).parameters
    shown = {name: parameters[name].default for name in option_names()}
    assert shown == {**DEFAULTS, **changed}
    assert not any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    text = (function if inspect.isfunction(function) else function.__init__).__doc__
    assert all(f"    {name}: " in text for name in option_names())


def test_a_config_and_keywords_are_the_same_and_keywords_go_first(make_model, data):
    config = TrainConfig(epochs=2, batch_size=8, lr=0.02, seed=4, optimizer="sgd")
    runs = [
        fit(make_model(), None, data, config=config),
        fit(make_model(), None, data, epochs=2, batch_size=8, lr=0.02, seed=4, optimizer="sgd"),
        fit(make_model(), None, data, config=dataclasses.replace(config, epochs=5, seed=1), epochs=2, seed=4),
    ]
    assert runs[0].curves == runs[1].curves == runs[2].curves
    assert runs[0].config == runs[1].config == runs[2].config
    panel = TrainPanel(make_model(), None, data, config=config, seed=5)
    assert panel._config == dataclasses.replace(config, seed=5)


def test_the_record_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().epochs = 4


def test_what_a_run_records_is_plain_json_of_what_the_result_depends_on(make_model, data):
    model = make_model()
    plans = gradual_unfreezing(model)
    rates = discriminative_rates(model, 0.01)

    def momentum(groups):
        return torch.optim.SGD(groups, lr=0.01, momentum=0.5)

    run = fit(model, plans[1], data, epochs=1, lr=rates, unfreeze=plans, optimizer=momentum, snapshots=2)
    assert json.loads(json.dumps(run.config)) == run.config
    assert run.config == {
        "epochs": 1,
        "batch_size": 16,
        "lr": rates,
        "optimizer": "momentum",
        "weight_decay": 0.01,
        "schedule": "one-cycle",
        "warmup": 0.3,
        "seed": 0,
        "accumulate": 1,
        "group_by_length": False,
        "precision": "fp32",
        "patience": None,
        "valid_every": 1,
        "unfreeze": {str(epoch): plan.to_dict() for epoch, plan in plans.items()},
        "examples": 64,
        "plan": plans[1].to_dict(),
    }


def test_steps_are_counted_as_they_are_made(make_model, data):
    config = TrainConfig(epochs=3, batch_size=10, accumulate=3)
    assert fit(make_model(), None, data, config=config).steps == config.steps(64) == 3 * 3
    assert config.steps_an_epoch(1) == 1


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"epochs": 0}, "epochs is 0. Expected a whole number of at least 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5. Expected a whole number"),
        ({"accumulate": True}, "accumulate is True"),
        ({"valid_every": -1}, "valid_every is -1"),
        ({"lr": 0}, "learning rate is 0. Expected a number above 0"),
        ({"lr": {"0": 1e-3, "4": float("inf")}}, "learning rate of '4' is inf"),
        ({"optimizer": "adam"}, "Unknown optimizer 'adam'. Expected one of adamw, sgd, or a function"),
        (
            {"schedule": "wave"},
            "Unknown schedule 'wave'. Expected one of one-cycle, linear, cosine, constant",
        ),
        ({"warmup": 1}, r"warmup is 1. Expected a share of the steps, from 0 up to \(not including\) 1"),
        ({"precision": "fp8"}, "Unknown precision 'fp8'. Expected one of fp32, bf16, fp16"),
        ({"patience": 0}, "patience is 0"),
        ({"snapshots": 0}, "snapshots is 0. Expected a whole number of at least 1"),
        ({"snapshots": 5, "checkpoint": "run.pt"}, "Leave out one of `checkpoint` and `snapshots`"),
        ({"snapshots": Snapshots(5), "checkpoint": "run.pt"}, "Leave out one of"),
    ],
)
def test_what_no_option_can_be_is_refused_in_a_sentence(options, sentence, make_model, data):
    with pytest.raises(ValueError, match=sentence):
        TrainConfig(**options)
    with pytest.raises(ValueError, match=sentence):
        TrainConfig.of(TrainConfig(epochs=2), **options)
    with pytest.raises(ValueError, match=sentence):
        TrainPanel(make_model(), None, data, **options)


@pytest.mark.parametrize("make", [TrainConfig.of, lambda **options: fit(None, None, None, **options)])
def test_an_unknown_option_is_told_the_nearest(make):
    with pytest.raises(
        TypeError, match="no option 'epoch'. Did you mean 'epochs'?.*Expected some of epochs, batch"
    ):
        make(epoch=3)
    with pytest.raises(TypeError, match="no option 'x'. Expected some of"):
        make(x=3)


def test_a_config_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="config is a dict. Expected a TrainConfig"):
        TrainConfig.of({"epochs": 3})


def test_options_with_objects_are_kept_as_they_are(make_model):
    cache, plan = FeatureCache(memory_bytes=1), FreezePlan.preset(make_model(), "full")
    config = TrainConfig(cache=cache, unfreeze={1: plan}, device=torch.device("cpu"))
    assert config.cache is cache and config.unfreeze == {1: plan}
    assert TrainConfig.of(config).cache is cache
