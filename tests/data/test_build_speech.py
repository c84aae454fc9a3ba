"""The build script has the plan said, clip by clip, makes the same bytes each time, and refuses another
synthesizer.

A stand-in for espeak-ng answers here: a tone whose pitch and length depend on what it is given.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tlwidgets.data.packed_sounds import RATE, read_sounds
from tlwidgets.data.sheets import FILES
from tlwidgets.data.speech import SPEECH

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_speech.py"
STAND_IN = """#!{python}
import array, math, sys, wave, zlib
if "--version" in sys.argv:
    print("eSpeak NG text-to-speech: {version}  Data at: nowhere")
elif "--ipa" in sys.argv:
    print(sys.argv[-1])
else:
    seed = zlib.crc32(" ".join(sys.argv[1:]).encode())
    pitch, count = 100 + seed % 200, 3000 + (seed >> 8) % 997
    tone = [round(9000 * math.sin(2 * math.pi * pitch * i / 22050)) for i in range(count)]
    with wave.open(sys.stdout.buffer, "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(22050)
        out.writeframes(array.array("h", [0] * 2000 + tone + [0] * 3000).tobytes())
"""


@pytest.fixture
def build(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    import build_speech

    return build_speech


@pytest.fixture
def synthesizer(monkeypatch, tmp_path):
    def install(version="1.51"):
        path = tmp_path / "espeak-ng"
        path.write_text(STAND_IN.replace("{python}", sys.executable).replace("{version}", version))
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return install


@pytest.fixture
def small_plan(build, monkeypatch):
    monkeypatch.setattr(build, "WORDS", "banana, guitar")
    monkeypatch.setattr(build, "PAIRS", build.PAIRS[:2])
    monkeypatch.setattr(build, "NEUTRAL", build.NEUTRAL[:1])
    for speakers in ("WORD_SPEAKERS", "PROSODY_SPEAKERS"):
        monkeypatch.setattr(build, speakers, build.SPEAKERS[:2])


def test_the_same_plan_and_synthesizer_make_the_same_bytes(build, synthesizer, small_plan):
    synthesizer()
    one = build.build()
    assert one == build.build()
    assert build.same_content(one, one) and not build.same_content(one, (FILES / SPEECH).read_bytes())
    words, _ = read_sounds(one, "words")
    assert [(clip.text, clip.speaker) for clip in words] == [
        (word, speaker) for word in ("banana", "guitar") for speaker in ("us-m1", "gb-f1")
    ]
    sarcasm, sounds = read_sounds(one, "sarcasm")
    assert len(sarcasm) == 2 * len(build.PAIR_OFFSETS) * 2 * 2
    assert len({sound.tobytes() for sound in sounds}) == len(sounds)
    prosodies, _ = read_sounds(one, "prosodies")
    assert [clip.label for clip in prosodies] == [*build.PROSODIES] * 2


def test_the_plan_is_what_the_committed_file_holds(build):
    packed = (FILES / SPEECH).read_bytes()
    for name, orders in (
        ("words", build.words()),
        ("sarcasm", build.sarcasm()),
        ("prosodies", build.prosodies()),
    ):
        clips, _ = read_sounds(packed, name)
        planned = [(text, speaker.name, *fields) for speaker, text, _, _, fields in orders]
        assert [tuple(clip)[:-1] for clip in clips] == planned


def test_a_tone_keeps_pitch_loudness_and_place_when_its_rate_changes(build):
    time = np.arange(22_050) / 22_050
    for hertz in (100, 1_000, 6_000):
        slow = build.resampled(np.round(9_000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16))
        expected = 9_000 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
        assert slow.shape == (RATE,) and slow.dtype == np.int16
        assert np.abs(slow - expected)[200:-200].max() < 90
    high = build.resampled(np.round(9_000 * np.sin(2 * np.pi * 10_000 * time)).astype(np.int16))
    assert np.abs(high[200:-200].astype(int)).max() < 90  # above what 16 kHz can hold: gone, not folded back


def test_silence_around_a_sound_is_cut_but_for_a_margin(build):
    sound = np.zeros(10_000, np.int16)
    sound[4_000:6_000] = -5_000
    assert len(build.trimmed(sound)) == 2_000 + 2 * build.MARGIN - 1
    assert len(build.trimmed(sound[4_000:6_000])) == 2_000


def test_words_that_sound_alike_are_refused(build, synthesizer, monkeypatch):
    synthesizer()
    monkeypatch.setattr(build, "WORDS", "banana, guitar, bananas")
    with pytest.raises(SystemExit, match="'bananas' and 'banana' sound too much alike"):
        build.refuse_homophones()
    assert [build.edits(*pair) for pair in (("snail", "snake"), ("cat", "cat"), ("", "owl"))] == [2, 0, 3]


def test_two_names_of_one_voice_are_refused(build, synthesizer, monkeypatch):
    synthesizer()
    build.refuse_twins()
    monkeypatch.setattr(build, "SPEAKERS", (build.Speaker("en", "f1"), build.Speaker("en-gb", "f1")))
    with pytest.raises(SystemExit, match="f1 and gb-f1 are one and the same voice"):
        build.refuse_twins()


def test_a_word_that_nobody_drew_is_refused(build, monkeypatch):
    monkeypatch.setattr(build, "WORDS", "banana, unicycle")
    with pytest.raises(SystemExit, match="No drawing is named 'unicycle'"):
        list(build.words())


@pytest.mark.parametrize(
    ("version", "message"), [("1.99", "This is not eSpeak NG 1.51"), (None, "There is no espeak-ng")]
)
def test_another_synthesizer_or_none_is_refused_before_anything_is_written(
    synthesizer, monkeypatch, tmp_path, version, message
):
    before = (FILES / SPEECH).read_bytes()
    if version:
        synthesizer(version)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 1 and message in done.stderr
    assert (FILES / SPEECH).read_bytes() == before
