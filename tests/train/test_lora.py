"""LoRA leaves every weight of the model as it is."""

from __future__ import annotations

import sys

import pytest
import torch
import transformers as t
from torch import nn

from tests.train.test_features import bert, texts
from tlwidgets.core import FreezeError, FreezePlan, ModelTree
from tlwidgets.train import TaskData, add_lora, fit, merge_lora


def gpt2() -> nn.Module:
    torch.manual_seed(0)
    config = t.GPT2Config(
        n_embd=16, n_layer=3, n_head=2, vocab_size=40, n_positions=16, pad_token_id=0, num_labels=2
    )
    return t.GPT2ForSequenceClassification(config)


def scores(model) -> torch.Tensor:
    data = texts(8, seed=5)
    model.eval()
    with torch.no_grad():
        return model(input_ids=data["input_ids"], attention_mask=data["attention_mask"]).logits


def trained(model, **options):
    plan = FreezePlan.preset("lora", ModelTree.of(model))
    run = fit(model, plan, TaskData(texts()), **{"epochs": 3, "lr": 1e-2, **options})
    return plan, run


@pytest.mark.parametrize("make", [bert, gpt2])
def test_the_weights_beside_the_additions_stay_bit_for_bit(make):
    model = make()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    first = scores(model)
    add_lora(model, rank=2, dropout=0.1)
    torch.testing.assert_close(scores(model), first, msg="the additions begin at zero")
    plan, _ = trained(model)
    for name, weight in model.named_parameters():
        own = name.replace(".base_layer", "")
        if own in before and name not in plan.trainable:
            assert torch.equal(weight, before[own]), name
        if ".lora_B" in name:
            assert weight.abs().max() > 0, name
    assert {name for name in plan.trainable if ".lora_" not in name} == {
        name for name in before if name.startswith(("classifier", "score"))
    }


@pytest.mark.parametrize("make", [bert, gpt2])
def test_merged_the_model_computes_the_same_and_has_its_old_shape(make):
    shape = {name: weight.shape for name, weight in make().named_parameters()}
    model = add_lora(make(), rank=2)
    trained(model)
    learned = scores(model)
    merge_lora(model)
    torch.testing.assert_close(scores(model), learned, rtol=1e-4, atol=1e-5)
    assert {name: weight.shape for name, weight in model.named_parameters()} == shape


def test_what_learns_is_rank_times_inputs_and_outputs():
    plain = FreezePlan.preset("feature-extraction", ModelTree.of(bert())).trainable_count
    tree = ModelTree.of(add_lora(bert(), rank=3, layers=1))
    count = FreezePlan.preset("lora", tree).trainable_count
    four_square, up_and_down = 4 * 3 * (16 + 16), 2 * 3 * (16 + 32)
    assert count == plain + four_square + up_and_down


def test_below_the_first_addition_all_is_computed_once():
    _, run = trained(add_lora(bert(), rank=2, layers=2))
    assert run.cached
    assert run.cache[0]["sites"][0].startswith("bert.encoder.layer.1")


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"rank": 0}, "rank is 0. Expected a whole number of at least 1"),
        ({"layers": 9}, "layers is 9. Expected None .all., or a whole number from 1 to 4"),
    ],
)
def test_numbers_that_can_not_be_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        add_lora(bert(), **options)


def test_sentences_for_models_that_lora_does_not_fit(monkeypatch):
    with pytest.raises(FreezeError, match="has LoRA already"):
        add_lora(add_lora(bert()))
    with pytest.raises(FreezeError, match="no LoRA to train. Put it in first"):
        FreezePlan.preset("lora", ModelTree.of(bert()))
    with pytest.raises(FreezeError, match="no LoRA to merge"):
        merge_lora(bert())
    with pytest.raises(FreezeError, match="no list of layers|hold no linear matrices"):
        add_lora(nn.Sequential(nn.Conv1d(2, 2, 1), nn.ReLU(), nn.Conv1d(2, 2, 1)))
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModuleNotFoundError, match="LoRA needs the package peft.*tlcourse setup"):
        add_lora(bert())
