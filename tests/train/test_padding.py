"""A batch is cut to its longest example: what shares an axis of padding together, or nothing."""

from __future__ import annotations

import pytest
import torch
import transformers as t
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import TaskData, fit, next_token_loss, perplexity
from tlwidgets.train.data import Split

CPU = torch.device("cpu")
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "vocab_size": 40}


def padded(lengths: list[int], width: int, *, left: bool = False, seed: int = 0):
    """Token ids, 0 at padding, and their mask."""
    mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
    mask = mask.flip(1) if left else mask
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(3, 40, mask.shape, generator=draw) * mask, mask


# Tensors that may come with a text: from the text's width and its mask.
COMPANIONS = {
    "token_type_ids": lambda width, mask: mask.clone(),
    "position_ids": lambda width, mask: torch.arange(width).expand(len(mask), width),
    "inputs_embeds": lambda width, mask: torch.ones(len(mask), width, 3),
    "bbox": lambda width, mask: torch.ones(len(mask), width, 4, dtype=torch.long),
}
# Tensors of another axis, whose width may be the same by chance, and all of whose content counts.
STRANGERS = {
    "second_ids": lambda width, n: torch.ones(n, width, dtype=torch.long),
    "patches": lambda width, n: torch.ones(n, width, 2),
    "pair_mask": lambda width, n: torch.ones(n, width, width, dtype=torch.bool),
    "decoder_input_ids": lambda width, n: torch.ones(n, width, dtype=torch.long),
    "labels": lambda width, n: torch.ones(n, width, dtype=torch.long),
}
TARGETS = ("decoder_input_ids", "decoder_attention_mask", "labels")


@st.composite
def tasks(draw):
    """Examples, and which of their tensors have the axis of "attention_mask"."""
    number = draw(st.integers(1, 4))
    width, other = draw(st.integers(2, 6)), draw(st.integers(2, 6))
    lengths = st.lists(st.integers(1, width), min_size=number, max_size=number)
    ids, mask = padded(draw(lengths), width, left=draw(st.booleans()))
    data = {"input_ids": ids, "attention_mask": mask, "labels": torch.zeros(number, dtype=torch.long)}
    for name in draw(st.sets(st.sampled_from(sorted(COMPANIONS)))):
        data[name] = COMPANIONS[name](width, mask)
    mine = set(data) - {"labels"}
    for name in draw(st.sets(st.sampled_from(sorted(STRANGERS)))):
        data[name] = STRANGERS[name](other, number)
    if draw(st.booleans()):
        ends = st.lists(st.integers(1, other), min_size=number, max_size=number)
        data["decoder_input_ids"], seen = padded(draw(ends), other, seed=1)
        data["decoder_attention_mask"] = seen
        data["labels"] = data["decoder_input_ids"].masked_fill(seen == 0, -100)
    elif draw(st.booleans()):
        data["labels"] = ids.masked_fill(mask == 0, -100)
    return data, mine


@given(task=tasks(), decoder=st.booleans(), chosen=st.data())
@settings(deadline=None)
def test_only_padding_is_cut_and_what_shares_an_axis_is_cut_together(task, decoder, chosen):
    data, mine = task
    part = Split(data, "training", CPU)
    index = torch.tensor(chosen.draw(st.lists(st.integers(0, part.size - 1), min_size=1, max_size=3)))
    batch = part.take(index, decoder=decoder)
    got = {**batch.inputs, "labels": batch.labels}
    for name, tensor in got.items():
        assert torch.equal(tensor, data[name][index][:, : tensor.shape[1]] if tensor.dim() > 1 else tensor)
    for names, mask in ((mine, "attention_mask"), (set(TARGETS), "decoder_attention_mask")):
        there = [name for name in names if name in data]
        if mask in data:
            assert len({got[name].shape[1] for name in there}) == 1
            assert got[mask].sum() == data[mask][index].sum()
    # Of a tensor without a mask of its own nothing is lost.
    for name in set(data) - mine - (set(TARGETS) if "decoder_attention_mask" in data else set()):
        cut = data[name][index].numel() - got[name].numel()
        assert cut == 0 or (
            name == "labels" and (got[name] != -100).sum() == (data[name][index] != -100).sum()
        )


