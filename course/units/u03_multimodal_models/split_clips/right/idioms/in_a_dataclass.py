from dataclasses import asdict, dataclass


@dataclass
class Clip:
    text: str
    waveform: object
    label: str


def split_clips(clips, test_speakers, test_sentences):
    out = ([], [])
    for c in clips:
        a, b = c["speaker"] in test_speakers, c["sentence"] in test_sentences
        if a is b:
            out[a].append(vars(Clip(c["text"], c["waveform"], c["label"])).copy())
    return out
