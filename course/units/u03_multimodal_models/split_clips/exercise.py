"""`split_clips(clips, test_speakers, test_sentences)` keeps people and sentences of the test out of training.

`clips` is a list of dicts, one for each recording: "file" ("sarcastic-m3-052.wav"), "speaker", "sentence" (a
number), "text", "waveform" (a tensor) and "label". The function returns two lists (training, test), each in
the order of `clips`. The test has the clips whose speaker and sentence are both held out, training those of
which neither is; the others are in neither. A clip of the result has "text", "waveform" and "label" alone:
here, file names give the label away. The clips that came in stay as they are.
"""

from __future__ import annotations

import copy
import random

import torch

from graders.checks.compare import difference, same
from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.registry import exercise
from graders.checks.running import call, numbers, refuse_none
from graders.checks.show import a_type, show
from graders.checks.worlds import World, names, normal, reals, sizes

_KEPT = ("text", "waveform", "label")
_LABELS = ("sincere", "sarcastic")
_CASES = 15
WORLD = World(
    speakers=sizes(2, 40),
    sentences=sizes(2, 60),
    clips=sizes(1, 300),
    length=sizes(1, 50_000),
    loud=reals(0.001, 100),
    fits=lambda clips, length, **_: clips * length < 200_000,
)
_VOICES, _WORDS = names("f1", "m3", "m2", "f4"), names("sincere", "sarcastic", "happy")

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "file-leaks",
        'The clips still have their "file", and its name begins with the label. A model that reads it gets '
        "everything right and has learned nothing.",
        ('What may a model see? Make a new dict with "text", "waveform" and "label" alone.',),
    ),
    Mistake(
        "more-than-inputs",
        'The clips have more in them than "text", "waveform" and "label": a model should not go by who '
        "speaks, or by which sentence it is.",
        ("Name the keys that stay, not those that go.",),
    ),
    Mistake(
        "label-lost",
        'The clips no longer have a "label", so there is nothing to learn and nothing to compare with.',
        ("The inputs are the text and the sound; the label is the target, and stays.",),
    ),
    Mistake(
        "changed-in-place",
        "The clips that came in are not as they were: this changes the caller's list, or its dicts.",
        ("Make a new dict for each clip that you keep, without `del`, `pop` or assignments to the old one.",),
    ),
    Mistake(
        "label-off-the-file",
        "The label was read off the file's name, which gives the answer away only by chance: a file may be "
        "called anything. The label of a clip is its own.",
        ('`clip["label"]`.',),
    ),
    Mistake(
        "labels-mixed-up",
        "Some clips have the label of another clip. Each label goes with its own text and sound.",
        ("Take all three from the same dict.",),
    ),
    Mistake(
        "parts-swapped",
        "The two parts are swapped: training comes first, then the test.",
        ("`return train, test`.",),
    ),
    Mistake(
        "or-instead-of-and",
        "The test has clips of which only one thing is new, the speaker or the sentence. Both have to be.",
        ("`and`, not `or`. A clip of which only one is held out belongs to neither part.",),
    ),
    Mistake(
        "rest-to-training",
        "Here everything that is not for the test goes to training, including voices and sentences of the "
        "test.",
        (
            "A clip goes to training if neither its speaker nor its sentence is held out. Some clips go "
            "nowhere.",
            "`not (a and b)` is not the same as `not a and not b`.",
        ),
    ),
    Mistake(
        "nothing-held-out",
        "All clips are in training here, including those that are held out: nothing was found in the sets.",
        ("`clip['speaker'] in test_speakers`: a name is never equal to a set of names.",),
    ),
    Mistake(
        "sentences-cross",
        "This goes by the speaker alone. The sentences of the test are in training as well, spoken by "
        "others, and a model may know them by heart.",
        ("Use `test_sentences`, too.",),
    ),
    Mistake(
        "speakers-cross",
        "This goes by the sentence alone. The voices of the test are in training as well, and a model may "
        "know the people instead of the tones.",
        ("Use `test_speakers`, too.",),
    ),
    Mistake(
        "one-dict-for-all",
        "The same clip comes again and again: one dict was changed and appended each time, so every place "
        "shows its last content.",
        ("Make the dict inside the loop, a new one for each clip.",),
    ),
    Mistake(
        "order-lost",
        "The right clips are in the right parts, but not in the order in which they came. The same call "
        "should give the same lists: training does its own shuffling.",
        ("Go through `clips` once, from the first to the last, and append.",),
    ),
)


