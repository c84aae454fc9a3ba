"""The language model loads offline, quietly, and is what its package holds."""

from __future__ import annotations

import pytest
import torch

from tlwidgets.models import BACKBONES, checked_folder, load_language_model

pytestmark = pytest.mark.slow

RECORD = BACKBONES["smollm2"]


@pytest.fixture(scope="module")
def loaded():
    return load_language_model()


def test_it_is_what_its_record_says(loaded):
    model, tokenizer = loaded
    assert sum(p.numel() for p in model.parameters()) == RECORD.parameters
    assert (model.config.hidden_size, model.config.num_hidden_layers) == (RECORD.hidden_size, RECORD.layers)
    assert model.dtype == torch.float32 and not model.training
    assert len(tokenizer) == model.config.vocab_size


def test_loading_writes_nothing_to_either_stream(loaded, capfd):
    load_language_model()
    assert capfd.readouterr() == ("", "")


def test_its_scores_and_tokens_are_those_of_transformers_own_reader(loaded):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = loaded
    package, file = checked_folder(RECORD), RECORD.files[0].path
    texts = ["A dull, inconsistent film from 2004.", "  It's naïve; isn't it?\n\n<|im_end|>"]
    theirs = AutoTokenizer.from_pretrained(package, gguf_file=file)
    for text in texts:
        ids = tokenizer(text).input_ids
        assert ids == theirs(text).input_ids
        assert tokenizer.decode(ids) == text
    other = AutoModelForCausalLM.from_pretrained(package, gguf_file=file, dtype=torch.float32)
    batch = tokenizer(texts[0], return_tensors="pt")
    with torch.no_grad():
        torch.testing.assert_close(model(**batch).logits, other(**batch).logits, rtol=1e-3, atol=1e-3)


def test_it_knows_what_comes_next(loaded):
    model, tokenizer = loaded
    with torch.no_grad():
        scores = model(**tokenizer("The capital of France is", return_tensors="pt")).logits[0, -1]
    assert tokenizer.decode([int(scores.argmax())]) == " Paris"
