# Holds out one speaker of all that are asked for.
def split_clips(clips, test_speakers, test_sentences):
    held = sorted(test_speakers)[:2]
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in held, clip["sentence"] in test_sentences
        if s == t:
            (test if s else train).append({key: clip[key] for key in ("text", "waveform", "label")})
    return train, test