@exercise(
    number=3,
    points=1,
    title="A test without old acquaintances",
    functions=("split_clips",),
    mistakes=MISTAKES,
    lesson_calls=lambda: [("split_clips", _as_in_the_lesson())],
)
def check_split_clips(split_clips) -> None:
    """Split made-up recordings, and check what the clips contain, then which part each is in.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    source = numbers()
    for place, case in enumerate(WORLD.draw(source, _CASES)):
        labels = (
            source.choice((list(_LABELS), list(range(5)), _WORDS(source, 4))) if place else ["other", "good"]
        )
        _check(split_clips, *_draw(source, labels, **case))
    _check(split_clips, *_draw(source, list(_LABELS), length=source.randint(30_000, 60_000)))
    many = {"speakers": 12, "sentences": source.randint(130, 150), "clips": source.randint(1160, 1500)}
    _check(split_clips, *_draw(source, list(_LABELS), length=3, **many))
    clips, speakers, sentences = _draw(source, list(_LABELS))
    _check(split_clips, clips, set(), sentences)
    _check(split_clips, clips, speakers, set())
    _check(split_clips, [], speakers, sentences)


def _as_in_the_lesson() -> tuple[list[dict], set[str], set[int]]:
    """As many clips, speakers, sentences and samples as the lesson's recordings have."""
    speakers = [f"{group}-{person}{place}" for group in ("us", "uk") for place, person in enumerate("mfmfm")]
    clips = [
        {
            "file": f"{label}-{speaker}-{sentence:03d}.wav",
            "speaker": speaker,
            "sentence": sentence,
            "text": f"The soup is number {sentence}.",
            "waveform": torch.randn(2_000),
            "label": label,
        }
        for speaker in speakers
        for sentence in range(120)
        for label in _LABELS[sentence % 2 :][:1]
    ]
    return clips[:960], set(speakers[:3]), set(range(30))


def _draw(
    numbers: random.Random,
    labels: list,
    speakers: int = 4,
    sentences: int = 4,
    clips: int = 20,
    length: int = 6,
    loud: float = 1.0,
) -> tuple[list[dict], set[str], set[int]]:
    """Recordings with the speaker, the sentence, both or neither held out: at least one clip of each kind."""
    voices = _VOICES(numbers, speakers)
    if len(voices[0]) == 1:
        voices[0] = next(
            name for name in (f"{voices[0]}{place}" for place in range(99)) if name not in voices
        )
    # The last ones are not held out; they begin, end, or begin and end, like the first, which is.
    first = voices[0]
    likes = [like for like in (f"{first}0", f"{first[:1]}-{first}", first[:-1]) if like not in voices]
    voices = [*voices, *likes]
    lowest = numbers.choice((0, numbers.randint(1, 500)))
    # Numbers that are part of each other, have other ones between them, or the same last bits.
    texts = sorted({lowest + 64 * step for step in range(sentences)} | {lowest + 1, 10 * lowest})
    texts = numbers.sample(texts, sentences)
    pairs = [(voice, sentence) for voice in voices for sentence in texts]
    pairs = numbers.sample(pairs, min(len(pairs), max(clips, 1)))
    pairs += numbers.choices(pairs, k=max(clips - len(pairs), 0))
    test_voices = {voices[0], *numbers.sample(voices[:speakers], numbers.randint(1, speakers - 1))}
    test_sentences = set(numbers.sample(texts, numbers.randint(1, sentences - 1)))
    new = [one for one in texts if one in test_sentences]
    old = [one for one in texts if one not in test_sentences]
    others = [one for one in voices if one not in test_voices]
    pairs += [(like, numbers.choice(old)) for like in likes]
    for _ in range(2):
        for some in (sorted(test_voices), others):
            pairs += [
                (numbers.choice(some), numbers.choice(new)),
                (numbers.choice(some), numbers.choice(old)),
            ]
    found = [_clip(numbers, place, pair, labels, length, loud) for place, pair in enumerate(pairs)]
    for clip in (found[-1], found[-4]):  # neither is held out, and both are
        clip["waveform"] = normal(numbers, length, scale=loud)
        clip["file"], clip["label"] = f"{_LABELS[1]}-{clip['speaker']}-000.wav", numbers.choice(labels[:1])
    numbers.shuffle(found)
    return found, test_voices, test_sentences


