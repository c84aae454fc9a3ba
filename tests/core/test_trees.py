"""Groups are what a person expects, for models nobody wrote a rule for."""

import gc
import time
import weakref

import pytest
import torch
import transformers as t
from torch import nn
from zoo import ODD, SMALL, ZOO, make

from tests.machine import slowness
from tlwidgets.core import FreezePlan, ModelTree, apply_plan, estimate_cost, profile
from tlwidgets.core.scan import scan


class HeadFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 2)
        self.blocks = nn.ModuleList([nn.TransformerEncoderLayer(8, 2, 16) for _ in range(3)])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def _swin():
    return t.SwinForImageClassification(
        t.SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4)
    )


def _mobilenet():
    return t.MobileNetV2ForImageClassification(t.MobileNetV2Config(depth_multiplier=0.35))


def _wav2vec():
    return t.Wav2Vec2ForSequenceClassification(
        t.Wav2Vec2Config(
            **SMALL, conv_dim=(8, 8), conv_stride=(5, 2), conv_kernel=(10, 3), num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=2, num_feat_extract_layers=2,
        )
    )  # fmt: skip


def _bart():
    return t.BartForConditionalGeneration(
        t.BartConfig(
            d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32, decoder_ffn_dim=32, vocab_size=60, max_position_embeddings=20,
        )
    )  # fmt: skip


def _mixtral():
    return t.MixtralForCausalLM(
        t.MixtralConfig(
            **SMALL, num_key_value_heads=1, vocab_size=40, num_local_experts=64, num_experts_per_tok=2
        )
    )


AWKWARD = {
    "swin": (_swin, ("classifier",), 2),
    "mobilenet": (_mobilenet, ("classifier",), 16),
    "wav2vec": (_wav2vec, ("projector", "classifier"), 3),
    "bart": (_bart, ("lm_head",), 4),
    "mixtral": (_mixtral, ("lm_head",), 3),
    "deep": (lambda: nn.Sequential(*[nn.Linear(2, 2) for _ in range(301)]), ("300",), 300),
    "head-first": (HeadFirst, ("head",), 3),
    "wrapped": (lambda: nn.DataParallel(HeadFirst()), None, 3),
    "one-layer": (lambda: nn.Linear(3, 2), (), 0),
    "by-name": (lambda: nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)}), None, None),
}
EVERY = {name: (lambda s=s: make(s), s.head, s.layers) for name, s in {**ZOO, **ODD}.items()} | AWKWARD


@pytest.mark.parametrize("name", EVERY)
def test_head_and_layers_are_found_and_no_list_is_too_long(name):
    build, head, layers = EVERY[name]
    tree = ModelTree.of(build())
    for group in (tree.root, *tree.root.children):
        assert len(group.children) <= 120
    if head is not None:
        assert tree.head == head
    if layers is not None:
        assert len(tree.layers) == layers
    shown = [group.id for group in tree.walk()]
    assert len(set(shown)) == len(shown)
    places = [shown.index(layer) for layer in tree.layers]
    assert places == sorted(places)


def test_labels_are_words():
    rows = {row.id: row.label for row in ModelTree.of(make(ZOO["bert"])).root.children}
    assert rows["bert.encoder.layer.2"] == "Encoder layer 3"
    assert rows["bert.embeddings"] == "Embeddings"
    assert rows["classifier"] == "Head: classifier"


def test_a_head_registered_first_is_shown_last():
    assert ModelTree.of(HeadFirst()).root.children[-1].id == "head"


def test_shared_modules_count_once():
    layer = nn.Linear(4, 4)
    tree = ModelTree.of(nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(4, 2)))
    assert tree.total == 20 + 10
    assert {names for tied in tree.tied for names in tied.names} == {
        "0.weight",
        "2.weight",
        "0.bias",
        "2.bias",
    }


@pytest.fixture(scope="module")
def llama():
    """A Llama of 70 billion parameters, without them."""
    config = t.LlamaConfig(
        hidden_size=8192, intermediate_size=28672, num_hidden_layers=80, num_attention_heads=64,
        num_key_value_heads=8,
        vocab_size=128256,
    )  # fmt: skip
    with torch.device("meta"):
        return t.LlamaForCausalLM(config)


def test_a_70b_model_opens_and_answers_without_its_weights(llama):
    start = time.perf_counter()
    tree = ModelTree.of(llama)
    plan = FreezePlan.preset(tree, "last", k=2)
    measured = profile(llama)
    # Far above what it takes: a benchmark has the figure.
    assert time.perf_counter() - start < 15 * slowness()
    assert tree.total == sum(parameter.numel() for parameter in llama.parameters()) > 70e9
    apply_plan(llama, plan)
    cost = estimate_cost(tree, plan, measured)
    assert cost.trainable == sum(p.numel() for p in llama.parameters() if p.requires_grad)
    assert len(tree.root.children) == 83


def test_a_model_is_let_go_as_soon_as_nobody_needs_it():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    gone = weakref.ref(model)
    gc.disable()  # what is only a garbage collection away takes memory for as long as it likes
    try:
        scan(model)
        del model
        assert gone() is None
    finally:
        gc.enable()


def test_a_tree_keeps_no_model():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    gone = weakref.ref(model[0].weight)
    plan = FreezePlan.preset(model, "last", k=1)
    del model
    gc.collect()
    assert gone() is None
    assert plan.with_policy("0", "trained").state("0") == "trained"
