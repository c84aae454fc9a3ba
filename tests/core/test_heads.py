"""A new head learns under every preset that adapts a model, whatever its name and whatever is around it."""

from __future__ import annotations

import pytest
import torch
import transformers as t
from torch import nn
from zoo import SMALL

from tlwidgets.core import FreezeError, FreezePlan, ModelTree, UnknownGroupError, apply_plan, freeze
from tlwidgets.train import add_lora

VISION = {**SMALL, "image_size": 16, "patch_size": 8}


def bert() -> nn.Module:
    return t.BertModel(t.BertConfig(**SMALL, vocab_size=40), add_pooling_layer=False)


def albert() -> nn.Module:
    return t.AlbertModel(t.AlbertConfig(embedding_size=8, **SMALL, vocab_size=40))


def linear(wide: int = 16, out: int = 2) -> nn.Linear:
    return nn.Linear(wide, out)


def deep() -> nn.Module:
    return nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))


class Parts(nn.Module):
    """Modules and parameters by name."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args, **kwargs): ...


class Net(Parts):
    """A network of one's own with four stages of blocks, as torchvision's are."""

    def __init__(self, **head):
        stages = {
            f"layer{n}": nn.Sequential(*[nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()) for _ in "ab"])
            for n in range(1, 5)
        }
        super().__init__(conv1=nn.Conv2d(3, 4, 3), bn1=nn.BatchNorm2d(4), **stages, **head)


def patches(**head) -> nn.Module:
    """A vision transformer, as timm builds them."""
    blocks = nn.Sequential(*[nn.TransformerEncoderLayer(16, 2, 16) for _ in range(3)])
    return Parts(patch_embed=nn.Conv2d(3, 16, 4), blocks=blocks, norm=nn.LayerNorm(16), **head)


PRETRAINED = {
    "bert for X": lambda: t.BertForSequenceClassification(t.BertConfig(**SMALL, vocab_size=40)),
    "two layers": lambda: t.RobertaForSequenceClassification(t.RobertaConfig(**SMALL, vocab_size=40)),
    "spans": lambda: t.BertForQuestionAnswering(t.BertConfig(**SMALL, vocab_size=40)),
    "a pooler of its own": lambda: t.DebertaV2ForSequenceClassification(
        t.DebertaV2Config(**SMALL, vocab_size=40, pooler_hidden_size=16)
    ),
    "score": lambda: t.LlamaForSequenceClassification(
        t.LlamaConfig(**SMALL, num_key_value_heads=1, vocab_size=40)
    ),
    "images": lambda: t.ViTForImageClassification(t.ViTConfig(**VISION)),
    "weighted layers": lambda: t.Wav2Vec2ForSequenceClassification(
        t.Wav2Vec2Config(
            **SMALL, conv_dim=(8,), conv_stride=(5,), conv_kernel=(10,), num_feat_extract_layers=1,
            num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, use_weighted_layer_sum=True,
        )
    ),
}  # fmt: skip
# What is new is called so in the second column: all that does not begin with one of these.
BUILT = {
    **{name: (make, ("base",)) for name, make in PRETRAINED.items()},
    "classifier": (lambda: Parts(bert=bert(), classifier=linear()), ("bert",)),
    "any name": (lambda: Parts(model=bert(), zzz=linear()), ("model",)),
    "any name, deep": (lambda: Parts(model=bert(), mlp=deep()), ("model",)),
    "registered first": (lambda: Parts(out=linear(), model=bert()), ("model",)),
    "several": (lambda: Parts(enc=bert(), intent=linear(), slots=linear(16, 7)), ("enc",)),
    "in a dict": (lambda: Parts(enc=bert(), tasks=nn.ModuleDict({"a": linear(), "b": deep()})), ("enc",)),
    "in a list": (lambda: Parts(enc=bert(), tasks=nn.ModuleList([deep(), deep()])), ("enc",)),
    "with a norm": (lambda: Parts(enc=bert(), norm=nn.LayerNorm(16), out=linear()), ("enc",)),
    "a recurrent one": (lambda: Parts(enc=bert(), lstm=nn.LSTM(16, 8), out=linear(8)), ("enc",)),
    "its own layers": (
        lambda: Parts(
            bert=bert(), out=linear(),
            encoder=nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 8, batch_first=True), 2),
        ),
        ("bert",),
    ),
    "with a parameter": (lambda: Parts(enc=bert(), mix=nn.Parameter(torch.ones(4)), out=linear()), ("enc",)),
    "a sequence": (lambda: nn.Sequential(bert(), linear()), ("0",)),
    "a deep sequence": (lambda: nn.Sequential(bert(), linear(16, 16), nn.ReLU(), deep()), ("0",)),
    "shared layers": (lambda: Parts(albert=albert(), mlp=deep()), ("albert",)),
    "two pretrained": (
        lambda: Parts(
            image=t.ViTModel(t.ViTConfig(**VISION), add_pooling_layer=False),
            text=bert(), fuse=linear(32, 8), out=linear(8),
        ),
        ("image", "text"),
    ),
    "two towers": (
        lambda: Parts(text=Parts(net=bert(), proj=linear()), code=Parts(net=bert(), proj=linear())),
        ("text.net", "code.net"),
    ),
    "a loss with weights": (
        lambda: Parts(model=PRETRAINED["bert for X"](), margin=linear()),
        ("model.bert",),
    ),
    "torchvision's resnet": (lambda: Net(fc=linear(4)), ("conv", "bn", "layer")),
    "resnet, two layers": (lambda: Net(fc1=linear(4, 4), fc2=linear(4)), ("conv", "bn", "layer")),
    "resnet, any name": (lambda: Net(zzz=nn.Sequential(nn.Dropout(), linear(4))), ("conv", "bn", "layer")),
    "a head beside resnet": (lambda: Parts(net=Net(), clf=linear(4)), ("net",)),
    "backbone, head and more": (lambda: Parts(backbone=Net(), head=deep(), aux=linear(4, 3)), ("backbone",)),
    "torchvision's vgg": (
        lambda: Parts(
            features=nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)), classifier=deep()
        ),
        ("features",),
    ),
    "timm's": (lambda: patches(head=linear()), ("patch", "blocks", "norm")),
    "timm's with two": (lambda: patches(head=linear(), head_dist=linear()), ("patch", "blocks", "norm")),
    "timm's, any names": (lambda: patches(out_a=linear(16, 3), out_b=deep()), ("patch", "blocks", "norm")),
    "parts in a row": (
        lambda: Parts(conv1=nn.Conv2d(3, 4, 3), conv2=nn.Conv2d(4, 4, 3), one=linear(4), two=linear(4, 3)),
        ("conv",),
    ),
    "a chain of two chains": (
        lambda: nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)), deep()),
        ("0",),
    ),
    "network and chain": (lambda: nn.Sequential(Net(), linear(4, 4), nn.ReLU(), linear(4)), ("0",)),
}  # fmt: skip


class Lit(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, **inputs):
        return self.model(**inputs)


WRAPPERS = {
    "bare": lambda model: model,
    "DataParallel": nn.DataParallel,
    "a module of one's own": Lit,
    "two wrappers": lambda model: nn.DataParallel(Lit(model)),
    "compiled": torch.compile,
    "compiled inside": lambda model: Lit(torch.compile(model)),
}


def new_weights(model: nn.Module, pretrained: tuple[str, ...]) -> set[str]:
    names = [name for name, _ in model.named_parameters()]
    if pretrained == ("base",):
        pretrained = (model.base_model_prefix,)
    return {name for name in names if not name.startswith(pretrained)}


def adapted(model: nn.Module, preset: str) -> set[str]:
    if preset == "last" and not ModelTree.of(model).layers:
        preset = "feature-extraction"
    return set(FreezePlan.preset(model, preset).trainable)


ADAPTING = ["feature-extraction", "last", "norms-and-biases"]


@pytest.mark.parametrize("name", BUILT)
def test_every_new_weight_learns_and_feature_extraction_trains_nothing_else(name):
    make, pretrained = BUILT[name]
    model = make()
    new = new_weights(model, pretrained)
    for preset in ADAPTING:
        assert adapted(model, preset) >= new, preset
    assert adapted(model, "feature-extraction") == new


@pytest.mark.parametrize("wrap", list(WRAPPERS)[1:])
def test_a_wrapper_changes_nothing_but_names(wrap):
    for name in ["bert for X", "several", "a deep sequence", "resnet, two layers", "timm's with two"]:
        bare = BUILT[name][0]()
        plans = {preset: adapted(bare, preset) for preset in ADAPTING}
        wrapped = WRAPPERS[wrap](bare)
        place = {id(weight): own for own, weight in bare.named_parameters()}
        own = {full.removeprefix("_orig_mod."): place[id(w)] for full, w in wrapped.named_parameters()}
        for preset, learns in plans.items():
            assert {own[each] for each in adapted(wrapped, preset)} == learns, (name, preset)


@pytest.mark.parametrize("name", ["bert for X", "score", "any name, deep", "several", "a sequence"])
@pytest.mark.parametrize("wrap", ["bare", "DataParallel", "two wrappers"])
def test_lora_trains_its_additions_and_every_new_weight(name, wrap):
    make, pretrained = BUILT[name]
    bare = make()
    new = {id(weight) for key, weight in bare.named_parameters() if key in new_weights(bare, pretrained)}
    model = WRAPPERS[wrap](add_lora(bare, rank=2))
    plan = FreezePlan.preset(model, "lora")
    learns = {key: id(weight) for key, weight in model.named_parameters() if key in plan.trainable}
    assert {key for key, weight in learns.items() if weight not in new} == {
        key for key, _ in model.named_parameters() if ".lora_" in key
    }
    assert new <= set(learns.values())


@pytest.mark.parametrize("kind", ["LoraConfig", "IA3Config", "LoHaConfig"])
def test_what_peft_trains_learns_and_what_it_keeps_does_not(kind):
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(
        PRETRAINED["bert for X"](),
        getattr(peft, kind)(
            target_modules=["query"],
            task_type="SEQ_CLS",
            **({"feedforward_modules": []} if kind == "IA3Config" else {"modules_to_save": ["classifier"]}),
        ),
    )
    theirs = {name for name, weight in model.named_parameters() if weight.requires_grad}
    tree = ModelTree.of(model)
    assert FreezePlan.preset(tree, "lora").trainable == theirs
    assert tree.heads[0].chosen and "modules_to_save" in tree.heads[0].reason
    saved = {name for name in theirs if "modules_to_save" in name}
    assert FreezePlan.preset(tree, "feature-extraction").trainable == saved
    assert not [name for name in FreezePlan.preset(tree, "full").trainable if "original_module" in name]


def test_a_language_model_keeps_its_pretrained_output_layer():
    for make in (
        lambda: t.GPT2LMHeadModel(t.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=40)),
        lambda: t.LlamaForCausalLM(t.LlamaConfig(**SMALL, num_key_value_heads=1, vocab_size=40)),
        lambda: t.BertForMaskedLM(t.BertConfig(**SMALL, vocab_size=40)),
    ):
        model = make()
        output = model.get_output_embeddings().weight
        for preset, tuned in (("norms-and-biases", model), ("lora", add_lora(model))):
            plan = FreezePlan.preset(tuned, preset)
            assert not any(w is output for key, w in tuned.named_parameters() if key in plan.trainable)


def test_the_tree_says_what_it_takes_for_the_head_and_why():
    tree = ModelTree.of(nn.DataParallel(BUILT["several"][0]()))
    assert tree.head == ("module.intent", "module.slots")
    assert tree.head_notes == (
        "Taken for the head: `module.intent` and `module.slots`, beside the pretrained `module.enc`.",
    )
    assert not FreezePlan.preset(tree, "feature-extraction").notes


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: bert(), "No part of this BertModel looks like a head"),
        (
            lambda: Parts(out=linear(), blocks=patches().blocks),
            "Not taken for the head, and frozen with the backbone: `out`. If that is new, name it: head=.",
        ),
        (
            lambda: Parts(bert=bert(), image_encoder=Net(), out=linear()),
            "frozen with the backbone: `image_encoder`",
        ),
        (lambda: patches(proj=linear(16, 16), head=linear()), "frozen with the backbone: `proj`"),
    ],
)
def test_a_part_that_may_be_a_head_is_never_frozen_without_a_word(make, sentence):
    model = make()
    with pytest.warns(UserWarning, match=sentence):
        freeze(model)
    assert apply_plan(model, FreezePlan.preset(model, "norms-and-biases")).warnings
    assert not apply_plan(model, FreezePlan.preset(model, "full")).warnings


def test_a_head_can_be_named_by_the_end_of_its_name():
    model = nn.DataParallel(Parts(out=linear(), blocks=patches().blocks))
    for preset in ADAPTING:
        plan = FreezePlan.preset(model, preset, head="out")
        assert {"module.out.weight", "module.out.bias"} <= plan.trainable
        assert not plan.notes
    tree = ModelTree.of(model, head=["out", "blocks.2"])
    assert tree.head == ("module.out", "module.blocks.2")
    assert tree.layers == ("module.blocks.0", "module.blocks.1")
    assert tree.group("module.out").kind == tree.rows[0].kind == "head"
    assert FreezePlan.preset(tree, "last", k=1).state("module.blocks.1") == "trained"


def test_sentences_for_names_that_are_no_head():
    model = BUILT["several"][0]()
    with pytest.raises(UnknownGroupError, match="no group 'intents'.*nearest names are 'intent'"):
        freeze(model, head="intents")
    with pytest.raises(UnknownGroupError, match="3 parts of the model are called 'query'.*whole name"):
        freeze(model, head="query")
    with pytest.raises(FreezeError, match="cannot be the head: it is the whole model"):
        freeze(model, head="")
