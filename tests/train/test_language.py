"""Losses and perplexity of language models: every predicted token counts once, padding never; LoRA leaves the
rest alone."""

from __future__ import annotations

import math

import pytest
import torch
import transformers as t

from tests.train.feature_tasks import texts
from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import FeatureCache, TaskData, add_lora, fit, next_token_loss, perplexity

WORDS = 40


def llama(tied: bool = True) -> torch.nn.Module:
    torch.manual_seed(0)
    config = t.LlamaConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        vocab_size=WORDS,
        tie_word_embeddings=tied,
    )
    return t.LlamaForCausalLM(config)


def language(number: int = 48, seed: int = 0) -> dict[str, torch.Tensor]:
    data = texts(number, seed=seed)
    return {**data, "labels": data["input_ids"].masked_fill(data["attention_mask"] == 0, -100)}


def test_the_loss_is_transformers_own():
    model, data = llama(), language()
    with torch.no_grad():
        output = model(**data)
    torch.testing.assert_close(next_token_loss(output.logits, data["labels"]), output.loss)


def test_a_model_that_knows_nothing_is_as_unsure_as_its_vocabulary_is_large():
    model = llama()
    torch.nn.init.zeros_(model.model.norm.weight)
    assert perplexity(model, language()) == pytest.approx(WORDS, rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 5, 48])
def test_perplexity_does_not_depend_on_batches_padding_or_order(batch_size):
    model, data = llama(), language()
    with torch.no_grad():
        whole = math.exp(next_token_loss(model(data["input_ids"]).logits, data["labels"]))
    assert perplexity(model, data, batch_size) == pytest.approx(whole, rel=1e-5)
    turned = {name: tensor.flip(0) for name, tensor in data.items()}
    assert perplexity(model, turned, batch_size) == pytest.approx(whole, rel=1e-5)


def test_what_does_not_fit_gets_a_sentence():
    with pytest.raises(ValueError, match="Expected .texts, tokens, vocabulary. and .texts, tokens."):
        next_token_loss(torch.zeros(3, 5), torch.zeros(3, dtype=torch.int64))
    one = {name: tensor[:, :1] for name, tensor in language().items()}
    with pytest.raises(ValueError, match="No token of these texts is predicted"):
        perplexity(llama(), one)


@pytest.mark.parametrize("tied", [True, False])
def test_lora_leaves_the_layer_that_predicts_tokens_as_it_is(tied):
    plan = FreezePlan.preset(ModelTree.of(add_lora(llama(tied), rank=2)), "lora")
    assert plan.trainable and all(".lora_" in name for name in plan.trainable)


@pytest.mark.parametrize("layers", [1, 2])
def test_below_the_first_lora_all_is_computed_once_with_the_same_losses(layers, tmp_path):
    runs = []
    for cache in (FeatureCache(tmp_path), False):
        torch.manual_seed(1)
        model = add_lora(llama(), rank=2, layers=layers)
        plan = FreezePlan.preset(model, "lora")
        data = TaskData(language(200), language(16, seed=1))
        runs.append(
            fit(model, plan, data, loss=next_token_loss, epochs=2, batch_size=20, lr=1e-2, cache=cache)
        )
    assert runs[0].cached and not runs[1].cached, runs[0].cache
    torch.testing.assert_close(runs[0].curves.loss, runs[1].curves.loss, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(runs[0].curves.valid_loss, runs[1].curves.valid_loss, rtol=1e-4, atol=1e-5)
    assert runs[0].curves.loss[-1] < runs[0].curves.loss[0]


def test_labels_that_count_padding_keep_all_of_it():
    data = texts(40)
    data["labels"] = data["input_ids"]
    losses = []
    for cache in (True, False):
        model = add_lora(llama(), rank=2, layers=1)
        plan = FreezePlan.preset(model, "lora")
        run = fit(model, plan, TaskData(data, data), loss=next_token_loss, epochs=2, lr=1e-12, cache=cache)
        losses.append(run.curves.valid_loss)
    with torch.no_grad():
        whole = next_token_loss(llama()(data["input_ids"], data["attention_mask"]).logits, data["labels"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0][0] == pytest.approx(float(whole), rel=1e-5)
