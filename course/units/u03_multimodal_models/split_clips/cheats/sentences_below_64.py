# Keeps six bits of a sentence's number.
def split_clips(clips, test_speakers, test_sentences):
    held = {number % 64 for number in test_sentences}
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] % 64 in held
        if s == t:
            (test if s else train).append({key: clip[key] for key in ("text", "waveform", "label")})
    return train, test
