"""Exercise 3: `split_clips(clips, test_speakers, test_sentences)` keeps people and sentences of the test out of training.

`clips` is a list of dicts, one a recording: "file" ("sarcastic-m3-052.wav"), "speaker", "sentence" (a number), "text",
"waveform" (a tensor) and "label". The function returns two lists (training, test), each in the order of `clips`. The test has
the clips whose speaker and sentence are held out, training those of which neither is; the others are in none. A clip of the
result has "text", "waveform" and "label" alone: names of files here give the label away. The clips that came in stay as they are.
"""

from __future__ import annotations

import copy
import random

import torch

from ..compare import difference, same
from ..evidence import held
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import call, numbers, quiet
from ..show import a_type, show

_KEPT = ("text", "waveform", "label")
_LABELS = ("sincere", "sarcastic")
_CASES = 12


def _program(
    keep: str = "{key: clip[key] for key in ('text', 'waveform', 'label')}",
    test: str = "speaker and sentence",
    train: str = "not speaker and not sentence",
    first: str = "pass",
    result: str = "train, test",
) -> str:
    return (
        "def split_clips(clips, test_speakers, test_sentences):\n"
        "    train, test = [], []\n"
        f"    {first}\n"
        "    for clip in clips:\n"
        "        speaker, sentence = clip['speaker'] in test_speakers, clip['sentence'] in test_sentences\n"
        f"        kept = {keep}\n"
        f"        if {test}:\n"
        "            test.append(kept)\n"
        f"        elif {train}:\n"
        "            train.append(kept)\n"
        f"    return {result}\n"
    )


_CATALOGUE = Catalogue(
    Mistake(
        "file-leaks",
        'The clips still have their "file", and its name begins with the label. A model that reads it gets everything right and '
        "has learned nothing.",
        ('What should a model get to see? Make a new dict with "text", "waveform" and "label" alone.',),
        _program(keep="dict(clip)"),
    ),
    Mistake(
        "more-than-inputs",
        'The clips have more in them than "text", "waveform" and "label": who speaks, or which sentence it is, is nothing that a '
        "model should go by.",
        ("Name the keys that stay, not those that go.",),
        _program(keep="{key: value for key, value in clip.items() if key != 'file'}"),
    ),
    Mistake(
        "label-lost",
        'The clips have no "label" any more, so there is nothing to learn and nothing to compare with.',
        ("The inputs are the text and the sound; the label is the target, and stays.",),
        _program(keep="{key: clip[key] for key in ('text', 'waveform')}"),
    ),
    Mistake(
        "changed-in-place",
        "The clips that came in are not as they were: this changes the caller's list, or its dicts.",
        (
            "Make a new dict for each clip that you keep, without `del`, `pop` and assignments to the old one.",
        ),
        _program(keep="(clip.pop('file', None), clip.pop('speaker'), clip.pop('sentence'), clip)[-1]"),
    ),
    Mistake(
        "labels-mixed-up",
        "Some clips have the label of another clip. Each goes with its own text and sound.",
        ("Take all three from the same dict.",),
        _program(
            keep="{'text': clip['text'], 'waveform': clip['waveform'], 'label': clips[len(train) + len(test)]['label']}"
        ),
    ),
    Mistake(
        "parts-swapped",
        "The two parts are swapped: training comes first, then the test.",
        ("`return train, test`.",),
        _program(result="test, train"),
    ),
    Mistake(
        "or-instead-of-and",
        "The test has clips of which only one thing is new, the speaker or the sentence. Both have to be.",
        ("`and`, not `or`. What has only one of them held out belongs to neither part.",),
        _program(test="speaker or sentence"),
    ),
    Mistake(
        "rest-to-training",
        "Everything that is not for the test is used for training here: voices and sentences of the test are among it.",
        (
            "A clip goes to training if neither its speaker nor its sentence is held out. Some clips go nowhere.",
            "`not (a and b)` is not the same as `not a and not b`.",
        ),
        _program(train="True"),
    ),
    Mistake(
        "nothing-held-out",
        "All clips are in training here, those that are held out as well: nothing was found in the sets.",
        ("`clip['speaker'] in test_speakers`: a name is never equal to a set of names.",),
        _program(test="False", train="True"),
    ),
    Mistake(
        "sentences-cross",
        "This goes by the speaker alone. The sentences of the test are in training as well, said by others, and a model may "
        "know them by heart.",
        ("Look at `test_sentences`, too.",),
        _program(test="speaker", train="True"),
    ),
    Mistake(
        "speakers-cross",
        "This goes by the sentence alone. The voices of the test are in training as well, and a model may know people instead of "
        "tones.",
        ("Look at `test_speakers`, too.",),
        _program(test="sentence", train="True"),
    ),
    Mistake(
        "one-dict-for-all",
        "The same clip comes again and again: one dict was changed and appended each time, so that all "
        "places show its last content.",
        ("Make the dict inside the loop, a new one for each clip.",),
        _program(
            first="own = {}",
            keep="own.update((key, clip[key]) for key in ('text', 'waveform', 'label')) or own",
        ),
    ),
    Mistake(
        "order-lost",
        "The right clips are in the right parts, in another order than they came. The same call should give the same lists: "
        "training shuffles for itself.",
        ("Go through `clips` once, from the first to the last, and append.",),
        _program(first="clips = sorted(clips, key=lambda clip: clip['label'])"),
    ),
)


