"""Unit 03: image, text and sound together. What it claims; `spaces` and `fusion` are the experiments."""

from course.claims import Claim, Lesson

from .features import backbone, hear_word, read_whole, see
from .fusion import (
    LEFT_OUT,
    TONES,
    categories,
    fuse,
    fusions,
    meant_or_not,
    measure_fusion,
    measure_missing,
    measure_shortcut,
    measure_voice,
    three_way,
    tones_of_voice,
    train_voice,
    uses,
    without,
)
from .spaces import (
    bind,
    listen_and_find,
    measure_binding,
    measure_pairs,
    named,
    pair_sounds,
    pair_up,
    pictures_and_words,
    search,
    untrained_pair,
    written,
)

__all__ = [
    "LEFT_OUT",
    "LESSON",
    "TONES",
    "backbone",
    "bind",
    "categories",
    "fuse",
    "fusions",
    "hear_word",
    "listen_and_find",
    "meant_or_not",
    "named",
    "pair_sounds",
    "pair_up",
    "pictures_and_words",
    "precompute",
    "read_whole",
    "search",
    "see",
    "three_way",
    "tones_of_voice",
    "train_voice",
    "untrained_pair",
    "uses",
    "without",
    "written",
]


def precompute() -> None:
    """Run the frozen networks on everything the unit needs, and keep the features on disk: about a minute.

    Without it the notebook does so itself, which takes half a minute of its first run.
    """
    pictures_and_words(seed=0)
    named(seed=0)
    meant_or_not(seed=0, hum=True)
    categories(seed=0)


def _claim(id: str, experiment: str, this: str, against: str, statement: str) -> Claim:
    return Claim(id, "03", statement, experiment, this, against)


_HELD_OUT = "speakers and sentences held out"

LESSON = Lesson(
    id="03",
    experiments={
        "pairs": measure_pairs,
        "binding": measure_binding,
        "fusion": measure_fusion,
        "shortcut": measure_shortcut,
        "missing": measure_missing,
        "voice": measure_voice,
    },
    claims=(
        _claim(
            "words-find-pictures",
            "pairs",
            "words find pictures",
            "ten times chance, pictures",
            "Frozen image and text networks with two trained projections: the name of an object that was "
            "never paired finds a drawing of it first (R@1 among 400 drawings of 200 objects) more than ten "
            "times as often as chance.",
        ),
        _claim(
            "pictures-find-words",
            "pairs",
            "pictures find words",
            "ten times chance, words",
            "The same space: a drawing of an object that was never paired finds its name first, among 200, "
            "more than ten times as often as chance.",
        ),
        _claim(
            "sounds-find-pictures-unpaired",
            "binding",
            "bound",
            "ten times chance",
            "Pictures and spoken names, each bound to words and never to each other: a name said by an "
            "unknown voice finds a drawing in an unknown style (R@1 among 125) more than ten times as often "
            "as chance.",
        ),
        _claim(
            "sounds-find-pictures-paired",
            "binding",
            "paired",
            "ten times chance",
            "Pictures and spoken names paired in training do so, too.",
        ),
        _claim(
            "fusion-beats-words",
            "fusion",
            "early",
            "text alone",
            f"Sincere or sarcastic, {_HELD_OUT}: early fusion beats the words alone.",
        ),
        _claim(
            "fusion-beats-voice",
            "fusion",
            "early",
            "voice alone",
            f"Sincere or sarcastic, {_HELD_OUT}: early fusion beats the voice alone.",
        ),
        _claim(
            "interaction-beats-late",
            "fusion",
            "interaction",
            "late",
            f"Sincere or sarcastic, {_HELD_OUT}: interaction fusion beats late fusion of the same size, "
            "trained alike.",
        ),
        _claim(
            "attention-beats-late",
            "fusion",
            "cross-attention",
            "late",
            f"Sincere or sarcastic, {_HELD_OUT}: cross-attention beats late fusion of the same size, trained "
            "alike.",
        ),
        _claim(
            "attention-looks-around",
            "fusion",
            "looks elsewhere",
            "half",
            f"Sincere or sarcastic, {_HELD_OUT}: which of the eight stretches of a voice the words attend to "
            "most differs from clip to clip; in more than half of them it is not the most common one.",
        ),
        _claim(
            "hum-is-a-shortcut",
            "shortcut",
            "fooled",
            "fooled, clean",
            "A model trained where sarcastic sentences have a hum is right on recordings with the hum, and "
            "not on the same sentences without it.",
        ),
        _claim(
            "ablation-finds-the-hum",
            "shortcut",
            "honest, words matter",
            "fooled, words matter",
            "On its own kind of recordings, the model of clean ones loses more by shuffled words than the "
            "one with the hum.",
        ),
        _claim(
            "written-tells-more-than-spoken",
            "missing",
            "without sound",
            "without text",
            "Kind of thing from drawing, written and spoken name (objects, style, speakers held out; means "
            "of four splits a seed), early fusion: without the spoken name it is right more often than "
            "without the written one.",
        ),
        _claim(
            "dropout-withstands-a-missing-drawing",
            "missing",
            "dropout, without image",
            "without image",
            "The same fusion, trained with modality dropout, is right more often without the drawing than "
            "trained without.",
        ),
        _claim(
            "frozen-voice",
            "voice",
            "frozen",
            "tuned, same budget",
            "Five prosodies, speakers and sentences held out (means of four splits a seed): a frozen network "
            "with a trained head beats tuning everything at the same budget (one forward pass over 120 "
            "clips; a training step counts as three); each at its best rate of a grid, chosen on other "
            "splits.",
        ),
        _claim(
            "tuned-voice-takes-time",
            "voice",
            "tuned, 15 times",
            "tuned, same budget",
            "Tuning everything at 15 times that budget beats tuning at the budget itself.",
        ),
    ),
)
