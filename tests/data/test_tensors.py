"""Sentences become tensors of one shape, whatever their length."""

import pytest
import torch

from tlwidgets.data import encode, load_sentences
from tlwidgets.models import load_text_backbone

pytestmark = pytest.mark.slow


def test_every_sentence_has_the_same_number_of_places_and_its_label():
    _, tokenizer = load_text_backbone("minilm", from_scratch=True)
    film = load_sentences("film").take(range(20))
    batch = encode(film, tokenizer, max_length=16)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (20, 16)
    assert batch["labels"].tolist() == list(film.labels)
    assert torch.equal(batch["input_ids"] != tokenizer.pad_token_id, batch["attention_mask"].bool())
