"""Unit 00's experiments measure what their names say; training and test texts have nothing in common."""

from __future__ import annotations

import pytest
import torch

from course.units.u00_where_we_left_off import experiments as lesson
from tests.train.test_language import language, llama
from tlwidgets.data import load_sentences
from tlwidgets.models import load_language_model
from tlwidgets.train import add_lora

pytestmark = pytest.mark.slow


def test_what_is_learned_and_what_is_held_out_come_from_different_sources():
    snippets, held_out = lesson.texts(seed=3)
    film = load_sentences("film")
    source = dict(zip(film.texts, film.groups, strict=True))
    learned, tested = ({source[text] for text in some} for some in (snippets, held_out[lesson.FILM]))
    assert not learned & tested
    assert (len(snippets), *map(len, held_out.values())) == (lesson.TRAIN, lesson.TEST, lesson.TEST)
    assert lesson.texts(seed=3) == (snippets, held_out) != lesson.texts(seed=4)


def test_the_probability_of_the_end_is_read_where_a_whole_text_ends():
    model, data = llama(), language(12)
    lengths = data["attention_mask"].sum(1)
    whole = [row for row in range(12) if lengths[row] < data["input_ids"].shape[1]][:5]
    by_hand = []
    for row in whole:
        ids = data["input_ids"][row, : lengths[row]]
        with torch.no_grad():
            by_hand.append(float(model(ids[None, :-1]).logits[0, -1].softmax(-1)[ids[-1]]))
    assert lesson.ends(model, data, most=5) == pytest.approx(sum(by_hand) / 5, rel=1e-4)


def test_fingerprints_find_one_changed_bit_and_leave_lora_out():
    model = llama()
    before = lesson.fingerprints(model)
    add_lora(model, rank=2)
    assert lesson.fingerprints(model) == before
    with torch.no_grad():
        layer = model.model.layers[1].mlp.up_proj
        layer.lora_B["default"].weight.add_(1.0)
        assert lesson.fingerprints(model) == before
        layer.base_layer.weight[0, 0].view(torch.int32).bitwise_xor_(1)
    after = lesson.fingerprints(model)
    assert [name for name in before if before[name] != after[name]] == ["model.layers.1.mlp.up_proj.weight"]


def test_a_text_goes_on_the_same_for_the_same_seed_and_leaves_random_numbers_alone():
    model, tokenizer = load_language_model()
    state = torch.get_rng_state()
    one = lesson.go_on(model, tokenizer, "The film is", tokens=4)
    assert one.startswith("The film is") and len(one) > len("The film is")
    assert lesson.go_on(model, tokenizer, "The film is", tokens=4) == one
    assert torch.equal(torch.get_rng_state(), state)


def test_learning_changes_what_lora_added_and_nothing_else():
    model, tokenizer = llama_with_words()
    before = lesson.fingerprints(model)
    run = lesson.learn(model, tokenizer, ("one two three",) * 8, seed=0)
    assert run.status == "finished" and run.curves.loss[-1] < run.curves.loss[0]
    assert lesson.fingerprints(model) == before


def llama_with_words():
    """A small untrained model with the real tokenizer."""
    import transformers as t

    _, tokenizer = load_language_model()
    torch.manual_seed(0)
    config = t.LlamaConfig(
        hidden_size=16,
        num_hidden_layers=lesson.LAYERS + 1,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        vocab_size=len(tokenizer),
        tie_word_embeddings=True,
    )
    return t.LlamaForCausalLM(config), tokenizer
