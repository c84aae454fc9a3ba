"""The text backbone loads offline, quietly, and is what its record says."""

import pytest
import torch

from tlwidgets.models import BACKBONES, TextClassifier, load_text_backbone, mean_pool

pytestmark = pytest.mark.slow

RECORD = BACKBONES["minilm"]


def test_a_backbone_is_what_its_record_says():
    model, tokenizer = load_text_backbone("minilm")
    assert sum(p.numel() for p in model.parameters()) == RECORD.parameters
    assert (model.config.hidden_size, model.config.num_hidden_layers) == (RECORD.hidden_size, RECORD.layers)
    assert tokenizer.vocab_size == model.config.vocab_size
    assert not model.training


def test_loading_writes_nothing_to_either_stream(capfd):
    load_text_backbone("minilm")
    load_text_backbone("minilm", from_scratch=True)
    assert capfd.readouterr() == ("", "")


def test_the_pretrained_model_knows_which_sentences_belong_together():
    model, tokenizer = load_text_backbone("minilm")
    batch = tokenizer(
        ["A wonderful film.", "I loved this movie.", "The invoice is due on Friday."],
        padding=True,
        return_tensors="pt",
    )
    with torch.no_grad():
        vectors = mean_pool(model(**batch).last_hidden_state, batch["attention_mask"])
    similar = torch.nn.functional.cosine_similarity
    assert similar(vectors[0], vectors[1], dim=0) > similar(vectors[0], vectors[2], dim=0) + 0.2


def test_similarities_are_those_of_its_documentation():
    """The first example of the Sentence Transformers documentation (sbert.net, "Quickstart") and what it
    prints.
    """
    model, tokenizer = load_text_backbone("minilm")
    sentences = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    batch = tokenizer(sentences, padding=True, return_tensors="pt")
    with torch.no_grad():
        points = mean_pool(model(**batch).last_hidden_state, batch["attention_mask"])
    points = torch.nn.functional.normalize(points, dim=1)
    published = torch.tensor([[1.0000, 0.6660, 0.1046], [0.6660, 1.0000, 0.1411], [0.1046, 0.1411, 1.0000]])
    torch.testing.assert_close(points @ points.T, published, rtol=0, atol=1e-4)


def test_from_scratch_is_the_same_architecture_with_weights_that_only_the_seed_decides():
    pretrained, _ = load_text_backbone("minilm")
    state = torch.get_rng_state()
    first, _ = load_text_backbone("minilm", from_scratch=True, seed=3)
    again, _ = load_text_backbone("minilm", from_scratch=True, seed=3)
    other, _ = load_text_backbone("minilm", from_scratch=True, seed=4)
    assert torch.equal(state, torch.get_rng_state())
    shapes = {n: p.shape for n, p in pretrained.named_parameters()}
    assert shapes == {n: p.shape for n, p in first.named_parameters()}
    weight = "encoder.layer.0.attention.self.query.weight"
    assert torch.equal(first.get_parameter(weight), again.get_parameter(weight))
    assert not torch.equal(first.get_parameter(weight), other.get_parameter(weight))
    assert not torch.equal(first.get_parameter(weight), pretrained.get_parameter(weight))


def test_padding_does_not_change_the_mean():
    hidden = torch.arange(12.0).reshape(1, 3, 4)
    longer = torch.cat([hidden, torch.full((1, 2, 4), 99.0)], dim=1)
    assert torch.equal(
        mean_pool(hidden, torch.ones(1, 3)), mean_pool(longer, torch.tensor([[1, 1, 1, 0, 0]]))
    )


def test_a_classifier_has_a_backbone_and_a_head():
    model, tokenizer = load_text_backbone("minilm", from_scratch=True)
    classifier = TextClassifier(model, torch.nn.Linear(RECORD.hidden_size, 2))
    batch = tokenizer(["one", "two words"], padding=True, return_tensors="pt")
    assert classifier(batch["input_ids"], batch["attention_mask"]).shape == (2, 2)
    assert {name.split(".")[0] for name, _ in classifier.named_parameters()} == {"backbone", "head"}