def _clip(
    numbers: random.Random, place: int, pair: tuple[str, int], labels: list, length: int, loud: float
) -> dict:
    """A clip whose file is called anything."""
    speaker, sentence = pair
    named = numbers.choice((numbers.choice(labels), numbers.choice(_LABELS), "take", "part"))
    clip = {
        "file": f"{named}-{numbers.choice((speaker, 'm3', 'x'))}-{numbers.randint(0, 9999):03d}.wav",
        "speaker": speaker,
        "sentence": sentence,
        "text": f"Sentence {sentence}, as it is written{numbers.choice(('.', '!', ' – über 層.'))}",
        "waveform": normal(numbers, numbers.randint(1, length), scale=loud) + place,
        "label": numbers.choice(labels),
    }
    return {key: clip[key] for key in numbers.sample(list(clip), len(clip))}


def _check(split_clips, clips: list[dict], speakers: set[str], sentences: set[int]) -> None:
    given = (copy.deepcopy(clips), set(speakers), set(sentences))
    found = call(
        split_clips, *given, what="split_clips(clips, test_speakers, test_sentences)", may_change=True
    )
    if difference(given[0], clips, "clips"):
        MISTAKES.fail("changed-in-place")
    if difference(given[1:], (speakers, sentences), "what is held out"):
        raise CheckFailed("`split_clips` changed the sets that it was given. Expected it to read them only.")
    refuse_none(found, "split_clips(clips, test_speakers, test_sentences)", "a tuple of two lists")
    if type(found) is not tuple or len(found) != 2 or any(type(part) is not list for part in found):
        raise CheckFailed(
            f"`split_clips` returned {_described(found)}. Expected a tuple of two lists: `return train, "
            "test`."
        )
    expected = tuple(
        [_kept(clip) for clip in clips if _part(clip, speakers, sentences) == part] for part in _PARTS
    )
    if not difference(found, expected, "", rtol=0, atol=0):
        count_comparison()
        return
    if any(_read_off_the_file(record, clips) for part in found for record in part):
        MISTAKES.fail("label-off-the-file")
    places = [[_place(record, clips) for record in part] for part in found]
    if any(len(part) > 1 and len(set(part)) == 1 for part in places):
        MISTAKES.fail("one-dict-for-all")
    _check_who(clips, [_category(clip, speakers, sentences) for clip in clips], places)
    if [sorted(part) for part in places] != places and all(len(set(part)) == len(part) for part in places):
        MISTAKES.fail("order-lost")
    same(found, expected, "What `split_clips` returned", rtol=0, atol=0)


_PARTS = ("training", "test")
# Where each category of clips belongs: by whether its speaker is held out, and its sentence.
_RIGHT = {
    (False, False): "training",
    (True, True): "test",
    (True, False): "neither part",
    (False, True): "neither part",
}
_MISTAKEN = {
    "parts-swapped": {(False, False): "test", (True, True): "training"},
    "or-instead-of-and": {(True, False): "test", (False, True): "test"},
    "rest-to-training": {(True, False): "training", (False, True): "training"},
    "nothing-held-out": {(True, True): "training", (True, False): "training", (False, True): "training"},
    "sentences-cross": {(True, False): "test", (False, True): "training"},
    "speakers-cross": {(True, False): "training", (False, True): "test"},
}


