"""Build tlwidgets/data/files/speech.zip: synthetic speech by eSpeak NG, after `speech_plan.py`.

    apt-get install espeak-ng                   # 1.51
    python scripts/build_speech.py
    python scripts/build_speech.py --check      # compares with the committed copy

The same eSpeak NG says the same samples, and the same liblzma packs them in the same bytes.
"""

import argparse
import io
import os
import random
import re
import subprocess
import wave
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import committed
import numpy as np
from scipy.signal import firwin, upfirdn
from speech_plan import (
    NEUTRAL,
    PAIR_OFFSETS,
    PAIRS,
    PLAIN,
    PROSODIES,
    PROSODY_SPEAKERS,
    SENTENCE_SPEED,
    SPEAKERS,
    TONES,
    WORD_SPEAKERS,
    WORD_SPEED,
    WORDS,
    Prosody,
    Speaker,
)

from tlwidgets.data import load_drawings
from tlwidgets.data.packed_sounds import RATE, Clip, read_sounds, write_sounds
from tlwidgets.data.sheets import FILES
from tlwidgets.data.speech import SPEECH

ESPEAK = "1.51"
ESPEAK_RATE = 22_050
UP, DOWN = 320, 441  # 22,050 x 320 / 441 = 16,000
DELAY = 24  # of the filter, in samples at 16,000
QUIET = 100  # of 32,768
MARGIN = RATE // 50
CLOSEST_WORDS = 2


def words() -> Iterator[tuple]:
    drawn = set(load_drawings().names)
    for number, word in enumerate(WORDS.split(", ")):
        if word not in drawn:
            raise SystemExit(f"No drawing is named {word!r}.")
        for speaker in WORD_SPEAKERS:
            yield speaker, word, WORD_SPEED, PLAIN, (number, "", "plain", word)


def sarcasm() -> Iterator[tuple]:
    for number, pair in enumerate(PAIRS):
        for offset in PAIR_OFFSETS:
            for sentiment, text in zip(("positive", "negative"), pair, strict=True):
                for tone, prosody in TONES.items():
                    label = "sincere" if (sentiment == "positive") == (tone == "warm") else "sarcastic"
                    speaker = SPEAKERS[(number + offset) % len(SPEAKERS)]
                    yield speaker, text, SENTENCE_SPEED, prosody, (number, sentiment, tone, label)


def prosodies() -> Iterator[tuple]:
    for number, text in enumerate(NEUTRAL):
        for speaker in PROSODY_SPEAKERS:
            for name, prosody in PROSODIES.items():
                yield speaker, text, SENTENCE_SPEED, prosody, (number, "neutral", name, name)


def say(speaker: Speaker, text: str, speed: int, prosody: Prosody, pick: random.Random) -> np.ndarray:
    """What eSpeak NG says, (samples,) int16 at 16 kHz, without the silence around it."""
    pitch, rate = (
        part + pick.randint(-prosody.jitter, prosody.jitter) for part in (prosody.pitch, prosody.rate)
    )
    melody = max(prosody.range + 2 * pick.randint(-prosody.jitter, prosody.jitter), 0)
    ssml = (
        f'<prosody pitch="{pitch:+d}%" range="{melody}%" rate="{rate}%" volume="{prosody.volume}">'
        f"{text}</prosody>"
    )
    said = run("-z", "-m", "--stdout", "-s", str(speed), "-v", speaker.voice, ssml)
    with wave.open(io.BytesIO(said)) as sound:
        if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (ESPEAK_RATE, 1, 2):
            raise SystemExit(f"eSpeak NG said {text!r} in another format than one channel at {ESPEAK_RATE}.")
        # The header of a stream tells no true length, so more is asked for than there is.
        samples = np.frombuffer(sound.readframes(len(said)), "<i2")
    return trimmed(resampled(samples))


def run(*arguments: str) -> bytes:
    return subprocess.run(["espeak-ng", *arguments], capture_output=True, check=True).stdout


