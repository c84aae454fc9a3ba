"""Lesson 01's experiments measure what their names say, and its table is the one its claims give."""

from pathlib import Path

import numpy as np
import pytest
import torch

from course.claims import read_table
from course.claims.__main__ import LEAST_SEEDS, lessons
from course.units.u01_transfer_learning import experiments as lesson01
from tlwidgets.models import load_text_backbone

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def tiny():
    """A split of a few sentences: enough to see that an experiment runs and what it returns."""
    return lesson01.film_split(0, train=40, test=40)


def test_fewer_sentences_stay_balanced_and_leave_the_test_part_alone(tiny):
    few = lesson01.fewer(tiny, 10)
    assert len(few.train) == 10 and sum(few.train.labels) == 5
    assert set(few.train.texts) < set(tiny.train.texts)
    assert few.test == tiny.test


def test_layer_vectors_are_one_for_the_embeddings_and_one_for_each_layer(tiny):
    model, tokenizer = load_text_backbone("minilm")
    vectors = lesson01.layer_vectors(model, tokenizer, tiny.train, batch_size=16)
    assert vectors.shape == (7, 40, 384)
    assert np.isfinite(vectors).all()
    again = lesson01.layer_vectors(model, tokenizer, tiny.train, batch_size=40)
    assert np.allclose(vectors, again, atol=1e-5)


def test_probes_read_length_off_any_layer_but_last_far_above_chance(tiny):
    model, tokenizer = load_text_backbone("minilm")
    probes = lesson01.probe_layers(model, tokenizer, tiny)
    assert len(probes.sentiment) == len(probes.length) == 7
    assert probes.length[0] > 0.75


def test_a_classifier_depends_on_its_seed_alone():
    def head(seed):
        torch.manual_seed(99)
        state = torch.get_rng_state()
        model, _ = lesson01.classifier(from_scratch=False, seed=seed)
        assert torch.equal(state, torch.get_rng_state())
        return model.head.weight

    assert torch.equal(head(1), head(1))
    assert not torch.equal(head(1), head(2))


def test_both_ways_train_and_the_frozen_one_is_audited(tiny):
    run, report = lesson01.frozen_backbone(tiny, seed=0)
    assert report.ok and run.status == "finished"
    assert run.costs.trainable == 384 * 2 + 2
    scratch = lesson01.from_scratch(tiny, seed=0)
    assert scratch.costs.trainable == scratch.costs.total > 22_000_000
    assert 0 <= scratch.test_accuracy <= 1


def test_the_table_has_every_claim_as_the_code_states_it_from_enough_seeds():
    table = read_table(DOCS / "claims.md")
    claims = [claim for lesson in lessons().values() for claim in lesson.claims]
    assert sorted(table) == sorted(claim.id for claim in claims)
    for claim in claims:
        row = table[claim.id]
        assert row["statement"] == claim.statement
        assert row["favour"] == row["seeds"] and int(row["seeds"]) >= LEAST_SEEDS
        if claim.against:
            assert float(row["low"]) > 0