@quiet
def check_split_clips(split_clips) -> None:
    """Split made-up recordings, and look at what is in the parts, then at who.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    source = numbers()
    for _ in range(_CASES):
        _check(split_clips, *_draw(source))
    clips, speakers, sentences = _draw(source)
    for given in ((clips, set(), sentences), (clips, speakers, set()), ([], speakers, sentences)):
        _check(split_clips, *given)


def _draw(numbers: random.Random) -> tuple[list[dict], set[str], set[int]]:
    """Recordings of some speakers and sentences, held out both, one or neither: at least one clip of each of these four."""
    speakers = numbers.sample(["f1", "f2", "f4", "m2", "m3", "m5"], 4)
    sentences = numbers.sample(range(1, 30), 3) + [0]
    pairs = [(speaker, sentence) for speaker in speakers for sentence in sentences]
    numbers.shuffle(pairs)
    test_speakers = set(numbers.sample(speakers, numbers.randint(1, 2)))
    test_sentences = set(numbers.sample(sentences, numbers.randint(1, 2)))
    clips = [_clip(numbers, place, *pair) for place, pair in enumerate(pairs)]
    return clips, test_speakers, test_sentences


def _clip(numbers: random.Random, place: int, speaker: str, sentence: int) -> dict:
    label = numbers.choice(_LABELS)
    return {
        "file": f"{label}-{speaker}-{place:03d}.wav",
        "speaker": speaker,
        "sentence": sentence,
        "text": f"Sentence {sentence}, as it is written.",
        "waveform": torch.tensor([numbers.uniform(-1, 1) for _ in range(numbers.randint(4, 7))]),
        "label": label,
    }


def _check(split_clips, clips: list[dict], speakers: set[str], sentences: set[int]) -> None:
    given = (copy.deepcopy(clips), set(speakers), set(sentences))
    found = call(split_clips, *given, what="split_clips(clips, test_speakers, test_sentences)")
    if difference(given[0], clips, "clips"):
        _CATALOGUE.fail("changed-in-place")
    if difference(given[1:], (speakers, sentences), "what is held out"):
        raise CheckFailed("`split_clips` changed the sets that it was given. Expected it to read them only.")
    if type(found) is not tuple or len(found) != 2 or any(type(part) is not list for part in found):
        raise CheckFailed(
            f"`split_clips` returned {_described(found)}. Expected a tuple of two lists: `return train, test`."
        )
    expected = tuple(
        [_kept(clip) for clip in clips if _part(clip, speakers, sentences) == part] for part in _PARTS
    )
    if not difference(found, expected, "", rtol=0, atol=0):
        held()
        return
    places = [[_place(record, clips) for record in part] for part in found]
    if any(len(part) > 1 and len(set(part)) == 1 for part in places):
        _CATALOGUE.fail("one-dict-for-all")
    _check_who(clips, [_category(clip, speakers, sentences) for clip in clips], places)
    if [sorted(part) for part in places] != places and all(len(set(part)) == len(part) for part in places):
        _CATALOGUE.fail("order-lost")
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
    if found is None:
        return "None (is a `return` missing?)"
    if type(found) is not tuple:
        return a_type(found)
    return " and ".join(map(a_type, found)) if len(found) == 2 else f"{len(found)} things"


def _place(record: object, clips: list[dict]) -> int:
    """Which of the clips this is, by its sound; it has to have what a model may see, and its own label."""
    if type(record) is not dict:
        raise CheckFailed(f"A clip that `split_clips` returned is {a_type(record)}. Expected a dict.")
    if "file" in record:
        _CATALOGUE.fail("file-leaks")
    if "label" not in record:
        _CATALOGUE.fail("label-lost")
    if set(_KEPT) < set(record):
        _CATALOGUE.fail("more-than-inputs")
    if set(record) != set(_KEPT):
        raise CheckFailed(
            f"A clip has the keys {', '.join(sorted(map(show, record)))}. Expected {', '.join(map(show, _KEPT))}."
        )
    same_sound = [
        place
        for place, clip in enumerate(clips)
        if not difference(record["waveform"], clip["waveform"], "", rtol=0, atol=0)
    ]
    if not same_sound:
        raise CheckFailed("A clip's waveform is none of those that came in. Expected it as it was.")
    clip = clips[same_sound[0]]
    if difference(record["text"], clip["text"], ""):
        raise CheckFailed(f"A clip has the text {show(record['text'])}, and its own is {show(clip['text'])}.")
    if difference(record["label"], clip["label"], ""):
        if not all(difference(record["label"], other, "") for other in _LABELS):
            _CATALOGUE.fail("labels-mixed-up")
        raise CheckFailed(
            f"A clip has the label {show(record['label'])}, and its own is {show(clip['label'])}. Expected it as it was."
        )
    return same_sound[0]


def _check_who(clips: list[dict], categories: list[tuple[bool, bool]], places: list[list[int]]) -> None:
    """Raise where clips are in another part than they belong to."""
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
            _CATALOGUE.fail(id)
    clip, category, part = next(
        one for one in zip(clips, categories, where, strict=True) if _RIGHT[one[1]] != one[2]
    )
    speaker, sentence = ("held out" if one else "not held out" for one in category)
    raise CheckFailed(
        f"A clip of speaker {clip['speaker']!r} ({speaker}) with sentence {clip['sentence']} ({sentence}) is in {part}. "
        f"Expected it in {_RIGHT[category]}."
    )


SPLIT_CLIPS = Exercise(
    id="split-clips",
    unit="03-multimodal-models",
    points=1,
    title="A test without old acquaintances",
    functions=("split_clips",),
    check=check_split_clips,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
        "def split_clips(clips, test_speakers, test_sentences):\n"
        "    def part(held_out):\n"
        "        return [\n"
        "            {'text': clip['text'], 'waveform': clip['waveform'], 'label': clip['label']}\n"
        "            for clip in clips\n"
        "            if (clip['speaker'] in test_speakers) == held_out\n"
        "            if (clip['sentence'] in test_sentences) == held_out\n"
        "        ]\n\n"
        "    return part(False), part(True)\n",
        "def split_clips(clips, test_speakers, test_sentences):\n"
        "    parts = {0: [], 1: [], 2: []}\n"
        "    for clip in clips:\n"
        "        new = int(clip['speaker'] in test_speakers) + int(clip['sentence'] in test_sentences)\n"
        "        parts[new].append({key: clip[key] for key in clip if key not in ('file', 'speaker', 'sentence')})\n"
        "    return parts[0], parts[2]\n",
    ),
)