def test_padding_is_left_out_where_that_is_safe():
    ids, mask = padded([2, 3, 5], 9)
    texts = {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([0, 1, 0])}
    first = slice(0, 2)
    assert Split(texts, "training", CPU).take(first).inputs["input_ids"].shape == (2, 3)
    tokens = {**texts, "labels": ids.masked_fill(mask == 0, -100)}
    assert Split(tokens, "training", CPU).take(first).labels.shape == (2, 3)
    target, seen = padded([1, 1, 4], 9, seed=1)
    both = {**texts, "decoder_input_ids": target, "decoder_attention_mask": seen}
    both["labels"] = target.masked_fill(seen == 0, -100)
    batch = Split(both, "training", CPU).take(first, decoder=True)
    assert batch.inputs["input_ids"].shape == (2, 3) and batch.inputs["decoder_input_ids"].shape == (2, 1)
    assert batch.labels.shape == (2, 1)


def bert(**config):
    torch.manual_seed(0)
    return t.BertForSequenceClassification(t.BertConfig(**SMALL, **STILL, **config))


def embedded():
    """Vectors in the place of token ids."""
    ids, mask = padded([3, 5, 2, 6] * 4, 9)
    return bert(), {"inputs_embeds": torch.randn(*ids.shape, 16), "attention_mask": mask}


def boxed():
    """Words with their places on a page."""
    torch.manual_seed(0)
    config = t.LayoutLMConfig(**SMALL, **STILL, max_2d_position_embeddings=16)
    ids, mask = padded([3, 5, 2, 6] * 4, 9)
    box = torch.randint(0, 7, (*ids.shape, 2))
    return t.LayoutLMForSequenceClassification(config), {
        "input_ids": ids,
        "attention_mask": mask,
        "bbox": torch.cat([box, box + 3], 2),
    }


class PairMask(nn.Module):
    """Attention under a mask of pairs of positions, beside that of the padding."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head = nn.Embedding(40, 8), nn.Linear(8, 2)

    def forward(self, input_ids, attention_mask, visible):
        hidden = self.embed(input_ids)
        scores = (hidden @ hidden.transpose(1, 2)).masked_fill(~visible, -1e9)
        weight = attention_mask[..., None]
        return self.head(((scores.softmax(2) @ hidden) * weight).sum(1) / weight.sum(1))


def pair_masked():
    ids, mask = padded([3, 5, 2, 6] * 4, 9)
    return PairMask(), {
        "input_ids": ids,
        "attention_mask": mask,
        "visible": (mask[:, None] * mask[..., None]) > 0,
    }


def left_padded():
    ids, mask = padded([3, 5, 2, 6] * 4, 9, left=True)
    return bert(), {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize("make", [embedded, boxed, pair_masked, left_padded])
def test_losses_are_those_of_the_whole_tensors(make):
    model, inputs = make()
    labels = torch.tensor([0, 1, 0, 1] * 4)
    with torch.no_grad():
        outputs = model.eval()(**inputs)
        whole = nn.functional.cross_entropy(getattr(outputs, "logits", outputs), labels)
    data = {**inputs, "labels": labels}
    run = fit(model, None, TaskData(data, data), epochs=1, lr=1e-12, batch_size=4)
    assert run.curves.valid_loss[0] == pytest.approx(float(whole), rel=1e-4)
    assert sum(run.curves.loss) / 4 == pytest.approx(float(whole), rel=1e-4)


@pytest.mark.parametrize("masked", [False, True])
def test_an_encoder_decoder_is_trained_on_every_token_of_its_targets(masked):
    ids, mask = padded([2, 4, 3, 2] * 4, 12)
    target, seen = padded([11, 8, 12, 9] * 4, 12, seed=1)
    data = {"input_ids": ids, "attention_mask": mask}
    data["decoder_input_ids"] = torch.cat([torch.zeros(16, 1, dtype=torch.long), target[:, :-1]], 1)
    data["labels"] = target.masked_fill(seen == 0, -100)
    if masked:
        data["decoder_attention_mask"] = seen
    counted = []

    def loss(logits, labels):
        counted.append(int((labels != -100).sum()))
        return nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())

    for plan in (FreezePlan.preset, None):
        torch.manual_seed(0)
        config = t.T5Config(d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, vocab_size=40)
        model = t.T5ForConditionalGeneration(config)
        frozen = None if plan is None else plan(ModelTree.of(model), "last", k=1)
        counted.clear()
        fit(model, frozen, data, epochs=1, batch_size=4, loss=loss, cache=False)
        assert sum(counted) == int(seen.sum())


def test_perplexity_of_texts_padded_in_front_counts_every_token():
    torch.manual_seed(0)
    model = t.GPT2LMHeadModel(
        t.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=40, n_positions=16)
    ).eval()
    ids, mask = padded([3, 9, 5], 9, left=True)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    data = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    labels = ids.masked_fill(mask == 0, -100)
    with torch.no_grad():
        whole = next_token_loss(model(**data).logits, labels)
    assert perplexity(model, {**data, "labels": labels}, 2) == pytest.approx(float(whole.exp()), rel=1e-5)