def _category(clip: dict, speakers: set[str], sentences: set[int]) -> tuple[bool, bool]:
    return clip["speaker"] in speakers, clip["sentence"] in sentences


def _part(clip: dict, speakers: set[str], sentences: set[int]) -> str:
    return _RIGHT[_category(clip, speakers, sentences)]


def _kept(clip: dict) -> dict:
    return {key: clip[key] for key in _KEPT}


def _described(found: object) -> str:
    if type(found) is not tuple:
        return a_type(found)
    return " and ".join(map(a_type, found)) if len(found) == 2 else f"{len(found)} things"


def _place(record: object, clips: list[dict]) -> int:
    """Which of the clips this is, by its sound; raises if its keys, text or label are wrong."""
    if type(record) is not dict:
        raise CheckFailed(f"A clip that `split_clips` returned is {a_type(record)}. Expected a dict.")
    if "file" in record:
        MISTAKES.fail("file-leaks")
    if "label" not in record:
        MISTAKES.fail("label-lost")
    if set(_KEPT) < set(record):
        MISTAKES.fail("more-than-inputs")
    if set(record) != set(_KEPT):
        raise CheckFailed(
            f"A clip has the keys {', '.join(sorted(map(show, record)))}. Expected "
            f"{', '.join(map(show, _KEPT))}."
        )
    same_sound = [
        place
        for place, clip in enumerate(clips)
        if not difference(record["waveform"], clip["waveform"], "", rtol=0, atol=0)
    ]
    if not same_sound:
        raise CheckFailed("A clip's waveform is not one of those that came in. Expected it as it was.")
    clip = clips[same_sound[0]]
    if difference(record["text"], clip["text"], ""):
        raise CheckFailed(f"A clip has the text {show(record['text'])}, and its own is {show(clip['text'])}.")
    if difference(record["label"], clip["label"], ""):
        if not all(difference(record["label"], other["label"], "") for other in clips):
            MISTAKES.fail("labels-mixed-up")
        raise CheckFailed(
            f"A clip has the label {show(record['label'])}, and its own is {show(clip['label'])}. Expected "
            "it as it was."
        )
    return same_sound[0]


def _read_off_the_file(record: object, clips: list[dict]) -> bool:
    """Whether a record says what its file's name says, and no clip has for a label."""
    if type(record) is not dict or "file" in record or difference(record.get("label"), _LABELS[1], ""):
        return False
    own = [clip for clip in clips if not difference(record.get("waveform"), clip["waveform"], "")]
    known = any(clip["label"] == _LABELS[1] for clip in clips)
    return bool(own) and not known and own[0]["file"].startswith(_LABELS[1])


def _check_who(clips: list[dict], categories: list[tuple[bool, bool]], places: list[list[int]]) -> None:
    """Raise if clips are not in the part they belong to."""
    training, test = map(set, places)
    where = [
        " and ".join(part for part, own in zip(_PARTS, (training, test), strict=True) if place in own)
        or "neither part"
        for place in range(len(clips))
    ]
    if all(_RIGHT[category] == part for category, part in zip(categories, where, strict=True)):
        return
    for id, other in _MISTAKEN.items():
        if all(
            ({**_RIGHT, **other})[category] == part for category, part in zip(categories, where, strict=True)
        ):
            MISTAKES.fail(id)
    clip, category, part = next(
        one for one in zip(clips, categories, where, strict=True) if _RIGHT[one[1]] != one[2]
    )
    speaker, sentence = ("held out" if one else "not held out" for one in category)
    raise CheckFailed(
        f"A clip of speaker {clip['speaker']!r} ({speaker}) with sentence {clip['sentence']} ({sentence}) is "
        f"in {part}. Expected it in {_RIGHT[category]}."
    )
