"""Depth is counted in each tower: neither is the deeper part of the other, in whatever order they come."""

from __future__ import annotations

import pytest
import transformers as t
from torch import nn
from zoo import SMALL, ZOO, make

from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import add_lora, discriminative_rates, gradual_unfreezing


class Parts(nn.Module):
    """Modules by name, in their order."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def blocks(number: int = 3, width: int = 4) -> nn.Sequential:
    return nn.Sequential(*[nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(number)])


def tower(number: int = 3) -> nn.Module:
    return Parts(embed=nn.Embedding(8, 4), layers=blocks(number), norm=nn.LayerNorm(4))


def bert(**options) -> nn.Module:
    return t.BertModel(t.BertConfig(**{**SMALL, **options}, vocab_size=40))


def _bart() -> nn.Module:
    sizes = {f"{side}_{key}": 2 for side in ("encoder", "decoder") for key in ("layers", "attention_heads")}
    return t.BartForConditionalGeneration(
        t.BartConfig(d_model=16, **sizes, encoder_ffn_dim=32, decoder_ffn_dim=32, vocab_size=60)
    )


def vit() -> nn.Module:
    return t.ViTModel(t.ViTConfig(**SMALL, image_size=16, patch_size=8))


# How to make a model, and how many layers each of its towers has.
TOWERS = {
    **{name: (lambda name=name: make(ZOO[name]), lengths) for name, lengths in
       {"clip": [3, 3], "t5": [2, 2], "whisper": [2, 2]}.items()},
    "bart": (_bart, [2, 2]),
    "vit and bert": (lambda: Parts(image=vit(), text=bert(num_hidden_layers=2), out=nn.Linear(9, 2)), [3, 2]),
    "two berts": (
        lambda: t.EncoderDecoderModel(
            encoder=bert(), decoder=t.BertLMHeadModel(
                t.BertConfig(**SMALL, vocab_size=40, is_decoder=True, add_cross_attention=True)
            ),
        ),
        [3, 3],
    ),
    "siamese lists": (lambda: Parts(query=blocks(), document=blocks(), head=nn.Linear(8, 2)), [3, 3]),
    "two lists": (lambda: Parts(image_layers=blocks(4), text_layers=blocks(2), out=nn.Linear(9, 2)), [4, 2]),
    "siamese": (lambda: nn.DataParallel(Parts(left=tower(), right=tower(), out=nn.Linear(8, 2))), [3, 3]),
    "in a dict": (
        lambda: Parts(towers=nn.ModuleDict({"a": tower(2), "b": tower(3)}), fuse=nn.Linear(8, 4)), [2, 3],
    ),
}  # fmt: skip
SINGLE = {
    **{name: (lambda name=name: make(ZOO[name])) for name in ("bert", "resnet", "gpt2", "llama", "chain")},
    "stages": lambda: Parts(layer1=blocks(2), layer2=blocks(2), fc=nn.Linear(4, 2)),
    "stages in modules": lambda: Parts(stage1=tower(2), stage2=tower(2), fc=nn.Linear(4, 2)),
    "convolutions first": lambda: Parts(
        net=Parts(feature_extractor=Parts(conv_layers=blocks()), encoder=tower()), head=nn.Linear(4, 2)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOWERS)
def test_rates_fall_from_the_top_of_each_tower(name):
    build, lengths = TOWERS[name]
    tree = ModelTree.of(build())
    assert list(map(len, tree.towers)) == lengths
    rates = discriminative_rates(tree, 1.0, 0.5)
    assert list(rates) == [row.id for row in tree.rows]
    for own in tree.towers:
        assert [rates[layer] for layer in reversed(own)] == [0.5 ** (n + 1) for n in range(len(own))]
    assert all(rates[id] == 1 for id in tree.head)


@pytest.mark.parametrize("name", TOWERS)
def test_the_last_k_layers_of_each_tower_learn_and_so_does_what_follows_them(name):
    tree = ModelTree.of(TOWERS[name][0]())
    for k in range(1, max(map(len, tree.towers)) + 1):
        plan = FreezePlan.preset(tree, "last", k=k)
        for own in tree.towers:
            assert [plan.state(layer) for layer in own[-k:]] == ["trained"] * len(own[-k:])
            assert {plan.state(layer) for layer in own[:-k]} <= {"frozen"}
        assert all(plan.state(row.id) == "trained" for row in tree.rows if "norm" in row.id and k > len(own))


@pytest.mark.parametrize("name", TOWERS)
def test_gradual_unfreezing_thaws_the_same_depth_of_all_towers_at_once(name):
    tree = ModelTree.of(TOWERS[name][0]())
    schedule = gradual_unfreezing(tree, every=2)
    first = {
        layer: min(e for e, p in schedule.items() if p.state(layer) == "trained") for layer in tree.layers
    }
    for own in tree.towers:
        for other in tree.towers:
            together = zip(reversed(own), reversed(other), strict=False)
            assert all(first[one] == first[two] for one, two in together)
        assert [first[layer] for layer in own] == sorted((first[layer] for layer in own), reverse=True)
    assert schedule[max(schedule)].trainable == set(tree.parameter_names)


def test_the_order_of_registration_does_not_count():
    parts = {"image": vit(), "text": bert(), "out": nn.Linear(32, 2)}
    one = discriminative_rates(Parts(**parts), 1.0, 0.5)
    other = discriminative_rates(Parts(**{name: parts[name] for name in reversed(parts)}), 1.0, 0.5)
    assert one == other


@pytest.mark.parametrize("name", SINGLE)
def test_in_a_single_tower_each_layer_is_one_deeper_than_the_next(name):
    tree = ModelTree.of(SINGLE[name]())
    assert len(tree.towers) == 1
    rates = discriminative_rates(tree, 1.0, 0.5)
    assert [rates[layer] for layer in reversed(tree.layers)] == [
        0.5 ** (n + 1) for n in range(len(tree.layers))
    ]
    assert list(rates.values()) == sorted(rates.values())
    schedule = gradual_unfreezing(tree)
    later = [row for row in tree.unfolded_rows if not row.tied_to and schedule[1].state(row.id) == "frozen"]
    assert len(schedule) == 1 + len(later)


def test_lora_is_put_into_the_last_layers_of_each_tower():
    tree = ModelTree.of(add_lora(TOWERS["clip"][0](), rank=1, layers=1))
    changed = {name[: name.index("2") + 1] for name in tree.parameter_names if ".lora_" in name}
    assert changed == {"text_model.encoder.layers.2", "vision_model.encoder.layers.2"}
