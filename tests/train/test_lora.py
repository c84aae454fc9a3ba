"""LoRA leaves every weight of the model as it is."""

from __future__ import annotations

import sys

import pytest
import torch
import transformers as t
from torch import nn

from tests.train.feature_tasks import bert, texts
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
    plan = FreezePlan.preset(model, "lora")
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
    plain = FreezePlan.preset(bert(), "feature-extraction").trainable_count
    tree = ModelTree.of(add_lora(bert(), rank=3, layers=1))
    count = FreezePlan.preset(tree, "lora").trainable_count
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
    with pytest.raises(FreezeError, match="no LoRA to train. Add it first"):
        FreezePlan.preset(bert(), "lora")
    with pytest.raises(FreezeError, match="no LoRA to merge"):
        merge_lora(bert())
    with pytest.raises(FreezeError, match="no list of layers|have no linear matrices"):
        add_lora(nn.Sequential(nn.Conv1d(2, 2, 1), nn.ReLU(), nn.Conv1d(2, 2, 1)))
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModuleNotFoundError, match="LoRA needs the package peft.*tlcourse setup"):
        add_lora(bert())


class Sentences(nn.Module):
    """A classifier of token ids made of PyTorch's own layers."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.1)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.classifier = nn.Linear(16, 2)

    def forward(self, input_ids, attention_mask):
        hidden = self.encoder(self.embed(input_ids), src_key_padding_mask=attention_mask == 0)
        return self.classifier(hidden[:, 0])


class Pairs(nn.Module):
    """Attention whose keys and values have other widths than its queries, and a decoder's layer."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, 16)
        self.attention = nn.ModuleList(
            nn.MultiheadAttention(16, 2, kdim=8, vdim=8, batch_first=True) for _ in "ab"
        )
        self.narrow = nn.Linear(16, 8)
        self.head = nn.Linear(16, 2)

    def forward(self, input_ids, attention_mask):
        hidden = self.embed(input_ids)
        for attend in self.attention:
            hidden = attend(hidden, self.narrow(hidden), self.narrow(hidden))[0]
        return self.head(hidden[:, 0])


def answers(model):
    data = texts(8, seed=5)
    model.eval()
    with torch.no_grad():
        return model(input_ids=data["input_ids"], attention_mask=data["attention_mask"])


@pytest.mark.parametrize("make", [Sentences, Pairs])
def test_pytorch_s_own_attention_learns_and_is_evaluated_with_what_it_learned(make):
    torch.manual_seed(0)
    model = make()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    first = answers(model)
    add_lora(model, rank=2)
    torch.testing.assert_close(answers(model), first, msg="the additions begin at zero")
    plan, _ = trained(model)
    for name, weight in model.named_parameters():
        own = name.replace("parametrizations.", "").replace(".original", "").replace(".base_layer", "")
        if own in before and name not in plan.trainable:
            assert torch.equal(weight, before[own]), name
        if ".lora_B" in name:
            assert weight.abs().max() > 0, name
    fast = answers(model)
    assert (fast - first).abs().max() > 0.01
    with torch.enable_grad():  # PyTorch's shortcut for evaluation is off
        data = texts(8, seed=5)
        slow = model(input_ids=data["input_ids"], attention_mask=data["attention_mask"])
    torch.testing.assert_close(fast, slow.detach(), rtol=1e-3, atol=1e-4)
    merge_lora(model)
    torch.testing.assert_close(answers(model), fast, rtol=1e-3, atol=1e-4)
    assert {name: w.shape for name, w in model.named_parameters()} == {n: w.shape for n, w in before.items()}


def test_dropout_is_refused_where_there_is_no_input_to_drop():
    with pytest.raises(
        FreezeError, match="PyTorch's own attention layers .*no input to drop. Expected dropout=0.0"
    ):
        add_lora(Sentences(), dropout=0.1)
