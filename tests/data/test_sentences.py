"""Splits never leak: whatever the sizes and the seed, no source has sentences in two parts."""

from bisect import bisect_right
from collections import Counter, defaultdict
from itertools import combinations, filterfalse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlwidgets.data import DOMAINS, SentenceDataError, load_sentences, sentences_card, split_sentences
from tlwidgets.data.sentence_table import (
    FILES,
    TABLE,
    VARIANT_JACCARD,
    link_sources,
    read_table,
    variant_words,
    write_table,
)

pytestmark = pytest.mark.slow


def parts(split):
    return {"train": split.train, "valid": split.valid, "test": split.test}


@settings(max_examples=25, deadline=None)
@given(
    domain=st.sampled_from(sorted(DOMAINS)),
    halves=st.tuples(st.integers(1, 40), st.integers(0, 40), st.integers(1, 40)),
    seed=st.integers(0, 10_000),
)
def test_parts_have_the_asked_sizes_are_balanced_and_share_no_source(domain, halves, seed):
    train, valid, test = (2 * half for half in halves)
    split = split_sentences(load_sentences(domain), train=train, valid=valid, test=test, seed=seed)
    assert [len(part) for part in parts(split).values()] == [train, valid, test]
    for part in parts(split).values():
        assert sum(part.labels) * 2 == len(part)
    sources = [set(part.groups) for part in parts(split).values()]
    assert not (sources[0] & sources[1] or sources[0] & sources[2] or sources[1] & sources[2])
    assert split == split_sentences(load_sentences(domain), train=train, valid=valid, test=test, seed=seed)


def test_another_seed_gives_another_split():
    film = load_sentences("film")
    one, other = (split_sentences(film, train=50, test=50, seed=seed) for seed in (0, 1))
    assert set(one.test.texts) != set(other.test.texts)


def test_labels_are_the_sign_of_a_clear_rating():
    film = load_sentences("film")
    assert all(abs(score) >= 1 for score in film.scores)
    assert film.labels == tuple(int(score > 0) for score in film.scores)
    assert len(load_sentences("film", neutral=2.0)) < len(film) < len(load_sentences("film", neutral=0))


def test_every_domain_holds_real_sentences_of_both_labels():
    for domain in DOMAINS:
        sentences = load_sentences(domain)
        assert 0.25 < sum(sentences.labels) / len(sentences) < 0.75
        assert min(map(len, sentences.texts)) > 0


@pytest.mark.parametrize("size", [-2, 3])
def test_a_size_that_cannot_be_halved_is_refused(size):
    with pytest.raises(SentenceDataError, match="even number"):
        split_sentences(load_sentences("tweet"), train=size, test=2)


def test_asking_for_more_than_there_is_says_how_many_are_missing():
    with pytest.raises(SentenceDataError, match="too few sentences.*are missing"):
        split_sentences(load_sentences("editorial"), train=5000, test=100)


def test_an_unknown_domain_is_answered_with_those_there_are():
    with pytest.raises(SentenceDataError, match="film, product, tweet, editorial"):
        load_sentences("songs")


def test_texts_of_one_source_are_linked_through_any_chain():
    texts = [
        "The Ring is a very fine and very long film",
        "Nobody in the room liked The Ring at all, sad to say",
        "a VERY fine, and very long film!",
        "something else entirely, with no link at all to these",
    ]
    assert link_sources(texts, ["", "", "", ""], names=True) == [0, 0, 0, 1]
    assert link_sources(texts, ["", "", "", ""], names=False) == [0, 1, 0, 2]
    assert link_sources(texts, ["d", "", "", "d"], names=False) == [0, 1, 0, 0]