def resampled(samples: np.ndarray) -> np.ndarray:
    """From 22,050 to 16,000 samples a second, exactly alike on every machine."""
    # Whole numbers whose products sum to less than 2**53: exact in any order.
    taps = np.round(firwin(2 * DELAY * DOWN + 1, 7_600, fs=ESPEAK_RATE * UP) * UP * 2**16)
    filtered = upfirdn(taps, np.concatenate([samples, np.zeros(64)]), UP, DOWN)[DELAY:]
    count = -(-len(samples) * UP // DOWN)
    return np.clip(np.floor(filtered[:count] / 2**16 + 0.5), -(2**15), 2**15 - 1).astype(np.int16)


def trimmed(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > QUIET)
    return sound[max(loud[0] - MARGIN, 0) : loud[-1] + MARGIN]


def collection(orders: Sequence[tuple]) -> tuple[list[Clip], list[np.ndarray]]:
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        sounds = list(
            workers.map(
                lambda order: say(*order[:4], random.Random(f"{order[0].name} {order[1]} {order[4]}")), orders
            )
        )
    clips = [
        Clip(text, speaker.name, *fields, len(sound))
        for (speaker, text, _, _, fields), sound in zip(orders, sounds, strict=True)
    ]
    return clips, sounds


def refuse_homophones() -> None:
    """Every two words must differ in two sounds or more, as eSpeak NG writes them."""
    names = WORDS.split(", ")
    spoken = [
        re.sub(r"[ˈˌː\s]", "", run("-q", "--ipa", "-v", "en-us", name).decode("utf-8")) for name in names
    ]
    for place, one in enumerate(spoken):
        for other in range(place):
            if edits(one, spoken[other]) < CLOSEST_WORDS:
                raise SystemExit(f"{names[place]!r} and {names[other]!r} sound too much alike; drop one.")


def edits(one: str, other: str) -> int:
    """The least number of signs to add, drop or change (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, sign in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, its in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (sign != its))
    return row[-1]


def refuse_twins() -> None:
    """Every two speakers must say the same word differently: of a voice that it does not know, eSpeak NG
    takes another."""
    heard: dict[bytes, str] = {}
    for speaker in SPEAKERS:
        twin = heard.setdefault(run("--stdout", "-v", speaker.voice, "anyone"), speaker.name)
        if twin != speaker.name:
            raise SystemExit(f"{twin} and {speaker.name} are one and the same voice; drop one.")


def build() -> bytes:
    refuse_homophones()
    refuse_twins()
    plans = {"words": words(), "sarcasm": sarcasm(), "prosodies": prosodies()}
    return write_sounds({name: collection(list(orders)) for name, orders in plans.items()})


def same_content(one: bytes, other: bytes) -> bool:
    for name in ("words", "sarcasm", "prosodies"):
        (clips, sounds), (others, heard) = read_sounds(one, name), read_sounds(other, name)
        if clips != others or not np.array_equal(sounds, heard):
            return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed copy, write nothing")
    options = parser.parse_args()
    try:
        version = run("--version").decode("utf-8")
    except FileNotFoundError:
        raise SystemExit(f"There is no espeak-ng. Install eSpeak NG {ESPEAK}.") from None
    found = re.search(r"text-to-speech: (\S+)", version)
    if not found or found[1] != ESPEAK:
        raise SystemExit(f"This is not eSpeak NG {ESPEAK}, for which this was written: {version.strip()!r}.")
    packed = build()
    target = FILES / SPEECH
    if options.check:
        alike, differs = "the same sounds, in other bytes", "DIFFERS from what the plan gives"
        if committed.compare(target, packed, same_content, alike, differs):
            return
        raise SystemExit(1)
    committed.replace(target, packed)
    for name in ("words", "sarcasm", "prosodies"):
        clips, _ = read_sounds(packed, name)
        seconds = sum(clip.samples for clip in clips) / RATE
        print(f"{name}: {len(clips):,} clips, {seconds:,.0f} seconds")
    print(f"{target.name}: {len(packed):,} bytes")


if __name__ == "__main__":
    main()
