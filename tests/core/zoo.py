"""Small random models of many architectures, each with a batch and the loss of one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import transformers as t
from torch import Tensor, nn
from torch.nn.utils import spectral_norm as old_spectral_norm
from torch.nn.utils.parametrizations import spectral_norm

from tlwidgets.core import PRESETS

SMALL = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}


@dataclass(frozen=True)
class Specimen:
    """How to make a model, what it is called with, and which ids its tree should find."""

    make: Callable[[], nn.Module]
    batch: Callable[[], dict[str, Tensor]]
    head: tuple[str, ...]
    layers: int


def _tokens(*names: str) -> Callable[[], dict[str, Tensor]]:
    return lambda: {name: torch.randint(3, 40, (4, 8)) for name in names or ("input_ids",)}


def _image(size: int = 16) -> Callable[[], dict[str, Tensor]]:
    return lambda: {"pixel_values": torch.randn(4, 3, size, size)}


def _plain(*shape: int) -> Callable[[], dict[str, Tensor]]:
    return lambda: {"input": torch.randn(*shape)}


def _gpt2():
    return t.GPT2LMHeadModel(
        t.GPT2Config(
            n_embd=16, n_layer=3, n_head=2, vocab_size=40, n_positions=16, bos_token_id=1, eos_token_id=2
        )
    )


def _whisper():
    return t.WhisperForConditionalGeneration(
        t.WhisperConfig(
            d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32, decoder_ffn_dim=32, vocab_size=40, max_source_positions=20,
            max_target_positions=20,
            num_mel_bins=8, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        )
    )  # fmt: skip


def _clip():
    text = {
        **SMALL,
        "vocab_size": 40,
        "max_position_embeddings": 16,
        "eos_token_id": 2,
        "bos_token_id": 1,
        "pad_token_id": 0,
    }
    return t.CLIPModel(
        t.CLIPConfig(
            text_config=text, vision_config={**SMALL, "image_size": 16, "patch_size": 8}, projection_dim=8
        )
    )


def _chain():
    return nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 8), nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 3),
    )  # fmt: skip


class Backbone(nn.Module):
    """A backbone made of `parts`, and a head."""

    def __init__(self, *parts: nn.Module, width: int = 8):
        super().__init__()
        self.backbone = nn.Sequential(*parts)
        self.head = nn.Linear(width, 3)

    def forward(self, input):
        features = self.backbone(input)
        return self.head(features.flatten(2).mean(2) if features.dim() > 2 else features)


ZOO: dict[str, Specimen] = {
    "bert": Specimen(
        lambda: t.BertForSequenceClassification(t.BertConfig(**SMALL, vocab_size=40)),
        _tokens(),
        ("classifier",),
        3,
    ),
    "distilbert": Specimen(
        lambda: t.DistilBertForSequenceClassification(
            t.DistilBertConfig(dim=16, n_layers=3, n_heads=2, hidden_dim=32, vocab_size=40)
        ),
        _tokens(),
        ("pre_classifier", "classifier"),
        3,
    ),
    "gpt2": Specimen(_gpt2, _tokens(), ("lm_head",), 3),
    "t5": Specimen(
        lambda: t.T5ForConditionalGeneration(
            t.T5Config(
                d_model=16,
                d_kv=8,
                d_ff=32,
                num_layers=2,
                num_heads=2,
                vocab_size=40,
                decoder_start_token_id=0,
            )
        ),
        _tokens("input_ids", "decoder_input_ids"),
        ("lm_head",),
        4,
    ),
    "vit": Specimen(
        lambda: t.ViTForImageClassification(t.ViTConfig(**SMALL, image_size=16, patch_size=8)),
        _image(),
        ("classifier",),
        3,
    ),
    "resnet": Specimen(
        lambda: t.ResNetForImageClassification(
            t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[2, 2], layer_type="basic")
        ),
        _image(32),
        ("classifier",),
        2,
    ),
    "whisper": Specimen(
        _whisper,
        lambda: {"input_features": torch.randn(4, 8, 40), "decoder_input_ids": torch.randint(3, 40, (4, 6))},
        ("proj_out",),
        4,
    ),
    "clip": Specimen(_clip, lambda: _tokens()() | _image()(), ("visual_projection", "text_projection"), 6),
    "albert": Specimen(
        lambda: t.AlbertForSequenceClassification(t.AlbertConfig(embedding_size=8, **SMALL, vocab_size=40)),
        _tokens(),
        ("classifier",),
        1,
    ),
    "llama": Specimen(
        lambda: t.LlamaForCausalLM(t.LlamaConfig(**SMALL, num_key_value_heads=1, vocab_size=40)),
        _tokens(),
        ("lm_head",),
        3,
    ),
    "chain": Specimen(_chain, _plain(4, 6), ("7",), 2),
}

# What changes without a gradient, or under several names.
ODD: dict[str, Specimen] = {
    "max-norm": Specimen(
        lambda: Backbone(nn.Embedding(40, 8, max_norm=0.5), nn.Flatten(1), nn.Linear(64, 8)),
        lambda: {"input": torch.randint(40, (4, 8))},
        ("head",),
        1,
    ),
    "max-norm-bag": Specimen(
        lambda: Backbone(nn.EmbeddingBag(40, 8, max_norm=0.5), nn.Linear(8, 8)),
        lambda: {"input": torch.randint(40, (4, 8))},
        ("head",),
        1,
    ),
    "spectral-norm": Specimen(
        lambda: Backbone(spectral_norm(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 8)),
        _plain(4, 6),
        ("head",),
        2,
    ),
    "old-spectral-norm": Specimen(
        lambda: Backbone(old_spectral_norm(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 8)),
        _plain(4, 6),
        ("head",),
        2,
    ),
    "sync-batch-norm": Specimen(
        lambda: Backbone(nn.Linear(6, 8), nn.SyncBatchNorm(8), nn.Linear(8, 8)), _plain(4, 6), ("head",), 2
    ),
    "instance-norm": Specimen(
        lambda: Backbone(
            nn.Conv2d(3, 8, 3),
            nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
            nn.Conv2d(8, 8, 3),
        ),
        _plain(4, 3, 8, 8),
        ("head",),
        2,
    ),
    "norm-without-weights": Specimen(
        lambda: Backbone(nn.Linear(6, 8), nn.BatchNorm1d(8, affine=False), nn.Linear(8, 8)),
        _plain(4, 6),
        ("head",),
        2,
    ),
}


def make(specimen: Specimen, seed: int = 0) -> nn.Module:
    """A specimen's model with the random weights of a seed."""
    torch.manual_seed(seed)
    return specimen.make()


def loss_of(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """A number that depends on all of a model's outputs."""
    output = model(**batch)
    if hasattr(output, "logits_per_text"):
        found = [output.logits_per_text]
    elif hasattr(output, "logits"):
        found = [output.logits]
    else:
        found = [output]
    return sum((scores.float() ** 2).mean() + scores.float().std() for scores in found)


# "lora" is for models that have it; tests/train/test_lora.py has those.
USUAL_PRESETS = [name for name in PRESETS if name != "lora"]