def alike(one, other):
    """The Jaccard index of two sets of words is high enough."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) >= VARIANT_JACCARD


def test_no_tweets_that_share_most_of_their_words_lie_in_different_groups():
    tweets = load_sentences("tweet", neutral=0)
    groups_by_words = defaultdict(set)
    for text, group in zip(tweets.texts, tweets.groups, strict=True):
        if words := variant_words(text):
            groups_by_words[words].add(group)
    assert all(len(groups) == 1 for groups in groups_by_words.values())
    by_size = sorted(groups_by_words, key=len)
    for index, words in enumerate(by_size):
        # A set that is much larger has too many words of its own, and so have all that follow.
        end = bisect_right(by_size, len(words) / VARIANT_JACCARD, key=len)
        for others in filterfalse(words.isdisjoint, by_size[index + 1 : end]):
            if groups_by_words[words] != groups_by_words[others]:
                assert not alike(words, others), (words, others)


def test_no_group_of_tweets_is_a_large_part_of_them():
    tweets = load_sentences("tweet", neutral=0)
    assert max(Counter(tweets.groups).values()) < len(tweets) / 100


@pytest.mark.parametrize(
    "variants",
    [
        ("Damn, running late sucks.", "DAMN!! running late SUCKS!!", "Damn! running late absolutely sucks!"),
        ("Anger is ugly.", "Anger is UGLY!!!", "Anger is very ugly!"),
        ("YAY Dayquil! YAY with bells on!", "Yay Dayquil! Super yay with bells on!"),
        ("happy birthday @anonymous", "Happy Birthday 2 @anonymous", "@anonymous Happy Birthday Captain!"),
        ("@anonymous Yay!", "@anonymous Yaaaay! :D", "Yay! http://url_removed"),
        ("@anonymous @anonymous Haha!", "@anonymous HA HA HA HA HA #hahahaha"),
    ],
)
def test_variants_of_a_tweet_are_in_one_group(variants):
    tweets = load_sentences("tweet", neutral=0)
    group_of = dict(zip(tweets.texts, tweets.groups, strict=True))
    assert len({group_of[text] for text in variants}) == 1


@given(
    st.lists(
        st.lists(st.sampled_from(["anger", "is", "very", "ugly"]), min_size=1, max_size=5).map(" ".join),
        max_size=9,
    )
)
def test_variants_and_what_a_chain_of_them_joins_share_a_number_and_nothing_else_does(texts):
    chains = [{text} for text in texts]
    for one, other in combinations(texts, 2):
        if alike(set(one.split()), set(other.split())):
            joined = [chain for chain in chains if one in chain or other in chain]
            chains = [chain for chain in chains if chain not in joined] + [set().union(*joined)]
    numbers = link_sources(texts, [""] * len(texts), names=False, variants=True)
    for (one, number), (other, another) in combinations(zip(texts, numbers, strict=True), 2):
        assert (number == another) == any(one in chain and other in chain for chain in chains)


def test_variants_are_linked_only_where_that_is_asked_for():
    texts = ["Anger is ugly.", "Anger is very ugly!", "Boring as hell", "Nervous as hell"]
    assert link_sources(texts, [""] * 4, names=False) == [0, 1, 2, 3]
    assert link_sources(texts, [""] * 4, names=False, variants=True) == [0, 0, 1, 2]


@given(word=st.text("abcehilosuy", min_size=2), at=st.integers(0), times=st.integers(1, 9))
def test_a_word_that_is_drawn_out_stays_the_word(word, at, times):
    at %= len(word)
    assert variant_words(word[:at] + word[at] * times + word[at:]) == variant_words(word) != frozenset()


def test_placeholders_emoticons_and_case_are_no_part_of_the_words():
    text = "@anonymous I LOVE 'that' song, don't you? :D <3 http://url_removed"
    assert variant_words(text) == {"love", "that", "song", "don't", "you"}


def test_the_table_survives_a_round_trip_byte_for_byte():
    packed = (FILES / TABLE).read_bytes()
    rows = read_table(packed)
    assert write_table(rows) == packed
    assert len(packed) < 1_000_000


def test_a_broken_table_names_the_line():
    import bz2

    with pytest.raises(ValueError, match="Line 2 .* 2 fields instead of 4"):
        read_table(bz2.compress(b"film\t0\t1.0\ta\nfilm\toops\n"))


def test_the_card_counts_what_is_there_and_shows_as_a_table():
    card = sentences_card()
    assert f"{len(load_sentences('film')):,} film" in card.size
    assert "MIT" in str(card) and "<table>" in card._repr_html_()


def test_the_licence_lies_beside_the_data():
    assert "Permission is hereby granted" in (FILES / "sentences.LICENSE.txt").read_text(encoding="utf-8")
