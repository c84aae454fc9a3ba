"""A language model is unpacked once, to the same numbers; a damaged copy is made again; what stands in the
way is said.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import gguf
import numpy as np
import pytest

from tlwidgets import models
from tlwidgets.models import BACKBONES, ConversionError, convert, converted_folder, is_converted

pytestmark = pytest.mark.slow

RECORD = BACKBONES["smollm2"]
LAYERS, WIDTH, HEADS, KEYS = 2, 64, 4, 2  # of the tiny model below
WORDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *map(chr, range(33, 127)), "Ġ", "th", "the"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tlwidgets" / "models"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A package with a small model in llama.cpp's format, and the record of it."""
    folder = tmp_path / "site" / "tiny_gguf"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('a weight package is never imported')")
    write_gguf(folder / "tiny.gguf")
    monkeypatch.syspath_prepend(tmp_path / "site")
    file = models.WeightFile(
        "tiny.gguf",
        (folder / "tiny.gguf").stat().st_size,
        convert.sha256_of(folder / "tiny.gguf", remember=False),
    )
    return dataclasses.replace(RECORD, name="tiny", package="tiny-gguf", module="tiny_gguf", files=(file,))


def write_gguf(path: Path) -> None:
    draw = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in {
        "vocab_size": len(WORDS),
        "embedding_length": WIDTH,
        "feed_forward_length": 96,
        "block_count": LAYERS,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KEYS,
        "context_length": 128,
    }.items():
        writer.add_uint32(f"llama.{key}", value)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_token_list(WORDS)
    writer.add_token_types([3, 3, 3, *[1] * (len(WORDS) - 3)])
    writer.add_token_merges(["t h", "th e"])
    for name, number in {"bos": 1, "eos": 2, "unknown": 0, "padding": 2}.items():
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", number)
    writer.add_chat_template("{{ messages }}")
    sizes = {
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (32, WIDTH),
        "attn_v": (32, WIDTH),
        "attn_output": (WIDTH, WIDTH),
    }
    sizes |= {"ffn_gate": (96, WIDTH), "ffn_up": (96, WIDTH), "ffn_down": (WIDTH, 96)}
    sizes |= {"attn_norm": (WIDTH,), "ffn_norm": (WIDTH,)}
    for layer in range(LAYERS):
        for part, size in sizes.items():
            writer.add_tensor(f"blk.{layer}.{part}.weight", draw.normal(size=size).astype(np.float32))
    writer.add_tensor("token_embd.weight", draw.normal(size=(len(WORDS), WIDTH)).astype(np.float32))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load(folder: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def test_what_is_unpacked_is_the_model_that_was_packed(tiny):
    import torch

    folder = converted_folder(tiny)
    model, tokenizer = load(folder)
    reader = {t.name: t.data for t in gguf.GGUFReader(folder_of(tiny) / "tiny.gguf").tensors}
    weights = model.state_dict()
    pairs = {
        "model.embed_tokens": "token_embd",
        "model.layers.1.mlp.down_proj": "blk.1.ffn_down",
        "model.layers.0.self_attn.v_proj": "blk.0.attn_v",
        "model.layers.0.post_attention_layernorm": "blk.0.ffn_norm",
    }
    for ours, theirs in pairs.items():
        assert np.array_equal(weights[f"{ours}.weight"].numpy(), reader[f"{theirs}.weight"]), ours
    # llama.cpp has rotated pairs as neighbours, transformers as halves: row 1 of a head is the half's first.
    query, packed = weights["model.layers.0.self_attn.q_proj.weight"].numpy(), reader["blk.0.attn_q.weight"]
    half = WIDTH // HEADS // 2
    assert np.array_equal(query[0], packed[0]) and np.array_equal(query[half], packed[1])
    assert np.array_equal(query[WIDTH // HEADS], packed[WIDTH // HEADS])
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.dtype == torch.float32
    assert tokenizer.tokenize("the 42") == ["the", "Ġ", "4", "2"]
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|im_end|>")


def folder_of(record) -> Path:
    return models.checked_folder(record)


def test_it_is_done_once_and_says_so(tiny):
    said = []
    assert not is_converted(tiny)
    folder = converted_folder(tiny, said.append)
    before = (folder / "model.safetensors").stat()
    assert converted_folder(tiny, said.append) == folder and is_converted(tiny)
    assert len(said) == 1 and "Unpacking" in said[0]
    assert (folder / "model.safetensors").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "converted.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "lost"])
def test_a_damaged_copy_is_made_again(tiny, name, damage):
    folder = converted_folder(tiny)
    whole = (folder / name).read_bytes()
    if damage == "lost":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(whole[:-3] if damage == "cut" else bytes([whole[0] ^ 1]) + whole[1:])
    assert not is_converted(tiny)
    assert converted_folder(tiny) == folder
    assert (folder / name).read_bytes() == whole


def test_an_interrupted_attempt_leaves_nothing(tiny, cache, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(convert, "_write_weights", stop)
        with pytest.raises(KeyboardInterrupt):
            converted_folder(tiny)
    assert list(cache.iterdir()) == []
    load(converted_folder(tiny))


def test_another_version_replaces_it(tiny, cache, monkeypatch):
    old = converted_folder(tiny)
    monkeypatch.setattr(convert, "VERSION", convert.VERSION + 1)
    assert not is_converted(tiny)
    new = converted_folder(tiny)
    assert list(cache.iterdir()) == [new] and new != old


def test_a_copy_that_another_process_made_meanwhile_is_taken(tiny, monkeypatch):
    ours = convert._write_model

    def late(gguf_file, part):
        ours(gguf_file, part)
        with monkeypatch.context() as patched:
            patched.setattr(convert, "_write_model", ours)
            converted_folder(tiny)

    monkeypatch.setattr(convert, "_write_model", late)
    load(converted_folder(tiny))
    assert is_converted(tiny)


def test_a_cache_that_is_not_a_folder_gets_a_sentence(tiny, tmp_path, monkeypatch):
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a-file"))
    with pytest.raises(
        ConversionError, match=r"cannot be written to .*a-file.*XDG_CACHE_HOME.*tlcourse setup"
    ):
        converted_folder(tiny)


def test_a_full_disk_gets_a_sentence_and_leaves_nothing(tiny, cache, monkeypatch):
    def full(reader, config, path):
        path.write_bytes(b"the beginning")
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(convert, "_write_weights", full)
    with pytest.raises(ConversionError, match="No space left on device.*Make room"):
        converted_folder(tiny)
    assert list(cache.iterdir()) == []


def test_without_the_reader_it_says_what_to_install(tiny, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ConversionError, match="needs the package gguf.*pip install"):
        converted_folder(tiny)


def test_the_manifest_names_what_it_was_made_from(tiny):
    manifest = json.loads((converted_folder(tiny) / "converted.json").read_text())
    assert manifest["source"] == tiny.requirement
    assert set(manifest["files"]) == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
