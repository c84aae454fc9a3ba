"""Synthetic speech: words, sincere or sarcastic sentences, and rules of prosody, with splits that leak no
speaker.

eSpeak NG said it all; `scripts/build_speech.py` makes the copy in `files/`, after the plan in
`scripts/speech_plan.py`.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .cards import Card
from .packed_sounds import RATE, read_sounds
from .sheets import FILES

SPEECH = "speech.zip"


class SpeechDataError(ValueError):
    """A collection of speech that is not there, or a split that the data cannot give."""


@dataclass(frozen=True, eq=False)
class Speech:
    """Recordings of synthetic voices. `waves` is (clips, longest) float32 in -1..1, 16,000 samples a second.

    The rest has one entry a clip: `lengths` in samples (silence follows), the `texts` said, `speakers` by
        accent and voice,
    `families` of texts that a split keeps together, `sentiments` of the words alone ("positive", "negative",
    "neutral", or "" for the name of a thing), `tones` of voice, and `labels` to tell.
    """

    waves: np.ndarray
    lengths: tuple[int, ...]
    texts: tuple[str, ...]
    speakers: tuple[str, ...]
    families: tuple[int, ...]
    sentiments: tuple[str, ...]
    tones: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.waves)

    def take(self, indices: Sequence[int]) -> "Speech":
        """The clips at these positions, in this order."""
        indices = list(indices)
        return Speech(
            self.waves[np.array(indices, dtype=np.intp)],
            lengths=tuple(self.lengths[i] for i in indices),
            texts=tuple(self.texts[i] for i in indices),
            speakers=tuple(self.speakers[i] for i in indices),
            families=tuple(self.families[i] for i in indices),
            sentiments=tuple(self.sentiments[i] for i in indices),
            tones=tuple(self.tones[i] for i in indices),
            labels=tuple(self.labels[i] for i in indices),
        )


@dataclass(frozen=True)
class SpeechSplit:
    """Three parts that share no speaker, no text (and no family of texts), or neither."""

    train: Speech
    valid: Speech
    test: Speech


def load_words() -> Speech:
    """Names of things, each said by several speakers; label and text are the name, as in
    `load_drawings().names`.
    """
    return _load("words")


def load_sarcasm() -> Speech:
    """Kind and unkind sentences, in a warm and in a cold tone: "sincere" where tone and words agree, else
    "sarcastic".

    Each speaker says a sentence in both tones, and each kind sentence has an unkind counterpart in the same
    frame. So half of the clips with a given text, tone or speaker are sincere: neither the words nor the
    voice alone can tell.
    """
    return _load("sarcasm")


def load_prosodies() -> Speech:
    """Plain sentences in five tones of voice: "calm", "happy", "sad", "angry" and "surprised".

    These are rules of pitch, melody, rate and loudness that a synthesizer follows, named after what they
    imitate: nobody felt anything.
    """
    return _load("prosodies")


def split_speech(
    speech: Speech, *, by: str | Sequence[str], test: float = 0.3, valid: float = 0.0, seed: int = 0
) -> SpeechSplit:
    """Random parts that share no speaker (by="speaker"), no text (by="text"), or neither (by=("speaker",
    "text")).

    `test` and `valid` are parts of the speakers, and of the families of texts, rounded to at least one where
    more than 0; the rest is for training. By both, a clip whose speaker and text fell to different parts is
    left out. The same arguments give the same split. Raises `SpeechDataError` for another `by`, or a part
    that is out of its range or would be empty.
    """
    ways = (by,) if isinstance(by, str) else tuple(by or ())
    keys: dict[str, tuple[str | int, ...]] = {"speaker": speech.speakers, "text": speech.families}
    if not ways or len(set(ways)) < len(ways) or not set(ways) <= set(keys):
        raise SpeechDataError(
            f'by={by!r} is not a way to split; choose "speaker", "text" or ("speaker", "text").'
        )
    for part, size in (("test", test), ("valid", valid)):
        if not 0 <= size < 1:
            raise SpeechDataError(f"{part}={size} should be a part of the whole, from 0 to less than 1.")
    parts_of = {way: _deal(way, set(keys[way]), test, valid, seed) for way in sorted(ways)}
    members: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    for i in range(len(speech)):
        parts = {part_of[keys[way][i]] for way, part_of in parts_of.items()}
        if len(parts) == 1:
            members[parts.pop()].append(i)
    order = random.Random(seed)
    for part, indices in members.items():
        order.shuffle(indices)
        if not indices and (part == "train" or {"test": test, "valid": valid}[part]):
            raise SpeechDataError(
                f"No clip of the {part} part's speakers says one of its texts; ask for a larger part or "
                "another seed."
            )
    return SpeechSplit(**{part: speech.take(indices) for part, indices in members.items()})


def speech_card(name: str) -> Card:
    """What the "words", the "sarcasm" or the "prosodies" are, counted from the file itself."""
    speech = _load(name)
    speakers = Counter(speech.speakers)
    families = len(set(speech.families))
    minutes = sum(speech.lengths) / RATE / 60
    labels = {
        "words": "The name: as text, and as the name of the thing in the drawings.",
        "sarcasm": '"sincere" where the tone of voice agrees with the words, "sarcastic" where it does not. '
        "For each speaker and each text, half of the clips are sincere and half sarcastic.",
        "prosodies": "The rule of prosody that the synthesizer followed: "
        + ", ".join(dict.fromkeys(speech.labels))
        + ".",
    }
    what = {
        "words": "The names of things that the drawings show, each said once by each speaker.",
        "sarcasm": "Short sentences in English, kind or unkind, in pairs of the same frame, each said in a "
        "warm (high, lively, quick) and in a cold (low, flat, slow) tone by the same speakers.",
        "prosodies": "Short sentences in English without a sentiment, each said in each of the tones by each "
        "speaker.",
    }
    return Card(
        title={
            "words": "Spoken words (synthetic)",
            "sarcasm": "Sincere or sarcastic sentences (synthetic speech)",
            "prosodies": "Sentences in five prosodies (synthetic speech)",
        }[name],
        what=what[name],
        real="Synthetic speech by eSpeak NG, a formant synthesizer; no person spoke. A speaker is a voice "
        "variant with an "
        "accent: " + ", ".join(sorted(speakers)) + ".",
        label=labels[name],
        size=f"{len(speech):,} clips of {len(set(speech.texts)):,} texts by {len(speakers)} speakers, "
        f"{minutes:.1f} minutes.",
        splits=f"By speaker, by text, or by both at once. The texts form {families:,} families"
        + (", the pairs; a pair stays in one part." if name == "sarcasm" else ", each a text of its own."),
        limits="People's voices vary far more, from one to the next and from one time to the next, and no "
        "one's tone follows such rules: what is measured here says nothing about how well a person's "
        "sarcasm or feelings could be heard. The sounds are packed with losses, about 20 dB below the voice.",
        licence="Words, sentences and recordings: MIT, as the course. See speech.LICENSE.txt beside the "
        "data.",
        source="eSpeak NG 1.51, by scripts/build_speech.py after scripts/speech_plan.py.",
    )


def _load(name: str) -> Speech:
    if name not in ("words", "sarcasm", "prosodies"):
        raise SpeechDataError(f"There is no speech named {name!r}; choose words, sarcasm or prosodies.")
    clips, waves = read_sounds((FILES / SPEECH).read_bytes(), name)
    columns = {field: tuple(getattr(clip, field) for clip in clips) for field in clips[0]._fields}
    return Speech(
        waves=waves,
        lengths=columns["samples"],
        texts=columns["text"],
        speakers=columns["speaker"],
        families=columns["family"],
        sentiments=columns["sentiment"],
        tones=columns["tone"],
        labels=columns["label"],
    )


def _deal(way: str, units: set[str | int], test: float, valid: float, seed: int) -> dict[str | int, str]:
    order = sorted(units)
    # The seed includes what is dealt: otherwise as many texts would come in the same order as the speakers.
    random.Random(f"{way} {seed}").shuffle(order)
    tests, valids = (max(round(size * len(order)), 1) if size else 0 for size in (test, valid))
    if tests + valids >= len(order):
        raise SpeechDataError(
            f"There are {len(order)} to split by {way}; test={test} and valid={valid} leave none of them for "
            "training. Ask for smaller parts."
        )
    return {
        unit: "test" if place < tests else "valid" if place < tests + valids else "train"
        for place, unit in enumerate(order)
    }
